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
	"github.com/nlapply/nlapply/netlink/route/attr"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

// linkExec sends the link part of a plan. Messages are collected over all links
// of a scope and sent at once; a link whose message fails takes no part in what
// follows.
type linkExec struct {
	run   *Run
	steps []*linkStep
	made  map[linkPlace]int32
	// late are the options, and portsLate the port options, that name a port,
	// which has to join first (a bond's primary).
	late, portsLate map[*linkStep][]attr.Change
}

func newLinkExec(r *Run) *linkExec {
	return &linkExec{
		run: r, steps: r.links.steps, made: map[linkPlace]int32{},
		late: map[*linkStep][]attr.Change{}, portsLate: map[*linkStep][]attr.Change{},
	}
}

// linkBatch are messages of one scope, each belonging to a step.
type linkBatch struct {
	scope *Scope
	b     netlink.Batch
	steps []*linkStep
}

func (lb *linkBatch) add(st *linkStep, typ uint16, flags netlink.Flags, p netlink.Payload) int {
	lb.steps = append(lb.steps, st)
	return lb.b.Add(typ, flags, p)
}

func (lb *linkBatch) send(ctx context.Context) (netlink.Result, error) {
	if lb.b.Len() == 0 {
		return netlink.Result{}, nil
	}
	c, err := lb.scope.Conn()
	if err != nil {
		return netlink.Result{}, err
	}
	res, err := c.Execute(ctx, &lb.b)
	if err != nil {
		return res, err
	}
	for i, err := range res.Errors() {
		if st := lb.steps[i]; st.err == nil {
			st.err = err
		}
	}
	return res, nil
}

// inScopes collects messages for every step that f wants, scope by scope, and
// sends them.
func (x *linkExec) inScopes(ctx context.Context, f func(lb *linkBatch, st *linkStep)) error {
	for _, s := range x.run.scopes {
		lb := &linkBatch{scope: s}
		for _, st := range x.steps {
			if st.scope == s && st.err == nil {
				f(lb, st)
			}
		}
		if _, err := lb.send(ctx); err != nil {
			return err
		}
	}
	return nil
}

// index returns the kernel's index of a link that exists by now, 0 for one that
// does not.
func (x *linkExec) index(ctx context.Context, s *Scope, name string) int32 {
	if i, ok := x.made[linkPlace{s, name}]; ok {
		return i
	}
	if l := s.links.byName[name]; l != nil && !s.links.state[l.Index].gone {
		return l.Index
	}
	c, err := s.Conn()
	if err != nil {
		return 0
	}
	l, err := c.LinkByName(ctx, name)
	if err != nil {
		return 0
	}
	return l.Index
}

// before is all that happens to links ahead of their tables: everything but
// going up, and the late deletions.
func (x *linkExec) before(ctx context.Context) error {
	if err := x.inScopes(ctx, x.dropAltNames); err != nil {
		return err
	}
	if err := x.delete(ctx, func(st *linkStep) bool {
		return st.action == Replace || st.action == Delete && st.early
	}); err != nil {
		return err
	}
	if err := x.create(ctx); err != nil {
		return err
	}
	if err := x.rename(ctx); err != nil {
		return err
	}
	return x.change(ctx)
}

func (x *linkExec) dropAltNames(lb *linkBatch, st *linkStep) {
	if len(st.altDel) > 0 && st.have != nil {
		lb.add(st, unix.RTM_DELLINKPROP, 0, &route.LinkProp{Index: st.have.Index, AltNames: st.altDel})
	}
}

