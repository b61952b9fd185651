package reconcile

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"

	"github.com/nlapply/nlapply/netlink/audit"
	"github.com/nlapply/nlapply/spec"
)

// auditTable implements table for the rules of the audit system. A machine has one, so
// only the run's own namespace has rules in its table, and only when the document
// declares the audit system. Rules of ours are marked: auditmark.go.
type auditTable struct {
	declared []auditRule
	settings []auditSetting
	locked   bool // nothing can be changed until the next boot
	changes  []auditChange
	remarks  []string // what should be known of files of rules, for notes
	pending  []string // what is waited for, for notes
	findings []string // what should be known of the rules that are planned, for notes
	status   audit.Status
	// deletions are planned; relaxed are those if the order were relaxed.
	deletions, relaxed int
	// sharedTree is a directory that others watch with one of our rules that is stale.
	sharedTree string
	refused    bool // an addition: nothing is deleted then
}

// auditRule is a declared rule, without our mark.
type auditRule struct {
	rule audit.Rule
	path string // where it is declared
}

// auditChange is a request, and the declared rule that it is for.
type auditChange struct {
	audit.Change
	path  string // where it is declared, "" for one that is not
	stale bool   // the declared rule watches another directory by now, and is made anew
}

// staleMeaning sets rules that are stale apart from those that are wanted.
const staleMeaning = "stale "

// AuditClass is the class of the audit system's rules and settings in plans.
const AuditClass = "audit"

// auditSystem is the whole of it, which a watcher leaves alone where it cannot be looked at.
var auditSystem = Object{Class: AuditClass, Path: spec.Path("", "audit"), Name: "system"}

// auditError is why the audit system could not be looked at.
type auditError struct{ err error }

func (e *auditError) Error() string { return e.err.Error() }
func (e *auditError) Unwrap() error { return e.err }

// AuditLook looks at the audit system.
func AuditLook() (look Look) {
	look.At("").AddClass(AuditClass, nil)
	return look
}

// Audit tells whether a look is also about the audit system.
func (l *Look) Audit() bool {
	p := l.In[""]
	if l.All || p == nil {
		return l.All
	}
	_, due := p.Classes[AuditClass]
	return due
}

func newAuditTable() table { return &auditTable{} }

// aloof implements aloof.
func (*auditTable) aloof() {}

func (*auditTable) class() string { return AuditClass }

// groups are none: what the audit system reports does not come by rtnetlink.
func (*auditTable) groups() []uint32 { return nil }

func (t *auditTable) len() int { return len(t.changes) + len(t.settings) }

func (*auditTable) relocate(func(int32) int32) {}

// reset implements table. What is waited for is known until the next look: a plan that
// looks elsewhere says it, too.
func (t *auditTable) reset(bool) { t.changes, t.settings = nil, nil }

func (*auditTable) describe(*Scope, *spec.Namespace, bool) {}

func (*auditTable) hear(*Scope, uint16, []byte) Heard { return Heard{} }

// manages tells whether the audit system is declared.
func (*auditTable) manages(s *Scope) bool {
	return s.Name == "" && s.Spec != nil && s.Spec.Audit != nil
}

func auditPath(i int) string { return spec.Path("", "audit", "rules", i) }

// place names where a path of the document stands.
func (r *Run) place(path string) string {
	file, line, column := r.doc.Position(path)
	if line == 0 {
		return path
	}
	return fmt.Sprintf("%s:%d:%d", file, line, column)
}

// observe lists the kernel's rules and compares.
func (t *auditTable) observe(ctx context.Context, s *Scope, _ []LinkEvent) error {
	t.reset(false)
	t.pending = nil
	if !t.manages(s) || s.run.holds(auditSystem) {
		return nil
	}
	c, err := s.run.auditConn()
	if err != nil {
		return &auditError{err}
	}
	have, err := listAudit(ctx, c)
	if err != nil {
		return &auditError{err}
	}
	if err := t.plan(s, have); err != nil {
		return err
	}
	if err := t.planSettings(ctx, s, c); err != nil {
		return &auditError{err}
	}
	t.diagnose(s, have)
	return nil
}

// listAudit returns the kernel's rules.
func listAudit(ctx context.Context, c *audit.Conn) (have []audit.Rule, err error) {
	for r, err := range c.Rules(ctx) {
		if err != nil {
			return nil, err
		}
		have = append(have, *r.Clone())
	}
	return have, nil
}

