package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nlapply/nlapply/reconcile"
	"github.com/nlapply/nlapply/spec"
)

// report is the JSON object that a command prints with -o json.
type report struct {
	Command  string           `json:"command,omitempty"`
	Changed  bool             `json:"changed"`            // something was written
	Changes  int              `json:"changes"`            // steps that were carried out
	Verified bool             `json:"verified"`           // a fresh look found nothing to do
	Plan     []reconcile.Step `json:"plan,omitempty"`     // what was found to do
	Notes    []string         `json:"notes,omitempty"`    // what is no step
	Rest     []reconcile.Step `json:"rest,omitempty"`     // what is left to do after a failure
	Unknown  bool             `json:"unknown,omitempty"`  // what is left to do is not known: looking failed
	Errors   []errorReport    `json:"errors,omitempty"`   // why it failed
	Millis   float64          `json:"duration,omitempty"` // in milliseconds
}

type errorReport struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Path   string `json:"path,omitempty"`
	Reason string `json:"reason"`
	full   string
}

// inOrder puts errors in the order of their places, those without one last.
func inOrder(list []errorReport) []errorReport {
	files := map[string]int{}
	for _, e := range list {
		if _, known := files[e.File]; !known && e.Line > 0 {
			files[e.File] = len(files)
		}
	}
	files[""] = len(files)
	slices.SortStableFunc(list, func(a, b errorReport) int {
		return cmp.Or(cmp.Compare(files[a.File], files[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return list
}

// text returns the line for people. One about the document begins with its
// place, so that editors can jump there.
func (e errorReport) text() string {
	if e.Line > 0 {
		return e.full
	}
	return "nlapply: " + e.full
}

// errorList takes an error apart into those that it joins.
func errorList(err error) []errorReport {
	var step *reconcile.StepError
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) && isList(joined.Unwrap(), joined) {
		var list []errorReport
		for _, e := range joined.Unwrap() {
			list = append(list, errorList(e)...)
		}
		return inOrder(list)
	}
	if errors.As(err, &step) && step.Place != nil {
		p := step.Place
		return []errorReport{{p.File, p.Line, p.Column, p.Path, step.Err.Error(), step.Error()}}
	}
	var se *spec.Error
	if errors.As(err, &se) {
		return []errorReport{{se.File, se.Line, se.Column, se.Path, se.Reason, se.Error()}}
	}
	return []errorReport{{Reason: err.Error(), full: err.Error()}}
}

// isList tells an error that joins others, a line each, from one that has several
// causes.
func isList(errs []error, of any) bool {
	err, ok := of.(error)
	return ok && len(errs) > 0 && err.Error() == errors.Join(errs...).Error()
}

func (a *app) printJSON(v any) {
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	e.Encode(v)
}

// linesPerClass is how many lines of a class a plan prints without --full.
const linesPerClass = 40

// printPlan prints a plan's lines, those of a long one in part.
func (a *app) printPlan(p *reconcile.Plan) {
	type group struct {
		class  string
		action reconcile.Action
	}
	shown, hidden := map[string]int{}, map[group]int{}
	var order []group
	for st := range p.Steps() {
		if shown[st.Class]++; a.full || shown[st.Class] <= linesPerClass {
			fmt.Fprintln(a.stdout, a.paint(st))
			continue
		}
		g := group{st.Class, st.Action}
		if hidden[g] == 0 {
			order = append(order, g)
		}
		hidden[g]++
	}
	for _, g := range order {
		fmt.Fprintf(a.stdout, "%s %d more of class %s (--full prints them)\n", g.action, hidden[g], g.class)
	}
	for _, n := range p.Notes {
		fmt.Fprintln(a.stdout, "# "+n)
	}
}

var colours = map[reconcile.Action]string{
	reconcile.Create: "\x1b[32m", reconcile.Delete: "\x1b[31m", reconcile.Change: "\x1b[33m", reconcile.Replace: "\x1b[35m",
}

func (a *app) paint(st reconcile.Step) string {
	if !a.colour {
		return st.String()
	}
	return colours[st.Action] + st.String() + "\x1b[0m"
}

func (r *report) addPlan(p *reconcile.Plan) {
	for st := range p.Steps() {
		r.Plan = append(r.Plan, st)
	}
	r.Notes = p.Notes
}

func changes(n int) string {
	if n == 1 {
		return "1 change"
	}
	return fmt.Sprintf("%d changes", n)
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
