package reconcile

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/spec"
)

// table is one resource in one scope during one run, its types erased.
type table interface {
	class() string
	groups() []uint32
	// declare reads the document.
	declare(s *Scope) error
	// reset forgets the last plan, but what it owes to others if that is to be kept.
	reset(owing bool)
	// hear reads an event against the last plan. It rouses when something of the
	// table may have to be done because of it.
	hear(s *Scope, typ uint16, data []byte) Heard
	// observe dumps the kernel, less what events take down, and compares.
	observe(ctx context.Context, s *Scope, events []LinkEvent) error
	// steps yields the plan.
	steps(s *Scope) iter.Seq[Step]
	// relocate replaces link indexes in declared objects.
	relocate(index func(int32) int32)
	// execute sends the part of the plan that belongs to the phase.
	execute(ctx context.Context, s *Scope, p phase, report reporter) error
	len() int
	// describe writes what was observed into a document.
	describe(s *Scope, n *spec.Namespace, owned bool)
}

// reporter hears what becomes of steps.
type reporter interface {
	// done counts steps that were carried out.
	done(n int)
	// refused takes a step that the kernel refused.
	refused(st Step, err error)
}

// phase is a part of the execution: everything is added before anything is
// taken away.
type phase uint8

const (
	adding phase = iota
	removing
)

// op is one object's part of a plan. Want and have index the table's slices.
type op[T any] struct {
	action Action
	want   int32 // -1: none; a creation then makes the object of have again
	have   int32 // -1: none
	// now deletes before anything is made, where the order of objects demands it.
	now bool
	// made says that a replacement only has to be made: another op deletes.
	made bool
	// restores puts back what a link change takes down: no line of its own.
	restores bool
	// silent ops are part of another op's line.
	silent bool
	// reason says why an object is replaced of which nothing changes.
	reason string
	// loses are other programs' objects that go for good with this one.
	loses *[]string
	// soon, when it is set, deletes before the tables behind make anything.
	soon *bool
}

// objects implements table for a Resource.
type objects[K comparable, T any] struct {
	res  Resource[K, T]
	want []T
	// declared counts the want that come from the document; those behind are
	// other programs' objects that the plan interrupts and puts back.
	declared int
	index    map[K]int32 // of want
	// settled are the want that the kernel's first object of the key equals.
	settled []bool
	seen    []bool // the want that the kernel has something of the key of
	// twice tells that the last dump had a key twice of which an object may go. The
	// kernel repeats some when others change meanwhile, and does not say so: a second
	// dump decides.
	twice bool
	have  []T
	ops   []op[T]
	// lost are the want that a link step takes down and that are put back: they
	// are counted in its line.
	lost []bool
	// gone are the have that are taken down before anything is made, if the value
	// says so. Their deletion comes then, too: later it might hit what was made.
	gone map[int32]*bool
	// heard is the object of the last event.
	heard T
}

func newObjects[K comparable, T any](r Resource[K, T]) func() table {
	return func() table { return &objects[K, T]{res: r} }
}

func (o *objects[K, T]) class() string    { return o.res.Class() }
func (o *objects[K, T]) groups() []uint32 { return o.res.Groups() }
func (o *objects[K, T]) len() int         { return len(o.ops) }

func (o *objects[K, T]) declare(s *Scope) (err error) {
	if s.Spec == nil {
		return nil
	}
	o.want, err = o.res.Declare(s)
	o.declared, o.lost = len(o.want), make([]bool, len(o.want))
	return err
}

// reset implements table.
func (o *objects[K, T]) reset(owing bool) {
	o.ops, o.have, o.gone = nil, nil, nil
	if !owing && len(o.want) > o.declared {
		o.want, o.lost, o.index = o.want[:o.declared], o.lost[:o.declared], nil
	}
	clear(o.lost)
}

// number makes the wanted objects known by their keys.
func (o *objects[K, T]) number() {
	o.index = make(map[K]int32, len(o.want))
	for i := range o.want {
		o.index[o.res.Key(&o.want[i])] = int32(i)
	}
}

