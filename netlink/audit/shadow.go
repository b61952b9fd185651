package audit

import (
	"iter"
	"slices"
	"strings"
)

// ShadowedBy tells whether a rule that comes before r decides where r would, and whether
// it always does. The first rule of a list that matches decides (kernel/auditsc.c,
// audit_filter_rules: the prio of rules); a process that `never` on the list task matches
// has no system calls for audit (audit_alloc). Where it cannot be told from the rules, as
// of file systems, always is false, and shadowed may be true.
func (r *Rule) ShadowedBy(before *Rule) (shadowed, always bool) {
	if before.List == Task && r.List.HasSyscalls() && before.Action == Never {
		return true, before.conditions() == 0
	}
	if before.List != r.List || r.List == Exclude || r.List == Filesystem {
		return false, false
	}
	if before.covers(r) {
		return true, true
	}
	return before.Action != r.Action && !before.isDisjoint(r), false
}

// A Shadow says that a rule never decides, because another one of its list always does
// so before it.
type Shadow struct {
	Rule, By int // places among the rules
}

// Shadows finds, among rules in the kernel's order, those that never decide: each with the
// first one that always does so before it (see Rule.ShadowedBy). Of `always` behind
// `always` the records are made, but have the keys of the first.
func Shadows(rules []Rule) (list []Shadow) {
	before := map[Field][]int{} // by a condition that each has
	task := slices.IndexFunc(rules, func(r Rule) bool { return r.List == Task && r.Action == Never && r.conditions() == 0 })
	for i := range rules {
		r := &rules[i]
		by := -1
		if task >= 0 && r.List.HasSyscalls() {
			by = task
		}
		for j := range r.candidates(before) {
			if _, always := r.ShadowedBy(&rules[j]); always && (by < 0 || j < by) {
				by = j
			}
		}
		if by >= 0 {
			list = append(list, Shadow{i, by})
		}
		mark := r.mark()
		before[mark] = append(before[mark], i)
	}
	return list
}

// mark is a condition without which nothing covers what the rule does; the zero value for
// none. Rules are looked up by it, since there may be thousands.
func (r *Rule) mark() Field {
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Op == Equal && f.Type != FieldKey && f.Type != FieldPerm && f.Type != FieldDir && f.Type != FieldArch {
			return *f
		}
	}
	return Field{}
}

// candidates yields those of the earlier rules that may cover r.
func (r *Rule) candidates(before map[Field][]int) iter.Seq[int] {
	marks := []Field{{}}
	for i := range r.Fields {
		f := &r.Fields[i]
		m := Field{Type: f.Type, Op: Equal, Value: f.Value, Text: f.Text}
		if r.isRange(f) && f.Op != Equal && f.Type != fieldSuccess {
			s, _ := r.span(f.Type)
			if s.low != s.high {
				continue
			}
			m.Value = uint32(s.low)
		}
		if !slices.Contains(marks, m) {
			marks = append(marks, m)
		}
	}
	return func(yield func(int) bool) {
		for _, m := range marks {
			for _, i := range before[m] {
				if !yield(i) {
					return
				}
			}
		}
	}
}

// covers tells whether whatever matches r matches e as well. It may be false although it
// does.
func (e *Rule) covers(r *Rule) bool {
	for i := range e.Fields {
		if f := &e.Fields[i]; f.Type != FieldKey && !f.isImplied(r) {
			return false
		}
	}
	return !e.List.HasSyscalls() || e.Syscalls.hasAllOf(&r.Syscalls)
}

// isImplied tells whether a condition holds whenever r matches.
func (f *Field) isImplied(r *Rule) bool {
	for i := range r.Fields {
		g := &r.Fields[i]
		if *g == *f || f.Type == FieldDir && g.isFile() && isBelow(g.Text, f.Text) {
			return true
		}
		if f.Type == FieldPerm && g.Type == FieldPerm && f.Op == Equal && g.Op == Equal && g.Value&^f.Value == 0 {
			return true
		}
	}
	if !r.isRange(f) {
		return false
	}
	have, bound := r.span(f.Type)
	want := full.narrowed(f)
	if f.Op == NotEqual {
		return bound && !have.holds(f.number())
	}
	return bound && want != full && have.isWithin(want)
}

// isDisjoint tells whether nothing can match both. It may be false although nothing does.
func (e *Rule) isDisjoint(r *Rule) bool {
	return e.excludes(r, func(FieldType) bool { return true })
}

// excludes tells whether nothing can match both, by their system calls and fields of some
// types.
func (e *Rule) excludes(r *Rule, some func(FieldType) bool) bool {
	if e.List.HasSyscalls() && !e.Syscalls.hasSomeOf(&r.Syscalls) {
		return true
	}
	for i := range e.Fields {
		f := &e.Fields[i]
		if !some(f.Type) {
			continue
		}
		for j := range r.Fields {
			if f.contradicts(&r.Fields[j]) || r.Fields[j].contradicts(f) {
				return true
			}
		}
		if e.isRange(f) {
			a, aBound := e.span(f.Type)
			b, bBound := r.span(f.Type)
			if aBound && bBound && !a.meets(b) {
				return true
			}
		}
	}
	return false
}

// contradicts tells whether two conditions cannot hold at once.
func (f *Field) contradicts(g *Field) bool {
	switch {
	case f.Type == FieldDir && g.isFile():
		return !isBelow(g.Text, f.Text) && (g.Type == FieldPath || !isBelow(f.Text, g.Text))
	case f.Type != g.Type || f.Type == FieldKey || f.Type == FieldPerm:
		return false
	case f.Op == Equal && g.Op == Equal && f.Type.IsText():
		return f.Text != g.Text
	case f.Op == Equal && g.Op == NotEqual:
		return f.Value == g.Value && f.Text == g.Text
	}
	return false
}

func (f *Field) isFile() bool { return f.Type == FieldPath || f.Type == FieldDir }

func isBelow(path, dir string) bool {
	dir = strings.TrimRight(dir, "/")
	return path == dir || strings.HasPrefix(path, dir+"/")
}
