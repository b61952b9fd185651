package vm

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// archive writes a cpio archive in the "newc" format that the kernel unpacks
// as its first root file system. Archives may be concatenated, so what never
// changes is written once and kept.
type archive struct {
	w    io.Writer
	n    int64 // bytes written
	ino  uint32
	dirs map[string]bool
	err  error // the first one; everything after it is skipped
}

func newArchive(w io.Writer) *archive {
	return &archive{w: w, dirs: map[string]bool{"": true, ".": true}}
}

// entry writes one header, as in Documentation/driver-api/early-userspace/buffer-format.rst.
func (a *archive) entry(name string, mode uint32, size int64, major, minor uint32) {
	a.ino++
	a.write(fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		a.ino, mode, 0, 0, 1, 0, size, 0, 0, major, minor, len(name)+1, 0, name))
	a.pad(4)
}

func (a *archive) write(s string) {
	if a.err == nil {
		var n int
		n, a.err = io.WriteString(a.w, s)
		a.n += int64(n)
	}
}

func (a *archive) pad(to int64) {
	if rest := a.n % to; rest != 0 {
		a.write(strings.Repeat("\x00", int(to-rest)))
	}
}

func (a *archive) dir(name string) {
	name = strings.Trim(path.Clean(name), "/")
	if a.dirs[name] {
		return
	}
	a.dirs[name] = true
	a.dir(path.Dir(name))
	a.entry(name, 0o040755, 0, 0, 0)
}

func (a *archive) bytes(name string, perm fs.FileMode, data string) {
	name = strings.Trim(name, "/")
	a.dir(path.Dir(name))
	a.entry(name, 0o100000|uint32(perm.Perm()), int64(len(data)), 0, 0)
	a.write(data)
	a.pad(4)
}

func (a *archive) link(name, target string) {
	name = strings.Trim(name, "/")
	a.dir(path.Dir(name))
	a.entry(name, 0o120777, int64(len(target)), 0, 0)
	a.write(target)
	a.pad(4)
}

// device makes a character device: the kernel opens /dev/console before the
// init process can mount anything.
func (a *archive) device(name string, major, minor uint32) {
	a.dir(path.Dir(name))
	a.entry(name, 0o020600, 0, major, minor)
}

// file copies a file of this machine, following symbolic links.
func (a *archive) file(name, from string) {
	if a.err != nil {
		return
	}
	data, err := os.ReadFile(from)
	if err != nil {
		a.err = err
		return
	}
	fi, err := os.Stat(from)
	if err != nil {
		a.err = err
		return
	}
	a.bytes(name, fi.Mode(), string(data))
}

// tree copies the directory from to the directory name, without what skip
// names and without links.
func (a *archive) tree(name, from string, skip func(rel string, d fs.DirEntry) bool) {
	err := filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil || a.err != nil {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		switch {
		case rel != "." && skip != nil && skip(rel, d):
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir():
			a.dir(path.Join(name, rel))
		case d.Type().IsRegular():
			a.file(path.Join(name, rel), p)
		}
		return nil
	})
	if a.err == nil {
		a.err = err
	}
}

func (a *archive) close() error {
	a.entry("TRAILER!!!", 0, 0, 0, 0)
	a.pad(512) // the next archive begins on a boundary
	return a.err
}
