package arch

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// checks lists all of them. broken is a small tree that breaks the rule, want
// is in what the check then says.
var checks = []struct {
	name         string
	check        func(fs.FS) ([]string, error)
	broken, want string
}{
	{
		"imports point upward", Imports,
		"netlink/route/link.go: package route\nimport _ \"" + Module + "/reconcile\"",
		"netlink/route/link.go: netlink/route imports reconcile, which is not below it",
	},
	{
		"imports point sideways", Imports,
		"netlink/route/link.go: package route\nimport _ \"" + Module + "/netlink/route/attr\"",
		"netlink/route imports netlink/route/attr",
	},
	{
		"the document knows netlink", Imports,
		"spec/link.go: package spec\nimport _ \"" + Module + "/netlink\"",
		"the document knows no netlink",
	},
	{
		"the product imports test support", Imports,
		"reconcile/x.go: package reconcile\nimport _ \"" + Module + "/internal/testns\"",
		"which is for tests",
	},
	{
		"test support imports the engine", Imports,
		"internal/testns/x.go: package testns\nimport _ \"" + Module + "/reconcile\"",
		"test support imports reconcile",
	},
	{
		"a package without a place", Imports,
		"pkg/util/x.go: package util",
		"package pkg/util has no place",
	},
	{
		"testing in the product", NoTesting,
		"netlink/fake.go: package netlink\nimport _ \"testing\"",
		"netlink/fake.go: imports testing",
	},
	{
		"a kind that is not listed", Kinds,
		"netlink/route/kind/x.go: package kind\nvar All = []func() Kind{func() Kind { return new(A) }}\n" +
			"type A struct{}\nfunc (*A) Name() string\nfunc (*A) Fields() attr.Fields\n" +
			"type B struct{ A }\nfunc (b B) Name() string\n",
		"B is in neither All nor Ports",
	},
	{
		"an example that nothing runs", Examples,
		"examples/edge/README.md: hello",
		"examples/edge: no net.yaml",
	},
	{
		"a scenario that does not say what it shows", Scenarios,
		"tests/netns/testdata/x.txtar: exec true",
		"tests/netns/testdata/x.txtar: does not begin with a comment",
	},
	{
		"a path of the machine", MachinePaths("/build/tree"),
		"README.md: see\n/build/tree/README.md",
		"README.md:2: path of a build machine",
	},
	{
		"a path of somebody's home", MachinePaths("/build/tree"),
		"x.go: // /ho" + "me/joe/x",
		"x.go:1: path of a build machine",
	},
}

// TestTree runs every check on the tree itself.
func TestTree(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	tree := os.DirFS(root)
	run := func(name string, check func(fs.FS) ([]string, error)) {
		t.Run(name, func(t *testing.T) {
			wrong, err := check(tree)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range wrong {
				t.Error(w)
			}
		})
	}
	run("imports", Imports)
	run("testing", NoTesting)
	run("kinds", Kinds)
	run("examples", Examples)
	run("scenarios", Scenarios)
	run("paths", MachinePaths(root))
}

// TestChecksCanFail shows that each check finds what it is for.
func TestChecksCanFail(t *testing.T) {
	for _, tt := range checks {
		t.Run(tt.name, func(t *testing.T) {
			file, text, _ := strings.Cut(tt.broken, ": ")
			wrong, err := tt.check(fstest.MapFS{file: {Data: []byte(text)}})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(wrong, "\n"); !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want it to hold %q", got, tt.want)
			}
		})
	}
}
