package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/kind"
	"github.com/nlapply/nlapply/spec"
)

// portSuffix ends the key of a port's options: bridge_slave, bond_slave.
const portSuffix = "_slave"

// linkWant is one declared link.
type linkWant struct {
	scope *Scope
	name  string
	linkDeclaration
	// peer is where the other end of a pair is declared to be; nil for none.
	peer *linkPlace
	// madeBy is the other end, when that is the one with the kind.
	madeBy *linkWant
}

// linkDeclaration is what the document says of a link. It is the same for every
// plan, and read once; see Run.declarations.
type linkDeclaration struct {
	spec *spec.Link
	kind kind.Kind // nil for a link that must exist
	port kind.Kind // options as a port, nil for none
	// refs are the links that it refers to, in the order of the document's keys.
	refs []linkRef
}

// linkPlace is a link by scope and name.
type linkPlace struct {
	scope *Scope
	name  string
}

func (p linkPlace) String() string {
	if p.scope.Name == "" {
		return p.name
	}
	return p.name + " in " + p.scope.Name
}

// seenFrom is the place for a line about a link of scope s.
func (p linkPlace) seenFrom(s *Scope) string {
	if p.scope.Name == "" && s != p.scope {
		return p.name + ` in ""`
	}
	return p.String()
}

func (w *linkWant) place() linkPlace { return linkPlace{w.scope, w.name} }

// object is the link as plans and errors name it.
func (w *linkWant) object() Object { return Object{w.scope.Name, "link", w.path(), w.name} }

// hardwareLen returns how many bytes a hardware address of the link has, 0 where
// that is not known.
func (w *linkWant) hardwareLen() int {
	have := w.scope.links.byName[w.name]
	switch {
	case w.kind != nil:
		return kind.HardwareLen(w.kind)
	case have != nil:
		return len(have.Address)
	case w.madeBy != nil:
		return kind.HardwareLen(w.madeBy.kind)
	}
	return 0
}

// plan gives the link, which is to come, an index under all its names.
func (w *linkWant) plan() int32 {
	i := w.scope.links.plan(w.name)
	for _, alt := range deref(w.spec.AltNames) {
		w.scope.links.planned[alt] = i
	}
	return i
}

// path returns the place of a part of the link in the document.
func (w *linkWant) path(parts ...any) string {
	return spec.Path(w.scope.Name, append([]any{"links", w.name}, parts...)...)
}

func newLinkWant(s *Scope, name string, l *spec.Link) (*linkWant, error) {
	path := spec.Path(s.Name, "links", name)
	d, known := s.run.declarations[path]
	if !known {
		var err error
		if d, err = readLink(l); err != nil {
			return nil, s.run.doc.Errorf(path, "%v", err)
		}
		s.run.remember(path, d)
	}
	return &linkWant{scope: s, name: name, linkDeclaration: d}, nil
}

// wantUndeclared is the linkWant of a link that is planned, although the document
// does not have it, because of what happens to another one.
func wantUndeclared(s *Scope, name string, l *spec.Link) *linkWant {
	return &linkWant{scope: s, name: name, linkDeclaration: linkDeclaration{spec: l}}
}

// remember keeps a declaration for the next plan, unless comparing it changes it.
func (r *Run) remember(path string, d linkDeclaration) {
	if d.kind != nil && kind.Rounds(d.kind) || d.port != nil && kind.Rounds(d.port) {
		return
	}
	if r.declarations == nil {
		r.declarations = map[string]linkDeclaration{}
	}
	r.declarations[path] = d
}

// forget has the declaration of a link read anew: what is sent of it is completed
// with what is so only now, the indexes of other links.
func (r *Run) forget(w *linkWant) {
	if w != nil {
		delete(r.declarations, w.path())
	}
}

func readLink(l *spec.Link) (d linkDeclaration, err error) {
	d.spec = l
	if l.Kind != "" {
		k, ok := kind.New(l.Kind)
		if !ok {
			return d, fmt.Errorf("kind %s is not supported by this version", l.Kind)
		}
		d.kind = kind.Bound(k)
		if err := setOptions(d.kind, l.Options[l.Kind]); err != nil {
			return d, err
		}
	}
	for _, section := range slices.Sorted(maps.Keys(l.Options)) {
		master, ok := strings.CutSuffix(section, portSuffix)
		if !ok {
			continue
		}
		p, ok := kind.NewPort(master)
		if !ok {
			return d, fmt.Errorf("%s is not supported by this version", section)
		}
		d.port = kind.Bound(p)
		if err := setOptions(d.port, l.Options[section]); err != nil {
			return d, err
		}
	}
	d.findRefs()
	return d, nil
}

func setOptions(k kind.Kind, options map[string]any) error {
	fields := k.Fields()
	for _, key := range slices.Sorted(maps.Keys(options)) {
		f, ok := fields.Lookup(key)
		if !ok {
			return fmt.Errorf("%s: unknown key", key)
		}
		if err := f.Value.Set(options[key]); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

// linkRef is a reference from one link to another of the same scope.
type linkRef struct {
	key  string // in the document
	name string
	// late references are set when all links are there (a bond's primary, which
	// is a port of it), so they do not count for the order.
	late bool
}

// findRefs collects the links that the link refers to.
func (d *linkDeclaration) findRefs() {
	if p := d.spec.Parent; p != nil {
		d.refs = append(d.refs, linkRef{"link", *p, false})
	}
	if m := d.spec.Master; m != nil && *m != spec.None {
		d.refs = append(d.refs, linkRef{"master", *m, false})
	}
	d.refs = append(d.refs, kindRefs(d.kind, "")...)
	d.refs = append(d.refs, kindRefs(d.port, portSuffix)...)
}

func kindRefs(k kind.Kind, suffix string) (refs []linkRef) {
	if k == nil {
		return nil
	}
	rows := k.Fields()
	for i, f := range rows {
		for _, r := range rows[i : i+1].Refs() {
			if r.Name != "" {
				refs = append(refs, linkRef{k.Name() + suffix + "." + f.Name, r.Name, f.Late})
			}
		}
	}
	return refs
}

// observedKind returns what the kernel reports of a link's kind, with names for
// indexes; false for a link without a known kind. It is not to be changed.
func (s *Scope) observedKind(l *route.Link) (kind.Kind, bool) {
	if k, known := s.links.kinds[l.Index]; known {
		return k, k != nil
	}
	k, ok := kind.New(l.Kind)
	if ok {
		k = kind.Bound(k)
		ok = s.decode(k, l.Data)
	}
	if !ok {
		k = nil
	}
	s.links.kinds[l.Index] = k
	return k, ok
}

// observedPort returns what the kernel reports of a link as a port.
func (s *Scope) observedPort(l *route.Link) (kind.Kind, bool) {
	k, ok := kind.NewPort(l.SlaveKind)
	if !ok {
		return nil, false
	}
	k = kind.Bound(k)
	return k, s.decode(k, l.SlaveData)
}

func (s *Scope) decode(k kind.Kind, data []byte) bool {
	if _, err := kind.Decode(k, data); err != nil {
		return false
	}
	for _, r := range k.Fields().Refs() {
		r.Name = s.LinkName(r.Index)
	}
	return true
}