// create makes links level by level, because a link needs the indexes of those
// that it refers to.
func (x *linkExec) create(ctx context.Context) error {
	levels := 0
	for _, st := range x.steps {
		levels = max(levels, st.level+1)
	}
	for level := range levels {
		for _, s := range x.run.scopes {
			var steps []*linkStep
			for _, st := range x.steps {
				if st.scope == s && st.level == level && st.err == nil && !st.quiet && st.action != Change && st.action != Delete {
					steps = append(steps, st)
				}
			}
			for chunk := range slices.Chunk(steps, maxCreations) {
				if err := x.createIn(ctx, s, chunk); err != nil {
					return err
				}
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
	at := make([]int, len(steps))
	for i, st := range steps {
		c, ns, err := x.creation(ctx, st)
		if err != nil {
			return err
		}
		if ns != nil {
			open = append(open, ns)
		}
		at[i] = lb.add(st, unix.RTM_NEWLINK, netlink.Create|netlink.Excl|netlink.Echo, c)
		lb.add(st, unix.RTM_NEWLINKPROP, netlink.Create|netlink.Excl|netlink.Append,
			&route.LinkProp{Name: st.mark.temporaryName(), AltNames: []string{st.mark.String()}})
	}
	res, err := lb.send(ctx)
	if err != nil {
		return err
	}
	for i, st := range steps {
		if err := x.learn(ctx, st, &res, at[i]); err != nil {
			return err
		}
	}
	return x.baptise(ctx, s, steps)
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

// divide separates the changes of late rows from the others.
func divide(k kind.Kind, changes []attr.Change) (now, late []attr.Change) {
	rows := k.Fields()
	for _, c := range changes {
		if f, ok := rows.Lookup(c.Name); ok && f.Late {
			late = append(late, c)
		} else {
			now = append(now, c)
		}
	}
	return now, late
}

// learn finds out the index of a link that was made. Kernels before 6.2 do not
// echo it (net/core/rtnetlink.c, rtnl_newlink_create).
func (x *linkExec) learn(ctx context.Context, st *linkStep, res *netlink.Result, at int) error {
	if res.Err(at) != nil {
		return nil
	}
	var l route.Link
	if m, ok := res.Echo(at); ok {
		if err := l.Decode(m.Data); err != nil {
			return err
		}
		st.index = l.Index
		return nil
	}
	c, err := st.scope.Conn()
	if err != nil {
		return err
	}
	found, err := c.LinkByName(ctx, st.mark.temporaryName())
	if err != nil {
		st.err = fmt.Errorf("link vanished right after it was made: %w", err)
		return nil
	}
	st.index = found.Index
	return nil
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
	if _, err := lb.send(ctx); err != nil {
		return err
	}
	drop := &linkBatch{scope: s}
	for _, st := range steps {
		switch {
		case st.err == nil:
			x.made[linkPlace{s, st.name}] = st.index
		case st.index != 0:
			drop.add(st, unix.RTM_DELLINK, 0, &route.LinkChange{Index: st.index})
		}
	}
	_, err := drop.send(ctx)
	return err
}

// dress sets what a link that is new here cannot be made with.
func (x *linkExec) dress(ctx context.Context, lb *linkBatch, st *linkStep, index int32) {
	c := &route.LinkChange{Index: index}
	for _, f := range st.generic {
		f.set(c, st.want.spec)
	}
	if st.master != nil {
		c.Master = new(x.index(ctx, st.scope, *st.master))
	}
	if len(st.generic) > 0 || st.master != nil {
		lb.add(st, unix.RTM_NEWLINK, 0, c)
	}
	if len(st.ports) > 0 {
		now, late := divide(st.want.port, st.ports)
		x.portsLate[st] = late
		if len(now) > 0 {
			lb.add(st, unix.RTM_NEWLINK, 0, x.portChange(ctx, st, index, now))
		}
	}
	if len(st.altAdd) > 0 {
		lb.add(st, unix.RTM_NEWLINKPROP, netlink.Create|netlink.Excl|netlink.Append,
			&route.LinkProp{Index: index, AltNames: st.altAdd})
	}
}

func (x *linkExec) portChange(ctx context.Context, st *linkStep, index int32, changes []attr.Change) *route.LinkChange {
	w := st.want
	have := st.havePort
	if have == nil {
		have, _ = kind.NewPort(w.port.Name())
	}
	x.resolve(ctx, st.scope, w.port)
	var e netlink.Encoder
	kind.EncodeChange(&e, w.port, have, changes)
	return &route.LinkChange{Index: index, SlaveKind: w.port.Name(), SlaveData: append([]byte{}, e.Bytes()...)}
}

func (x *linkExec) resolve(ctx context.Context, s *Scope, k kind.Kind) {
	for _, r := range k.Fields().Refs() {
		r.Index = x.index(ctx, s, r.Name)
	}
}

// rename renames far ends of pairs. Names that are exchanged need a third one.
func (x *linkExec) rename(ctx context.Context) error {
	temporary := func(lb *linkBatch, st *linkStep) {
		if !st.rename {
			return
		}
		if st.bounce {
			lb.add(st, unix.RTM_NEWLINK, 0, &route.LinkChange{Index: st.have.Index, Change: iffUp})
		}
		if taken := st.scope.links.nameTaken(st.name); taken {
			st.mark = newMark(st.scope.Owner(), st.scope.Protocol())
			lb.add(st, unix.RTM_NEWLINK, 0, &route.LinkChange{Index: st.have.Index, Name: new(st.mark.temporaryName())})
		}
	}
	if err := x.inScopes(ctx, temporary); err != nil {
		return err
	}
	return x.inScopes(ctx, func(lb *linkBatch, st *linkStep) {
		if st.rename {
			lb.add(st, unix.RTM_NEWLINK, 0, &route.LinkChange{Index: st.have.Index, Name: &st.name})
		}
	})
}

// change changes links that exist, and dresses the far ends of new pairs.
func (x *linkExec) change(ctx context.Context) error {
	err := x.inScopes(ctx, func(lb *linkBatch, st *linkStep) {
		switch {
		case st.quiet && st.action == Create:
			if st.index = x.index(ctx, st.scope, st.name); st.index == 0 {
				st.err = fmt.Errorf("link %s was not made together with its peer: %w", st.name, unix.ENODEV)
				return
			}
			x.dress(ctx, lb, st, st.index)
		case st.action == Change:
			x.changeOne(ctx, lb, st)
		}
	})
	if err != nil {
		return err
	}
	return x.inScopes(ctx, func(lb *linkBatch, st *linkStep) {
		index := st.index
		if st.have != nil && st.action == Change {
			index = st.have.Index
		}
		if late := x.late[st]; len(late) > 0 {
			x.options(ctx, lb, st, index, late)
		}
		if late := x.portsLate[st]; len(late) > 0 {
			lb.add(st, unix.RTM_NEWLINK, 0, x.portChange(ctx, st, index, late))
		}
	})
}

func (x *linkExec) changeOne(ctx context.Context, lb *linkBatch, st *linkStep) {
	index := st.have.Index
	for _, port := range st.release {
		lb.add(st, unix.RTM_NEWLINK, 0, &route.LinkChange{Index: port, Master: new(int32(0))})
	}
	if st.bounce && !st.rename || st.up != nil && !*st.up {
		lb.add(st, unix.RTM_NEWLINK, 0, &route.LinkChange{Index: index, Change: iffUp})
	}
	if len(st.options) > 0 {
		now, late := divide(st.want.kind, st.options)
		x.late[st] = late
		if len(now) > 0 {
			x.options(ctx, lb, st, index, now)
		}
	}
	x.dress(ctx, lb, st, index)
}

// options changes options of the kind.
func (x *linkExec) options(ctx context.Context, lb *linkBatch, st *linkStep, index int32, changes []attr.Change) {
	w, have := st.want, st.haveKind
	if have == nil {
		have, _ = kind.New(w.kind.Name())
	}
	x.resolve(ctx, st.scope, w.kind)
	var e netlink.Encoder
	kind.EncodeChange(&e, w.kind, have, changes)
	lb.add(st, unix.RTM_NEWLINK, 0,
		&route.LinkChange{Index: index, Kind: w.kind.Name(), Data: append([]byte{}, e.Bytes()...)})
}

// up sets links up, parents before what stands on them.
func (x *linkExec) up(ctx context.Context) error {
	return x.inScopes(ctx, func(lb *linkBatch, st *linkStep) {
		index := st.index
		if st.action == Change {
			index = st.have.Index
		}
		switch {
		case st.up != nil && *st.up:
			lb.add(st, unix.RTM_NEWLINK, 0, &route.LinkChange{Index: index, Flags: iffUp, Change: iffUp})
		case st.lowered:
			lb.add(st, unix.RTM_NEWLINK, 0, &route.LinkChange{Index: index, Change: iffUp})
		}
	})
}

// after deletes what may stand until everything new is there.
func (x *linkExec) after(ctx context.Context) error {
	return x.delete(ctx, (*linkStep).isLate)
}

// minGroup is the number of links from which on deleting them as a group pays.
const minGroup = 10

// delete deletes links, those that stand on others first.
func (x *linkExec) delete(ctx context.Context, which func(*linkStep) bool) error {
	for _, s := range x.run.scopes {
		var steps []*linkStep
		for _, st := range x.steps {
			if st.scope == s && st.err == nil && st.have != nil && which(st) {
				steps = append(steps, st)
			}
		}
		slices.SortStableFunc(steps, func(a, b *linkStep) int { return s.depth(b.have) - s.depth(a.have) })
		steps, err := x.deleteGroup(ctx, s, steps)
		if err != nil {
			return err
		}
		lb := &linkBatch{scope: s}
		for _, st := range steps {
			lb.add(st, unix.RTM_DELLINK, 0, &route.LinkChange{Index: st.have.Index})
		}
		if _, err := lb.send(ctx); err != nil {
			return err
		}
		for _, st := range steps {
			if isAbsent(st.err) {
				st.err = nil
			}
		}
	}
	return nil
}

// deleteGroup deletes links as one group that no other link is in: the kernel
// waits for readers (RCU) once instead of once a link. It takes those of which it
// is certain that they go, and returns the rest: all, with their groups as they
// were, when it did not work.
func (x *linkExec) deleteGroup(ctx context.Context, s *Scope, steps []*linkStep) (rest []*linkStep, err error) {
	var many []*linkStep
	for _, st := range steps {
		if _, known := kind.New(st.have.Kind); known {
			many = append(many, st)
		} else {
			rest = append(rest, st)
		}
	}
	if len(many) < minGroup {
		return steps, nil
	}
	group := s.freeGroup()
	lb := &linkBatch{scope: s}
	for _, st := range many {
		lb.add(st, unix.RTM_NEWLINK, 0, &route.LinkChange{Index: st.have.Index, Group: &group})
	}
	lb.add(many[0], unix.RTM_DELLINK, 0, &route.LinkChange{Group: &group})
	res, err := lb.send(ctx)
	if err != nil {
		return nil, err
	}
	for _, st := range many {
		st.err = nil
	}
	if res.Err(len(many)) == nil {
		return rest, nil
	}
	back := &linkBatch{scope: s}
	for _, st := range many {
		back.add(st, unix.RTM_NEWLINK, 0, &route.LinkChange{Index: st.have.Index, Group: &st.have.Group})
	}
	_, err = back.send(ctx)
	for _, st := range many {
		st.err = nil
	}
	return steps, err
}

// isAbsent tells whether the error of a deletion says that the object is gone
// already. Which errno says so depends on the object.
func isAbsent(err error) bool {
	for _, e := range []error{unix.ENODEV, unix.ESRCH, unix.ENOENT, unix.EADDRNOTAVAIL} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
