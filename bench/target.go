package main

import (
	"fmt"
	"math"
)

// slack is what noise may add to a ratio. Allocations have none.
const slack = 1.15

// A Target is something that a variant is to reach.
type Target struct {
	Text string
	// Met returns what was measured and whether it reaches the target.
	Met func(r *Result, v int) (measured string, m met)
}

type met int

const (
	unknown met = iota
	no
	nearly // within the slack
	yes
)

func (m met) String() string { return [...]string{"?", "no", "within 15 %", "yes"}[m] }

func judge(x, limit float64) met {
	switch {
	case math.IsNaN(x):
		return unknown
	case x <= limit:
		return yes
	case x <= limit*slack:
		return nearly
	}
	return no
}

// atMost limits the time to a multiple of the floor's.
func atMost(limit float64) Target {
	return Target{fmt.Sprintf("≤ %g× floor", limit), func(r *Result, v int) (string, met) {
		x := r.ratio(v, 0)
		return fmt.Sprintf("%.2f×", x), judge(x, limit)
	}}
}

// atMostOf limits the time to a multiple of another variant's.
func atMostOf(limit float64, other string) Target {
	return Target{fmt.Sprintf("≤ %g× %s", limit, other), func(r *Result, v int) (string, met) {
		x := r.ratio(v, r.index(other))
		return fmt.Sprintf("%.2f×", x), judge(x, limit)
	}}
}

// faster wants the other variant to take a multiple of the time.
func faster(times float64, other string) Target {
	name := other
	if name == "" {
		name = "floor"
	}
	return Target{fmt.Sprintf("≥ %g× faster than %s", times, name), func(r *Result, v int) (string, met) {
		x := r.ratio(v, r.index(other))
		return fmt.Sprintf("%.1f×", 1/x), judge(x, 1/times)
	}}
}

// allocations limits the allocations per object.
func allocations(limit float64) Target {
	return Target{fmt.Sprintf("≤ %g allocs", limit), func(r *Result, v int) (string, met) {
		x := r.allocs(v)
		switch {
		case math.IsNaN(x):
			return "", unknown
		case x <= limit+0.01: // a few for the whole run are none per object
			return number(x), yes
		}
		return number(x), no
	}}
}

// within limits the time of one object.
func within(ns float64) Target {
	return Target{fmt.Sprintf("≤ %g ns", ns), func(r *Result, v int) (string, met) {
		x := r.time(v)
		return fmt.Sprintf("%.1f ns", x), judge(x, ns)
	}}
}

// noWrites wants no message that changes something.
func noWrites() Target {
	return Target{"zero writes", func(r *Result, v int) (string, met) {
		switch w := r.Proofs[v].Writes; {
		case w == nil:
			return "not counted", unknown
		case *w == 0:
			return "0", yes
		default:
			return fmt.Sprint(*w), no
		}
	}}
}
