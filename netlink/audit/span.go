package audit

import "math"

// span is a range of numbers.
type span struct{ low, high int64 }

var full = span{math.MinInt64, math.MaxInt64}

// span returns the range to which the rule bounds a field, and whether it bounds it.
func (r *Rule) span(t FieldType) (s span, bound bool) {
	s = full
	for i := range r.Fields {
		if f := &r.Fields[i]; f.Type == t && !r.isMembership(f) {
			s = s.narrowed(f)
		}
	}
	return s, s != full
}

// narrowed returns the part of a range in which a condition holds, as far as that is a range.
func (s span) narrowed(f *Field) span {
	n := f.number()
	switch f.Op {
	case Equal:
		s.low, s.high = max(s.low, n), min(s.high, n)
	case Less:
		s.high = min(s.high, n-1)
	case LessEqual:
		s.high = min(s.high, n)
	case Greater:
		s.low = max(s.low, n+1)
	case GreaterEqual:
		s.low = max(s.low, n)
	}
	return s
}

// isWithin is false for an empty range.
func (s span) isWithin(o span) bool { return o.low <= s.low && s.low <= s.high && s.high <= o.high }

func (s span) holds(n int64) bool { return s.low <= n && n <= s.high }

func (s span) meets(o span) bool { return max(s.low, o.low) <= min(s.high, o.high) }

// number is the value of a field as the kernel compares it (kernel/auditsc.c,
// audit_filter_rules): without a sign, also the result of a system call, and success as 1,
// failure as 2.
func (f *Field) number() int64 {
	if f.Type == fieldSuccess && f.Value == 0 {
		return 2
	}
	return int64(f.Value)
}

// domain is what the kernel compares fields of a type with.
func (t FieldType) domain() span {
	if t == fieldSuccess {
		return span{1, 2}
	}
	return span{0, math.MaxUint32}
}

// neverHolds tells whether no number is as a condition wants it: exit<0.
func (f *Field) neverHolds() bool {
	return f.isRange() && f.Op != NotEqual && !full.narrowed(f).meets(f.Type.domain())
}

// holdsFor tells whether a condition holds for a number.
func (f *Field) holdsFor(n int64) bool {
	if f.Op == NotEqual {
		return f.number() != n
	}
	return full.narrowed(f).holds(n)
}

// isRange tells whether a condition is about where a number lies.
func (f *Field) isRange() bool {
	return !f.Type.IsText() && f.Type != FieldPerm && f.Type != FieldCompare
}

// isRange is Field.isRange for a condition of the rule: one of several groups is no number.
func (r *Rule) isRange(f *Field) bool { return f.isRange() && !r.isMembership(f) }

// isMembership tells whether a condition is about all groups of a process, so that two of
// them may hold (groups_search in audit_filter_rules; audit_filter looks at one group).
func (r *Rule) isMembership(f *Field) bool {
	return (f.Type == fieldGID || f.Type == fieldEGID) && (f.Op == Equal || f.Op == NotEqual) && r.List != User && r.List != Exclude
}
