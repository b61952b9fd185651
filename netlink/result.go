package netlink

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
)

// A Result is the outcome of a batch, message by message: it succeeded, or it
// was refused (an *Error), or it could not be encoded, or it was not sent, or its
// outcome is unknown (ErrUnknown). Only what did not succeed takes memory.
type Result struct {
	failures []failure // by index
	unknown  []lostRun // by index; what failures says goes first
	unsent   lostRun
	echoes   []echo // by index
}

type failure struct {
	index int
	err   error
}

// lostRun are the messages lo to hi-1.
type lostRun struct {
	lo, hi int
	err    error
}

type echo struct {
	index int
	msg   Message
}

// Err returns nil when message i succeeded, and otherwise what is known: an
// error that matches ErrUnknown when the outcome is not.
func (r *Result) Err(i int) error {
	at, ok := slices.BinarySearchFunc(r.failures, i, func(f failure, i int) int { return cmp.Compare(f.index, i) })
	if ok {
		return r.failures[at].err
	}
	for _, run := range r.unknown {
		if run.lo <= i && i < run.hi {
			return run.err
		}
	}
	if r.unsent.lo <= i && i < r.unsent.hi {
		return r.unsent.err
	}
	return nil
}

// Echo returns the object that the kernel sent back for message i, with a Data
// of its own, if there was one.
func (r *Result) Echo(i int) (Message, bool) {
	at, ok := slices.BinarySearchFunc(r.echoes, i, func(e echo, i int) int { return cmp.Compare(e.index, i) })
	if !ok {
		return Message{}, false
	}
	return r.echoes[at].msg, true
}

// Errors returns the messages that did not succeed, in order, each with what Err
// returns for it.
func (r *Result) Errors() iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		failures := r.failures
		for _, run := range append(r.unknown[:len(r.unknown):len(r.unknown)], r.unsent) {
			for i := run.lo; i < run.hi; i++ {
				for len(failures) > 0 && failures[0].index <= i {
					if !yield(failures[0].index, failures[0].err) {
						return
					}
					if failures[0].index == i {
						i++
					}
					failures = failures[1:]
				}
				if i < run.hi && !yield(i, run.err) {
					return
				}
			}
		}
		for _, f := range failures {
			if !yield(f.index, f.err) {
				return
			}
		}
	}
}

// refuse notes the error of message i. The first one counts.
func (r *Result) refuse(i int, err error) {
	at, ok := slices.BinarySearchFunc(r.failures, i, func(f failure, i int) int { return cmp.Compare(f.index, i) })
	if !ok {
		r.failures = slices.Insert(r.failures, at, failure{i, err})
	}
}

// keep notes the answer to message i. The first one counts.
func (r *Result) keep(i int, m Message) {
	at, ok := slices.BinarySearchFunc(r.echoes, i, func(e echo, i int) int { return cmp.Compare(e.index, i) })
	if !ok {
		r.echoes = slices.Insert(r.echoes, at, echo{i, m.Clone()})
	}
}

// lose notes that the outcome of messages lo to hi-1 is unknown.
func (r *Result) lose(lo, hi int, err error) {
	if lo < hi {
		r.unknown = append(r.unknown, lostRun{lo, hi, err})
	}
}

// unlose takes back what lose noted of the messages from lo on.
func (r *Result) unlose(lo int) {
	r.unknown = slices.DeleteFunc(r.unknown, func(run lostRun) bool { return run.lo == lo })
}

// incomplete returns why not all messages have a known outcome, or nil.
func (r *Result) incomplete() error {
	switch {
	case len(r.unknown) == 0:
		return r.unsent.err
	case r.unsent.err == nil:
		return r.unknown[0].err
	}
	return fmt.Errorf("%w; not sent: %w", r.unknown[0].err, r.unsent.err)
}
