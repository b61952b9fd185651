// Package netns makes, names, finds and enters network namespaces.
//
// A named namespace is what ip-netns(8) understands by it: a file in /run/netns
// on which the namespace is mounted. Names made here are seen by ip, and names
// made by ip are seen here.
//
// No function changes the namespace of the goroutine that calls it, and none
// leaves a thread in the wrong namespace to other goroutines. For sockets there
// is no need to enter anything: they stay in the namespace where they were
// opened, which netlink.Config takes as a descriptor.
//
//	ns, err := netns.Open("red")
//	…
//	defer ns.Close()
//	conn, err := netlink.Dial(netlink.Config{NetNS: ns.FD()})
package netns

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/internal/thread"
)

// An NS is an open network namespace. It exists at least until Close.
type NS struct{ fd int }

// An ID tells namespaces apart: two NS with the same ID are the same one. It may
// be used again when the namespace is gone.
type ID struct{ Dev, Inode uint64 }

// Current opens the namespace of the calling thread.
func Current() (*NS, error) { return open(thread.NetNS) }

// OfPID opens the namespace of a process. The error matches os.ErrNotExist when
// there is none.
func OfPID(pid int) (*NS, error) { return open("/proc/" + strconv.Itoa(pid) + "/ns/net") }

// New makes a namespace without a name. It needs CAP_SYS_ADMIN.
func New() (*NS, error) {
	var ns *NS
	err := thread.Separate(func() error {
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err != nil {
			return os.NewSyscallError("unshare", err)
		}
		ns, err = Current()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("new network namespace: %w", err)
	}
	return ns, nil
}

func open(path string) (*NS, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return &NS{fd}, nil
}

// FD returns the descriptor, which is valid until Close.
func (ns *NS) FD() int { return ns.fd }

// Close closes the descriptor. A namespace without a name, a process or another
// descriptor is gone then.
func (ns *NS) Close() error {
	if ns.fd < 0 {
		return os.ErrClosed
	}
	err := unix.Close(ns.fd)
	ns.fd = -1
	return err
}

// ID returns the namespace's identity.
func (ns *NS) ID() (ID, error) {
	var st unix.Stat_t
	if err := unix.Fstat(ns.fd, &st); err != nil {
		return ID{}, os.NewSyscallError("fstat", err)
	}
	return ID{Dev: uint64(st.Dev), Inode: st.Ino}, nil
}

// Inode returns the number that lsns(8) and readlink /proc/PID/ns/net show.
func (ns *NS) Inode() (uint64, error) {
	id, err := ns.ID()
	return id.Inode, err
}

// Do runs f in the namespace, on a goroutine and a thread of its own, and waits
// for it. Processes that f starts and sockets that it opens are in the namespace;
// goroutines that it starts are not. It needs CAP_SYS_ADMIN, in the user
// namespace to which the network namespace belongs and in the caller's own.
func (ns *NS) Do(f func() error) error { return thread.In(ns.fd, f) }
