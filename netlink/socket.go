package netlink

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Socket carries datagrams to the kernel and back. Only tests have a reason to
// implement it; package nltest does.
type Socket interface {
	// Send sends a datagram of one or more messages. The kernel carries them out
	// before Send returns. One goroutine at a time may call it.
	Send(b []byte) error
	// Recv receives a datagram into b and returns its length, which is larger than
	// len(b) when it was truncated. When there is none, Recv waits for it if wait
	// is set and otherwise returns EAGAIN. One goroutine at a time may call it.
	Recv(b []byte, wait bool) (int, error)
	// SetReadDeadline makes a waiting Recv return os.ErrDeadlineExceeded at t, from
	// any goroutine. The zero time means never.
	SetReadDeadline(t time.Time) error
	// Join makes the socket receive the messages of a multicast group.
	Join(group uint32) error
	// SetReadBuffer asks for a receive buffer of n bytes, and returns its size.
	SetReadBuffer(n int) (int, error)
	// Port is the socket's address, the nlmsg_pid of its answers.
	Port() uint32
	// Close closes the socket and makes a waiting Recv return os.ErrClosed.
	Close() error
}

// Open opens a socket to the kernel as cfg says.
func Open(cfg Config) (Socket, error) {
	var s *socket
	var err error
	if cfg.NetNS == 0 {
		// Entering a namespace is privileged even for the one that the thread is in.
		s, err = openSocket(cfg)
	} else {
		s, err = openIn(cfg.NetNS, cfg)
	}
	if err == nil {
		s, err = s.beside(cfg.first, cfg)
	}
	if err != nil {
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	return s, nil
}

// socket is a Socket of the kernel. Its descriptor is non-blocking and belongs
// to the runtime's poller, so that deadlines and Close wake a reader.
type socket struct {
	file   *os.File
	raw    syscall.RawConn
	port   uint32
	cookie uint64 // of its namespace
	closed atomic.Bool
	recv   receive
	send   transmit
}

func openSocket(cfg Config) (*socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, cfg.Protocol)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	s := &socket{file: os.NewFile(uintptr(fd), "netlink"), cookie: cookie(fd)}
	if s.port, err = prepare(fd, cfg); err == nil {
		s.raw, err = s.file.SyscallConn()
	}
	if err != nil {
		s.file.Close()
		return nil, err
	}
	// The closures are made once: one for each call would be an allocation each.
	s.recv.step, s.send.step = s.recv.once, s.send.once
	return s, nil
}

// prepare sets the options of a new socket, binds it, and returns its port.
func prepare(fd int, cfg Config) (uint32, error) {
	options := []int{unix.NETLINK_EXT_ACK, unix.NETLINK_CAP_ACK}
	if !cfg.Lax {
		options = append(options, unix.NETLINK_GET_STRICT_CHK)
	}
	for _, option := range options {
		// CAP_ACK came with v4.3, EXT_ACK with v4.12, GET_STRICT_CHK with v4.20;
		// older kernels say ENOPROTOOPT, and all else works without them.
		err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, option, 1)
		if err != nil && !errors.Is(err, unix.ENOPROTOOPT) {
			return 0, os.NewSyscallError("setsockopt", err)
		}
	}
	if cfg.ReadBuffer > 0 {
		if _, err := setReadBuffer(fd, cfg.ReadBuffer); err != nil {
			return 0, err
		}
	}
	// A connected socket takes unicast messages from its peer only, here port 0,
	// the kernel: net/netlink/af_netlink.c, netlink_getsockbyportid. Connecting
	// also binds to a port of the kernel's choice (netlink_connect).
	if err := unix.Connect(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, os.NewSyscallError("connect", err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return 0, os.NewSyscallError("getsockname", err)
	}
	return sa.(*unix.SockaddrNetlink).Pid, nil
}

// setReadBuffer forces the buffer's size, or takes what net.core.rmem_max
// allows: SO_RCVBUFFORCE wants CAP_NET_ADMIN in the initial user namespace
// (net/core/sock.c, sk_setsockopt).
func setReadBuffer(fd, n int) (int, error) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, n) != nil {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, n); err != nil {
			return 0, os.NewSyscallError("setsockopt", err)
		}
	}
	return readBuffer(fd)
}

