package reconcile

import (
	"context"
	"errors"
	"slices"

	"github.com/nlapply/nlapply/netlink"
)

// pass is the part of the execution that an op belongs to.
type pass uint8

const (
	passNow pass = iota
	passMake
	passSoon
	passLate
)

// passes are those of each phase, in order.
var passes = map[phase][]pass{adding: {passNow, passMake, passSoon}, removing: {passLate}}

func (o *objects[K, T]) pass(p *op[T]) pass {
	if gone := o.gone[p.have]; gone != nil && *gone && p.action == Delete {
		return passNow
	}
	return p.pass()
}

func (p *op[T]) pass() pass {
	switch {
	case p.now:
		return passNow
	case p.action != Delete:
		return passMake
	case p.soon != nil && *p.soon:
		return passSoon
	}
	return passLate
}

func (o *objects[K, T]) execute(ctx context.Context, s *Scope, ph phase, report reporter) error {
	x := &sending[K, T]{o: o, s: s, report: report}
	for _, due := range passes[ph] {
		for i := range o.ops {
			if o.pass(&o.ops[i]) != due {
				continue
			}
			if err := x.add(ctx, i); err != nil {
				return err
			}
		}
	}
	if err := x.flush(ctx); err != nil {
		return err
	}
	if a, ok := o.res.(awaiter[T]); ok && ph == adding {
		return a.Await(ctx, s, o.have, o.ops)
	}
	return nil
}

// sending collects the messages of a table's ops.
type sending[K comparable, T any] struct {
	o      *objects[K, T]
	s      *Scope
	report reporter
	b      netlink.Batch
	ops    []int // in the batch
	ends   []int // the batch's length after each
}

// maxPending bounds the memory of a batch under construction.
const maxPending = 2000

func (x *sending[K, T]) add(ctx context.Context, i int) error {
	x.encode(x.o.ops[i])
	x.ops, x.ends = append(x.ops, i), append(x.ends, x.b.Len())
	if x.b.Len() < maxPending {
		return nil
	}
	return x.flush(ctx)
}

func (x *sending[K, T]) encode(p op[T]) {
	r, o := x.o.res, x.o
	switch {
	case p.action == Create, p.made:
		r.Create(x.s, &x.b, o.subject(p))
	case p.action == Change:
		r.Change(x.s, &x.b, &o.want[p.want], &o.have[p.have])
	case p.action == Replace:
		r.Delete(x.s, &x.b, &o.have[p.have])
		r.Create(x.s, &x.b, &o.want[p.want])
	default:
		r.Delete(x.s, &x.b, &o.have[p.have])
	}
}

func (x *sending[K, T]) flush(ctx context.Context) error {
	if len(x.ops) == 0 {
		return nil
	}
	c, err := x.s.Conn()
	if err != nil {
		return err
	}
	res, err := c.Execute(ctx, &x.b)
	x.s.run.note(&res, x.b.Len())
	if err != nil && !errors.Is(err, netlink.ErrUnknown) { // what is unknown, a fresh look tells
		return err
	}
	failed := x.failures(&res)
	for n, i := range x.ops {
		switch p := x.o.ops[i]; {
		case failed[n] != nil:
			x.report.refused(x.o.step(x.s, p), failed[n])
		case !p.silent && !p.restores:
			x.report.done(1)
		}
	}
	x.b.Reset()
	x.ops, x.ends = x.ops[:0], x.ends[:0]
	return nil
}

// failures returns the errors by position in x.ops. That an object to be
// deleted is gone already is none.
func (x *sending[K, T]) failures(res *netlink.Result) map[int]error {
	failed := map[int]error{}
	for i, err := range res.Errors() {
		n, _ := slices.BinarySearch(x.ends, i+1)
		p := x.o.ops[x.ops[n]]
		first := n == 0 && i == 0 || n > 0 && i == x.ends[n-1]
		deletes := p.action == Delete || p.action == Replace && !p.made && first
		if failed[n] == nil && !(deletes && isAbsent(err)) {
			failed[n] = err
		}
	}
	return failed
}
