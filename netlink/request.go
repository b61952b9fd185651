package netlink

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// Do makes one request and waits for its acknowledgement. Request and Ack are
// added to the flags. A refusal is an *Error.
//
// The kernel carries the request out while it is sent. When the context ends
// afterwards and before the answer is there, Do returns an error that matches
// both the context's and ErrUnknown.
func (c *Client) Do(ctx context.Context, typ uint16, flags Flags, p Payload) error {
	_, err := c.call(ctx, typ, flags&^Echo, p, false)
	return err
}

// Get makes one request and returns its answer, with a Data of its own: the
// object for requests that read, and the object as written for requests that
// write and have Echo in their flags. An acknowledgement without an answer is an
// error that matches unix.ENODATA: kernels before v6.2 echo no links, and none
// echoes neighbours. Request and Ack are added to the flags. A refusal is an
// *Error; what Do says about contexts holds here too.
func (c *Client) Get(ctx context.Context, typ uint16, flags Flags, p Payload) (Message, error) {
	return c.call(ctx, typ, flags, p, true)
}

// A call is a batch of one message and its exchange, used again and again.
type call struct {
	batch    Batch
	exchange exchange
	result   Result
}

var calls = sync.Pool{New: func() any {
	return &call{exchange: exchange{done: make(chan struct{}, 1)}}
}}

func (c *Client) call(ctx context.Context, typ uint16, flags Flags, p Payload, want bool) (Message, error) {
	k := calls.Get().(*call)
	k.batch.Reset()
	k.result = Result{}
	k.batch.Add(typ, flags, p)
	if err := k.batch.encodeErr(0); err != nil {
		return Message{}, err
	}
	x := &k.exchange
	x.prepare(&k.batch, &k.result, 0, 1, c.slots)
	if want {
		x.want = true
		x.slots = min(1+echoSlots, c.slots)
	}
	if err := c.transact(ctx, x); err != nil {
		return Message{}, err
	}
	err := k.result.Err(0)
	answer, ok := k.result.Echo(0)
	if err == nil && want && !ok {
		err = fmt.Errorf("no answer: %w", unix.ENODATA)
	}
	if x.res != nil { // else a late answer may still look for it
		calls.Put(k)
	}
	return answer, err
}
