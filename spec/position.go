package spec

import (
	"fmt"
	"strings"
)

// Path returns the path of a part of a namespace ("" for the run's own): strings
// are keys, ints are indexes.
//
//	Path("red", "links", "eth0", "addresses", 0) // namespaces.red.links.eth0.addresses[0]
func Path(namespace string, parts ...any) string {
	var b strings.Builder
	for _, s := range steps(nil, namespace, parts...) {
		writeStep(&b, s)
	}
	return b.String()
}

func steps(path []step, namespace string, parts ...any) []step {
	if namespace != "" {
		path = append(path, step{"namespaces", -1}, step{namespace, -1})
	}
	for _, part := range parts {
		switch part := part.(type) {
		case int:
			path = append(path, step{"", part})
		default:
			path = append(path, step{fmt.Sprint(part), -1})
		}
	}
	return path
}

// Position returns the place of a path of the document, or of its nearest parent
// that is written; line is 0 for a document that was not loaded. Indexes of routes,
// rules and neighbors count those of all files.
func (d *Document) Position(path string) (file string, line, column int) {
	e := d.Errorf(path, "")
	return e.File, e.Line, e.Column
}

// Errorf returns an error about a path of the document, with its place. The path of
// the error is the one within the file.
func (d *Document) Errorf(path, format string, args ...any) *Error {
	e := &Error{Path: path, Reason: fmt.Sprintf(format, args...)}
	if file, line, column, ok := d.auditFileLine(path); ok {
		e.Path, e.File, e.Line, e.Column = "", file, line, column
		return e
	}
	if d.layout == nil || len(d.layout.sources) == 0 {
		return e
	}
	d.layout.mu.Lock()
	defer d.layout.mu.Unlock()
	if p, local, ok := d.localPath(path); ok {
		e.Path = local
		e.File, e.Line, e.Column, _ = p.src.position(p.root, local)
		return e
	}
	// Objects with a name stand in one file: the one that knows most of the path.
	missing := len(path) + 1
	for _, src := range d.layout.sources {
		file, line, column, rest := src.position(-1, path)
		if rest < missing {
			e.File, e.Line, e.Column, missing = file, line, column, rest
		}
	}
	return e
}

// localPath makes a path to an entry of a list that several files may add to one
// within its file.
func (d *Document) localPath(path string) (p part, local string, ok bool) {
	name, rest := "", path
	if inner, named := strings.CutPrefix(path, "namespaces."); named {
		for ns := range d.Namespaces {
			if after, ok := strings.CutPrefix(inner, ns+"."); ok && len(ns) >= len(name) {
				name, rest = ns, after
			}
		}
	}
	f := d.layout.namespaces[name]
	if f == nil {
		return part{}, "", false
	}
	for list, items := range map[string]*items{"routes": &f.routes, "rules": &f.rules, "neighbors": &f.neighbors, "audit.rules": &f.auditRules} {
		after, is := strings.CutPrefix(rest, list)
		if !is {
			continue
		}
		index, tail, indexed := cutIndex(after)
		p, ok := items.of(index)
		if !indexed || !ok {
			return part{}, "", false
		}
		return p, Path(name, list, index-p.first) + tail, true
	}
	return part{}, "", false
}

// position finds a path in one document of a file, or in all for root -1, and tells
// how much of it is not written. The file is parsed anew when a place is first asked
// for: that is rare, and the tree takes more memory than the text.
func (s *source) position(root int, path string) (file string, line, column, missing int) {
	if s.tree == nil {
		s.parse()
	}
	at, missing := 0, len(path)+1
	for i, r := range s.tree.roots {
		if root >= 0 && root != i {
			continue
		}
		if n, rest := s.tree.find(r, path); len(rest) < missing {
			at, missing = int(s.tree.nodes[n].pos), len(rest)
		}
	}
	line, column = s.lineColumn(at)
	return s.name, line, column, missing
}
