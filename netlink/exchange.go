package netlink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// An exchange is a datagram of requests and its answers. Only the last request
// asks for an acknowledgement: the kernel carries them out one by one and sends
// a refusal for each that fails, so when the last is answered, all those without
// a refusal have succeeded (net/netlink/af_netlink.c, netlink_rcv_skb).
//
// After transact has begun, its fields belong to the client's mu.
type exchange struct {
	batch  *Batch
	lo, hi int // its messages in batch
	last   int // the one that asks for the acknowledgement
	slots  int // answers to keep room for
	first  uint32
	res    *Result // nil once nobody waits for it
	want   bool    // the answer to the last message is wanted besides its acknowledgement
	acked  bool
	over   bool
	done   chan struct{} // gets one token when the exchange is over
}

// prepare fills x with as many messages of b as go together from lo on, at most
// most.
func (x *exchange) prepare(b *Batch, res *Result, lo, most, slots int) {
	*x = exchange{batch: b, res: res, lo: lo, done: x.done}
	x.hi, x.last, x.slots = b.chunk(lo, most, slots)
}

// transact sends x and waits for its answers. An error tells that nothing was
// sent; all else is in the exchange's result.
func (c *Client) transact(ctx context.Context, x *exchange) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	err := c.makeRoom(ctx, x.slots)
	if err == nil {
		err = c.send(x)
	}
	<-c.turn
	if err == nil {
		c.wait(ctx, x)
	}
	return err
}

// makeRoom waits until n more answers are sure to fit the receive buffer. The
// caller holds turn.
func (c *Client) makeRoom(ctx context.Context, n int) error {
	free := func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.used == 0 || c.used+n <= c.slots
	}
	for !free() {
		select {
		case <-c.freed:
		case <-ctx.Done():
			return ctx.Err()
		case c.lead <- struct{}{}:
			err := c.read(ctx, free)
			<-c.lead
			if err != nil {
				return cmp.Or(ctx.Err(), err)
			}
		}
	}
	return nil
}

// send registers x and sends it. The caller holds turn.
func (c *Client) send(x *exchange) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return os.ErrClosed
	}
	n := uint32(x.hi - x.lo)
	if c.seq > math.MaxUint32-n {
		c.seq = 0 // the kernel's own events have number 0
	}
	x.first = c.seq + 1
	c.seq += n
	datagram := x.batch.stamp(x)
	c.stats.count(datagram)
	c.pending = append(c.pending, x)
	c.used += x.slots
	c.mu.Unlock()

	err := c.sock.Send(datagram)
	if err != nil {
		c.mu.Lock()
		c.stats.uncount(datagram)
		c.unsent(x)
		c.mu.Unlock()
	}
	return err
}

// unsent takes x back, which a reader that met an overrun may have given up
// meanwhile. The caller holds mu.
func (c *Client) unsent(x *exchange) {
	c.remove(x)
	if x.over {
		<-x.done
		x.res.unlose(x.lo)
	}
}

// wait returns when x is over or given up. Whoever waits and finds nobody
// reading reads for all.
func (c *Client) wait(ctx context.Context, x *exchange) {
	over := func() bool { return len(x.done) > 0 }
	for {
		select {
		case <-x.done:
			return
		case <-ctx.Done():
			c.giveUp(x, ctx.Err())
			return
		case c.lead <- struct{}{}:
			err := c.read(ctx, over)
			<-c.lead
			if err != nil {
				c.giveUp(x, cmp.Or(ctx.Err(), err))
				return
			}
		}
	}
}

// giveUp leaves x. Its outcome becomes unknown, unless its answers are there: the
// kernel queues them while it takes the requests, so they nearly always are.
func (c *Client) giveUp(x *exchange, cause error) {
	select {
	case c.lead <- struct{}{}: // nobody reads
		c.drain()
		<-c.lead
	default:
	}
	c.mu.Lock()
	if x.over {
		c.mu.Unlock()
		<-x.done
		return
	}
	x.lose(cause)
	x.res = nil // it stays pending until the socket has been read empty: see quiet
	c.mu.Unlock()
}

// lose notes that the outcome of what has not been answered is unknown.
func (x *exchange) lose(cause error) {
	if x.res == nil {
		return
	}
	hi := x.hi
	if x.acked && !x.want {
		hi = x.last
	}
	x.res.lose(x.lo, hi, fmt.Errorf("%w: %w", ErrUnknown, cause))
}

// finish ends x. The caller holds mu.
func (c *Client) finish(x *exchange) {
	c.remove(x)
	x.over = true
	if x.res != nil {
		x.done <- struct{}{}
	}
}

// remove forgets x. The caller holds mu.
func (c *Client) remove(x *exchange) {
	i := slices.Index(c.pending, x)
	if i < 0 {
		return
	}
	c.pending = slices.Delete(c.pending, i, i+1)
	c.used -= x.slots
	select {
	case c.freed <- struct{}{}:
	default:
	}
}

// read receives answers until it is enough. The caller holds lead. A context
// that ends makes it return any error.
func (c *Client) read(ctx context.Context, enough func() bool) error {
	for !enough() {
		n, err := c.sock.Recv(c.buf, false)
		if errors.Is(err, unix.EAGAIN) {
			c.quiet()
			if enough() {
				return nil
			}
			n, err = recvContext(ctx, c.sock, c.buf)
		}
		if err := c.received(n, err); err != nil {
			return err
		}
	}
	return nil
}

// drain receives the answers that are there. The caller holds lead.
func (c *Client) drain() {
	for {
		n, err := c.sock.Recv(c.buf, false)
		if errors.Is(err, unix.EAGAIN) {
			c.quiet()
		}
		if c.received(n, err) != nil {
			return
		}
	}
}
