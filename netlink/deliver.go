package netlink

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// recvContext waits for a datagram until ctx ends.
func recvContext(ctx context.Context, s Socket, b []byte) (int, error) {
	if ctx.Done() == nil {
		return s.Recv(b, true)
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		s.SetReadDeadline(time.Unix(1, 0)) // long ago
		close(stopped)
	})
	n, err := s.Recv(b, true)
	if !stop() {
		<-stopped
		s.SetReadDeadline(time.Time{})
	}
	return n, err
}

// received takes what a receive on the request socket returned. It returns the
// errors after which there is no point in receiving more. The caller holds lead.
func (c *Client) received(n int, err error) error {
	switch {
	case err == nil && n <= len(c.buf):
		c.dispatch(c.buf[:n])
	case err == nil:
		c.dispatch(c.buf)
		c.buf = make([]byte, nlaAlign(n))
		c.lost()
	case errors.Is(err, unix.ENOBUFS):
		c.lost()
	case errors.Is(err, unix.EINTR):
	default:
		return err
	}
	return nil
}

// lost notes that answers were lost. The kernel reports ENOBUFS before the older
// answers that are still there, and drops all new ones until they have been read
// (net/netlink/af_netlink.c, netlink_overrun and netlink_rcv_wake).
func (c *Client) lost() {
	c.overrun = true
	c.mu.Lock()
	c.stats.Overruns++
	c.mu.Unlock()
}

// quiet is called when the socket has been read empty. The kernel answers within
// the send, so what is unanswered after an overrun has lost its answer, and what
// has been given up will have none. The caller holds lead.
func (c *Client) quiet() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.pending) - 1; i >= 0; i-- {
		x := c.pending[i]
		if c.overrun {
			x.lose(ErrOverrun)
		}
		if c.overrun || x.res == nil {
			c.finish(x)
		}
	}
	c.overrun = false
}

// dispatch hands the messages of a datagram to the exchanges that wait for them.
// What answers nobody is dropped: events that a stranger caused, and answers to
// requests that were given up.
func (c *Client) dispatch(datagram []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(datagram) > 0 {
		m, rest, err := nextMessage(datagram)
		if err != nil || m.Type == unix.NLMSG_OVERRUN {
			c.overrun = true
			c.stats.Overruns++
			return
		}
		datagram = rest
		x := c.find(m)
		if x == nil || x.res == nil {
			c.stats.Dropped++
		}
		if x != nil {
			c.deliver(x, m)
		}
	}
}

// find returns the exchange that m answers. Answers come in the order of the
// requests, so it is nearly always the first.
func (c *Client) find(m Message) *exchange {
	if !c.own(m, c.port) {
		return nil
	}
	for _, x := range c.pending {
		if m.Seq-x.first < uint32(x.hi-x.lo) {
			return x
		}
	}
	return nil
}

// deliver notes the answer m to a message of x.
func (c *Client) deliver(x *exchange, m Message) {
	i := x.lo + int(m.Seq-x.first)
	var refused error
	switch m.Type {
	case unix.NLMSG_NOOP:
		return
	case unix.NLMSG_ERROR, unix.NLMSG_DONE:
		if x.res != nil {
			refused = x.batch.answerError(i, m)
		}
		x.acked = x.acked || i == x.last
	default:
		if x.res != nil && (x.want || x.batch.flags(i)&Echo != 0) {
			x.res.keep(i, m)
			x.want = x.want && i != x.last
		}
	}
	if refused != nil {
		x.res.refuse(i, refused)
		x.want = false
	}
	if !x.acked || x.want && c.answersLate() {
		return
	}
	if c.overrun {
		x.lose(ErrOverrun)
	}
	c.finish(x)
}
