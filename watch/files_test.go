package watch

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFilesThatWent checks that a file is waited for that has just gone, also when
// another one came.
func TestFilesThatWent(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yaml")
	write := func(path string) {
		if err := os.WriteFile(path, []byte("version: 1\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(a)
	f, err := watchFiles([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	rest := f.state()
	write(b)
	if wait := f.unrest(rest, f.state()); wait != 0 {
		t.Errorf("for a new file it waits %v", wait)
	}
	if err := os.Rename(a, filepath.Join(dir, "aside")); err != nil {
		t.Fatal(err)
	}
	if wait := f.unrest(rest, f.state()); wait <= 0 {
		t.Error("a file that went is not waited for when another one came")
	}
}
