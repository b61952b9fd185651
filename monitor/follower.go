package monitor

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/netlink/route"
)

// A follower reads the messages of one namespace. Its sockets keep the namespace
// alive, so it is to be ended when the last name is gone.
type follower struct {
	m    *Monitor
	name string // "" for the monitor's own
	ns   *netns.NS
	sub  *netlink.Subscription
	view view
	port portOwner

	cancel context.CancelFunc // nil: not started
	done   chan struct{}
}

// follow begins to listen in a namespace, which is closed with the follower or
// when that is not possible.
func (m *Monitor) follow(name string, ns *netns.NS) (f *follower, err error) {
	defer func() {
		if err != nil {
			ns.Close()
		}
	}()
	cfg := netlink.Config{ReadBuffer: m.cfg.ReadBuffer}
	if name != "" {
		cfg.NetNS = ns.FD() // to enter the own one would need a capability
	}
	conn, err := route.Dial(cfg)
	if errors.Is(err, unix.EPERM) {
		return nil, errNoEntry
	}
	if err != nil {
		return nil, err
	}
	f = &follower{m: m, name: name, ns: ns}
	f.view = view{names: m.names, conn: conn, changes: m.changes}
	if f.sub, err = conn.Subscribe(groupsOf(m.cfg.Classes)...); err == nil {
		f.sub.KeepQueued() // what was lost is told after what was not
		err = f.view.learn(context.Background())
	}
	if err != nil {
		f.closeSockets()
		return nil, err
	}
	return f, nil
}

func (m *Monitor) changes() uint64 {
	if m.named == nil {
		return 0
	}
	return m.named.changed.Load()
}

// start reads on a goroutine of its own until ctx or the follower ends.
func (f *follower) start(ctx context.Context) {
	reading, cancel := context.WithCancel(ctx)
	f.cancel, f.done = cancel, make(chan struct{})
	go func() {
		defer close(f.done)
		f.read(ctx, f.sub.Messages(reading))
		if reading.Err() != nil { // what came before the name went is told
			f.read(ctx, f.sub.Queued(ctx))
		}
	}()
}

// close ends the follower when it has told what it received.
func (f *follower) close() {
	if f.cancel != nil {
		f.cancel()
		<-f.done
	}
	f.closeSockets()
	f.ns.Close()
}

func (f *follower) closeSockets() {
	if f.sub != nil {
		f.sub.Close()
	}
	f.view.conn.Close()
}

// read tells messages until there are no more.
func (f *follower) read(ctx context.Context, messages func(func(netlink.Message, error) bool)) {
	for msg, err := range messages {
		switch {
		case errors.Is(err, netlink.ErrOverrun):
			lost := &Event{Time: time.Now(), Namespace: f.name, Kind: Overrun}
			err := f.view.learn(ctx) // who reads of the loss may count on what follows
			f.m.send(ctx, lost)
			if err != nil {
				f.fail(ctx, err)
			}
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrClosed):
		case err != nil:
			f.fail(ctx, err)
		default:
			if e := f.event(msg); e != nil {
				f.m.send(ctx, e)
			}
		}
	}
}

func (f *follower) fail(ctx context.Context, err error) {
	if ctx.Err() == nil {
		f.m.send(ctx, &Event{Time: time.Now(), Namespace: f.name, Kind: Failure, Error: err.Error()})
	}
}

// event returns the event that a message tells, nil if it is of no wanted class.
func (f *follower) event(msg netlink.Message) *Event {
	e := f.view.event(msg)
	if !f.m.tells(e.Class) {
		return nil
	}
	e.Time, e.Namespace, e.Message = time.Now(), f.name, msg.Clone()
	if e.Port = msg.Port; e.Port != 0 {
		e.Process = f.port.process(f, e.Port)
	}
	return e
}

// errNothing is why a message is not understood of which nothing can be printed.
var errNothing = errors.New("says nothing")

// event writes a message down and keeps what it says of links.
func (v *view) event(msg netlink.Message) *Event {
	format, kind := formatOf(msg)
	e := &Event{Kind: kind, Class: Unknown}
	if format == nil {
		e.Fields = unknownFields(msg, nil)
		return e
	}
	fields, err := format.write(v, msg.Data)
	if err == nil && fields.String() == "" {
		err = errNothing
	}
	if err != nil {
		e.Fields = unknownFields(msg, err)
		return e
	}
	e.Class, e.Fields = format.class, fields
	if e.Class == Link {
		e.Changed = v.seeEvent(kind, fields)
	}
	return e
}

// seeEvent keeps the state of the link of an event, or forgets the link.
func (v *view) seeEvent(kind Kind, fields Fields) []Change {
	index, _ := fields.Get("ifindex").(int32)
	if kind == Del {
		delete(v.links, index)
		return nil
	}
	name, _ := fields.Get("ifname").(string)
	return v.see(index, name, fields)
}
