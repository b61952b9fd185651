package netlink

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sys/unix"
)

// Execute sends the messages of b and returns the outcome of each. They go out
// in order, in datagrams of up to 200 messages and 64 KiB, or as large as the
// send buffer can be; one that is refused does not stop the others. The caller
// leaves b alone until Execute returns.
//
// The error tells that some messages were not sent, or that the outcome of some
// is unknown (it matches ErrUnknown then, also when others were not sent); which
// ones, the result says. Refusals are in the result only. A context that ends
// leaves the datagram on its way unknown and the rest unsent.
func (c *Client) Execute(ctx context.Context, b *Batch) (Result, error) {
	res := &Result{failures: slices.Clone(b.bad)}
	x := &exchange{done: make(chan struct{}, 1)}
	most := maxMessages
	for lo := 0; lo < b.Len(); lo = x.hi {
		if x.prepare(b, res, lo, most, c.slots); x.last < 0 {
			continue
		}
		err := c.transact(ctx, x)
		if n := x.hi - lo; n > 1 && errors.Is(err, unix.EMSGSIZE) {
			most, x.hi = n/2, lo // net.core.wmem_max is small here
			continue
		}
		if err != nil {
			res.unsent = lostRun{lo, b.Len(), err}
			break
		}
		if x.res == nil { // given up: late answers still look for it
			x = &exchange{done: make(chan struct{}, 1), hi: x.hi}
		}
	}
	return *res, res.incomplete()
}
