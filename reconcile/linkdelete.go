package reconcile

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

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
		for _, st := range x.of[s] {
			if st.err == nil && st.have != nil && which(st) {
				steps = append(steps, st)
			}
		}
		slices.SortStableFunc(steps, func(a, b *linkStep) int { return s.depth(b.have) - s.depth(a.have) })
		rest, err := x.deleteGroup(ctx, s, steps)
		if err != nil {
			return err
		}
		lb := &linkBatch{scope: s}
		for _, st := range rest {
			lb.add(st, unix.RTM_DELLINK, 0, &route.LinkChange{Index: st.have.Index})
		}
		if _, err := lb.send(ctx); err != nil {
			return err
		}
		if err := x.raise(ctx, s, steps); err != nil {
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

// raise sets ports up again that lost their master.
func (x *linkExec) raise(ctx context.Context, s *Scope, steps []*linkStep) error {
	lb := &linkBatch{scope: s}
	for _, st := range steps {
		for _, port := range st.raise {
			lb.add(st, unix.RTM_NEWLINK, 0, &route.LinkChange{Index: port, Flags: iffUp, Change: iffUp})
		}
	}
	_, err := lb.send(ctx)
	return err
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