func readBuffer(fd int) (int, error) {
	n, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
	return n, os.NewSyscallError("getsockopt", err)
}

// SetReadBuffer implements Socket. The kernel doubles what it is asked for;
// asking for 0 asks for nothing.
func (s *socket) SetReadBuffer(n int) (size int, err error) {
	ctlErr := s.raw.Control(func(fd uintptr) {
		if n > 0 {
			size, err = setReadBuffer(int(fd), n)
		} else {
			size, err = readBuffer(int(fd))
		}
	})
	if err == nil {
		err = s.rawErr(ctlErr)
	}
	return size, err
}

// Join implements Socket. The groups mask of bind(2) ends at group 32.
func (s *socket) Join(group uint32) (err error) {
	ctlErr := s.raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, int(group))
	})
	if err != nil {
		return fmt.Errorf("netlink group %d: %w", group, err)
	}
	return s.rawErr(ctlErr)
}

// Port implements Socket.
func (s *socket) Port() uint32 { return s.port }

// SetReadDeadline implements Socket.
func (s *socket) SetReadDeadline(t time.Time) error { return s.file.SetReadDeadline(t) }

// Close implements Socket.
func (s *socket) Close() error {
	s.closed.Store(true)
	return s.file.Close()
}

// rawErr is what a method of raw returns: for a closed file that is an error of
// an internal package, which os.ErrClosed does not match.
func (s *socket) rawErr(err error) error {
	if err != nil && s.closed.Load() {
		return os.ErrClosed
	}
	return err
}

// Recv implements Socket.
func (s *socket) Recv(b []byte, wait bool) (int, error) {
	r := &s.recv
	r.buf, r.wait, r.n, r.err = b, wait, 0, 0
	err := s.rawErr(s.raw.Read(r.step))
	r.buf = nil
	if err != nil {
		return 0, err
	}
	if r.err != 0 {
		return 0, os.NewSyscallError("recvfrom", r.err)
	}
	return r.n, nil
}

// receive is one call of Recv: arguments, results, and the function that the
// poller repeats.
type receive struct {
	buf  []byte
	wait bool
	n    int
	err  unix.Errno
	step func(fd uintptr) (done bool)
}

// once is recvfrom(2) without a source address, which unix.Recvfrom would
// allocate. With MSG_TRUNC the result is the length of the whole datagram
// (net/netlink/af_netlink.c, netlink_recvmsg).
func (r *receive) once(fd uintptr) bool {
	for {
		n, _, err := unix.Syscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(r.buf))),
			uintptr(len(r.buf)), unix.MSG_DONTWAIT|unix.MSG_TRUNC, 0, 0)
		if err == unix.EINTR {
			continue
		}
		r.n, r.err = int(n), err
		return err != unix.EAGAIN || !r.wait
	}
}

// Send implements Socket. A datagram that does not fit the send buffer gets one
// that is large enough, if the kernel allows it: sk_sndbuf - 32 is the limit
// (net/netlink/af_netlink.c, netlink_sendmsg).
func (s *socket) Send(b []byte) error {
	err := s.transmit(b)
	if errors.Is(err, unix.EMSGSIZE) && s.growSendBuffer(len(b)) == nil {
		err = s.transmit(b)
	}
	return err
}

func (s *socket) transmit(b []byte) error {
	t := &s.send
	t.buf, t.err = b, nil
	err := s.rawErr(s.raw.Write(t.step))
	t.buf = nil
	if err == nil && t.err != nil {
		err = os.NewSyscallError("write", t.err)
	}
	return err
}

// transmit is one call of Send.
type transmit struct {
	buf  []byte
	err  error
	step func(fd uintptr) (done bool)
}

// once sends the datagram: whole or not at all. The kernel's side of a netlink
// socket has no queue, so EAGAIN does not happen; EINTR and ENOBUFS are returned
// before anything was carried out (net/netlink/af_netlink.c, netlink_sendmsg).
func (t *transmit) once(fd uintptr) bool {
	for {
		_, t.err = unix.Write(int(fd), t.buf)
		if t.err != unix.EINTR {
			return t.err != unix.EAGAIN
		}
	}
}

func (s *socket) growSendBuffer(n int) (err error) {
	ctlErr := s.raw.Control(func(fd uintptr) {
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, n) != nil {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, n)
		}
	})
	return errors.Join(ctlErr, err)
}
