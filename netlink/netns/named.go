package netns

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Dir is where named namespaces are mounted (iproute2, include/namespace.h,
// NETNS_RUN_DIR).
const Dir = "/run/netns"

// Open opens a named namespace. The error matches os.ErrNotExist when there is
// none, also when the file exists but no namespace is mounted on it.
func Open(name string) (*NS, error) {
	path, err := pathOf(name)
	if err != nil {
		return nil, err
	}
	ns, err := open(path)
	if err != nil {
		return nil, err
	}
	// Without a mount the file is empty and NS_GET_NSTYPE (v4.11) unknown to it; a
	// namespace of another type can be mounted there, too.
	typ, err := unix.IoctlRetInt(ns.fd, unix.NS_GET_NSTYPE)
	if err != nil || typ != unix.CLONE_NEWNET {
		ns.Close()
		return nil, &os.PathError{Op: "open network namespace", Path: path, Err: os.ErrNotExist}
	}
	return ns, nil
}

// Create makes a namespace and mounts it under a name. The error matches
// os.ErrExist when the name is taken. It needs CAP_SYS_ADMIN, as does all that
// changes mounts.
func Create(name string) (*NS, error) {
	if _, err := pathOf(name); err != nil {
		return nil, err
	}
	ns, err := New()
	if err != nil {
		return nil, err
	}
	if err := ns.Mount(name); err != nil {
		ns.Close()
		return nil, err
	}
	return ns, nil
}

// Mount gives the namespace a name. The error matches os.ErrExist when the name
// is taken. A namespace may have several names.
func (ns *NS) Mount(name string) error {
	path, err := pathOf(name)
	if err != nil {
		return err
	}
	unlock, err := prepareDir()
	if err != nil {
		return err
	}
	defer unlock()
	for {
		if err := makeFile(path); err != nil {
			return err
		}
		err := unix.Mount("/proc/thread-self/fd/"+strconv.Itoa(ns.fd), path, "none", unix.MS_BIND, "")
		if err == nil {
			return nil
		}
		if _, gone := os.Lstat(path); errors.Is(gone, os.ErrNotExist) {
			continue // deleted before it was mounted: that deletion came first
		}
		os.Remove(path)
		return &os.PathError{Op: "mount network namespace", Path: path, Err: err}
	}
}

// Delete takes a name away; the namespace itself lives on while a process, a
// descriptor or another name holds it. A name that does not exist is no error.
func Delete(name string) error {
	path, err := pathOf(name)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		return nil // before the kernel can say that unmounting is not allowed
	}
	for tries := 0; ; tries++ {
		if err := unmount(path); err != nil {
			return err
		}
		err := os.Remove(path)
		switch {
		case err == nil || errors.Is(err, os.ErrNotExist):
			return nil
		case !errors.Is(err, unix.EBUSY) || tries == maxTries:
			return err
		}
	}
}

// maxTries is how often a name is unmounted that somebody mounts again. Mounts
// that came from another mount namespace (MNT_LOCKED) stay busy for ever.
const maxTries = 10

// unmount takes away all mounts on path: several may be one over the other.
func unmount(path string) error {
	for {
		err := unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) {
			return nil // there is none
		}
		if err != nil {
			return &os.PathError{Op: "unmount", Path: path, Err: err}
		}
	}
}

// List returns the names of the namespaces in Dir, sorted. Files on which no
// namespace is mounted are left out.
func List() ([]string, error) {
	entries, err := os.ReadDir(Dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		if !isMounted(filepath.Join(Dir, entry.Name())) {
			continue
		}
		ns, err := Open(entry.Name())
		if err == nil {
			ns.Close()
		}
		if !errors.Is(err, os.ErrNotExist) {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// isMounted tells whether a namespace is mounted on path. Namespaces were files
// of proc before they got a file system of their own in v3.19.
func isMounted(path string) bool {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return false
	}
	return int64(st.Type) == unix.NSFS_MAGIC || int64(st.Type) == unix.PROC_SUPER_MAGIC
}

// pathOf returns the file of a name, or an error that matches unix.EINVAL.
func pathOf(name string) (string, error) {
	if name == "" || name == "." || name == ".." || len(name) > unix.NAME_MAX || strings.ContainsAny(name, "/\x00") {
		return "", fmt.Errorf("network namespace name %q: %w", name, unix.EINVAL)
	}
	return filepath.Join(Dir, name), nil
}

// prepareDir makes Dir a shared mount, so that names appear and vanish in all
// mount namespaces, and holds a lock on it. The lock keeps others from mounting
// it over itself again and again (iproute2, ip/ipnetns.c, netns_add).
func prepareDir() (unlock func(), err error) {
	if err := os.MkdirAll(Dir, 0o755); err != nil {
		return nil, err
	}
	fd, err := unix.Open(Dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: Dir, Err: err}
	}
	// ip goes on without the lock when it cannot have it, and so does this.
	for unix.Flock(fd, unix.LOCK_EX) == unix.EINTR {
	}
	err = share(Dir)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return func() { unix.Close(fd) }, nil
}

// share makes dir a shared mount. EINVAL means that it is no mount yet.
func share(dir string) error {
	err := unix.Mount("", dir, "none", unix.MS_SHARED|unix.MS_REC, "")
	if errors.Is(err, unix.EINVAL) {
		if err := unix.Mount(dir, dir, "none", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return &os.PathError{Op: "bind mount", Path: dir, Err: err}
		}
		err = unix.Mount("", dir, "none", unix.MS_SHARED|unix.MS_REC, "")
	}
	if err != nil {
		return &os.PathError{Op: "make shared mount", Path: dir, Err: err}
	}
	return nil
}

// leftoverAge is how long a file without a mount must have been there to be no
// one's work in progress: between making the file and mounting on it, ip makes
// the namespace, which can take seconds on a busy machine.
const leftoverAge = 10 * time.Second

// makeFile makes the file to mount on. One that was left by a program that died
// before mounting is used; ip, which does not hold the lock at this point, may
// be about to mount on a new one, so that one is waited for.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE|os.O_EXCL, 0)
	if err == nil {
		return f.Close()
	}
	if !errors.Is(err, os.ErrExist) {
		return err
	}
	for {
		st, statErr := os.Lstat(path)
		if statErr != nil || isMounted(path) || !st.Mode().IsRegular() || st.Size() != 0 {
			return err
		}
		if age := time.Since(st.ModTime()); age < 0 || age >= leftoverAge {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
}
