package spec

import (
	"fmt"
	"strconv"
	"strings"
)

// decoder turns trees into the document. It goes on after a mistake, so that all
// of them are told at once.
type decoder struct {
	names  *Names
	vocab  *remembered
	layout *layout
	errs   []placed

	ruleFiles []ruleFile // those of Audit.Files

	// What is being read.
	src   *source
	root  int   // the document of src, which is a stream of them
	t     *tree // of src
	path  []step
	found *found // of the namespace
	link  string // the name of the link
}

// step is one key or index on the way to the value being read.
type step struct {
	key   string
	index int // -1 for a key
}

// placed is an error whose line and column are not counted yet.
type placed struct {
	src    *source
	offset int
	path   string
	reason string
}

func (d *decoder) push(key string) { d.path = append(d.path, step{key, -1}) }
func (d *decoder) pushIndex(i int) { d.path = append(d.path, step{"", i}) }
func (d *decoder) pop()            { d.path = d.path[:len(d.path)-1] }

// pathTo returns the path of the value being read, or of one of its parts.
func (d *decoder) pathTo(keys ...string) string {
	var b strings.Builder
	for _, s := range d.path {
		writeStep(&b, s)
	}
	for _, k := range keys {
		writeStep(&b, step{k, -1})
	}
	return b.String()
}

func writeStep(b *strings.Builder, s step) {
	if s.index >= 0 {
		b.WriteByte('[')
		b.WriteString(strconv.Itoa(s.index))
		b.WriteByte(']')
		return
	}
	if b.Len() > 0 {
		b.WriteByte('.')
	}
	b.WriteString(s.key)
}

// fail reports a mistake in the value being read. It returns false, as what reads
// a value does then.
func (d *decoder) fail(n ref, format string, args ...any) bool {
	return d.failPath(n, d.pathTo(), format, args...)
}

// failKey reports a mistake in a key of the map being read, at the key's value or,
// where it is absent, at the map.
func (d *decoder) failKey(m ref, key, format string, args ...any) bool {
	at := m
	if value, _, ok := d.t.value(m, key); ok {
		at = value
	}
	return d.failPath(at, d.pathTo(key), format, args...)
}

func (d *decoder) failPath(n ref, path, format string, args ...any) bool {
	d.errs = append(d.errs, placed{d.src, int(d.t.nodes[n].pos), path, fmt.Sprintf(format, args...)})
	return false
}

// has tells whether a key is written in a map.
func (d *decoder) has(m ref, key string) bool {
	_, _, ok := d.t.value(m, key)
	return ok
}

// place is where something stands, for messages that name a second place.
func (d *decoder) place(n ref) string { return origin{d.src, n}.place() }

// describe names what stands at n, for messages about what was wanted instead.
func (d *decoder) describe(n ref) string {
	switch d.t.shape(n) {
	case isNull:
		return "nothing"
	case isList:
		return "a list"
	case isMap:
		return "a map"
	case isText:
		return quote(d.t.string(n))
	}
	return shorten(d.t.string(n))
}

// want reports a value of the wrong type.
func (d *decoder) want(n ref, what string) bool {
	return d.fail(n, "want %s, have %s", what, d.describe(n))
}

// maxQuoted keeps messages to one readable line.
const maxQuoted = 60

func shorten(s string) string {
	if len(s) <= maxQuoted {
		return s
	}
	return s[:maxQuoted] + "…"
}

func quote(s string) string { return strconv.Quote(shorten(s)) }
