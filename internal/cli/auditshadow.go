package cli

import (
	"math"
	"strings"

	"github.com/nlapply/nlapply/netlink/audit"
)

// covers tells whether whatever matches r matches e as well. It may be true although the
// answer is no.
func covers(e, r *audit.Rule) bool {
	if hasSyscalls(e.List) {
		for nr := range r.Syscalls.All() {
			if !e.Syscalls.Has(nr) {
				return false
			}
		}
	}
	for i := range e.Fields {
		if f := &e.Fields[i]; f.Type != audit.FieldKey && !implied(f, r) {
			return false
		}
	}
	return true
}

// implied tells whether a condition holds whenever r matches.
func implied(f *audit.Field, r *audit.Rule) bool {
	for i := range r.Fields {
		g := &r.Fields[i]
		if *g == *f || f.Type == audit.FieldDir && isFile(g) && isBelow(g.Text, f.Text) {
			return true
		}
		if f.Type == audit.FieldPerm && g.Type == audit.FieldPerm && f.Op == audit.Equal && g.Op == audit.Equal {
			return g.Value&^f.Value == 0
		}
	}
	if f.Type.IsText() || f.Type == audit.FieldCompare || f.Type == audit.FieldPerm {
		return false
	}
	have, bound := spanOf(r, f.Type)
	want := full.narrowed(f)
	if f.Op == audit.NotEqual {
		return bound && (number(f) < have.low || number(f) > have.high)
	}
	return bound && want != full && have.low >= want.low && have.high <= want.high
}

// disjoint tells whether nothing can match both. It may be false although nothing does.
func disjoint(e, r *audit.Rule) bool {
	if hasSyscalls(e.List) && !sharesSyscall(e, r) {
		return true
	}
	for i := range e.Fields {
		for j := range r.Fields {
			if contradict(&e.Fields[i], &r.Fields[j]) || contradict(&r.Fields[j], &e.Fields[i]) {
				return true
			}
		}
		if t := e.Fields[i].Type; !t.IsText() && t != audit.FieldPerm && t != audit.FieldCompare {
			a, aBound := spanOf(e, t)
			b, bBound := spanOf(r, t)
			if aBound && bBound && max(a.low, b.low) > min(a.high, b.high) {
				return true
			}
		}
	}
	return false
}

func sharesSyscall(e, r *audit.Rule) bool {
	for nr := range r.Syscalls.All() {
		if e.Syscalls.Has(nr) {
			return true
		}
	}
	return false
}

// contradict tells whether two conditions cannot hold at once.
func contradict(f, g *audit.Field) bool {
	switch {
	case f.Type == audit.FieldDir && isFile(g):
		return !isBelow(g.Text, f.Text) && (g.Type == audit.FieldPath || !isBelow(f.Text, g.Text))
	case f.Type != g.Type || f.Type == audit.FieldKey || f.Type == audit.FieldPerm:
		return false
	case f.Op == audit.Equal && g.Op == audit.Equal && f.Type.IsText():
		return f.Text != g.Text
	case f.Op == audit.Equal && g.Op == audit.NotEqual:
		return f.Value == g.Value && f.Text == g.Text
	}
	return false
}

func isFile(f *audit.Field) bool { return f.Type == audit.FieldPath || f.Type == audit.FieldDir }

func isBelow(path, dir string) bool {
	dir = strings.TrimRight(dir, "/")
	return path == dir || strings.HasPrefix(path, dir+"/")
}

// span is a range of numbers.
type span struct{ low, high int64 }

var full = span{math.MinInt64, math.MaxInt64}

// spanOf returns the range to which a rule bounds a field, and whether it bounds it.
func spanOf(r *audit.Rule, t audit.FieldType) (s span, bound bool) {
	s = full
	for i := range r.Fields {
		if f := &r.Fields[i]; f.Type == t {
			s = s.narrowed(f)
		}
	}
	return s, s != full
}

// narrowed returns the part of a range in which a condition holds, as far as that is a range.
func (s span) narrowed(f *audit.Field) span {
	n := number(f)
	switch f.Op {
	case audit.Equal:
		s.low, s.high = max(s.low, n), min(s.high, n)
	case audit.Less:
		s.high = min(s.high, n-1)
	case audit.LessEqual:
		s.high = min(s.high, n)
	case audit.Greater:
		s.low = max(s.low, n+1)
	case audit.GreaterEqual:
		s.low = max(s.low, n)
	}
	return s
}

// number is the value of a field as the kernel compares it: the result of a system call
// has a sign (kernel/auditsc.c, audit_filter_rules).
func number(f *audit.Field) int64 {
	if f.Type == audit.FieldExit {
		return int64(int32(f.Value))
	}
	return int64(f.Value)
}

// holds tells whether a condition holds for a number.
func holds(f *audit.Field, n int64) bool {
	if f.Op == audit.NotEqual {
		return number(f) != n
	}
	s := full.narrowed(f)
	return s.low <= n && n <= s.high
}
