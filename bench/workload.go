package main

import (
	"fmt"
	"math"
	"os"
	"slices"
)

// A Workload is one job that several variants do. The first variant is the
// floor: the ratios are against it.
type Workload struct {
	Name  string
	Stage StageUse
	// Setup prepares a stage, Check looks at it after every run. Neither is
	// measured; nil is nothing to do.
	Setup, Check func(*Stage) error
	Rounds       int // when the command line gives none
	Variants     []Variant
}

// A Variant is one way to do a workload.
type Variant struct {
	Name    string
	Run     func(*Stage) (Sample, error)
	Targets []Target
	// Prove is run once after the rounds and adds to the result, for what would
	// disturb the measurement. nil: nothing.
	Prove func(*Stage) (Sample, error)
}

// StageUse says who shares a network namespace.
type StageUse int

const (
	shared StageUse = iota // all variants and rounds: for what only reads
	own                    // each variant has one for all rounds
	fresh                  // each run has one
)

// A Sample is what one run took.
type Sample struct {
	NS      float64 `json:"ns"`  // time, for codecs of one object
	CPU     float64 `json:"cpu"` // of it in user and kernel mode, ns; 0: not counted
	Objects int     `json:"objects"`
	// Mallocs are all allocations of the run; nil: not counted.
	Mallocs *float64 `json:"mallocs,omitempty"`
	RSS     int64    `json:"-"` // peak of the process, bytes
	// Writes are the messages sent that change something; nil: not counted.
	Writes *int `json:"-"`
}

// A Result is what the rounds of a workload gave: Samples[variant][round], empty
// for a variant that could not run.
type Result struct {
	*Workload
	Samples [][]Sample
	Proofs  []Sample
	Errs    []error
}

// run runs a workload. The result is valid also with an error.
func (b *Bench) run(w Workload, rounds int) (*Result, error) {
	if rounds == 0 {
		rounds = w.Rounds
	}
	n := len(w.Variants)
	r := &Result{Workload: &w, Samples: make([][]Sample, n), Proofs: make([]Sample, n), Errs: make([]error, n)}
	stages := make([]*Stage, n)
	defer func() {
		for _, s := range stages {
			if s != nil && (w.Stage != shared || s == stages[0]) {
				s.close()
			}
		}
	}()
	for round := range rounds {
		fmt.Fprintf(os.Stderr, "%s: round %d of %d\n", w.Name, round+1, rounds)
		for i := range n {
			v := (i + round) % n // everybody comes after everybody
			if r.Errs[v] != nil {
				continue
			}
			if err := b.prepare(&w, stages, v); err != nil {
				return r, err
			}
			r.measure(stages[v], v)
		}
	}
	for v := range n {
		if prove := w.Variants[v].Prove; prove != nil && r.Errs[v] == nil {
			if r.Proofs[v], r.Errs[v] = prove(stages[v]); r.Errs[v] != nil {
				r.report(v)
			}
		}
	}
	return r, nil
}

// prepare sees to it that a variant has a stage to run on.
func (b *Bench) prepare(w *Workload, stages []*Stage, v int) error {
	switch {
	case w.Stage == fresh && stages[v] != nil:
		stages[v].close()
		stages[v] = nil
	case w.Stage == shared:
		v = 0
	}
	if stages[v] == nil {
		s, err := b.stage()
		if err != nil {
			return err
		}
		stages[v] = s
		if w.Setup != nil {
			if err := w.Setup(s); err != nil {
				return fmt.Errorf("set up: %w", err)
			}
		}
	}
	if w.Stage == shared {
		for i := range stages {
			stages[i] = stages[0]
		}
	}
	return nil
}

func (r *Result) measure(s *Stage, v int) {
	sample, err := r.Variants[v].Run(s)
	if err == nil && r.Check != nil {
		err = r.Check(s)
	}
	if err != nil {
		r.Errs[v] = err
		r.report(v)
		return
	}
	r.Samples[v] = append(r.Samples[v], sample)
}

func (r *Result) report(v int) {
	fmt.Fprintf(os.Stderr, "%s, %s: %v\n", r.Name, r.Variants[v].Name, r.Errs[v])
}

// index returns the variant of that name, the floor for "", -1 for none.
func (r *Result) index(name string) int {
	if name == "" {
		return 0
	}
	return slices.IndexFunc(r.Variants, func(v Variant) bool { return v.Name == name })
}

// time returns the median time of a variant.
func (r *Result) time(v int) float64 {
	return median(r.Samples[v], func(i int) float64 { return r.Samples[v][i].NS })
}

// cpu returns the median CPU time of a variant, NaN when not counted.
func (r *Result) cpu(v int) float64 {
	x := median(r.Samples[v], func(i int) float64 { return r.Samples[v][i].CPU })
	if x == 0 {
		return math.NaN()
	}
	return x
}

// ratio returns the median of the ratios of each round, NaN without any.
func (r *Result) ratio(v, to int) float64 {
	rounds := r.Samples[v]
	if to < 0 || len(r.Samples[to]) < len(rounds) {
		return math.NaN()
	}
	return median(rounds, func(i int) float64 { return rounds[i].NS / r.Samples[to][i].NS })
}

// allocs returns the fewest allocations of a run per object, NaN when not
// counted: what is more came from the runtime.
func (r *Result) allocs(v int) float64 {
	least := math.NaN()
	for _, s := range r.Samples[v] {
		if s.Mallocs != nil && s.Objects > 0 && !(*s.Mallocs/float64(s.Objects) >= least) {
			least = *s.Mallocs / float64(s.Objects)
		}
	}
	return least
}

func median(samples []Sample, value func(int) float64) float64 {
	if len(samples) == 0 {
		return math.NaN()
	}
	values := make([]float64, len(samples))
	for i := range values {
		values[i] = value(i)
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}
