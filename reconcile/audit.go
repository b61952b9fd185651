package reconcile

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/audit"
	"github.com/nlapply/nlapply/spec"
)

// auditTable implements table for the rules of the audit system. A machine has one, so
// only the run's own namespace has rules in its table, and only when the document
// declares the audit system. Rules of ours bear one more key.
type auditTable struct {
	declared []auditRule
	settings []auditSetting
	locked   bool // nothing can be changed until the next boot
	changes  []auditChange
	pending  []string // what is waited for, for notes
	refused  bool     // an addition: nothing is deleted then
}

// auditRule is a declared rule, without our key.
type auditRule struct {
	rule audit.Rule
	decl int // its place in the document
}

// auditChange is a request, and the declared rule that it is for.
type auditChange struct {
	audit.Change
	decl int // -1: none
}

const auditClass = "audit"

func newAuditTable() table { return &auditTable{} }

func (*auditTable) class() string { return auditClass }

// groups are none: what the audit system reports does not come by rtnetlink.
func (*auditTable) groups() []uint32 { return nil }

func (t *auditTable) len() int { return len(t.changes) + len(t.settings) }

func (*auditTable) relocate(func(int32) int32) {}

func (t *auditTable) reset(bool) { t.changes, t.settings, t.pending = nil, nil, nil }

func (*auditTable) describe(*Scope, *spec.Namespace, bool) {}

func (*auditTable) hear(*Scope, uint16, []byte) Heard { return Heard{} }

// manages tells whether the audit system is declared.
func (*auditTable) manages(s *Scope) bool {
	return s.Name == "" && s.Spec != nil && s.Spec.Audit != nil
}

func (t *auditTable) declare(s *Scope) error {
	t.declared = nil
	if !t.manages(s) {
		return nil
	}
	var errs spec.Errors
	first := map[audit.Meaning]int{}
	for i := range s.Spec.Audit.Rules {
		rules, err := declaredAuditRules(&s.Spec.Audit.Rules[i])
		if err != nil {
			errs = append(errs, s.run.doc.Errorf(auditPath(i), "%v", err))
			continue
		}
		for _, r := range rules {
			if before, twice := first[r.Meaning()]; twice {
				errs = append(errs, s.run.doc.Errorf(auditPath(i), "the same rule is declared twice, first at %s", s.run.place(auditPath(before))))
				continue
			}
			first[r.Meaning()] = i
			if err := s.checkMarked(&r); err != nil {
				errs = append(errs, s.run.doc.Errorf(auditPath(i), "%v", err))
				continue
			}
			t.declared = append(t.declared, auditRule{r, i})
		}
	}
	if len(errs) > 0 {
		return errs
	}
	return nil
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

// declaredAuditRules reads a rule of the document.
func declaredAuditRules(d *spec.AuditRule) ([]audit.Rule, error) {
	line, err := parseAuditRule(d)
	if err != nil {
		return nil, err
	}
	return line.Added()
}

func parseAuditRule(d *spec.AuditRule) (audit.Line, error) {
	if d.Text != "" {
		return audit.ParseLine(d.Text, nil)
	}
	args, _ := auditArgs(d)
	return audit.ParseArgs(args, nil)
}

// auditPart is the part of a spelled out rule that an argument comes from.
type auditPart struct {
	key   string
	index int
	shift int // where it begins in the argument
}

// auditArgs returns a rule that is spelled out as arguments of auditctl, and where each
// of them comes from.
func auditArgs(d *spec.AuditRule) (args []string, parts []auditPart) {
	add := func(option, value string, p auditPart) {
		args, parts = append(args, option, value), append(parts, p, p)
	}
	add("-a", d.Action+","+d.List, auditPart{"list", -1, 0})
	if len(d.Arch) > 0 {
		add("-F", "arch="+strings.Join(d.Arch, ","), auditPart{"arch", -1, len("arch=")})
	}
	for i, name := range d.Syscalls {
		add("-S", name, auditPart{"syscalls", i, 0})
	}
	for i, f := range d.Fields {
		add("-F", f, auditPart{"fields", i, 0})
	}
	for i, c := range d.Compare {
		add("-C", c, auditPart{"compare", i, 0})
	}
	for i, k := range d.Keys {
		add("-k", k, auditPart{"keys", i, 0})
	}
	return args, parts
}

// CheckAuditRule tells what is wrong with a rule.
func (Vocabulary) CheckAuditRule(d *spec.AuditRule) (list []spec.AuditProblem) {
	line, err := parseAuditRule(d)
	if err == nil {
		_, err = line.Added()
	}
	var problems audit.Problems
	if !errors.As(err, &problems) {
		return nil
	}
	_, parts := auditArgs(d)
	for _, p := range problems {
		found := spec.AuditProblem{Index: -1, Offset: p.Offset, Reason: p.Text}
		if d.Text == "" && p.Arg < len(parts) {
			part := parts[p.Arg]
			found.Key, found.Index, found.Offset = part.key, part.index, max(p.Offset-part.shift, 0)
			if part.key == "list" && p.Offset < len(d.Action) {
				found.Key = "action"
			}
			if part.index < 0 {
				found.Offset = 0
			}
		}
		list = append(list, found)
	}
	return list
}

var _ spec.AuditVocabulary = Vocabulary{}

// auditMark is the key that says whose a rule is.
func (s *Scope) auditMark() string { return markPrefix + s.Owner() }

// marked returns a rule with our key.
func (s *Scope) marked(r *audit.Rule) audit.Rule {
	c := *r.Clone()
	c.SetKeys(append(r.Keys(), s.auditMark()))
	return c
}

// unmarked returns a rule without our key, if it has it.
func (s *Scope) unmarked(r *audit.Rule) (c *audit.Rule, marked bool) {
	keys := r.Keys()
	if !slices.Contains(keys, s.auditMark()) {
		return r, false
	}
	c = r.Clone()
	c.SetKeys(slices.DeleteFunc(keys, func(k string) bool { return k == s.auditMark() }))
	return c, true
}

// checkMarked tells what makes a rule impossible with our key.
func (s *Scope) checkMarked(r *audit.Rule) error {
	m := s.marked(r)
	if problems := m.Check(); len(problems) > 0 {
		return fmt.Errorf("with the key %s that marks it: %s", s.auditMark(), problems[0].Text)
	}
	if slices.Contains(r.Keys(), s.auditMark()) {
		return fmt.Errorf("the key %s is nlapply's own", s.auditMark())
	}
	return nil
}

// observe lists the kernel's rules and compares.
func (t *auditTable) observe(ctx context.Context, s *Scope, _ []LinkEvent) error {
	t.reset(false)
	if !t.manages(s) {
		return nil
	}
	c, err := s.run.auditConn()
	if err != nil {
		return err
	}
	have, err := listAudit(ctx, c)
	if err != nil {
		return err
	}
	if err := t.plan(s, have); err != nil {
		return err
	}
	return t.planSettings(ctx, s, c)
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
	same := func(r *audit.Rule) audit.Meaning {
		plain, _ := s.unmarked(r)
		return plain.Meaning()
	}
	listed := map[audit.Meaning]bool{}
	for i := range have {
		listed[same(&have[i])] = true
	}
	wanted := map[audit.Meaning]int{}
	var want []audit.Rule
	var errs spec.Errors
	for i := range t.declared {
		d := &t.declared[i]
		m := d.rule.Meaning()
		if missing := missingPath(&d.rule); missing != "" && !listed[m] && !s.deleting() {
			if s.Spec.Audit.OnMissingPath == spec.MissingPathError {
				errs = append(errs, s.run.doc.Errorf(auditPath(d.decl), "there is no directory %s", missing))
			}
			t.pending = append(t.pending, fmt.Sprintf("audit rule %s waits for %s", &d.rule, missing))
			continue
		}
		wanted[m] = d.decl
		want = append(want, s.marked(&d.rule))
	}
	if len(errs) > 0 {
		return errs
	}
	prune := s.pruneMode(auditClass)
	if s.deleting() {
		want, prune = t.others(s, have, wanted), spec.PruneOwned
	}
	for _, c := range audit.Diff(have, want, audit.Policy{Same: same, First: s.Spec.Audit.First, Own: func(r *audit.Rule) bool {
		_, ours := s.unmarked(r)
		_, declared := wanted[same(r)]
		return ours && (declared || prune != spec.PruneNone) || !ours && !declared && prune == spec.PruneAll
	}}) {
		change := auditChange{c, -1}
		if decl, ok := wanted[same(&c.Rule)]; ok {
			change.decl = decl
		}
		if !s.run.holds(change.step(s).Subject()) {
			t.changes = append(t.changes, change)
		}
	}
	return nil
}

// others are the rules of ours that stay when the declared ones are deleted.
func (t *auditTable) others(s *Scope, have []audit.Rule, declared map[audit.Meaning]int) (stay []audit.Rule) {
	for i := range have {
		plain, ours := s.unmarked(&have[i])
		if _, goes := declared[plain.Meaning()]; ours && !goes {
			stay = append(stay, have[i])
		}
	}
	return stay
}

// missingPath returns the directory without which the kernel does not take a rule, ""
// when all are there (kernel/audit_watch.c, audit_get_nd; kernel/audit_tree.c,
// audit_add_tree_rule).
func missingPath(r *audit.Rule) string {
	for i := range r.Fields {
		dir := ""
		switch f := &r.Fields[i]; f.Type {
		case audit.FieldPath, audit.FieldExe:
			dir = filepath.Dir(f.Text)
		case audit.FieldDir:
			dir = f.Text
		default:
			continue
		}
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
			return dir
		}
	}
	return ""
}

