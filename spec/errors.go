package spec

import (
	"strconv"
	"strings"
)

// Error is one mistake of a document.
type Error struct {
	File   string `json:"file,omitempty"`   // as it was given; "" for a document that was not loaded
	Line   int    `json:"line,omitempty"`   // from 1; 0 when there is no place
	Column int    `json:"column,omitempty"` // in bytes, from 1
	Path   string `json:"path,omitempty"`   // links.vx10.vxlan.id, within File; "" for the whole file
	Reason string `json:"reason"`
}

// Error returns FILE:LINE:COLUMN: path: reason, without the parts that are unknown.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		b.WriteByte(':')
		b.WriteString(strconv.Itoa(e.Line))
		b.WriteByte(':')
		b.WriteString(strconv.Itoa(e.Column))
	}
	for _, s := range []string{e.Path, e.Reason} {
		if s == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(s)
	}
	return b.String()
}

// Errors are all mistakes of a document, sorted by file and place.
type Errors []*Error

// Error returns one line for each mistake.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the mistakes one by one, for errors.As.
func (e Errors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, err := range e {
		errs[i] = err
	}
	return errs
}
