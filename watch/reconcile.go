package watch

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/reconcile"
)

// maxGone is how often a round begins anew because a namespace went meanwhile.
const maxGone = 5

// reconcile is what a round does: it looks, and brings about what is declared.
func (w *watcher) reconcile(ctx context.Context, r *Round) {
	if !w.cfg.Observe {
		defer w.run.Unlock()
	}
	plan, look, err := w.look(ctx)
	for n := 0; n < maxGone && errors.Is(err, fs.ErrNotExist) && len(w.run.Blamed(err)) == 0; n++ {
		w.run.Unlock()
		w.pending.Add(look)
		w.pending.All = true
		plan, look, err = w.look(ctx)
	}
	switch {
	case err != nil && look.Empty():
		w.fail(r, "cannot look", err)
		return
	case err != nil:
		w.cannotPlan(r, look, err)
		return
	}
	if w.followAudit(look) {
		w.want(r.Cause, reconcile.AuditLook()) // what came before it was followed
	}
	r.steps(plan)
	w.blameAudit(r.Cause, r.Steps)
	w.logNotes(plan.Notes)
	w.expect(plan.Waiting)
	w.settle(r.Steps)
	switch {
	case w.cfg.Observe:
		r.Rest = r.Steps
		w.report(r)
	case len(r.Steps) > 0:
		w.apply(ctx, r, plan, look)
	}
}

// look plans what to do about what is pending. With an error before that, nothing was
// looked at, and it is pending still.
func (w *watcher) look(ctx context.Context) (plan *reconcile.Plan, look reconcile.Look, err error) {
	if w.drift != "" { // what differs and is left so has to be found again
		w.pending.All = true
	}
	if w.pending.All {
		w.spaces = namedSpaces()
		w.run.Disconnect() // from namespaces that may be others by now
		w.dropStale()
	}
	w.drain(w.pending)
	if w.pending.All {
		w.lost = lost{}
	}
	w.lost.widen(&w.pending)
	w.pending.Add(w.holds.release())
	if err := w.prepare(ctx); err != nil {
		return nil, reconcile.Look{}, err
	}
	look, w.pending = w.pending, reconcile.Look{}
	if look.In == nil { // it is widened by what it finds
		look.In = map[string]*reconcile.LookPart{}
	}
	if look.All {
		w.lastAll = time.Now()
		w.jitter = time.Duration((rand.Float64() - 0.5) / 5 * float64(w.cfg.Interval))
	}
	w.followAudit(look)
	plan, err = w.run.PlanAt(ctx, look)
	return plan, look, err
}

// prepare takes the locks and opens the ears for what will be looked at.
func (w *watcher) prepare(ctx context.Context) error {
	if w.cfg.Observe {
		if err := w.run.Find(ctx, w.pending); err != nil {
			return err
		}
	} else if err := w.run.LockAt(ctx, w.pending); err != nil {
		return err
	}
	if w.pending.All {
		w.listenToAudit()
		return w.listen()
	}
	return nil
}

// cannotPlan leaves the links alone that a plan fails for, so that the rest is
// done.
func (w *watcher) cannotPlan(r *Round, look reconcile.Look, err error) {
	blamed := w.run.Blamed(err)
	if len(blamed) == 0 {
		w.pending.Add(look)
		w.fail(r, "cannot plan", err)
		return
	}
	some := false
	for o, reason := range blamed {
		some = some || !w.holds.has(o)
		w.logHold(w.holds.putOff(o, refused, reason))
	}
	if !some { // leaving them alone does not help
		w.pending.Add(look)
		w.fail(r, "cannot plan", err)
		return
	}
	r.Err = err
	w.goOn(r, look)
}

// goOn makes another round at once, for the same reason.
func (w *watcher) goOn(r *Round, look reconcile.Look) {
	w.want(r.Cause, look)
	w.since = r.Began
}

// apply carries a plan out and says what became of it.
func (w *watcher) apply(ctx context.Context, r *Round, plan *reconcile.Plan, look reconcile.Look) {
	w.logSteps(r)
	w.disturbed = false
	clear(w.turned)
	res, err := w.run.Apply(ctx, plan)
	r.Changes = res.Changes
	w.forgetSpaces(r.Steps)
	if err := w.listen(); err != nil { // in namespaces that are new
		w.complain("cannot listen", err)
	}
	switch {
	case err == nil:
		w.log.Info("applied and verified", "changes", res.Changes, "reason", r.Cause, "took", time.Since(r.Began))
		w.countHealed(r)
		w.settle(nil)
	case errors.Is(err, context.Canceled):
		r.Err = err
	case len(res.Refused) > 0 || len(res.Rest) > 0:
		// What is wrong is left alone for a while, so that the rest is done.
		r.Err = err
		w.drainAll() // who is to blame may have come after the last drain
		w.hear()
		if !w.putOff(res) { // nothing that was not put off before: it would be the same again
			w.pending.Add(look)
			w.fail(r, "not applied", err)
			return
		}
		w.goOn(r, look)
	default:
		if r.Rest = res.Rest; len(r.Rest) == 0 {
			r.Rest = r.Steps
		}
		w.pending.Add(look)
		w.fail(r, "not applied", err)
	}
}

