package watch

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/nlapply/nlapply/spec"
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

// TestRuleFiles checks that files which a document names are noticed as its own, from
// when it is read on.
func TestRuleFiles(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("net.yaml", "version: 1\naudit: {rules_files: ['rules.d/*.rules', single.rules]}\n")
	f, err := watchFiles([]string{"net.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	loads := 0
	load := func() (*spec.Document, error) {
		loads++
		return spec.Load([]string{"net.yaml"}, nil, nil)
	}
	if _, err := f.first(load); err == nil || loads != 2 {
		t.Fatalf("%v after %d loads", err, loads)
	}
	// Each step is noticed once, and read whole.
	step := func(what string, valid bool, files ...string) {
		t.Helper()
		select {
		case <-f.changed:
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: not noticed", what)
		}
		doc, whole, err := f.read(load, false)
		if !whole || (err == nil) != valid {
			t.Fatalf("%s: %v, whole %v", what, err, whole)
		}
		if diff := cmp.Diff(files, doc.Files[1:], cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s: %s", what, diff)
		}
		time.Sleep(2 * fileSettle)
		select {
		case <-f.changed:
			t.Fatalf("%s: noticed twice", what)
		default:
		}
	}
	write("single.rules", "-w /a\n")
	step("a file that was missing", true, "single.rules")
	if err := os.Mkdir("rules.d", 0o700); err != nil {
		t.Fatal(err)
	}
	write("rules.d/1.rules", "-w /b\n")
	step("a directory that was missing", true, "rules.d/1.rules", "single.rules")
	write("rules.d/2.rules", "-w /c\n")
	step("a file in the directory", true, "rules.d/1.rules", "rules.d/2.rules", "single.rules")
	write("rules.d/2.rules", "-w /d\n")
	step("a change", true, "rules.d/1.rules", "rules.d/2.rules", "single.rules")
	write("rules.d/other", "-w /d\n") // is no reason
	write("outside.rules", "-w /e\n")
	if err := os.Symlink("../outside.rules", "rules.d/3.rules"); err != nil {
		t.Fatal(err)
	}
	step("a link", true, "rules.d/1.rules", "rules.d/2.rules", "rules.d/3.rules", "single.rules")
	write("outside.rules", "-w /f\n")
	step("what it leads to", true, "rules.d/1.rules", "rules.d/2.rules", "rules.d/3.rules", "single.rules")
	if err := os.Chmod("rules.d/1.rules", 0o606); err != nil {
		t.Fatal(err)
	}
	step("its mode", false, "rules.d/2.rules", "rules.d/3.rules", "single.rules")
	write("net.yaml", "version: 1\naudit: {rules_files: ['rules.d/2.rules']}\n")
	step("other names", true, "rules.d/2.rules")
	write("single.rules", "-w /x\n") // is none of them any more
	write("rules.d/2.rules", "-w /y\n")
	step("one of them", true, "rules.d/2.rules")
	if err := os.Rename("rules.d", "old.d"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("rules.d", 0o700); err != nil {
		t.Fatal(err)
	}
	write("rules.d/2.rules", "-w /z\n")
	step("another directory", true, "rules.d/2.rules")
}
