package spec

import (
	"strconv"
	"strings"
)

// writer writes YAML: maps and lists in blocks down to where a flow begins.
type writer struct {
	names  *Names
	buf    []byte
	frames []frame
	behind bool       // a key without its value has been written
	parent *Namespace // what a namespace inherits from, nil outside of named ones
}

// frame is a map or list that is being written.
type frame struct {
	list, flow bool
	entries    int
}

func (w *writer) top() *frame { return &w.frames[len(w.frames)-1] }

func (w *writer) open(list, flow bool) {
	flow = flow || len(w.frames) > 0 && w.top().flow
	if flow {
		w.raw(brackets(list)[:1])
	}
	w.frames = append(w.frames, frame{list: list, flow: flow})
}

func brackets(list bool) string {
	if list {
		return "[]"
	}
	return "{}"
}

// openMap and openList begin a map or list; in flow style it takes one line, and
// so does everything within.
func (w *writer) openMap(flow bool)  { w.open(false, flow) }
func (w *writer) openList(flow bool) { w.open(true, flow) }

// close ends the innermost map or list.
func (w *writer) close() {
	f := *w.top()
	w.frames = w.frames[:len(w.frames)-1]
	switch {
	case f.flow:
		w.buf = append(w.buf, brackets(f.list)[1])
	case f.entries == 0:
		w.raw(brackets(f.list))
	}
	if len(w.frames) == 0 {
		w.buf = append(w.buf, '\n')
	}
}

// entry begins the next entry of the innermost map or list.
func (w *writer) entry() {
	f := w.top()
	f.entries++
	switch {
	case f.flow && f.entries > 1:
		w.buf = append(w.buf, ", "...)
	case !f.flow && (f.entries > 1 || len(w.frames) > 1):
		w.buf = append(w.buf, '\n')
		for range len(w.frames) - 1 {
			w.buf = append(w.buf, "  "...)
		}
	}
	w.behind = false
}

// key begins an entry of a map.
func (w *writer) key(name string) {
	w.entry()
	w.text(name)
	w.buf = append(w.buf, ':')
	w.behind = true
}

// item begins an entry of a list.
func (w *writer) item() {
	w.entry()
	if !w.top().flow {
		w.buf = append(w.buf, "- "...)
	}
}

func (w *writer) raw(s string) {
	if w.behind {
		w.buf = append(w.buf, ' ')
		w.behind = false
	}
	w.buf = append(w.buf, s...)
}

func (w *writer) bool(b bool)     { w.raw(strconv.FormatBool(b)) }
func (w *writer) number(n uint64) { w.raw(strconv.FormatUint(n, 10)) }

// text writes a string, in quotes where it would not be read as one without.
func (w *writer) text(s string) {
	if isSafe(s) && !isAmbiguous(s) {
		w.raw(s)
		return
	}
	w.quoted(s)
}

// quoted writes a string in quotes, which YAML and JSON read alike.
func (w *writer) quoted(s string) {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range strings.ToValidUTF8(s, "\ufffd") {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffe || r == 0xffff:
			b.WriteString(`\u` + strconv.FormatInt(0x10000+int64(r), 16)[1:])
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	w.raw(b.String())
}