// forgetSpaces has the namespaces that steps made looked at again when their event comes:
// which one has the name by then, and whether it is there, is not known.
func (w *watcher) forgetSpaces(steps []reconcile.Step) {
	for _, st := range steps {
		if st.Class == "namespace" {
			w.spaces[st.Object] = unknownSpace
		}
	}
}

// unknownSpace is no namespace.
var unknownSpace = netns.ID{Dev: math.MaxUint64, Inode: math.MaxUint64}

// putOff leaves alone what the kernel refused, or took without an effect, and tells
// whether that makes the next round another one. Where others changed something
// meanwhile, that may be why: then it is tried again at once, but not for ever.
func (w *watcher) putOff(res *reconcile.Result) (some bool) {
	leave := func(o reconcile.Object, why, detail string) {
		if w.disturbed {
			if _, pause := w.holds.healed(o, w.culprits[o.ID()].String()); !pause {
				some = true
				return
			}
		}
		some = some || !w.holds.has(o)
		w.logHold(w.holds.putOff(o, why, detail))
	}
	for _, err := range res.Refused {
		var e *reconcile.StepError
		if errors.As(err, &e) {
			leave(e.Step.Subject(), refused, e.Error())
		}
	}
	if len(res.Refused) > 0 {
		return some
	}
	w.disturbed = w.disturbed || slices.ContainsFunc(res.Rest, isNewSpace)
	for _, st := range res.Rest {
		o := st.Subject()
		if w.culprits[o.ID()].port != 0 || isNewSpace(st) { // somebody undid it at once
			w.contest(o)
			some = true
		} else {
			leave(o, ignored, reconcile.ErrNotConvergent.Error())
		}
	}
	return some
}

// isNewSpace tells whether a step makes a namespace. The kernel always does: when it
// is not there, somebody deleted it, and what was in it.
func isNewSpace(st reconcile.Step) bool {
	return st.Class == "namespace" && st.Action == reconcile.Create
}

// contest notes that an object was put right which somebody undoes, reports it when
// that does not end, and leaves it alone for a while when it is too fast.
func (w *watcher) contest(o reconcile.Object) (leftAlone bool) {
	by := w.culprits[o.ID()].String()
	report, leftAlone := w.holds.healed(o, by)
	if report {
		w.holds.report(o)
		w.log.Warn("contested: "+o.String()+" is changed back again and again", objectAttrs(o), slog.String("by", by))
	}
	if leftAlone {
		w.holds.putOff(o, contested, by)
	}
	return leftAlone
}

// countHealed finds out what is put right again and again.
func (w *watcher) countHealed(r *Round) {
	if r.Cause != Drift && r.Cause != Retried && r.Cause != Namespaces {
		return
	}
	for _, st := range r.Steps {
		w.contest(st.Subject())
	}
}

// settle forgets the holds of what was tried again and is right: all but what
// steps say.
func (w *watcher) settle(steps []reconcile.Step) {
	wrong := map[reconcile.ObjectID]bool{}
	for _, st := range steps {
		wrong[st.Subject().ID()] = true
	}
	for _, h := range w.holds.settle(wrong) {
		w.log.Info("settled: "+h.object.String(), objectAttrs(h.object), slog.String("was", h.why), slog.Duration("after", time.Since(h.since).Round(time.Millisecond)))
	}
}

// fail puts off the next round, and says so once.
func (w *watcher) fail(r *Round, what string, err error) {
	r.Err, r.Failed = err, true
	w.roused, w.cause = true, r.Cause
	f := &w.failure
	w.pending.All = w.pending.All || f.pause > 0 // what looking at a part does not help against
	f.pause = min(max(firstPause, 2*f.pause), lastPause)
	if errors.Is(err, reconcile.ErrLocked) {
		f.pause = firstPause // no event tells when that is over
	}
	f.until = time.Now().Add(f.pause)
	if f.message != err.Error() {
		f.message = err.Error()
		w.complain(what, err)
	}
}

func (w *watcher) complain(what string, err error) {
	if !errors.Is(err, context.Canceled) {
		w.log.Error(what, "error", err)
	}
}
