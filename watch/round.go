package watch

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nlapply/nlapply/reconcile"
	"github.com/nlapply/nlapply/spec"
)

// A Round is one look, and what came of it.
type Round struct {
	Cause    string    // Started, Drift, …
	Began    time.Time // when the first reason for it came
	Took     time.Duration
	Document *spec.Document
	Steps    []reconcile.Step // what was found to do
	Changes  int              // steps that were carried out
	Err      error            // nil when what is there was verified to be right, but for what is held
	Held     []Held
	Overruns int // how often events were lost since the last round
}

// A Held is an object that is left alone for a while.
type Held struct {
	Object reconcile.Object
	Why    string // contested, refused or ignored
	Detail string // who contests it, or what the kernel says
	Since  time.Time
	Until  time.Time
}

func (r *Round) steps(p *reconcile.Plan) {
	for st := range p.Steps() {
		r.Steps = append(r.Steps, st)
	}
}

// maxLines is how many steps of a class are logged one by one.
const maxLines = 40

// logSteps logs a plan.
func (w *watcher) logSteps(r *Round) {
	shown, hidden := map[string]int{}, map[string]int{}
	var order []string
	for _, st := range r.Steps {
		if shown[st.Class]++; shown[st.Class] <= maxLines {
			w.log.Info(st.String(), "reason", w.reason(r, st))
			continue
		}
		if hidden[st.Class] == 0 {
			order = append(order, st.Class)
		}
		hidden[st.Class]++
	}
	for _, class := range order {
		w.log.Info(fmt.Sprintf("… %d more of class %s", hidden[class], class), "reason", r.Cause)
	}
}

// reason says why a step is there.
func (w *watcher) reason(r *Round, st reconcile.Step) string {
	c, known := w.culprits[st.Subject().ID()]
	if r.Cause != Drift && !known {
		return r.Cause
	}
	verb := map[reconcile.Action]string{
		reconcile.Create: "deleted", reconcile.Change: "changed", reconcile.Replace: "changed", reconcile.Delete: "added",
	}[st.Action]
	return "drift: " + verb + " by " + c.String()
}

// logNotes logs the notes of a plan that are new.
func (w *watcher) logNotes(notes []string) {
	for _, n := range notes {
		if !slices.Contains(w.notes, n) {
			w.log.Info(n)
		}
	}
	w.notes = notes
}

// expect logs which links are waited for. When one of them has come, what the
// kernel refused may be possible now.
func (w *watcher) expect(links []string) {
	for _, l := range links {
		if !slices.Contains(w.waiting, l) {
			w.log.Info("waiting for link " + l)
		}
	}
	came := slices.ContainsFunc(w.waiting, func(l string) bool { return !slices.Contains(links, l) })
	if w.waiting = links; came {
		if look := w.holds.forgive(refused); !look.Empty() {
			w.want(Retried, look)
		}
	}
}

// logHold says that something is left alone; of a fight only when it begins.
func (w *watcher) logHold(h *hold, first bool) {
	switch {
	case h.why != contested:
		w.log.Error("not applied: "+h.object.String(), "error", h.detail, "pause", h.pause)
	case first:
		w.log.Warn("contested: "+h.object.String()+" is changed back again and again", "by", h.detail, "pause", h.pause)
	}
}

// report says what differs when that has changed.
func (w *watcher) report(r *Round) {
	var b strings.Builder
	for _, st := range r.Steps {
		b.WriteString(st.String() + "\n")
	}
	if b.String() == w.drift {
		return
	}
	w.drift = b.String()
	if len(r.Steps) == 0 {
		w.log.Info("as declared", "reason", r.Cause)
		return
	}
	w.logSteps(r)
}