func (o *objects[K, T]) observe(ctx context.Context, s *Scope, events []LinkEvent) error {
	if o.index == nil {
		o.number()
	}
	var fallen []fallen[T]
	looked := false
	err := untilUndisturbed(ctx, func() (err error) {
		o.twice = false
		o.settled, o.seen = make([]bool, len(o.want)), make([]bool, len(o.want))
		o.passOver(s)
		o.have, o.ops, o.gone = o.have[:0], nil, map[int32]*bool{}
		if s.Exists {
			fallen, err = o.dump(ctx, s, events)
		}
		if err == nil && o.twice && !looked {
			looked = true
			return netlink.ErrDumpInterrupted
		}
		return err
	})
	if err != nil {
		return err
	}
	for i := range fallen {
		o.fall(s, &fallen[i].object, fallen[i].event)
	}
	o.hasten(s, events)
	o.diff(s)
	return nil
}

// passOver takes for right what is not looked at.
func (o *objects[K, T]) passOver(s *Scope) {
	sh, ok := o.res.(sharder[T])
	if !ok || s.shards == nil {
		return
	}
	for i := range o.want {
		o.settled[i] = !s.shards[sh.Shard(&o.want[i])]
	}
}

// hasten has deletions that would take down what is made come before that.
func (o *objects[K, T]) hasten(s *Scope, events []LinkEvent) {
	late := indexEvents(slices.DeleteFunc(slices.Clone(events), func(e LinkEvent) bool { return e.soon == nil }))
	if late.none() || s.deleting() {
		return
	}
	for w := range o.want {
		if e, hit := o.casualty(s, &o.want[w], late); hit {
			*e.soon = true
		}
	}
}

// fallen is an object and the event that takes it down.
type fallen[T any] struct {
	object T
	event  LinkEvent
}

