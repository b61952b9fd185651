package spec

import (
	"strings"
	"unicode/utf8"
)

// shape is what a node of a file is, as far as the syntax tells.
type shape uint8

const (
	isNull  shape = iota
	isPlain       // a bare word: a number, true, false; in YAML anything unquoted
	isText        // quoted
	isList
	isMap
)

// node is one value or key of a file. The nodes of a file lie in one slice in the
// order of the text, so a file of a million routes is one allocation without
// pointers; a node's first child is the next one.
type node struct {
	shape shape
	size  uint32 // nodes of the subtree, this one included
	pos   uint32 // offset of its first byte in the source
	from  uint32 // scalars: where the text begins, in the source or behind it in extra
	to    uint32
}

// ref is the index of a node in its tree.
type ref uint32

// tree is a file, parsed and not yet understood.
type tree struct {
	text  string // the source
	extra []byte // texts that the source holds in another spelling (escapes, folded lines)
	nodes []node
	roots []ref // one per document of a YAML stream
}

// limits of a file, far above what any document needs.
const (
	maxDepth = 64
	maxBytes = 1 << 31
)

func (t *tree) shape(n ref) shape { return t.nodes[n].shape }

// next returns the node behind the subtree of n.
func (t *tree) next(n ref) ref { return n + ref(t.nodes[n].size) }

// string returns the text of a scalar.
func (t *tree) string(n ref) string {
	x := &t.nodes[n]
	if size := uint32(len(t.text)); x.from >= size {
		return string(t.extra[x.from-size : x.to-size])
	}
	return t.text[x.from:x.to]
}

// count returns the number of a list's elements.
func (t *tree) count(list ref) int {
	count := 0
	for n, end := list+1, t.next(list); n < end; n = t.next(n) {
		count++
	}
	return count
}

// value returns the value of a map's key, and the key itself.
func (t *tree) value(m ref, key string) (value, at ref, ok bool) {
	if t.shape(m) != isMap {
		return 0, 0, false
	}
	for n, end := m+1, t.next(m); n < end; n = t.next(n + 1) {
		if t.string(n) == key {
			return n + 1, n, true
		}
	}
	return 0, 0, false
}

// item returns an entry of a list.
func (t *tree) item(list ref, index int) ref {
	n := list + 1
	for range index {
		n = t.next(n)
	}
	return n
}

// open appends a node whose subtree is not complete; close completes it.
func (t *tree) open(s shape, pos int) ref {
	t.nodes = append(t.nodes, node{shape: s, size: 1, pos: uint32(pos)})
	return ref(len(t.nodes) - 1)
}

func (t *tree) close(n ref) { t.nodes[n].size = uint32(len(t.nodes)) - uint32(n) }

// scalar appends a scalar whose text stands in the source.
func (t *tree) scalar(s shape, pos, from, to int) {
	t.nodes = append(t.nodes, node{shape: s, size: 1, pos: uint32(pos), from: uint32(from), to: uint32(to)})
}

// scalarText appends a scalar whose text is spelled otherwise in the source.
func (t *tree) scalarText(s shape, pos int, text string) {
	from := len(t.text) + len(t.extra)
	t.extra = append(t.extra, text...)
	t.scalar(s, pos, from, from+len(text))
}

// find follows a path as far as it is written. Keys may hold dots and brackets, so
// a key is tried whole against what is left of the path, the longest first.
func (t *tree) find(n ref, path string) (at ref, rest string) {
	at, rest = n, path
	switch t.shape(n) {
	case isMap:
		tail := strings.TrimPrefix(path, ".")
		for k, end := n+1, t.next(n); k < end; k = t.next(k + 1) {
			after, ok := strings.CutPrefix(tail, t.string(k))
			if !ok || after != "" && after[0] != '.' && after[0] != '[' {
				continue
			}
			if a, r := t.find(k+1, after); len(r) < len(rest) {
				at, rest = a, r
			}
		}
	case isList:
		index, after, ok := cutIndex(path)
		for k, end := n+1, t.next(n); ok && k < end; k = t.next(k) {
			if index == 0 {
				return t.find(k, after)
			}
			index--
		}
	}
	return at, rest
}

// cutIndex takes an index in brackets from the beginning of a path.
func cutIndex(path string) (index int, rest string, ok bool) {
	if path == "" || path[0] != '[' {
		return 0, path, false
	}
	digits, rest, ok := strings.Cut(path[1:], "]")
	if !ok || digits == "" || len(digits) > 9 {
		return 0, path, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, path, false
		}
		index = 10*index + int(c-'0')
	}
	return index, rest, true
}

// checkText tells what keeps a file from being text at all, nil for nothing.
func checkText(text string) *syntaxError {
	switch {
	case int64(len(text)) >= maxBytes:
		return &syntaxError{0, "the file is larger than 2 GiB"}
	case !utf8.ValidString(text):
		return &syntaxError{len(text) - len(afterValid(text)), "the file is not UTF-8"}
	}
	return nil
}

// afterValid returns what is left of a text from its first byte that is not UTF-8.
func afterValid(text string) string {
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && size == 1 {
			break
		}
		text = text[size:]
	}
	return text
}
