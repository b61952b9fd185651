package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nlapply/nlapply/netlink/audit"
)

// Limits of notes, which come with every plan.
const (
	maxAlike      = 5                // notes of one kind
	manyRules     = 200              // on one system call
	longDeletions = time.Second      // that is worth a note
	waitNoted     = time.Microsecond // unit of what a system call takes longer
)

// diagnose finds what should be known of the rules that are planned: have are those that
// the kernel has now.
func (t *auditTable) diagnose(s *Scope, have []audit.Rule) {
	t.findings = append(t.deletionNotes(), t.sharedNotes()...)
	if s.deleting() {
		return
	}
	after := t.outcome(have)
	t.findings = slices.Concat(t.findings, t.flawNotes(s), t.shadowNotes(s, after), t.twinNotes(s), loadNotes(after), t.stallNotes(s))
}

// deletionNotes tell how long a plan will take, and how that can be shorter.
func (t *auditTable) deletionNotes() []string {
	n := t.deletions
	if deletionTime(n) <= longDeletions {
		return nil
	}
	note := fmt.Sprintf("deleting %d audit rules takes about %v: the kernel waits at each", n, deletionTime(n).Round(time.Second))
	if t.relaxed < n {
		note += fmt.Sprintf("; with order: relaxed it would be %d", t.relaxed)
	}
	return []string{note}
}

// sharedNotes tell what becomes of rules of others: see trim.
func (t *auditTable) sharedNotes() []string {
	if t.sharedTree == "" {
		return nil
	}
	return []string{fmt.Sprintf("rules of others about %s, and about other directories that were replaced, are made anew, too, behind all others", t.sharedTree)}
}

func deletionTime(n int) time.Duration { return time.Duration(n) * audit.DeleteTime }

// outcome returns the rules that the kernel has when the changes are made.
func (t *auditTable) outcome(have []audit.Rule) (after []audit.Rule) {
	var first, last []audit.Rule
	gone := map[string]int{}
	bytes := func(r *audit.Rule) string {
		b, _ := r.MarshalBinary() // what is listed, or was planned, has no faults
		return string(b)
	}
	for i := range t.changes {
		r := *t.changes[i].Rule.Clone()
		prepend := r.Prepend
		r.Prepend = false
		switch {
		case t.changes[i].Delete:
			gone[bytes(&r)]++
		case prepend:
			first = append(first, r)
		default:
			last = append(last, r)
		}
	}
	slices.Reverse(first)
	after = slices.Concat(first, have, last)
	if len(gone) == 0 {
		return after
	}
	return slices.DeleteFunc(after, func(r audit.Rule) bool {
		key := bytes(&r)
		gone[key]--
		return gone[key] >= 0
	})
}

// alike are rules of which one thing is to be said.
type alike struct {
	first string // where the first one is declared
	n     int
}

func (a *alike) add(place string) {
	if a.n++; a.n == 1 {
		a.first = place
	}
}

// String names them.
func (a *alike) String() string {
	if a.n == 1 {
		return "audit rule at " + a.first
	}
	return fmt.Sprintf("audit rule at %s and %d more like it", a.first, a.n-1)
}

// grouping is rules by what is to be said of them, in the order of the first ones.
type grouping struct {
	order []string
	rules map[string]*alike
}

func (g *grouping) add(what, place string) {
	if g.rules == nil {
		g.rules = map[string]*alike{}
	}
	if g.rules[what] == nil {
		g.rules[what] = &alike{}
		g.order = append(g.order, what)
	}
	g.rules[what].add(place)
}

// notes says it, up to a number of times.
func (g *grouping) notes() (notes []string) {
	for i, what := range g.order {
		if i == maxAlike {
			return append(notes, fmt.Sprintf("… and %d more notes like these", len(g.order)-i))
		}
		notes = append(notes, g.rules[what].String()+": "+what)
	}
	return notes
}

// flawNotes tell of declared rules that have no effect, or a bad one.
func (t *auditTable) flawNotes(s *Scope) []string {
	var g grouping
	for i := range t.declared {
		d := &t.declared[i]
		if flaw := d.rule.Flaw(); flaw != "" && d.rule.List != audit.Task { // see shadowNotes
			g.add(flaw, s.run.place(d.path))
		}
		if flaw := d.rule.PathFlaw(); flaw != "" {
			g.add(flaw, s.run.place(d.path))
		}
	}
	return g.notes()
}

