package netlink

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/internal/thread"
)

// openBeside opens a socket in the namespace of first. Without a NetNS the
// calling thread is nearly always there; a goroutine that entered a namespace
// for Dial is not, when it is another that needs a socket later.
func openBeside(first *socket, cfg Config) (*socket, error) {
	s, err := openSocket(cfg)
	if err != nil || first == nil || s.cookie == first.cookie {
		return s, err
	}
	s.Close()
	fd, err := first.namespace()
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	err = thread.In(fd, func() (err error) {
		s, err = openSocket(cfg)
		return err
	})
	return s, err
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
