package examples_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nlapply/nlapply/tests/examples"
	"github.com/nlapply/nlapply/tests/scenario"
)

func TestMain(m *testing.M) { scenario.Main(m) }

// script is what every example has to stand.
const script = `
# the machine as the example finds it
%[1]s

# there is something to do, it is done, and then there is nothing left to do
status 2 nlapply plan -f net.yaml
exec nlapply -f net.yaml
status 0 nlapply plan -f net.yaml

# iproute2 reports what the document says
%[3]s
# a second apply sends nothing that changes anything
writes 0 nlapply -f net.yaml

# its dump changes nothing here, and restores the same state elsewhere
roundtrip %[2]s

# delete takes it away, and then there is nothing left to take
exec nlapply delete -f net.yaml
writes 0 nlapply delete -f net.yaml
status 2 nlapply plan -f net.yaml
`

// TestExamples runs every example as its reader would, on kernels that have its
// link kinds.
func TestExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("examples take longer than make unit allows")
	}
	list, err := examples.Find(os.DirFS("../.."), "examples")
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Fatal("no examples found")
	}
	dir := t.TempDir()
	var files []string
	for _, x := range list {
		file := filepath.Join(dir, x.Name+".txtar")
		judge, err := os.ReadFile(filepath.Join("testdata", x.Name+".txt"))
		if err != nil {
			t.Errorf("example %s: nothing says what iproute2 has to report: %v", x.Name, err)
			continue
		}
		if err := os.WriteFile(file, archive(x, judge), 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	scenario.Run(t, "", files...)
}

var owner = regexp.MustCompile("(?m)^owner: *([A-Za-z0-9-]+)")

// archive makes a scenario of an example. The judge is what it has to stand after
// it was applied.
func archive(x examples.Example, judge []byte) []byte {
	var setup, restore string
	for _, need := range x.Needs {
		setup += fmt.Sprintf("needs '%s'\n", need)
	}
	if _, ok := x.Files["setup.sh"]; ok {
		setup, restore = setup+"exec sh -e setup.sh\n", "setup.sh"
	}
	if m := owner.FindStringSubmatch(x.Files["net.yaml"]); m != nil {
		restore = "-owner " + m[1] + " " + restore
	}
	a := &txtar.Archive{Comment: fmt.Appendf(nil, script, strings.TrimSpace(setup), restore, judge)}
	for name, text := range x.Files {
		a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(text)})
	}
	return txtar.Format(a)
}
