package arch

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/nlapply/nlapply/tests/examples"
)

// Examples checks that every directory of examples/ is one that the examples
// test runs.
func Examples(tree fs.FS) (wrong []string, err error) {
	run, err := examples.Find(tree, "examples")
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(tree, "examples")
	for _, e := range entries {
		if e.IsDir() && !slices.ContainsFunc(run, func(x examples.Example) bool { return x.Name == e.Name() }) {
			wrong = append(wrong, "examples/"+e.Name()+": no net.yaml, so no test runs it")
		}
	}
	return wrong, err
}

// Scenarios checks that every script says first what behaviour it shows.
func Scenarios(tree fs.FS) (wrong []string, err error) {
	files, err := fs.Glob(tree, "tests/netns/testdata/*")
	for _, f := range files {
		data, err := fs.ReadFile(tree, f)
		switch {
		case err != nil:
			return wrong, err
		case path.Ext(f) != ".txtar":
			wrong = append(wrong, f+": not a script: no test runs it")
		case !bytes.HasPrefix(data, []byte("# ")):
			wrong = append(wrong, f+": does not begin with a comment that says what it shows")
		}
	}
	return wrong, err
}

// homes are directories of people's machines, wherever they are.
var homes = regexp.MustCompile(`/(home|Users)/[a-z][a-z0-9_-]*/|/root/(go|\.[a-z])`)

// MachinePaths returns a check that the tree holds no path of the machine that
// it was made on: root is where the tree is now.
func MachinePaths(root string) func(tree fs.FS) (wrong []string, err error) {
	return func(tree fs.FS) (wrong []string, err error) {
		err = fs.WalkDir(tree, ".", func(p string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() {
				if p != "." && strings.HasPrefix(d.Name(), ".") && d.Name() != ".ci" {
					return fs.SkipDir
				}
				return nil
			}
			if !d.Type().IsRegular() {
				return nil
			}
			data, err := fs.ReadFile(tree, p)
			if err != nil || bytes.IndexByte(data, 0) >= 0 { // not text
				return err
			}
			for i, line := range strings.Split(string(data), "\n") {
				if homes.MatchString(line) || strings.Contains(line, root+"/") {
					wrong = append(wrong, fmt.Sprintf("%s:%d: path of a build machine: %s", p, i+1, strings.TrimSpace(line)))
				}
			}
			return nil
		})
		return wrong, err
	}
}
