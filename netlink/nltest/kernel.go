// Package nltest stands in for the kernel in tests of netlink clients.
//
// A Kernel is a function from requests to answers. It answers right or wrong, in
// any order, twice, late or never:
//
//	k := &nltest.Kernel{Answer: func(s *nltest.Socket, requests []netlink.Message) {
//		s.Fail(unix.ENOBUFS)
//		s.Push(nltest.Ack(requests[0]))
//	}}
//	c, err := netlink.Dial(netlink.Config{Transport: k.Transport})
//
// A Tap stands between a client and the real kernel, and lets things happen
// before, after or instead of a send or a receive.
package nltest

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// A Kernel answers the requests of the sockets that its Transport opens.
type Kernel struct {
	// Answer is called for each datagram that is sent; the messages' Port is that
	// of the socket, as it would be in answers. It calls Push and Fail, at once or
	// later. Several sockets may call it at once. Nil answers nothing.
	Answer func(s *Socket, requests []netlink.Message)
	// ReadBuffer is the size of the receive buffers that is reported; 0 means the
	// 212992 bytes of Linux.
	ReadBuffer int

	mu      sync.Mutex
	sockets []*Socket // all that were opened; guarded by mu
}

// Transport opens a socket. It is for netlink.Config.
func (k *Kernel) Transport(netlink.Config) (netlink.Socket, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := &Socket{kernel: k, port: uint32(1000 + len(k.sockets)), groups: make(map[uint32]bool)}
	s.changed = sync.NewCond(&s.mu)
	k.sockets = append(k.sockets, s)
	return s, nil
}

// Sockets returns the sockets that were opened, in order, and how many of them
// are still open.
func (k *Kernel) Sockets() (all []*Socket, open int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range k.sockets {
		s.mu.Lock()
		if !s.closed {
			open++
		}
		s.mu.Unlock()
	}
	return append(all, k.sockets...), open
}

// Broadcast pushes a datagram of messages to the sockets that have joined a
// group.
func (k *Kernel) Broadcast(group uint32, messages ...netlink.Message) {
	all, _ := k.Sockets()
	for _, s := range all {
		s.mu.Lock()
		member := s.groups[group]
		s.mu.Unlock()
		if member {
			s.Push(messages...)
		}
	}
}

// A Socket is a client's end of a Kernel.
type Socket struct {
	kernel *Kernel
	port   uint32

	mu       sync.Mutex // guards all following fields
	changed  *sync.Cond
	queue    []received
	groups   map[uint32]bool
	deadline bool // is over
	closed   bool
}

// received is what one receive returns.
type received struct {
	datagram []byte
	err      error
}

var _ netlink.Socket = (*Socket)(nil)

// Push queues a datagram of messages.
func (s *Socket) Push(messages ...netlink.Message) {
	var b []byte
	for _, m := range messages {
		b = m.AppendTo(b)
	}
	s.PushBytes(b)
}

// PushBytes queues a datagram of any bytes.
func (s *Socket) PushBytes(b []byte) { s.push(received{datagram: b}) }

// Fail queues an error: one receive returns it.
func (s *Socket) Fail(err error) { s.push(received{err: err}) }

func (s *Socket) push(r received) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, r)
	s.changed.Broadcast()
}

// Send implements netlink.Socket.
func (s *Socket) Send(b []byte) error {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return os.ErrClosed
	}
	var requests []netlink.Message
	for m, err := range netlink.ReadMessages(append([]byte(nil), b...)) {
		if err != nil {
			return err
		}
		m.Port = s.port
		requests = append(requests, m)
	}
	if s.kernel.Answer != nil {
		s.kernel.Answer(s, requests)
	}
	return nil
}

// Recv implements netlink.Socket.
func (s *Socket) Recv(b []byte, wait bool) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.closed:
			return 0, os.ErrClosed
		case s.deadline:
			return 0, os.ErrDeadlineExceeded
		case len(s.queue) > 0:
			r := s.queue[0]
			s.queue = s.queue[1:]
			copy(b, r.datagram)
			return len(r.datagram), r.err
		case !wait:
			return 0, unix.EAGAIN
		}
		s.changed.Wait()
	}
}

// SetReadDeadline implements netlink.Socket for times that are over, or zero.
func (s *Socket) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = !t.IsZero()
	s.changed.Broadcast()
	return nil
}

// Join implements netlink.Socket.
func (s *Socket) Join(group uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups[group] = true
	return nil
}

// SetReadBuffer implements netlink.Socket and changes nothing.
func (s *Socket) SetReadBuffer(int) (int, error) {
	if s.kernel.ReadBuffer != 0 {
		return s.kernel.ReadBuffer, nil
	}
	return 212992, nil
}

// Port implements netlink.Socket.
func (s *Socket) Port() uint32 { return s.port }

// Close implements netlink.Socket.
func (s *Socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.changed.Broadcast()
	return nil
}
