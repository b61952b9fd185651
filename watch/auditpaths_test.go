package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWayTo goes where the kernel goes, also through symbolic links.
func TestWayTo(t *testing.T) {
	top := t.TempDir()
	if err := os.MkdirAll(filepath.Join(top, "a/b"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{
		"rel": "a", "up": "../" + filepath.Base(top) + "/a", "abs": top + "/a/b", "loop": "loop", "gone": "nowhere/at/all",
	} {
		if err := os.Symlink(target, filepath.Join(top, name)); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		"a/b":         "a, a/b",
		"a//./b/":     "a, a/b",
		"a/b/none/x":  "a, a/b, a/b/none, a/b/none/x",
		"a/../a/b":    "a, a, a/b",
		"rel/b":       "rel, a, a/b",
		"rel/b/../x":  "rel, a, a/b, a/x",
		"abs/../x":    "abs, a, a/b, a/x", // not top/x
		"up/b":        "up, a, a/b",
		"gone/x":      "gone, nowhere, nowhere/at, nowhere/at/all, nowhere/at/all/x",
		"none/../a/x": "none, a, a/x",
	} {
		var got []string
		for above, name := range wayTo(top + "/" + path) {
			if in, ok := strings.CutPrefix(filepath.Join(above, name), top+"/"); ok {
				got = append(got, in)
			}
		}
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("%s: %s, want %s", path, s, want)
		}
	}
	n := 0
	for range wayTo(top + "/loop/x") {
		n++
	}
	if n > 2*maxLinks {
		t.Error(fmt.Sprint(n), "steps through a loop")
	}
}
