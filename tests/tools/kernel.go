package tools

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// Series names the packages of one kernel series in Debian's index.
type Series struct {
	Name    string // "6.12"
	pattern string // of the package names, the number that grows in the first group
}

// Kernels lists the series that the tests boot, newest first.
var Kernels = []Series{
	{"6.12", `^linux-image-6\.12\.([0-9]+)\+deb[0-9]+(\+[0-9]+)?-cloud-amd64(-unsigned)?$`},
	{"6.1", `^linux-image-6\.1\.0-([0-9]+)-cloud-amd64(-unsigned)?$`},
}

// Kernel returns the directory of the newest kernel of a series, unpacked from
// its Debian package and never installed. A kernel that is in the cache is
// used as long as the index offers no newer one.
func (c *Cache) Kernel(s Series) (string, error) {
	unlock, err := c.Lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	dir := filepath.Join(c.Dir, "kernels")
	a := apt{c}
	offered := func() string {
		names, _ := a.search(`^linux-image-` + regexp.QuoteMeta(s.Name) + `\.`)
		return newest(s, names)
	}
	name := newest(s, append(entries(dir), offered()))
	if name == "" {
		if _, err := a.run("", "update"); err != nil {
			return "", err
		}
		if name = offered(); name == "" {
			return "", fmt.Errorf("no package matches %s in this system's index", s.pattern)
		}
	}
	err = a.retry(func() error {
		// Fresh lists may offer another version than stale ones did.
		name = newest(s, []string{offered(), name})
		if isDir(filepath.Join(dir, name)) {
			return nil
		}
		fmt.Fprintln(os.Stderr, "fetching", name)
		return a.fetch([]string{name}, filepath.Join(dir, name))
	})
	if old := newest(s, entries(dir)); err != nil && old != "" {
		fmt.Fprintln(os.Stderr, "using", old, "because", err)
		name, err = old, nil
	}
	return filepath.Join(dir, name), err
}

// newest picks the package with the highest number. Of two builds of one
// kernel the signed one, whose name is shorter, is as good and more common.
func newest(s Series, names []string) string {
	re := regexp.MustCompile(s.pattern)
	best, number := "", -1
	slices.Sort(names)
	for _, name := range names {
		m := re.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		if n, _ := strconv.Atoi(m[1]); n > number {
			best, number = name, n
		}
	}
	return best
}

func entries(dir string) (names []string) {
	list, _ := os.ReadDir(dir)
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}
