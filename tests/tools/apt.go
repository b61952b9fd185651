package tools

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// apt calls Debian's package tools. Its caller holds the cache's lock.
type apt struct{ cache *Cache }

// run runs apt-get without questions. A user has package lists of their own
// where the system has none.
func (a apt) run(dir string, args ...string) ([]byte, error) {
	return a.call("apt-get", dir, append([]string{"-q", "-y", "-o", "DPkg::Lock::Timeout=300"}, args...)...)
}

func (a apt) call(name, dir string, args ...string) ([]byte, error) {
	if os.Geteuid() != 0 {
		state := filepath.Join(a.cache.Dir, "apt")
		args = append([]string{
			"-o", "Dir::State::lists=" + filepath.Join(state, "lists"),
			"-o", "Dir::Cache=" + filepath.Join(state, "cache"),
			"-o", "Debug::NoLocking=1",
		}, args...)
		for _, d := range []string{"lists/partial", "cache/archives/partial"} {
			if err := os.MkdirAll(filepath.Join(state, d), 0o755); err != nil {
				return nil, err
			}
		}
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return out, nil
}

// retry runs f again with fresh package lists when it fails: they may be
// absent, or older than what the mirror still has.
func (a apt) retry(f func() error) error {
	if f() == nil {
		return nil
	}
	if _, err := a.run("", "update"); err != nil {
		return err
	}
	return f()
}

func (a apt) install(packages []string) error {
	if len(packages) == 0 {
		return nil
	}
	fmt.Fprintln(os.Stderr, "installing", strings.Join(packages, " "))
	return a.retry(func() error {
		_, err := a.run("", append([]string{"install", "--no-install-recommends"}, packages...)...)
		return err
	})
}

var planned = regexp.MustCompile(`(?m)^Inst (\S+)`)

// unpack fetches a package, with the dependencies that the system lacks, and
// unpacks it into the cache.
func (a apt) unpack(name string) error {
	root := filepath.Join(a.cache.Dir, "unpacked", name)
	fmt.Fprintln(os.Stderr, "unpacking", name, "into", root)
	return a.retry(func() error {
		out, err := a.run("", "install", "--simulate", "--no-install-recommends", name)
		if err != nil {
			return err
		}
		names := []string{name}
		for _, m := range planned.FindAllSubmatch(out, -1) {
			names = append(names, string(m[1]))
		}
		slices.Sort(names)
		names = slices.Compact(names)
		return a.fetch(names, root)
	})
}

// fetch downloads exactly the named packages and unpacks them into the new
// directory root, which appears only when it is complete.
func (a apt) fetch(names []string, root string) error {
	tmp, err := os.MkdirTemp(a.cache.Dir, "tmp-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if _, err := a.run(tmp, append([]string{"download"}, names...)...); err != nil {
		return err
	}
	debs, err := filepath.Glob(filepath.Join(tmp, "*.deb"))
	if err != nil || len(debs) < len(names) {
		return fmt.Errorf("apt-get download %s: %d of %d packages came (%v)", strings.Join(names, " "), len(debs), len(names), err)
	}
	tree := filepath.Join(tmp, "tree")
	for _, deb := range debs {
		if out, err := exec.Command("dpkg", "-x", deb, tree).CombinedOutput(); err != nil {
			return fmt.Errorf("dpkg -x %s: %w\n%s", filepath.Base(deb), err, out)
		}
	}
	if err := os.MkdirAll(filepath.Dir(root), 0o755); err != nil {
		return err
	}
	return os.Rename(tree, root)
}

// search returns the names of all offered packages that pattern matches.
func (a apt) search(pattern string) ([]string, error) {
	out, err := a.call("apt-cache", "", "search", "--names-only", pattern)
	var names []string
	for line := range strings.Lines(string(out)) {
		if name, _, ok := strings.Cut(line, " "); ok {
			names = append(names, name)
		}
	}
	return names, err
}