// plan compares the declared rules with those that the kernel has.
func (t *auditTable) plan(s *Scope, have []audit.Rule) error {
	isOurs := func(r *audit.Rule) bool {
		_, ours := s.unmarkedAudit(r)
		return ours
	}
	stale := s.run.stale(have, isOurs)
	same := func(r *audit.Rule) audit.Meaning {
		plain, _ := s.unmarkedAudit(r)
		if stale[r] {
			return staleMeaning + plain.Meaning()
		}
		return plain.Meaning()
	}
	listed := map[audit.Meaning]bool{}
	for i := range have {
		listed[same(&have[i])] = true
	}
	wanted := map[audit.Meaning]string{}
	var want []audit.Rule
	var errs spec.Errors
	for i := range t.declared {
		d := &t.declared[i]
		m := d.rule.Meaning()
		if missing := missingAnchor(&d.rule); missing != "" && !listed[m] && !s.deleting() {
			if s.Spec.Audit.OnMissingPath == spec.MissingPathError {
				errs = append(errs, s.run.doc.Errorf(d.path, "there is no directory %s", missing))
			}
			t.pending = append(t.pending, fmt.Sprintf("audit rule %s waits for %s", &d.rule, missing))
			continue
		}
		wanted[m] = d.path
		want = append(want, *MarkAuditRule(&d.rule, s.Owner()))
	}
	if len(errs) > 0 {
		return errs
	}
	prune := s.pruneMode(AuditClass)
	if s.deleting() {
		want, prune = t.others(s, have, wanted), spec.PruneOwned
	}
	t.sharedTree = sharedTree(have, stale)
	isStale := map[audit.Meaning]bool{}
	for r := range stale {
		isStale[r.Meaning()] = true
	}
	dead := func(r *audit.Rule) bool { return stale[r] }
	policy := audit.Policy{Same: same, First: s.Spec.Audit.First, Relaxed: s.Spec.Audit.Relaxed, Dead: dead, Own: func(r *audit.Rule) bool {
		_, declared := wanted[same(r)]
		ours := isOurs(r)
		return stale[r] || ours && (declared || prune != spec.PruneNone) || !ours && !declared && prune == spec.PruneAll && !isOthersAudit(r, s.Owner())
	}}
	changes := audit.Diff(have, want, policy)
	for _, c := range changes {
		path, declared := wanted[same(&c.Rule)]
		change := auditChange{Change: c, path: path, stale: declared && isStale[c.Rule.Meaning()]}
		if !s.run.holds(change.step(s).Subject()) {
			t.changes = append(t.changes, change)
		}
	}
	t.deletions = deletions(changes)
	t.relaxed = t.deletions
	if !policy.Relaxed && deletionTime(t.deletions) > longDeletions {
		policy.Relaxed = true
		t.relaxed = deletions(audit.Diff(have, want, policy))
	}
	return nil
}

func deletions(changes []audit.Change) (n int) {
	for i := range changes {
		if changes[i].Delete {
			n++
		}
	}
	return n
}

// others are the rules of ours that stay when the declared ones are deleted.
func (t *auditTable) others(s *Scope, have []audit.Rule, declared map[audit.Meaning]string) (stay []audit.Rule) {
	for i := range have {
		plain, ours := s.unmarkedAudit(&have[i])
		if _, goes := declared[plain.Meaning()]; ours && !goes {
			stay = append(stay, have[i])
		}
	}
	return stay
}

func (t *auditTable) steps(s *Scope) iter.Seq[Step] {
	return func(yield func(Step) bool) {
		for i := range t.settings {
			if !yield(t.settings[i].step()) {
				return
			}
		}
		for _, c := range t.changes {
			if !c.isSilent() && !yield(c.step(s)) {
				return
			}
		}
	}
}

// notes implements noter.
func (t *auditTable) notes() []string {
	notes := slices.Concat(t.remarks, t.pending, t.findings)
	if t.locked && t.len() > 0 {
		notes = append(notes, audit.ErrLocked.Error()+": none of it can be applied")
	}
	return notes
}

// isSilent tells whether a change is the second half of another one.
func (c *auditChange) isSilent() bool { return c.Delete && (c.Moved || c.stale) }

// step is the line of a change.
func (c *auditChange) step(s *Scope) Step {
	plain, _ := s.unmarkedAudit(&c.Rule)
	rule := *plain
	rule.Prepend = false
	st := Step{Action: Create, Class: AuditClass, Object: rule.String(), Path: c.path}
	switch {
	case c.stale:
		st.Action, st.Note = Replace, "made anew: another directory has its path now"
	case c.Delete:
		st.Action = Delete
		if c.Copy {
			st.Note = "it is there twice, and stays at its place"
		}
	case c.Moved:
		st.Action, st.Note = Replace, "made anew: its place changes"
	}
	return st
}

// execute adds rules one by one, and deletes them when all were added.
func (t *auditTable) execute(ctx context.Context, s *Scope, ph phase, report reporter) error {
	if t.len() == 0 {
		return nil
	}
	c, err := s.run.auditConn()
	if err != nil {
		return err
	}
	if ph == adding {
		t.refused = false
		if err := t.set(ctx, s, c, false, report); err != nil {
			return err
		}
	}
	if t.refused {
		return nil
	}
	if ph == adding {
		return t.add(ctx, s, c, report)
	}
	if err := t.send(ctx, s, c, (*auditChange).isLate, report); err != nil || t.refused {
		return err
	}
	return t.set(ctx, s, c, true, report)
}

// add makes the requests that come before the deletion of what can decide.
func (t *auditTable) add(ctx context.Context, s *Scope, c *audit.Conn, report reporter) error {
	if err := t.send(ctx, s, c, func(change *auditChange) bool { return change.Early }, report); err != nil {
		return err
	}
	if err := t.trim(ctx, s, c); err != nil {
		return err
	}
	return t.send(ctx, s, c, func(change *auditChange) bool { return !change.Delete }, report)
}

func (c *auditChange) isLate() bool { return c.Delete && !c.Early }

// send makes some of the requests.
func (t *auditTable) send(ctx context.Context, s *Scope, c *audit.Conn, some func(*auditChange) bool, report reporter) error {
	for i := range t.changes {
		change := &t.changes[i]
		if !some(change) {
			continue
		}
		send := c.Add
		if change.Delete {
			send = c.Delete
		}
		err := send(ctx, &change.Rule)
		s.run.mayHaveWritten(err)
		switch {
		case err == nil && !change.Delete:
			delete(s.run.anchors, change.Rule.Meaning()) // it is tied to what is there now
			report.done(1)
		case err == nil && change.isSilent():
		case err == nil:
			report.done(1)
		case ctx.Err() != nil:
			return err
		case change.Delete && errors.Is(err, os.ErrNotExist):
		default:
			t.refused = true
			report.refused(change.step(s), err)
		}
	}
	return nil
}
