// Package arch checks what no compiler checks: the order of the packages, the
// completeness of lists, and what must not be in the tree. Each check takes a
// tree and returns what is wrong with it, so that every one is shown to fail on
// a small tree that breaks its rule.
package arch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Module is the module's path, which its import paths begin with.
const Module = "github.com/nlapply/nlapply"

// source is a parsed Go file that is not a test.
type source struct {
	name string // path in the tree
	dir  string
	file *ast.File
}

// imports returns the import paths of a file.
func (s source) imports() (list []string) {
	for _, spec := range s.file.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			list = append(list, p)
		}
	}
	return list
}

// sources parses the Go files of the product below a directory: no tests, and
// no other modules.
func sources(tree fs.FS, below string, mode parser.Mode) (list []source, err error) {
	fset := token.NewFileSet()
	err = fs.WalkDir(tree, below, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && outside(tree, p):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go"):
			return nil
		}
		data, err := fs.ReadFile(tree, p)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(fset, p, data, mode)
		if err != nil {
			return err
		}
		list = append(list, source{p, path.Dir(p), file})
		return nil
	})
	return list, err
}

// outside reports whether a directory does not belong to the product: the
// tests' own programs, other modules, and what the go command ignores too.
func outside(tree fs.FS, dir string) bool {
	if dir == "." {
		return false
	}
	base := path.Base(dir)
	_, err := fs.Stat(tree, path.Join(dir, "go.mod"))
	return dir == "tests" || base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || err == nil
}

// layers is the house: a package may import packages of lower layers only.
// What stands below a listed directory belongs to it.
var layers = [][]string{
	{"cmd", "examples"},
	{"internal/cli"},
	{"internal/metrics", "internal/notify"},
	{"watch"},
	{"reconcile", "monitor"},
	{"spec", "netlink/route/kind", "internal/wire"},
	{"netlink/route/attr", "netlink/route", "netlink/audit", "netlink/sockdiag"},
	{"internal/portowner"},
	{"netlink/netns", "netlink/nltest"},
	{"netlink"},
	{"netlink/internal", "internal/peercred"},
}

// support are packages for tests: they may import anything below reconcile, and
// nothing but tests imports them.
var support = []string{"internal/testaudit", "internal/testns", "netlink/nltest"}

// Imports checks the order of the packages (design: data goes one way, imports
// only downward), and that the document knows nothing of netlink.
func Imports(tree fs.FS) (wrong []string, err error) {
	list, err := sources(tree, ".", parser.ImportsOnly)
	for _, s := range list {
		from, fromLayer := place(s.dir)
		if fromLayer < 0 && !slices.Contains(support, s.dir) {
			wrong = append(wrong, fmt.Sprintf("%s: package %s has no place in the order of the house", s.name, s.dir))
			continue
		}
		for _, p := range s.imports() {
			dir, ours := strings.CutPrefix(p, Module+"/")
			if !ours {
				continue
			}
			to, toLayer := place(dir)
			switch {
			case slices.Contains(support, dir) && !slices.Contains(support, s.dir):
				wrong = append(wrong, fmt.Sprintf("%s: imports %s, which is for tests", s.name, dir))
			case slices.Contains(support, s.dir):
				if _, engine := place("reconcile"); toLayer >= 0 && toLayer <= engine {
					wrong = append(wrong, fmt.Sprintf("%s: test support imports %s", s.name, dir))
				}
			case from == to:
			case toLayer <= fromLayer:
				wrong = append(wrong, fmt.Sprintf("%s: %s imports %s, which is not below it", s.name, s.dir, dir))
			case from == "spec":
				wrong = append(wrong, fmt.Sprintf("%s: spec imports %s, but the document knows no netlink", s.name, dir))
			}
		}
	}
	return wrong, err
}

// place returns the directory of the house that a package belongs to, the most
// exact one, and its layer: 0 is the top, -1 is nowhere.
func place(dir string) (home string, layer int) {
	layer = -1
	for i, l := range layers {
		for _, h := range l {
			if (dir == h || strings.HasPrefix(dir, h+"/")) && len(h) > len(home) {
				home, layer = h, i
			}
		}
	}
	return home, layer
}

// NoTesting checks that nothing of the product imports package testing: it adds
// flags to every program.
func NoTesting(tree fs.FS) (wrong []string, err error) {
	list, err := sources(tree, ".", parser.ImportsOnly)
	for _, s := range list {
		for _, p := range s.imports() {
			if (p == "testing" || strings.HasPrefix(p, "testing/")) && !slices.Contains(support, s.dir) {
				wrong = append(wrong, s.name+": imports "+p)
			}
		}
	}
	return wrong, err
}
