// Package tools finds the programs that the tests call (iproute2 as the judge,
// strace to count messages, QEMU to boot other kernels) and brings those that
// are missing: root installs Debian's packages, anybody else has them unpacked
// below a cache directory. Nothing is fetched twice.
package tools

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Program is one that the tests call, and the Debian package that has it.
type Program struct {
	Name, Package string
	Unpack        bool // never installed, not even by root: its package starts a service
}

// Programs lists everything that the tests call.
var Programs = []Program{
	{Name: "ip", Package: "iproute2"},
	{Name: "bridge", Package: "iproute2"},
	{Name: "tc", Package: "iproute2"},
	{Name: "ping", Package: "iputils-ping"},
	{Name: "strace", Package: "strace"},
	{Name: "auditctl", Package: "auditd", Unpack: true},
	{Name: "auditd", Package: "auditd", Unpack: true},
	{Name: "ausearch", Package: "auditd", Unpack: true},
	{Name: "ausyscall", Package: "auditd", Unpack: true},
	{Name: "zebra", Package: "frr", Unpack: true},
	{Name: "staticd", Package: "frr", Unpack: true},
	{Name: "qemu-system-x86_64", Package: "qemu-system-x86"},
	{Name: "busybox", Package: "busybox-static"},
	{Name: "depmod", Package: "kmod"},
	{Name: "xz", Package: "xz-utils"},
	{Name: "systemctl", Package: "systemd", Unpack: true},
}

// AuditExamples is where the package auditd has its rules that are examples, for Beside.
const AuditExamples = "usr/share/doc/auditd/examples/rules"

// Cache is the directory that keeps what was fetched. Concurrent runs share
// it: whoever writes holds Lock, and complete things appear by rename.
type Cache struct{ Dir string }

// OpenCache makes the cache directory: $XDG_CACHE_HOME/nlapply or
// ~/.cache/nlapply.
func OpenCache() (*Cache, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, "nlapply")
	return &Cache{dir}, os.MkdirAll(dir, 0o755)
}

// Lock waits for the cache's lock. It is released by the returned function, or
// by the end of the process.
func (c *Cache) Lock() (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(c.Dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return func() { f.Close() }, nil
}

// roots returns the trees of unpacked packages: one for each that was asked
// for, with the dependencies that the system lacked.
func (c *Cache) roots() []string {
	dirs, _ := filepath.Glob(filepath.Join(c.Dir, "unpacked", "*"))
	return dirs
}

// Ensure brings the missing ones of programs and makes all of them callable by
// this process and its children: PATH gets the sbin directories, which users
// lack, and the cache's.
func (c *Cache) Ensure(programs []Program) error {
	unlock, err := c.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	c.UsePath()
	var install, unpack []string
	for _, p := range missing(programs) {
		if os.Geteuid() == 0 && !p.Unpack {
			install = append(install, p.Package)
		} else {
			unpack = append(unpack, p.Package)
		}
	}
	a := apt{c}
	if err := a.install(install); err != nil {
		return err
	}
	for _, name := range slices.Compact(unpack) {
		if err := a.unpack(name); err != nil {
			return err
		}
	}
	c.UsePath()
	if m := missing(programs); len(m) > 0 {
		return fmt.Errorf("%s: not found, although package %s was fetched", m[0].Name, m[0].Package)
	}
	return nil
}

func missing(programs []Program) (m []Program) {
	for _, p := range programs {
		if _, err := exec.LookPath(p.Name); err != nil {
			m = append(m, p)
		}
	}
	return m
}

// UsePath makes the unpacked programs findable, and their libraries too. Only
// what the system lacks is unpacked, so nothing is shadowed.
func (c *Cache) UsePath() {
	path := filepath.SplitList(os.Getenv("PATH"))
	for _, root := range append([]string{"/"}, c.roots()...) {
		for _, dir := range []string{"usr/local/sbin", "usr/sbin", "sbin", "usr/bin", "bin", "usr/lib/frr"} {
			path = addDir(path, filepath.Join(root, dir))
		}
	}
	os.Setenv("PATH", strings.Join(path, ":"))
	lib := filepath.SplitList(os.Getenv("LD_LIBRARY_PATH"))
	for _, root := range c.roots() {
		for _, dir := range []string{"usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu/frr"} {
			if dir = filepath.Join(root, dir); isDir(dir) {
				lib = addDir(lib, dir)
			}
		}
	}
	if len(lib) > 0 {
		os.Setenv("LD_LIBRARY_PATH", strings.Join(lib, ":"))
	}
}

// Beside finds a file or a directory of the package that a program comes from: in the
// system, or where the package is unpacked.
func Beside(program, name string) (string, error) {
	at, err := exec.LookPath(program)
	if err != nil {
		return "", err
	}
	for dir := filepath.Dir(at); ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil || dir == filepath.Dir(dir) {
			return path, err
		}
	}
}

func addDir(list []string, dir string) []string {
	if slices.Contains(list, dir) {
		return list
	}
	return append(list, dir)
}

func isDir(name string) bool {
	fi, err := os.Stat(name)
	return err == nil && fi.IsDir()
}
