// Package examples finds the project's examples, for the test that runs each of
// them and for the test that none is left out.
package examples

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
)

// Example is one directory below examples/.
type Example struct {
	Name  string
	Files map[string]string // net.yaml, perhaps setup.sh, and what they mention
	Needs []string          // conditions, see package scenario
}

// Find returns the examples below dir: directories that hold a net.yaml.
func Find(fsys fs.FS, dir string) ([]Example, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, err
	}
	var list []Example
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		x, err := read(fsys, path.Join(dir, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("example %s: %w", e.Name(), err)
		}
		if _, ok := x.Files["net.yaml"]; ok {
			list = append(list, x)
		}
	}
	return list, nil
}

func read(fsys fs.FS, dir string) (Example, error) {
	x := Example{Name: path.Base(dir), Files: map[string]string{}}
	err := fs.WalkDir(fsys, dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(fsys, p)
		x.Files[p[len(dir)+1:]] = string(data)
		return err
	})
	for _, name := range []string{"net.yaml", "setup.sh"} {
		x.Needs = append(x.Needs, needs(x.Files[name])...)
	}
	slices.Sort(x.Needs)
	x.Needs = slices.Compact(x.Needs)
	return x, err
}

var (
	kindInYAML  = regexp.MustCompile(`\bkind: *["']?([a-z0-9]+)`)
	kindInShell = regexp.MustCompile(`\bip (?:-n \S+ )?link add .*\btype ([a-z0-9]+)`)
)

// abilities are what an example may need of a kernel beside link kinds: a word
// in the document, and the command that shows whether the kernel can do it.
var abilities = []struct {
	word    *regexp.Regexp
	command string
}{
	{regexp.MustCompile(`vlan_filtering: *(true|1|on)\b`), "ip link add br0 type bridge vlan_filtering 1"},
}

// needs derives from a document or a script which link kinds and abilities the
// kernel must have for it.
func needs(text string) (list []string) {
	for _, re := range []*regexp.Regexp{kindInYAML, kindInShell} {
		for _, m := range re.FindAllStringSubmatch(text, -1) {
			list = append(list, "kind:"+m[1])
		}
	}
	for _, a := range abilities {
		if a.word.MatchString(text) {
			list = append(list, "try:"+a.command)
		}
	}
	return list
}
