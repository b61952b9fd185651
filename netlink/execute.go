package netlink

import (
	"context"
	"slices"
)

// Execute sends the messages of b and returns the outcome of each. They go out
// in order, in datagrams of up to 200 messages and 64 KiB; one that is refused
// does not stop the others. The caller leaves b alone until Execute returns.
//
// The error tells that some messages were not sent, or that the outcome of some
// is unknown (it matches ErrUnknown then, also when others were not sent); which
// ones, the result says. Refusals are in the result only. A context that ends
// leaves the datagram on its way unknown and the rest unsent.
func (c *Client) Execute(ctx context.Context, b *Batch) (Result, error) {
	res := &Result{failures: slices.Clone(b.bad)}
	x := &exchange{done: make(chan struct{}, 1)}
	for lo := 0; lo < b.Len(); lo = x.hi {
		if x.prepare(b, res, lo, c.slots); x.last < 0 {
			continue
		}
		if err := c.transact(ctx, x); err != nil {
			res.unsent = lostRun{lo, b.Len(), err}
			break
		}
		if x.res == nil { // given up: late answers still look for it
			x = &exchange{done: make(chan struct{}, 1), hi: x.hi}
		}
	}
	return *res, res.incomplete()
}
