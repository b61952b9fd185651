package audit

import "math"

// span is a range of numbers.
type span struct{ low, high int64 }

var full = span{math.MinInt64, math.MaxInt64}

// span returns the range to which the rule bounds a field, and whether it bounds it.
func (r *Rule) span(t FieldType) (s span, bound bool) {
	s = full
	for i := range r.Fields {
		if f := &r.Fields[i]; f.Type == t {
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

// number is the value of a field as the kernel compares it: the result of a system call
// has a sign (kernel/auditsc.c, audit_filter_rules).
func (f *Field) number() int64 {
	if f.Type == FieldExit {
		return int64(int32(f.Value))
	}
	return int64(f.Value)
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
