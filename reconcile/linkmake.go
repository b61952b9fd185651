package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

// create makes the links of one level: a link needs the indexes of those that it
// refers to.
func (x *linkExec) create(ctx context.Context, level int) error {
	for _, s := range x.run.scopes {
		var steps []*linkStep
		for _, st := range x.of[s] {
			if st.level == level && st.err == nil && !st.quiet && st.action != Change && st.action != Delete {
				steps = append(steps, st)
			}
		}
		for chunk := range slices.Chunk(steps, maxCreations) {
			if err := x.createIn(ctx, s, chunk); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxCreations bounds the namespaces that are open at a time.
const maxCreations = 64

// createIn makes links of one scope. A mark must never get onto a link that
// somebody else makes under the same name meanwhile, so links are made under
// random names, marked under those in the same sendmsg, and renamed by index.
func (x *linkExec) createIn(ctx context.Context, s *Scope, steps []*linkStep) error {
	lb := &linkBatch{scope: s}
	var open []*netns.NS
	defer func() {
		for _, ns := range open {
			ns.Close()
		}
	}()
	for _, st := range steps {
		c, ns, err := x.creation(ctx, st)
		if err != nil {
			return err
		}
		if ns != nil {
			open = append(open, ns)
		}
		lb.add(st, unix.RTM_NEWLINK, netlink.Create|netlink.Excl, c)
		lb.add(st, unix.RTM_NEWLINKPROP, netlink.Create|netlink.Excl|netlink.Append,
			&route.LinkProp{Name: st.mark.temporaryName(), AltNames: []string{st.mark.String()}})
	}
	res, err := lb.try(ctx)
	if err != nil {
		return err
	}
	var made []*linkStep // also those without their mark, which nobody else would delete
	for i, st := range steps {
		if err := res.Err(2 * i); err == nil || errors.Is(err, netlink.ErrUnknown) {
			made = append(made, st)
		}
	}
	if err := x.learn(ctx, s, made); err != nil {
		s.run.wrote = s.run.wrote || len(made) > 0
		return err
	}
	return x.baptise(ctx, s, made)
}

// creation returns the message that makes a link, and the handle that has to
// stay open until it is sent.
func (x *linkExec) creation(ctx context.Context, st *linkStep) (*route.LinkChange, *netns.NS, error) {
	w := st.want
	c := &route.LinkChange{Name: new(st.mark.temporaryName()), Kind: w.kind.Name()}
	for _, f := range linkFields {
		if _, ok := f.want(w.spec); ok && !f.late {
			f.set(c, w.spec)
		}
	}
	if kind.FollowsPorts(w.kind) {
		c.MTU = nil
	}
	if p := w.spec.Parent; p != nil {
		c.Parent = new(x.index(ctx, st.scope, *p))
	}
	var ns *netns.NS
	if w.peer != nil {
		peer := &kind.Peer{Name: w.peer.name}
		if w.peer.scope != st.scope {
			var err error
			if ns, err = w.peer.scope.handle(); err != nil {
				return nil, nil, err
			}
			peer.NetNSFD = ns.FD()
		}
		kind.SetPeer(w.kind, peer)
	}
	c.Data = x.creationData(ctx, st)
	return c, ns, nil
}

func (x *linkExec) creationData(ctx context.Context, st *linkStep) []byte {
	k := st.want.kind
	x.resolve(ctx, st.scope, k)
	_, x.late[st] = divide(k, allChanges(k))
	var e netlink.Encoder
	kind.Encode(&e, k)
	if e.Len() == 0 && !kind.NeedsData(k) {
		return nil
	}
	return append([]byte{}, e.Bytes()...)
}

// learn finds out the indexes of links that were made. An echo of the creation
// would not tell all of them: kernels before 6.2 echo no links, and later ones
// none whose driver announces it itself (drivers/net/vxlan, rtnl_configure_link).
func (x *linkExec) learn(ctx context.Context, s *Scope, steps []*linkStep) error {
	names := make([]string, len(steps))
	for i, st := range steps {
		names[i] = st.mark.temporaryName()
	}
	found, err := s.find(ctx, names)
	if err != nil {
		return err
	}
	for i, st := range steps {
		switch {
		case found[i] != nil:
			st.index = found[i].Index
			if errors.Is(st.err, netlink.ErrUnknown) && slices.Contains(found[i].AltNames, st.mark.String()) {
				st.err = nil // made and marked, though the answer was lost
			}
		case st.err == nil:
			st.err = fmt.Errorf("link vanished right after it was made: %w", unix.ENODEV)
		}
	}
	return nil
}

// recall finds out which links have their names of which the answer was lost. What
// else they lack then, the next look tells.
func (x *linkExec) recall(ctx context.Context, s *Scope, steps []*linkStep) error {
	steps = slices.DeleteFunc(slices.Clone(steps), func(st *linkStep) bool { return !errors.Is(st.err, netlink.ErrUnknown) })
	names := make([]string, len(steps))
	for i, st := range steps {
		names[i] = st.name
	}
	found, err := s.find(ctx, names)
	if err != nil {
		s.run.wrote = true
		return err
	}
	for i, st := range steps {
		if found[i] != nil && found[i].Index == st.index {
			st.err = nil
		}
	}
	return nil
}

// find looks links up that exist by now, nil for those that do not.
func (s *Scope) find(ctx context.Context, names []string) ([]*route.Link, error) {
	if len(names) == 0 {
		return nil, nil
	}
	c, err := s.Conn()
	if err != nil {
		return nil, err
	}
	return c.LinksByName(ctx, names)
}

// baptise gives made links their names and what cannot be set before. A link
// that cannot have its name is deleted by its index.
func (x *linkExec) baptise(ctx context.Context, s *Scope, steps []*linkStep) error {
	lb := &linkBatch{scope: s}
	for _, st := range steps {
		if st.err == nil {
			lb.add(st, unix.RTM_NEWLINK, 0, &route.LinkChange{Index: st.index, Name: &st.name})
			x.dress(ctx, lb, st, st.index)
		}
	}
	if _, err := lb.try(ctx); err != nil {
		s.run.wrote = true
		return err
	}
	if err := x.recall(ctx, s, steps); err != nil {
		return err
	}
	drop := &linkBatch{scope: s}
	for _, st := range steps {
		switch {
		case st.err == nil:
			x.made[linkPlace{s, st.name}] = st.index
			s.run.wrote = true
		case st.index != 0:
			drop.add(st, unix.RTM_DELLINK, 0, &route.LinkChange{Index: st.index})
		}
	}
	res, err := drop.try(ctx)
	for range res.Errors() {
		s.run.wrote = true // what could not be taken back
	}
	return err
}
