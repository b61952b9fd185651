package reconcile

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/attr"
)

// linkExec sends the link part of a plan. Messages are collected over all links
// of a scope and sent at once; a link whose message fails takes no part in what
// follows.
type linkExec struct {
	run   *Run
	steps []*linkStep
	of    map[*Scope][]*linkStep // the same by scope
	made  map[linkPlace]int32
	// late are the options, and portsLate the port options, that name a port,
	// which has to join first (a bond's primary).
	late, portsLate map[*linkStep][]attr.Change
}

func newLinkExec(r *Run) *linkExec {
	x := &linkExec{
		run: r, steps: r.links.steps, of: map[*Scope][]*linkStep{}, made: map[linkPlace]int32{},
		late: map[*linkStep][]attr.Change{}, portsLate: map[*linkStep][]attr.Change{},
	}
	for _, st := range x.steps {
		r.forget(st.want)
		if st.have != nil {
			delete(st.scope.ports, st.have.Index) // no event may tell of the change
		}
		x.of[st.scope] = append(x.of[st.scope], st)
	}
	return x
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
	return lb.execute(ctx, lb.scope.run.note)
}

// try is send for what is taken back when it does not work out.
func (lb *linkBatch) try(ctx context.Context) (netlink.Result, error) {
	return lb.execute(ctx, func(*netlink.Result, int) {})
}

func (lb *linkBatch) execute(ctx context.Context, note func(res *netlink.Result, n int)) (netlink.Result, error) {
	if lb.b.Len() == 0 {
		return netlink.Result{}, nil
	}
	c, err := lb.scope.Conn()
	if err != nil {
		return netlink.Result{}, err
	}
	res, err := c.Execute(ctx, &lb.b)
	note(&res, lb.b.Len())
	if err != nil && !errors.Is(err, netlink.ErrUnknown) { // what is unknown, a fresh look tells
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
		for _, st := range x.of[s] {
			if st.err == nil {
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
	if err := x.rename(ctx); err != nil {
		return err
	}
	if err := x.inScopes(ctx, x.stepAside); err != nil {
		return err
	}
	levels := 0
	for _, st := range x.steps {
		levels = max(levels, st.level+1)
	}
	for level := range levels {
		// a change may give up what a new link of its level takes
		if err := x.change(ctx, level); err != nil {
			return err
		}
		if err := x.create(ctx, level); err != nil {
			return err
		}
	}
	return x.changeLate(ctx)
}

func (x *linkExec) dropAltNames(lb *linkBatch, st *linkStep) {
	if len(st.altDel) > 0 && st.have != nil {
		lb.add(st, unix.RTM_DELLINKPROP, 0, &route.LinkProp{Index: st.have.Index, AltNames: st.altDel})
	}
}