// untilUndisturbed repeats a dump during which objects changed or messages were
// lost.
func untilUndisturbed(ctx context.Context, dump func() error) (err error) {
	for pause := time.Millisecond; pause < time.Second; pause *= 2 {
		if err = dump(); !errors.Is(err, netlink.ErrDumpInterrupted) && !errors.Is(err, netlink.ErrOverrun) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
	return err
}

// dump keeps what the plan may need: objects of a declared key that differ, and
// those that may be pruned. A million foreign routes cost nothing, nor do those
// that are right.
func (o *objects[K, T]) dump(ctx context.Context, s *Scope, events []LinkEvent) (down []fallen[T], err error) {
	_, all := o.res.(differ[T])
	all = all || s.run.keepAll
	index, kept := indexEvents(events), map[K]struct{}{}
	again := func(t *T) bool {
		key := o.res.Key(t)
		_, before := kept[key]
		kept[key] = struct{}{}
		return before
	}
	for t, err := range o.res.Dump(ctx, s, len(events) > 0 || len(o.want) > o.declared) {
		if err != nil {
			return nil, err
		}
		w, wanted := o.index[o.res.Key(t)]
		o.twice = o.twice || wanted && o.seen[w]
		e, hit := o.casualty(s, t, index)
		switch {
		case hit && wanted && e.standsUntilReplaced():
			// compared like any other: it is in the way of what is made
		case hit && e.loses == nil, hit && wanted && !s.deleting() && o.res.Compare(s, &o.want[w], t).Equal():
			down = append(down, fallen[T]{o.res.Own(t), e})
			o.twice = again(t) || o.twice
			continue
		case hit && o.prunable(s, t):
			o.gone[int32(len(o.have))] = e.soon
		case hit && !wanted && o.res.Maker(s, t).isOthers():
			*e.loses = append(*e.loses, o.res.Class()+" "+o.res.Name(s, t))
		}
		switch {
		case wanted && !all && !s.deleting() && !o.seen[w] && o.res.Compare(s, &o.want[w], t).Equal():
			o.settled[w], o.seen[w] = true, true
		case wanted, all, o.prunable(s, t):
			o.have = append(o.have, o.res.Own(t))
			if wanted {
				o.seen[w] = true
				continue
			}
			o.twice = again(t) || o.twice
		}
	}
	return down, nil
}

// casualty returns the event that takes t down, if there is one.
func (o *objects[K, T]) casualty(s *Scope, t *T, events eventIndex) (LinkEvent, bool) {
	sv, ok := o.res.(survivor[T])
	if !ok || events.none() {
		return LinkEvent{}, false
	}
	hit, found := LinkEvent{}, false
	try := func(events []LinkEvent) {
		for _, e := range events {
			if !found && !sv.Survives(s, t, e) {
				hit, found = e, true
			}
		}
	}
	if src, ok := o.res.(sourced[T]); ok {
		try(events.from[src.Source(t)])
	}
	o.res.Relocate(t, func(index int32) int32 { // visits the links of t
		try(events.on[index])
		return index
	})
	return hit, found
}

// fall notes that event e takes t down. What the document declares is made
// anew because it will be missing; what others made is put back as it was.
func (o *objects[K, T]) fall(s *Scope, t *T, e LinkEvent) {
	c := o.res.Own(t)
	o.res.Relocate(&c, s.successor)
	key, step := o.res.Key(&c), s.blame(e)
	if e.soon != nil {
		*e.soon = true
	}
	w, wanted := o.index[key]
	if wanted && s.keepsLink(e) && !s.deleting() {
		o.lost[w] = e.step != nil && o.res.Compare(s, &o.want[w], &c).Equal()
		step.interrupt(o.res.Class())
		return
	}
	switch maker := o.res.Maker(s, t); {
	case maker == Kernel:
	case e.step == nil && (o.prunable(s, t) || wanted && maker == Ours):
		o.gone[int32(len(o.have))] = new(true)
		o.have = append(o.have, c) // a line of its own: it was to go anyway
	case maker == Ours, o.prunable(s, t), e.Kind == LinkRemoved && pruneClass[o.res.Class()] == "":
		// What bears no mark of its own belongs to its link.
		step.take(o.res.Class())
	case !s.keepsLink(e), e.Kind == LinkNoIPv6, !o.res.(survivor[T]).Restorable(s, t):
		step.lose(o.res.Class() + " " + o.res.Name(s, t))
	default:
		step.interrupt(o.res.Class())
		o.index[key] = int32(len(o.want))
		o.want, o.lost = append(o.want, c), append(o.lost, e.step != nil)
		o.settled, o.seen = append(o.settled, false), append(o.seen, false)
	}
}

func (o *objects[K, T]) prunable(s *Scope, t *T) bool {
	m := o.res.Maker(s, t)
	if m == Kernel || s.deleting() {
		return false
	}
	if m == Listed {
		return true
	}
	if ig, ok := o.res.(ignorer[T]); ok && m == Foreign && ig.Ignored(s, t) {
		return false
	}
	return s.prunes(o.res.Class(), m)
}

func (o *objects[K, T]) diff(s *Scope) {
	chains := make(map[int32][]int32)
	for i := range o.have {
		w, wanted := o.index[o.res.Key(&o.have[i])]
		switch {
		case wanted:
			chains[w] = append(chains[w], int32(i))
		case o.prunable(s, &o.have[i]):
			o.ops = append(o.ops, op[T]{action: Delete, want: -1, have: int32(i)})
		}
	}
	for w := range o.want {
		o.decide(s, int32(w), chains[int32(w)])
	}
	if d, ok := o.res.(differ[T]); ok && !s.run.keepAll {
		o.ops = d.Diff(s, o.want, o.have, o.ops)
	}
	o.hold(s)
	o.sort(s)
}

// hold takes what is left as it is for now out of the plan. Where the steps of
// several objects belong together, all of them are left.
func (o *objects[K, T]) hold(s *Scope) {
	if s.run.cfg.Held == nil || len(o.ops) == 0 {
		return
	}
	tied := slices.ContainsFunc(o.ops, func(p op[T]) bool { return p.made || p.now || p.silent })
	held := func(p op[T]) bool { return s.run.holds(o.step(s, p).Subject()) }
	if tied && slices.ContainsFunc(o.ops, held) {
		o.ops = nil
	} else if !tied {
		o.ops = slices.DeleteFunc(o.ops, held)
	}
}

// decide plans one wanted object against the kernel's objects of its key, in
// the kernel's order.
func (o *objects[K, T]) decide(s *Scope, w int32, chain []int32) {
	want := &o.want[w]
	switch {
	case s.deleting() && int(w) < o.declared:
		for _, h := range chain {
			if o.res.Maker(s, &o.have[h]) == Ours {
				o.ops = append(o.ops, op[T]{action: Delete, want: -1, have: h})
			}
		}
		return
	case o.settled[w]:
		o.pruneChain(s, chain, 0)
		return
	case len(chain) == 0:
		o.ops = append(o.ops, op[T]{action: Create, want: w, have: -1, restores: o.lost[w]})
		return
	}
	// The kernel uses, and replaces, the first object of a key. Where a later
	// one is right, those before it only have to go.
	right := slices.IndexFunc(chain, func(h int32) bool {
		return o.res.Compare(s, want, &o.have[h]).Equal()
	})
	if right < 0 {
		v := o.res.Compare(s, want, &o.have[chain[0]])
		o.ops = append(o.ops, op[T]{action: v.Action, want: w, have: chain[0]})
		right = 0
	}
	for _, h := range chain[:right] {
		o.ops = append(o.ops, op[T]{action: Delete, want: -1, have: h})
	}
	o.pruneChain(s, chain, right+1)
}

func (o *objects[K, T]) pruneChain(s *Scope, chain []int32, from int) {
	for _, h := range chain[from:] {
		if o.prunable(s, &o.have[h]) {
			o.ops = append(o.ops, op[T]{action: Delete, want: -1, have: h})
		}
	}
}

func (o *objects[K, T]) sort(s *Scope) {
	r, ok := o.res.(orderer[T])
	if !ok {
		return
	}
	rank := func(p op[T]) int64 {
		if p.want < 0 {
			return -r.Rank(s, &o.have[p.have])
		}
		return r.Rank(s, &o.want[p.want])
	}
	sort.SliceStable(o.ops, func(i, j int) bool { return rank(o.ops[i]) < rank(o.ops[j]) })
}

func (o *objects[K, T]) steps(s *Scope) iter.Seq[Step] {
	return func(yield func(Step) bool) {
		for _, p := range o.ops {
			if !p.silent && !yield(o.step(s, p)) {
				return
			}
		}
	}
}

func (o *objects[K, T]) subject(p op[T]) *T { return subject(o.want, o.have, p) }

// subject returns the object that p is about.
func subject[T any](want, have []T, p op[T]) *T {
	if p.want >= 0 {
		return &want[p.want]
	}
	return &have[p.have]
}

func (o *objects[K, T]) step(s *Scope, p op[T]) Step {
	st := Step{Action: p.action, Namespace: s.Name, Class: o.res.Class(), Restores: p.restores}
	st.Object = o.res.Name(s, o.subject(p))
	switch {
	case p.want >= 0 && int(p.want) < o.declared:
		st.Path = o.res.Path(s, &o.want[p.want])
	case p.action == Create:
		st.Note = "taken down by this plan, put back"
	case p.loses != nil && len(*p.loses) > 0:
		st.Note = "loses " + strings.Join(*p.loses, "; ")
	}
	if p.want >= 0 && p.have >= 0 {
		st.Fields = o.res.Compare(s, &o.want[p.want], &o.have[p.have]).Fields
		if id, ok := o.res.(identifier[T]); ok {
			st.Object = id.Ident(s, &o.want[p.want])
		}
		if len(st.Fields) == 0 {
			st.Note = p.reason
		}
	}
	return st
}

func (o *objects[K, T]) relocate(index func(int32) int32) {
	for i := range o.want {
		o.res.Relocate(&o.want[i], index)
	}
	o.index = nil
}

// events implements eventful.
func (o *objects[K, T]) events(s *Scope) []LinkEvent {
	if e, ok := o.res.(effecter[T]); ok {
		return e.Effects(s, o.want, o.have, o.ops)
	}
	return nil
}
