package netlink

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/internal/thread"
)

// openIn opens a socket in the namespace that ns is a descriptor of.
func openIn(ns int, cfg Config) (s *socket, err error) {
	err = thread.In(ns, func() (err error) {
		s, err = openSocket(cfg)
		return err
	})
	return s, err
}

// beside returns s if it is in the namespace of first, and otherwise opens
// another one there. It nearly always is: but a goroutine that entered a
// namespace for Dial is not the one that needs a socket later, and the number of
// a NetNS that was closed may be another one's.
func (s *socket) beside(first *socket, cfg Config) (*socket, error) {
	if first == nil || s.cookie == first.cookie {
		return s, nil
	}
	s.Close()
	ns, err := first.namespace()
	if err != nil {
		return nil, err
	}
	defer unix.Close(ns)
	return openIn(ns, cfg)
}

// namespace opens the network namespace that s is in. It needs CAP_NET_ADMIN
// there (net/socket.c, sock_ioctl).
func (s *socket) namespace() (fd int, err error) {
	ctlErr := s.raw.Control(func(p uintptr) { fd, err = unix.IoctlRetInt(int(p), unix.SIOCGSKNS) })
	if err != nil {
		return -1, fmt.Errorf("network namespace of the client: %w", err)
	}
	return fd, s.rawErr(ctlErr)
}

// cookie returns a number that no other network namespace has, 0 before v5.14.
func cookie(fd int) uint64 {
	n, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err != nil {
		return 0
	}
	return n
}
