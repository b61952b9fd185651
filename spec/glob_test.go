package spec

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The names are in the order in which `ls -1v` of coreutils 9.1 has them.
var versions = []string{
	"", ".", "..", ".x", "1.rules", "2.rules", "9-z.rules", "10-a.rules", "10-base-config.rules", "10-no-audit.rules", "010-x.rules",
	"11.rules", "30.rules.d", "30-ospp-v42.rules", "30-ospp-v42-1-create-failed.rules", "30-ospp-v42-10-x.rules",
	"99-finalize.rules", "A.rules", "Z", "a.rules", "ab", "b-1", "b-02", "b-2.old", "b-10", "b_1",
}

func TestCompareVersions(t *testing.T) {
	checkLS(t, versions[4:])
	for i, a := range versions {
		for j, b := range versions {
			if got := compareVersions(a, b); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%q and %q: %d", a, b, got)
			}
		}
	}
}

// TestCompareRandomVersions compares with ls.
func TestCompareRandomVersions(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var names []string
		for range 40 {
			b := []byte{"a1"[r.IntN(2)]}
			for range r.IntN(8) {
				b = append(b, "aZ0129.-_"[r.IntN(9)])
			}
			names = append(names, string(b))
		}
		checkLS(t, names)
	}
}

func checkLS(t *testing.T, names []string) {
	t.Helper()
	if version, err := exec.Command("ls", "--version").Output(); err != nil || !strings.Contains(string(version), "GNU coreutils") {
		t.Skip("no ls of GNU coreutils")
	}
	dir := t.TempDir()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ls := exec.Command("ls", "-1v", dir)
	ls.Env = append(os.Environ(), "LC_ALL=C")
	out, err := ls.Output()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Glob(filepath.Join(literal(dir), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i] = filepath.Base(got[i])
	}
	if diff := cmp.Diff(strings.Fields(string(out)), got); diff != "" {
		t.Error(diff)
	}
}

func TestGlob(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"d1/a.rules", "d1/b.rules", "d1/.hidden.rules", "d10/a.rules", "d2/c.rules", "d2/x.old", "odd[1]/a.rules", "file"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for pattern, want := range map[string][]string{
		"d1/*.rules":        {"d1/a.rules", "d1/b.rules"},
		"./d1//*.rules":     {"./d1/a.rules", "./d1/b.rules"},
		"d1/.*.rules":       {"d1/.hidden.rules"},
		"d*/*.rules":        {"d1/a.rules", "d1/b.rules", "d2/c.rules", "d10/a.rules"},
		"d*/a.rules":        {"d1/a.rules", "d10/a.rules"},
		"d2":                {"d2"},
		"f*":                {"file"},
		"f*/x":              nil,
		"nosuch/*.rules":    nil,
		"*.rules":           nil,
		`odd\[1\]/*.rules`:  {"odd[1]/a.rules"},
		`d1/[!a].rules`:     {"d1/b.rules"},
		`d1/[^a].rules`:     {"d1/b.rules"},
		"/nosuch/a*/b.rule": nil,
	} {
		got, err := Glob(pattern)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", pattern, got, err, want)
		}
	}
	if _, err := Glob("d1/nosuch"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := Glob("[a"); err == nil {
		t.Error("[a is taken")
	}
}
