package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// A Result is what an apply came to.
type Result struct {
	Changes  int     // steps that were carried out
	Changed  bool    // something was changed, or may have been, be it a part of a step
	Rounds   int     // looks at the kernel that found something to do
	Refused  []error // *StepError, what the kernel refused
	Rest     []Step  // what a fresh look still finds to do; nil when verified
	Unknown  bool    // something was changed and no look after that succeeded: Rest is not known
	Verified bool

	run *Run
}

// ErrNotConvergent is matched when the kernel takes a change and shows no
// effect of it.
var ErrNotConvergent = errors.New("the kernel accepts the change and does not make it, or another program undoes it")

// unchanged is ErrNotConvergent for every step that is left.
func (res *Result) unchanged() error {
	var errs []error
	for _, st := range res.Rest {
		errs = append(errs, res.run.newStepError(st, ErrNotConvergent))
	}
	return errors.Join(errs...)
}

// maxRounds bounds how often a run looks again when others interfere.
const maxRounds = 3

// Apply carries out the plan and looks again until there is nothing to do. The
// result is valid also with an error.
func (r *Run) Apply(ctx context.Context, p *Plan) (*Result, error) {
	res := &Result{run: r}
	r.wrote = false
	err := r.apply(ctx, p, res)
	res.Changed = r.wrote || res.Changes > 0
	if err != nil && res.Unknown {
		res.look(context.WithoutCancel(ctx))
	}
	return res, err
}

// look finds out what is left to do after a run that broke off.
func (res *Result) look(ctx context.Context) {
	p, err := res.run.planAll(ctx, true)
	if err == nil && slices.ContainsFunc(slices.Collect(p.Steps()), Step.putsBack) {
		if res.run.putBack(ctx, res) == nil {
			p, err = res.run.planAll(ctx, true)
		}
	}
	if res.Unknown = err != nil; !res.Unknown {
		res.Rest = slices.Collect(p.Steps())
	}
}

func (r *Run) apply(ctx context.Context, p *Plan, res *Result) error {
	if p.loss != nil && !r.cfg.AllowLoss {
		return p.loss
	}
	last := uint64(0)
	for ; !p.Empty(); res.Rounds++ {
		h := p.hash()
		if h == last || res.Rounds == maxRounds || len(res.Refused) > 0 && !retriable(res.Refused) {
			res.Rest = slices.Collect(p.Steps())
			// What was taken down of others is put back all the same.
			res.Unknown = slices.ContainsFunc(res.Rest, Step.putsBack)
			if len(res.Refused) > 0 {
				return errors.Join(res.Refused...)
			}
			return res.unchanged()
		}
		last = h
		res.Refused, res.Unknown = nil, true
		if err := r.execute(ctx, res); err != nil {
			return err
		}
		var err error
		if p, err = r.planAgain(ctx); err != nil {
			return err
		}
		res.Unknown = false
		res.dropMoot(p)
	}
	if err := res.notRestored(); err != nil {
		return err
	}
	res.Verified = true
	return nil
}

// planAgain looks at what the last plan looked at, and at what changed meanwhile.
func (r *Run) planAgain(ctx context.Context) (*Plan, error) {
	if r.cfg.Meanwhile == nil {
		return r.planAll(ctx, true)
	}
	look := r.look
	look.Add(r.cfg.Meanwhile())
	for _, st := range r.links.steps {
		part := look.At(st.scope.Name)
		if st.action == Change && len(r.links.events[st.scope]) == 0 && !st.scope.changesOthers(st.have) {
			part.AddLink(st.have.Index) // what else changes, events tell
		} else {
			part.Links = true
		}
	}
	for s, events := range r.links.events {
		if len(events) > 0 {
			look.At(s.Name).Tables = true
		}
	}
	if len(r.namespaces) > 0 {
		look.All = true
	}
	return r.plan(ctx, look, true)
}

// dropMoot forgets the refusals of declared objects that a fresh look finds in
// order: the kernel, or another program, made them first.
func (res *Result) dropMoot(p *Plan) {
	if len(res.Refused) == 0 {
		return
	}
	left := map[ObjectID]bool{}
	for st := range p.Steps() {
		left[st.Subject().ID()] = true
	}
	res.Refused = slices.DeleteFunc(res.Refused, func(err error) bool {
		var e *StepError
		return errors.As(err, &e) && e.Step.Path != "" && !left[e.Step.Subject().ID()]
	})
}

// notRestored returns the refusals of objects that the plan took down: they are
// not declared, so that no later look misses them.
func (res *Result) notRestored() error {
	var errs []error
	for _, err := range res.Refused {
		var e *StepError
		if errors.As(err, &e) && e.Step.putsBack() && !errors.Is(err, unix.EEXIST) {
			errs = append(errs, err)
			res.Rest = append(res.Rest, e.Step)
		}
	}
	return errors.Join(errs...)
}

// done implements reporter.
func (res *Result) done(n int) { res.Changes += n }

// refused implements reporter.
func (res *Result) refused(st Step, err error) {
	res.Refused = append(res.Refused, res.run.newStepError(st, err))
}