// shadowNotes tell of declared rules that never decide.
func (t *auditTable) shadowNotes(s *Scope, after []audit.Rule) (notes []string) {
	shadows := audit.Shadows(after)
	if len(shadows) == 0 {
		return nil
	}
	places := map[audit.Meaning]string{}
	for i := range t.declared {
		places[t.declared[i].rule.Meaning()] = s.run.place(t.declared[i].path)
	}
	placeOf := func(i int) string {
		plain, _ := s.unmarkedAudit(&after[i])
		return places[plain.Meaning()]
	}
	var order []string
	found := map[string]*shadowed{}
	for _, shadow := range shadows {
		r, by := &after[shadow.Rule], &after[shadow.By]
		place, effect := placeOf(shadow.Rule), shadowEffect(r, by)
		if place == "" || effect == "" {
			continue
		}
		if found[effect] == nil {
			found[effect] = &shadowed{by: shadow.By}
			order = append(order, effect)
		}
		found[effect].add(place, shadow.By)
	}
	for _, effect := range order {
		f := found[effect]
		by := &after[f.by]
		who := cmp.Or(placeOf(f.by), fmt.Sprintf("%s rule %d, %s,", by.List, placeInList(after, f.by), by))
		if f.several {
			who = "another one, here " + who
		}
		notes = append(notes, fmt.Sprintf("%s: %s, as %s always decides before it%s", &f.alike, effect, who, exceptMounts(by)))
	}
	return notes
}

// exceptMounts tells of what a tree does not hold: the kernel takes the file systems that
// are mounted in it when the rule is made.
func exceptMounts(by *audit.Rule) string {
	dir := treeOf(by)
	if dir == "" {
		return ""
	}
	return ", but for file systems that are mounted below " + dir + " later"
}

// shadowed are rules that never decide.
type shadowed struct {
	alike
	by      int  // what decides before the first of them
	several bool // and something else before others
}

func (s *shadowed) add(place string, by int) {
	s.alike.add(place)
	s.several = s.several || by != s.by
}

// shadowEffect tells what becomes of a rule that never decides, "" for nothing.
func shadowEffect(r, by *audit.Rule) string {
	missing := slices.DeleteFunc(r.Keys(), func(k string) bool { return strings.HasPrefix(k, markPrefix) || slices.Contains(by.Keys(), k) })
	switch {
	case r.Action == audit.Always && by.Action == audit.Never:
		return "it never makes a record"
	case r.Action != by.Action:
		return "it has no effect"
	case r.Action == audit.Always && len(missing) > 0:
		return "its records have other keys"
	}
	return ""
}

// placeInList returns the place of a rule in its list, from 1.
func placeInList(rules []audit.Rule, at int) (n int) {
	for i := range rules[:at+1] {
		if rules[i].List == rules[at].List {
			n++
		}
	}
	return n
}

// loadNotes tell of system calls that many rules make slow.
func loadNotes(after []audit.Rule) []string {
	loads := audit.Loads(after, manyRules)
	if len(loads) == 0 {
		return nil
	}
	most := loads[0]
	which := "each " + (&audit.Rule{List: audit.Exit}).SyscallName(most.Syscall)
	others := ""
	switch n := len(loads); {
	case n > audit.MaxSyscall/2:
		which = "every system call"
	case n > 1:
		others = fmt.Sprintf("; more than %d are for others (%d)", manyRules, n-1)
	}
	slower := audit.FilterTime(most.Rules).Round(waitNoted / 10)
	return []string{fmt.Sprintf("%d audit rules are tried at the end of %s, which takes about %v longer%s", most.Rules, which, slower, others)}
}

// stallNotes tell of an audit daemon for which every process will wait.
func (t *auditTable) stallNotes(s *Scope) []string {
	status, want := t.status, s.auditSettings()
	if want.BacklogLimit != nil {
		status.BacklogLimit = *want.BacklogLimit
	}
	if want.BacklogWaitTime != nil {
		status.BacklogWaitTime = *want.BacklogWaitTime
	}
	if status.BacklogWaitTime == 0 {
		return nil
	}
	return status.Stalls(status.Daemon())
}

// lineNotes tell what is strange about the lines of files, and about the document's own
// rules, and no mistake.
func (s *Scope) lineNotes(files *auditFiles) []string {
	var g grouping
	for i := range files.list {
		for _, n := range files.list[i].Notes {
			g.add(n.Reason, fmt.Sprintf("%s:%d:%d", n.File, n.Line, n.Column))
		}
	}
	for i := range s.Spec.Audit.Rules {
		line, _ := parseAuditRule(&s.Spec.Audit.Rules[i])
		for _, n := range line.Notes {
			g.add(n.Text, s.run.place(auditPath(i)))
		}
	}
	return g.notes()
}
