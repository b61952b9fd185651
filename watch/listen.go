package watch

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/reconcile"
)

// Sizes of an ear.
const (
	// earBuffer is the receive buffer that it asks for: some 20,000 events.
	earBuffer = 8 << 20
	// earMemory is how much it keeps for somebody who does not take it away.
	earMemory = 16 << 20
)

// An ear collects the events of one namespace until they are taken. It stands
// between the kernel, whose buffer is small, and a watcher that may be busy.
type ear struct {
	namespace string
	id        netns.ID
	groups    []uint32
	sub       *netlink.Subscription
	heard     func() // called when there is something to take
	cancel    context.CancelFunc
	ended     chan struct{}
	requests  chan chan struct{}

	mu        sync.Mutex // guards all following fields
	interrupt context.CancelFunc
	messages  []byte
	lost      bool // events, since the last take
	deaf      bool // the last receive failed
}

// listen opens an ear for a namespace. What is announced from then on is heard.
func listen(p reconcile.Place, id netns.ID, heard func()) (*ear, error) {
	cfg := netlink.Config{}
	if p.Name != "" { // entering a namespace wants a right, also the own one
		cfg.NetNS = p.Handle.FD()
	}
	c, err := route.Dial(cfg)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	sub, err := c.Subscribe(p.Groups...)
	if err != nil {
		return nil, err
	}
	if _, err := sub.SetReadBuffer(earBuffer); err != nil {
		sub.Close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	e := &ear{
		namespace: p.Name, id: id, groups: p.Groups, sub: sub, heard: heard, cancel: cancel,
		ended: make(chan struct{}), requests: make(chan chan struct{}, 1), interrupt: func() {},
	}
	go e.run(ctx)
	return e, nil
}

// close ends the ear. The namespace may go only then: sockets keep it.
func (e *ear) close() {
	e.cancel()
	<-e.ended
}

func (e *ear) run(ctx context.Context) {
	defer close(e.ended)
	defer e.sub.Close()
	for ctx.Err() == nil {
		asked := e.wait(ctx)
		if e.isDeaf() {
			select { // what it was is looked at, and it is tried again
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
		for m, err := range e.sub.Queued(context.Background()) {
			e.note(m, err)
		}
		if asked != nil {
			close(asked)
		}
	}
}

// wait notes events until it is interrupted, and returns who waits for that.
func (e *ear) wait(ctx context.Context) (asked chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	e.mu.Lock()
	e.interrupt = cancel
	e.mu.Unlock()
	select {
	case asked = <-e.requests:
		return asked
	default:
	}
	for m, err := range e.sub.Messages(ctx) {
		if ctx.Err() == nil || err == nil || errors.Is(err, netlink.ErrOverrun) { // also when interrupted
			e.note(m, err)
		}
	}
	select {
	case asked = <-e.requests:
	default:
	}
	return asked
}

func (e *ear) note(m netlink.Message, err error) {
	e.mu.Lock()
	switch {
	case err != nil, len(e.messages) > earMemory:
		e.lost, e.messages = true, e.messages[:0]
		e.deaf = err != nil && !errors.Is(err, netlink.ErrOverrun)
	default:
		e.messages = m.AppendTo(e.messages)
	}
	e.mu.Unlock()
	e.heard()
}

func (e *ear) isDeaf() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	deaf := e.deaf
	e.deaf = false
	return deaf
}

// drain returns when all that the kernel announced before the call can be taken.
func (e *ear) drain() {
	asked := make(chan struct{})
	e.requests <- asked
	e.mu.Lock()
	e.interrupt()
	e.mu.Unlock()
	select {
	case <-asked:
	case <-e.ended:
	}
}

// take returns what was heard since the last time, in exchange for a buffer to
// go on with, and whether something was lost.
func (e *ear) take(buffer []byte) (messages []byte, lost bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	messages, lost = e.messages, e.lost
	e.messages, e.lost = buffer[:0], false
	return messages, lost
}
