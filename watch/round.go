package watch

import (
	"fmt"
	"log/slog"
	"maps"
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
	Objects  map[string]int   // how many of each class the document declares
	Observe  bool             // nothing is changed
	Steps    []reconcile.Step // what was found to do
	Changes  int              // steps that were carried out
	Rest     []reconcile.Step // what was found and is not done; what is held is not found
	Err      error            // nil when what is there was verified to be right, but for what is held
	Failed   bool             // with Err: the whole is tried again after a pause; otherwise what is wrong is held
	Held     []Held
	Waiting  []string    // links that are waited for
	Invalid  spec.Errors // why the files as they are now are not in force; nil when they are
	Overruns int         // how often events were lost since the last round
}

// Results of a round.
const (
	Verified  = "verified" // all is as declared, but for what is held or waited for
	Differs   = "differs"  // something is not, and nothing is changed
	PutOff    = "put off"  // something was found wrong that is held from now on
	NotWorked = "failed"
)

// Result tells in a word what came of the round.
func (r *Round) Result() string {
	switch {
	case r.Failed:
		return NotWorked
	case r.Err != nil:
		return PutOff
	case len(r.Rest) > 0:
		return Differs
	}
	return Verified
}

// A Held is an object that is left alone for a while.
type Held struct {
	Object reconcile.Object
	Why    string // contested, refused or ignored
	Detail string // who contests it, or what the kernel says
	Since  time.Time
	Until  time.Time // the next try; zero where none is needed, because it is put right each time
}

func (r *Round) steps(p *reconcile.Plan) {
	for st := range p.Steps() {
		r.Steps = append(r.Steps, st)
	}
}

// ObjectKeys are the keys of log lines about an object whose values are in the
// message already: they are for programs.
var ObjectKeys = []string{"action", "class", "object", "namespace", "path", "link", "more"}

// objectAttrs are those of an object.
func objectAttrs(o reconcile.Object) slog.Attr {
	attrs := []slog.Attr{slog.String("class", o.Class), slog.String("object", o.Name)}
	if o.Namespace != "" {
		attrs = append(attrs, slog.String("namespace", o.Namespace))
	}
	if o.Path != "" {
		attrs = append(attrs, slog.String("path", o.Path))
	}
	return slog.Attr{Value: slog.GroupValue(attrs...)} // without a key: its members stand beside the others
}

// maxLines is how many steps of a class are logged one by one.
const maxLines = 40

// logSteps logs a plan.
func (w *watcher) logSteps(r *Round) {
	shown, hidden := map[string]int{}, map[string]int{}
	var order []string
	for _, st := range r.Steps {
		if shown[st.Class]++; shown[st.Class] <= maxLines {
			w.log.Info(st.String(), slog.String("action", st.Action.String()), objectAttrs(st.Subject()), slog.String("reason", w.reason(r, st)))
			continue
		}
		if hidden[st.Class] == 0 {
			order = append(order, st.Class)
		}
		hidden[st.Class]++
	}
	for _, class := range order {
		w.log.Info(fmt.Sprintf("… %d more of class %s", hidden[class], class), "class", class, "more", hidden[class], "reason", r.Cause)
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
		if !slices.Contains(w.notes, n) && w.said.isNews(n) {
			w.log.Info(n)
		}
	}
	w.notes = notes
}

// said is how often something was said that comes and goes, and since when.
type said map[string]saying

type saying struct {
	times int
	since time.Time
}

// maxSaid is how often it is said in a minute.
const maxSaid = 3

// isNews tells whether a text was not said too often, and takes it for said.
func (s said) isNews(text string) bool {
	now := time.Now()
	maps.DeleteFunc(s, func(_ string, was saying) bool { return now.Sub(was.since) >= time.Minute })
	was, known := s[text]
	if !known {
		was.since = now
	}
	was.times++
	s[text] = was
	return was.times <= maxSaid
}

// expect logs which links are waited for. When one of them has come, what the
// kernel refused may be possible now.
func (w *watcher) expect(links []string) {
	for _, l := range links {
		if !slices.Contains(w.waiting, l) && w.said.isNews("waiting for link "+l) {
			w.log.Info("waiting for link "+l, "link", l)
		}
	}
	came := slices.ContainsFunc(w.waiting, func(l string) bool { return !slices.Contains(links, l) })
	if w.waiting = links; came {
		if look := w.holds.forgive(refused); !look.Empty() {
			w.want(Retried, look)
		}
	}
}

// logHold says that something is left alone.
func (w *watcher) logHold(h *hold) {
	w.log.Error("not applied: "+h.object.String(), objectAttrs(h.object), slog.String("error", h.detail), slog.Duration("pause", h.pause))
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
