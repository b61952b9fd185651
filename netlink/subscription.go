package netlink

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"golang.org/x/sys/unix"
)

// A Subscription receives the messages of multicast groups on a socket of its
// own. One goroutine at a time may iterate over it.
type Subscription struct {
	sock Socket
	buf  []byte
	rest []byte // what has not been yielded of the last datagram
	size int    // of the receive buffer
	// overrun is set when the next thing to report is an overrun.
	overrun bool
	keep    bool // what was queued before an overrun is yielded
	left    int  // with keep: datagrams to read before the overrun is reported
}

// Subscribe opens a subscription to groups (unix.RTNLGRP_*) in the client's
// namespace. From when it returns no message is missed unreported, so a dump
// that is made afterwards, and then the messages, tell everything. It is to be
// closed by itself, and outlives the client. After the client's Close the error
// matches os.ErrClosed.
func (c *Client) Subscribe(groups ...uint32) (*Subscription, error) {
	c.mu.Lock()
	sock, err := c.another()
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	s := &Subscription{sock: sock, buf: make([]byte, readBufferSize)}
	s.size, err = sock.SetReadBuffer(0)
	for i := 0; err == nil && i < len(groups); i++ {
		err = sock.Join(groups[i])
	}
	if err != nil {
		sock.Close()
		return nil, err
	}
	return s, nil
}

// SetReadBuffer asks for a receive buffer of n bytes and returns the size that
// the kernel counts with, which is twice what it grants. A route event counts
// 832 bytes.
func (s *Subscription) SetReadBuffer(n int) (int, error) {
	size, err := s.sock.SetReadBuffer(n)
	if err == nil {
		s.size = size
	}
	return size, err
}

// KeepQueued makes Messages yield what was queued before messages were lost, and
// ErrOverrun after it: for those who show events and compare them with no dump.
// A dump that is made on ErrOverrun may then be older than the loss.
func (s *Subscription) KeepQueued() { s.keep = true }

// Close ends the subscription and the iteration over it.
func (s *Subscription) Close() error { return s.sock.Close() }

// Messages iterates over the messages as they come. The Data of a message is a
// view, valid until the next step. An iteration that is left can be taken up
// again by another call.
//
// When messages were lost, an error that matches ErrOverrun is yielded, and the
// iteration goes on. What was queued before the loss is dropped, so a dump that
// is made on ErrOverrun is newer than all that was seen, and all that follows is
// newer than the loss. Any other error is the last thing that is yielded: that
// of the context, or one that matches os.ErrClosed after Close.
func (s *Subscription) Messages(ctx context.Context) iter.Seq2[Message, error] {
	return s.messages(ctx, true)
}

// Queued is Messages, but ends when there is nothing to yield at the moment: all
// that the kernel announced before the call has been yielded then. It ends also
// while new messages come as fast as it yields them.
func (s *Subscription) Queued(ctx context.Context) iter.Seq2[Message, error] {
	return s.messages(ctx, false)
}

func (s *Subscription) messages(ctx context.Context, wait bool) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for n := 0; wait || n <= s.capacity(); n++ {
			for len(s.rest) > 0 {
				m, rest, err := nextMessage(s.rest)
				if err != nil {
					err = fmt.Errorf("%w: %w", ErrOverrun, err)
				}
				s.rest = rest
				if !yield(m, err) {
					return
				}
			}
			err := s.receive(ctx, wait)
			if !wait && errors.Is(err, unix.EAGAIN) {
				return
			}
			if err != nil && (!yield(Message{}, err) || !errors.Is(err, ErrOverrun)) {
				return
			}
		}
	}
}

// receive waits for the next datagram, or returns EAGAIN.
func (s *Subscription) receive(ctx context.Context, wait bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	n, err := s.next()
	for errors.Is(err, unix.EINTR) || wait && errors.Is(err, unix.EAGAIN) {
		if errors.Is(err, unix.EINTR) {
			n, err = s.next()
		} else {
			n, err = recvContext(ctx, s.sock, s.buf)
		}
	}
	if errors.Is(err, unix.ENOBUFS) && s.keep {
		s.left = s.capacity()
		return s.receive(ctx, wait)
	}
	switch {
	case errors.Is(err, unix.ENOBUFS):
		s.overrun = s.drain()
		return ErrOverrun
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return err
	case n > len(s.buf):
		size := len(s.buf)
		s.buf = make([]byte, nlaAlign(n))
		return fmt.Errorf("%w: datagram of %d bytes in a buffer of %d", ErrOverrun, n, size)
	}
	s.rest = s.buf[:n]
	return nil
}

// next receives what there is without waiting.
func (s *Subscription) next() (n int, err error) {
	if s.overrun {
		return 0, unix.ENOBUFS
	}
	if s.left == 0 {
		return s.sock.Recv(s.buf, false)
	}
	// As in drain, no more messages than fit the buffer can be older than the loss.
	if s.left--; s.left > 0 {
		n, err = s.sock.Recv(s.buf, false)
	}
	if s.left == 0 || errors.Is(err, unix.EAGAIN) {
		s.left = 0
		return 0, ErrOverrun
	}
	return n, err
}

// leastTruesize is less than any message counts: sizeof(struct sk_buff) on
// 32-bit machines.
const leastTruesize = 176

// capacity is more messages than fit the receive buffer.
func (s *Subscription) capacity() int { return s.size/leastTruesize + 1 }

// drain drops the messages that were queued before an overrun, and tells whether
// there was another one meanwhile. The kernel reports an overrun ahead of them,
// and until they have been read it drops all new ones without reporting that
// again (net/netlink/af_netlink.c, NETLINK_S_CONGESTED in netlink_overrun and
// netlink_rcv_wake): a dump made before the socket is empty could be outdated
// unnoticed. No more messages than fit the buffer can be old, however fast new
// ones come.
func (s *Subscription) drain() (again bool) {
	for range s.capacity() {
		_, err := s.sock.Recv(s.buf, false)
		switch {
		case errors.Is(err, unix.ENOBUFS):
			return true
		case err != nil && !errors.Is(err, unix.EINTR):
			return false
		}
	}
	return false
}
