package netlink

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	"golang.org/x/sys/unix"
)

// maxIdle is how many sockets are kept for later dumps.
const maxIdle = 4

// A dumper is a socket for one dump at a time, with the buffers that go with it.
type dumper struct {
	sock Socket
	port uint32
	seq  uint32
	enc  Encoder
	buf  []byte
}

// Dump requests all objects of a type and iterates over them. The Data of a
// message is a view, valid until the next step. Request and Dump are added to
// the request.
//
// An error is the last thing that is yielded. After a refusal (an *Error) or a
// context that ended the dump is incomplete. An error that matches
// ErrDumpInterrupted comes behind the last message; that it does not come proves
// little, because routes, rules and neighbours never report it.
func (c *Client) Dump(ctx context.Context, typ uint16, p Payload) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		d, err := c.lease(ctx)
		if err != nil {
			yield(Message{}, err)
			return
		}
		ended := false // unless yield panics
		defer func() { c.release(d, ended) }()
		if err = c.requestDump(d, typ, p); err == nil {
			ended, err = c.receiveDump(ctx, d, yield)
		}
		if err != nil {
			yield(Message{}, err)
		}
	}
}

// lease returns a socket on which no dump runs.
func (c *Client) lease(ctx context.Context) (*dumper, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.idle); n > 0 {
		d := c.idle[n-1]
		c.idle = c.idle[:n-1]
		return d, nil
	}
	sock, err := c.another()
	if err != nil {
		return nil, err
	}
	d := &dumper{sock: sock, port: sock.Port(), buf: make([]byte, c.dumpBuffer)}
	c.dumps[d] = struct{}{}
	return d, nil
}

// release takes a socket back. One on which a dump still runs is closed, which
// ends the dump; the next one on it would be refused with EBUSY.
func (c *Client) release(d *dumper, ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dumpBuffer = max(c.dumpBuffer, len(d.buf))
	if c.closed {
		return // Close has closed it
	}
	if ended && len(c.idle) < maxIdle {
		c.idle = append(c.idle, d)
		return
	}
	delete(c.dumps, d)
	d.sock.Close()
}

func (c *Client) requestDump(d *dumper, typ uint16, p Payload) error {
	d.enc.Reset()
	d.enc.begin(typ, Request|Dump)
	if p != nil {
		p.AppendTo(&d.enc)
	}
	d.enc.finish(0)
	if err := d.enc.Err(); err != nil {
		return err
	}
	if d.seq++; d.seq == 0 {
		d.seq = 1
	}
	b := d.enc.Bytes()
	binary.NativeEndian.PutUint32(b[8:], d.seq)
	if err := d.sock.Send(b); err != nil {
		return err
	}
	c.mu.Lock()
	c.stats.count(b)
	c.mu.Unlock()
	return nil
}

// receiveDump yields the messages of a dump. ended tells that the kernel has
// ended it, so that the socket can be used again.
func (c *Client) receiveDump(ctx context.Context, d *dumper, yield func(Message, error) bool) (ended bool, err error) {
	interrupted := false
	for {
		b, err := d.receive(ctx)
		if err != nil {
			return false, err
		}
		for len(b) > 0 {
			var m Message
			if m, b, err = nextMessage(b); err != nil {
				return false, err
			}
			if m.Seq != d.seq || !c.own(m, d.port) {
				continue // not about this dump
			}
			if m.Flags&DumpInterrupted != 0 {
				interrupted = true // also on NLMSG_DONE, and perhaps only there
			}
			if m.Type < unix.NLMSG_MIN_TYPE {
				if ended, err = d.control(m); ended || err != nil {
					return ended, interruptedErr(interrupted, err)
				}
				continue
			}
			if !yield(m, nil) {
				return false, nil
			}
		}
	}
}

// control takes a message that is no object: it may end the dump.
func (d *dumper) control(m Message) (ended bool, err error) {
	request := sent{op: "dump", bytes: d.enc.Bytes(), attrs: d.enc.fixed}
	switch m.Type {
	case unix.NLMSG_DONE:
		return true, request.doneError(m)
	case unix.NLMSG_ERROR:
		err = request.ackError(m)
		return err != nil, err // audit acknowledges before it dumps
	case unix.NLMSG_OVERRUN:
		return false, ErrOverrun
	}
	return false, nil
}

func interruptedErr(interrupted bool, err error) error {
	switch {
	case !interrupted:
		return err
	case err == nil:
		return ErrDumpInterrupted
	}
	return fmt.Errorf("%w; %w", err, ErrDumpInterrupted)
}

// receive returns the next datagram. The kernel makes it during the receive, so
// waiting is the exception.
func (d *dumper) receive(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	n, err := d.sock.Recv(d.buf, false)
	for errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		n, err = recvContext(ctx, d.sock, d.buf)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, unix.ENOBUFS):
		return nil, fmt.Errorf("%w: %w", ErrOverrun, err)
	case err != nil:
		return nil, err
	case n > len(d.buf):
		size := len(d.buf)
		d.buf = make([]byte, nlaAlign(n)) // for the next dump
		return nil, fmt.Errorf("datagram of %d bytes in a buffer of %d: %w", n, size, unix.EMSGSIZE)
	}
	return d.buf[:n], nil
}
