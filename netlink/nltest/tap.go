package nltest

import "github.com/nlapply/nlapply/netlink"

// A Tap stands between a client and the real kernel. Its functions may be called
// from several goroutines at once.
type Tap struct {
	// Send is called instead of each send, and calls next to send. What it returns
	// is what the client sees. Nil sends.
	Send func(datagram []byte, next func([]byte) error) error
	// Recv is called with each datagram that was received. What it returns is what
	// the client sees; it may change the datagram. Nil changes nothing.
	Recv func(datagram []byte) ([]byte, error)
}

// Transport opens a real socket behind the tap. It is for netlink.Config.
func (t *Tap) Transport(cfg netlink.Config) (netlink.Socket, error) {
	s, err := netlink.Open(cfg)
	if err != nil {
		return nil, err
	}
	return &tapped{s, t}, nil
}

type tapped struct {
	netlink.Socket
	tap *Tap
}

func (s *tapped) Send(b []byte) error {
	if s.tap.Send == nil {
		return s.Socket.Send(b)
	}
	return s.tap.Send(b, s.Socket.Send)
}

func (s *tapped) Recv(b []byte, wait bool) (int, error) {
	n, err := s.Socket.Recv(b, wait)
	if err != nil || n > len(b) || s.tap.Recv == nil {
		return n, err
	}
	out, err := s.tap.Recv(b[:n])
	copy(b, out)
	return len(out), err
}