func (t *auditTable) steps(s *Scope) iter.Seq[Step] {
	return func(yield func(Step) bool) {
		for i := range t.settings {
			if !yield(t.settings[i].step()) {
				return
			}
		}
		for _, c := range t.changes {
			if (!c.Delete || !c.Moved) && !yield(c.step(s)) {
				return
			}
		}
	}
}

// notes implements noter.
func (t *auditTable) notes() []string {
	notes := slices.Clone(t.pending)
	if t.locked && t.len() > 0 {
		notes = append(notes, audit.ErrLocked.Error()+": none of it can be applied")
	}
	return notes
}

// step is the line of a change; the deletion behind a move has none of its own.
func (c *auditChange) step(s *Scope) Step {
	plain, _ := s.unmarked(&c.Rule)
	rule := *plain
	rule.Prepend = false
	st := Step{Action: Create, Class: auditClass, Object: rule.String()}
	if c.decl >= 0 {
		st.Path = auditPath(c.decl)
	}
	switch {
	case c.Delete:
		st.Action = Delete
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
	if err := t.send(ctx, s, c, ph, report); err != nil || ph == adding || t.refused {
		return err
	}
	return t.set(ctx, s, c, true, report)
}

// send makes the requests of a phase.
func (t *auditTable) send(ctx context.Context, s *Scope, c *audit.Conn, ph phase, report reporter) error {
	for i := range t.changes {
		change := &t.changes[i]
		if change.Delete != (ph == removing) {
			continue
		}
		send := c.Add
		if change.Delete {
			send = c.Delete
		}
		err := send(ctx, &change.Rule)
		s.run.mayHaveWritten(err)
		switch {
		case err == nil && change.Delete && change.Moved:
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
