package spec

import (
	"cmp"
	"io"
	"maps"
	"slices"
)

// Load reads files and directories (their *.yaml, *.yml and *.json, sorted) as one
// document; "-" is stdin. When the files can be read but are not right, the error
// is of type Errors and holds all of their mistakes; the document has then no more than
// the names of files, in Files and Audit.RulesFiles.
func Load(paths []string, stdin io.Reader, v Vocabulary) (*Document, error) {
	return load(paths, stdin, v, SystemNames())
}

func load(paths []string, stdin io.Reader, v Vocabulary, names *Names) (*Document, error) {
	sources, err := readSources(paths, stdin)
	if err != nil {
		return nil, err
	}
	doc := &Document{layout: newLayout(sources), names: names}
	d := decoder{names: names, vocab: remember(v), layout: doc.layout}
	parsed := true
	for _, src := range sources {
		doc.Files = append(doc.Files, src.name)
		parsed = d.file(src, doc) && parsed
	}
	// What a file that cannot be parsed would have said is not to be guessed.
	if parsed && len(sources) > 0 {
		d.checkDocument(doc)
	}
	if doc.Audit != nil {
		for _, f := range doc.Audit.Files {
			doc.Files = append(doc.Files, f.Name)
		}
	}
	if len(d.errs) > 0 {
		return doc.named(), d.errors()
	}
	doc.layout.forget()
	return doc, nil
}

// named returns a document that has no more than the names of files.
func (d *Document) named() *Document {
	n := &Document{Files: d.Files}
	if d.Audit != nil {
		n.Audit = &Audit{RulesFiles: d.Audit.RulesFiles}
	}
	return n
}

// file reads one file into the document. It tells whether the file could be parsed.
func (d *decoder) file(src *source, doc *Document) bool {
	problems := src.parse()
	for _, p := range problems {
		d.errs = append(d.errs, placed{src, p.offset, "", p.reason})
	}
	if src.tree == nil {
		return false
	}
	d.src, d.t, d.found = src, src.tree, d.layout.namespace("")
	for i, root := range src.tree.roots {
		d.root = i
		d.path = d.path[:0]
		if src.tree.shape(root) != isNull {
			documentObject.read(d, root, doc)
		}
	}
	return len(problems) == 0
}

// errors returns the mistakes sorted by place, none twice.
func (d *decoder) errors() Errors {
	order := map[*source]int{}
	for i, src := range d.layout.sources {
		order[src] = i
	}
	for _, f := range d.ruleFiles {
		order[f.source] = len(order)
	}
	slices.SortStableFunc(d.errs, func(a, b placed) int {
		return cmp.Or(cmp.Compare(order[a.src], order[b.src]), cmp.Compare(a.offset, b.offset), cmp.Compare(a.path, b.path))
	})
	d.errs = slices.Compact(d.errs)
	errs := make(Errors, len(d.errs))
	for i, e := range d.errs {
		line, column := e.src.lineColumn(e.offset)
		errs[i] = &Error{File: e.src.name, Line: line, Column: column, Path: e.path, Reason: e.reason}
	}
	return errs
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
