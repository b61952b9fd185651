package reconcile

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/attr"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

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

// dress sets what a link that is new here cannot be made with.
func (x *linkExec) dress(ctx context.Context, lb *linkBatch, st *linkStep, index int32) {
	c := &route.LinkChange{Index: index}
	for _, f := range st.generic {
		f.set(c, st.want.spec)
	}
	if st.master != nil {
		c.Master = new(x.index(ctx, st.scope, *st.master))
	}
	made := st.want.kind != nil && st.action != Change
	if len(st.options) > 0 || made && kind.FollowsPorts(st.want.kind) {
		c.MTU = st.want.spec.MTU // the kernel may have taken a new header off it, or not have it yet
	}
	if len(st.generic) > 0 || st.master != nil || c.MTU != nil {
		lb.add(st, unix.RTM_NEWLINK, 0, c)
	}
	x.regain(lb, st, index)
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

// regain sets again what a bond sets on a port that joins, and sets back when it
// leaves.
func (x *linkExec) regain(lb *linkBatch, st *linkStep, index int32) {
	c := &route.LinkChange{Index: index, MTU: st.want.spec.MTU, Address: route.HardwareAddr(st.want.spec.Address)}
	if st.regains && (c.MTU != nil || c.Address != nil) {
		lb.add(st, unix.RTM_NEWLINK, 0, c)
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

// meet finds out the indexes of the far ends of new pairs of one level.
func (x *linkExec) meet(ctx context.Context, level int) error {
	far := map[*Scope][]string{}
	for _, st := range x.steps {
		if st.level == level && st.quiet && st.action == Create && st.err == nil {
			far[st.scope] = append(far[st.scope], st.name)
		}
	}
	for s, names := range far {
		found, err := s.find(ctx, names)
		if err != nil {
			return err
		}
		for i, l := range found {
			if l != nil {
				x.made[linkPlace{s, names[i]}] = l.Index
			}
		}
	}
	return nil
}

// change changes links of one level that exist, and dresses the far ends of new
// pairs.
func (x *linkExec) change(ctx context.Context, level int) error {
	if err := x.meet(ctx, level); err != nil {
		return err
	}
	return x.inScopes(ctx, func(lb *linkBatch, st *linkStep) {
		switch {
		case st.level != level:
		case st.quiet && st.action == Create:
			if st.index = x.made[st.want.place()]; st.index == 0 {
				st.err = fmt.Errorf("link %s was not made together with its peer: %w", st.name, unix.ENODEV)
				return
			}
			x.dress(ctx, lb, st, st.index)
		case st.action == Change:
			x.changeOne(ctx, lb, st)
		}
	})
}

// changeLate sets the options that name a port.
func (x *linkExec) changeLate(ctx context.Context) error {
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
		if st.scope.links.state[port].gone {
			continue // made anew, or going
		}
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
