package spec

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the messages of testdata/bad as they are")

// builtin are the names that iproute2 knows without files, so that tests do not
// depend on the system's.
var builtin = ReadNames(fstest.MapFS{})

// TestBad loads the documents of testdata/bad and compares all messages. A line
// "-f PATH" before the first file says what is loaded, by default all files.
func TestBad(t *testing.T) {
	archives, err := filepath.Glob("testdata/bad/*.txtar")
	if err != nil || len(archives) < 30 {
		t.Fatalf("%d archives, %v", len(archives), err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			want, paths := unpack(t, a)
			file, err := filepath.Abs(name)
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(filepath.Join(paths[0]))
			_, err = load(paths[1:], strings.NewReader(""), testVocabulary, builtin)
			if err == nil {
				t.Fatal("the document is taken")
			}
			got := err.Error() + "\n"
			if *update {
				a.Files[len(a.Files)-1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			var all Errors
			if errors.As(err, &all) && len(all) != strings.Count(got, "\n") {
				t.Errorf("%d errors in %d lines", len(all), strings.Count(got, "\n"))
			}
		})
	}
}

// unpack writes an archive's files into a new directory and returns the wanted
// messages and the directory with the paths to load.
func unpack(t *testing.T, a *txtar.Archive) (want string, paths []string) {
	t.Helper()
	dir := t.TempDir()
	paths = []string{dir}
	for line := range strings.Lines(string(a.Comment)) {
		if p, ok := strings.CutPrefix(line, "-f "); ok {
			paths = append(paths, strings.TrimSpace(p))
		}
	}
	all := len(paths) == 1
	for _, f := range a.Files {
		if f.Name == "want" {
			want = string(f.Data)
			continue
		}
		name := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
		if all {
			paths = append(paths, f.Name)
		}
	}
	return want, paths
}
