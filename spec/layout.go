package spec

import "sync"

// layout tells what of the document stands where in the files.
type layout struct {
	mu         sync.Mutex // guards what the sources hold, when places are asked for
	sources    []*source
	namespaces map[string]*found // "" is the run's own
	header     map[string]origin // version, owner, protocol
}

// found is where the objects of a namespace were found.
type found struct {
	routes, rules, neighbors items
	auditRules               items

	// The rest is needed until the document is complete.
	links   map[string]origin // the keys under links
	sysctls map[string]origin // by full names
	audit   map[string]origin // the keys under audit
	prune   origin
	modes   []func(*Prune) // what `prune` says, to be done over what is inherited
}

// items is where the entries of a list were found.
type items struct {
	parts []part
	at    []ref // one per entry, until the document is complete
}

// part is the entries from first on, up to the next part: what one file says.
type part struct {
	src   *source
	root  int
	first int
}

// of returns the part that holds an entry.
func (i *items) of(index int) (part, bool) {
	for k := len(i.parts) - 1; k >= 0; k-- {
		if p := i.parts[k]; p.first <= index {
			return p, true
		}
	}
	return part{}, false
}

// origin is a node of a file. The zero value is none.
type origin struct {
	src *source
	n   ref
}

func (o origin) place() string { return o.src.place(int(o.src.tree.nodes[o.n].pos)) }

func newLayout(sources []*source) *layout {
	return &layout{sources: sources, namespaces: map[string]*found{}, header: map[string]origin{}}
}

// namespace returns what was found of a namespace so far.
func (l *layout) namespace(name string) *found {
	f := l.namespaces[name]
	if f == nil {
		f = &found{links: map[string]origin{}, sysctls: map[string]origin{}, audit: map[string]origin{}}
		l.namespaces[name] = f
	}
	return f
}

// forget drops what only Load needs.
func (l *layout) forget() {
	for _, src := range l.sources {
		src.tree = nil
	}
	for _, f := range l.namespaces {
		*f = found{
			routes:    items{parts: f.routes.parts},
			rules:     items{parts: f.rules.parts},
			neighbors: items{parts: f.neighbors.parts},

			auditRules: items{parts: f.auditRules.parts},
		}
	}
	l.header = nil
}

// first enters a name, or reports that it is taken. at is the name's second place.
func (d *decoder) first(taken map[string]origin, name string, at ref, twice string) bool {
	if o, ok := taken[name]; ok {
		return d.fail(at, "%s, first at %s", twice, o.place())
	}
	taken[name] = origin{d.src, at}
	return true
}