// execute carries out the run's plan: everything new first, what goes
// afterwards and in the reverse order. It stops after a stage in which the
// kernel refused something: what is there may be all that still works.
func (r *Run) execute(ctx context.Context, res *Result) error {
	x := newLinkExec(r)
	for _, stage := range []func() error{
		func() error { return r.makeNamespaces(ctx, res) },
		func() error { return r.add(ctx, beforeLinks, res) },
		func() error { return x.before(ctx) },
		func() error { return r.settle(ctx, res, x) },
		func() error { return r.addWithLinks(ctx, res, x) },
		func() error { return x.up(ctx) },
		func() error { return r.lookAgain(ctx, res, x) },
		func() error { return r.add(ctx, afterLinks, res) },
		func() error { return r.remove(ctx, res) },
		func() error { return x.after(ctx) },
		func() error { x.report(res, (*linkStep).isLate); return nil },
		func() error { return r.dropNamespaces(ctx, res) },
	} {
		if err := stage(); err != nil {
			return err
		}
		if len(res.Refused) > 0 {
			return nil
		}
	}
	return nil
}

func (r *Run) makeNamespaces(ctx context.Context, res *Result) error {
	for _, n := range r.namespaces {
		if n.action == Delete || n.scope.mark.adopted {
			continue
		}
		if err := n.before(ctx); err != nil {
			res.refused(n.step(), err)
			return nil
		}
		res.done(1)
	}
	return nil
}

func (r *Run) dropNamespaces(ctx context.Context, res *Result) error {
	for _, n := range r.namespaces {
		if n.action == Create || n.scope.Spec != nil && !r.deleting {
			continue
		}
		if err := n.after(ctx); err != nil {
			res.refused(n.step(), err)
			continue
		}
		res.done(1)
	}
	return nil
}

// settle learns the indexes of the links that were made, and reports those that
// were not.
func (r *Run) settle(ctx context.Context, res *Result, x *linkExec) error {
	r.refusedLinks(res, x)
	if len(x.steps) == 0 {
		return nil
	}
	for _, s := range r.scopes {
		if len(s.links.planned) == 0 {
			continue
		}
		index, err := s.settle(ctx)
		if err != nil {
			return err
		}
		for _, t := range s.tables {
			t.relocate(index)
		}
		s.connected.relocate(index)
	}
	return nil
}

// addWithLinks also counts what happened to links if it is the end of the run.
func (r *Run) addWithLinks(ctx context.Context, res *Result, x *linkExec) error {
	err := r.add(ctx, withLinks, res)
	if len(res.Refused) > 0 {
		x.report(res, func(st *linkStep) bool { return !st.isLate() })
	}
	return err
}

// refusedLinks reports the links that the kernel refused so far, with which the
// run ends, and counts the others.
func (r *Run) refusedLinks(res *Result, x *linkExec) {
	if slices.ContainsFunc(x.steps, func(st *linkStep) bool { return st.err != nil }) {
		x.report(res, func(st *linkStep) bool { return !st.isLate() })
	}
}

// report reports and counts the steps that were due.
func (x *linkExec) report(res *Result, due func(*linkStep) bool) {
	for _, st := range x.steps {
		switch {
		case !due(st):
		case st.err != nil:
			res.refused(st.step(), st.err)
		case !st.quiet:
			res.done(1)
		}
	}
}

// lookAgain compares anew where links had side effects: what they are was
// foreseen for the plan, but only a dump decides.
func (r *Run) lookAgain(ctx context.Context, res *Result, x *linkExec) error {
	x.report(res, func(st *linkStep) bool { return !st.isLate() })
	if len(res.Refused) > 0 {
		return nil
	}
	for _, s := range r.scopes {
		if len(r.links.events[s]) == 0 || s.leaves() {
			continue
		}
		if err := s.observeLinks(ctx); err != nil {
			return err
		}
		pending := slices.DeleteFunc(slices.Clone(r.links.events[s]), func(e LinkEvent) bool { return !e.step.isLate() })
		if err := s.observe(ctx, pending, everyTable); err != nil {
			return err
		}
	}
	return nil
}

func (r *Run) add(ctx context.Context, at stage, res *Result) error {
	for _, s := range r.scopes {
		for _, t := range s.tables {
			if t.stage != at || t.len() == 0 {
				continue
			}
			if err := t.execute(ctx, s, adding, res); err != nil {
				return fmt.Errorf("%s%s: %w", t.class(), s.in(), err)
			}
		}
	}
	return nil
}

func (r *Run) remove(ctx context.Context, res *Result) error {
	for _, s := range r.scopes {
		for _, t := range slices.Backward(s.tables) {
			if t.len() == 0 {
				continue
			}
			if err := t.execute(ctx, s, removing, res); err != nil {
				return fmt.Errorf("%s%s: %w", t.class(), s.in(), err)
			}
		}
	}
	return nil
}

// retriable tells whether all refusals are of the kind that a race with another
// program explains, so that a fresh look helps.
func retriable(refused []error) bool {
	for _, err := range refused {
		if !errors.Is(err, unix.EEXIST) && !errors.Is(err, netlink.ErrUnknown) && !isAbsent(err) {
			return false
		}
	}
	return true
}
