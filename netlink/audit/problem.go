package audit

import (
	"iter"
	"strings"
)

// A Problem is what is wrong with a rule that somebody wrote, and where.
type Problem struct {
	Arg    int // of ParseArgs: the argument, or a part of it; else 0
	Offset int // in the line or in the argument, in bytes
	Text   string
}

// Error implements error.
func (p Problem) Error() string { return p.Text }

// Problems are all that is wrong with a text, in the order of their places.
type Problems []Problem

// Error implements error: a line for each.
func (ps Problems) Error() string {
	texts := make([]string, len(ps))
	for i, p := range ps {
		texts[i] = p.Text
	}
	return strings.Join(texts, "\n")
}

// suggestion is what an error says after an unknown name, "" when no candidate is
// like it.
func suggestion(word string, candidates iter.Seq[string]) string {
	if name := closest(word, candidates); name != "" {
		return ": did you mean " + name + "?"
	}
	return ""
}
