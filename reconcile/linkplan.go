package reconcile

import (
	"maps"
	"slices"
	"strings"

	"github.com/nlapply/nlapply/spec"
)

// linkPlan compares the links of all scopes at once, because pairs reach from
// one namespace into another. It is pure: it reads scopes and writes steps.
type linkPlan struct {
	run     *Run
	wants   []*linkWant // what a link refers to comes before it
	byPlace map[linkPlace]*linkWant
	// peers are the far ends of declared pairs, declared themselves or not.
	peers map[linkPlace]*linkWant
	// alts are the declared links by their alternative names.
	alts   map[linkPlace]*linkWant
	steps  []*linkStep
	events map[*Scope][]LinkEvent
	errs   spec.Errors
	// unmanaged are links that `prune: all` cannot delete.
	unmanaged []string
}

func planLinks(r *Run) (*linkPlan, error) {
	p := &linkPlan{
		run: r, byPlace: map[linkPlace]*linkWant{}, peers: map[linkPlace]*linkWant{}, alts: map[linkPlace]*linkWant{},
		events: map[*Scope][]LinkEvent{},
	}
	if err := p.declare(); err != nil {
		return nil, err
	}
	if r.deleting {
		p.deleteDeclared()
		p.index()
		return p, nil
	}
	p.await()
	p.check()
	if len(p.errs) > 0 {
		return nil, p.errs
	}
	if err := p.order(); err != nil {
		return nil, err
	}
	for _, s := range r.scopes {
		p.prune(s)
	}
	for i := 0; i < len(p.wants); i++ { // ports to be put back are added on the way
		p.compare(p.wants[i])
	}
	p.readdress()
	p.checkNames()
	p.levels()
	p.clearTheWay()
	p.setAside()
	if len(p.errs) > 0 {
		return nil, p.errs
	}
	p.index()
	return p, nil
}

// index makes the steps that plans print known by their links.
func (p *linkPlan) index() {
	for _, st := range p.steps {
		if st.have == nil || st.quiet {
			continue
		}
		if st.scope.links.steps == nil {
			st.scope.links.steps = map[int32]*linkStep{}
		}
		st.scope.links.steps[st.have.Index] = st
	}
}

// declare reads the document's links and ties the ends of pairs together.
func (p *linkPlan) declare() error {
	for _, s := range p.run.scopes {
		if s.Spec == nil {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(s.Spec.Links)) {
			w, err := newLinkWant(s, name, s.Spec.Links[name])
			if err != nil {
				return err
			}
			p.wants = append(p.wants, w)
			p.byPlace[w.place()] = w
			for _, alt := range deref(w.spec.AltNames) {
				p.alts[linkPlace{s, alt}] = w
			}
		}
	}
	for _, w := range p.wants {
		p.tie(w)
	}
	for _, w := range p.wants {
		p.alias(w)
	}
	return nil
}

// declared returns the declared link that goes by a name: its own, that of the far
// end of its pair, or an alternative one.
func (p *linkPlan) declared(at linkPlace) *linkWant {
	for _, by := range []map[linkPlace]*linkWant{p.byPlace, p.peers, p.alts} {
		if w := by[at]; w != nil {
			return w
		}
	}
	return nil
}

// alias finds the link that is adopted by an alternative name. By its own name it
// is declared, too.
func (p *linkPlan) alias(w *linkWant) {
	l := w.scope.links.byName[w.name]
	if w.kind != nil || w.madeBy != nil || l == nil || l.Name == w.name || p.run.holds(w.object()) {
		return
	}
	here := linkPlace{w.scope, l.Name}
	if p.byPlace[here] != nil {
		p.fail(w.path(), "%s is an alternative name of link %s, which is declared by that name, too", w.name, here)
		return
	}
	p.byPlace[here] = w
}

func (p *linkPlan) tie(w *linkWant) {
	peer := w.spec.Peer
	if peer == nil {
		return
	}
	s := w.scope
	if peer.Namespace != nil {
		s = p.run.scope(*peer.Namespace)
	}
	if s == nil && p.run.doc.Namespaces[*peer.Namespace] != nil {
		return // it is not made for now, so this link has to wait
	}
	if s == nil {
		p.fail(w.path("peer", "namespace"), "namespace %s is not declared", *peer.Namespace)
		return
	}
	w.peer = &linkPlace{s, peer.Name}
	p.peers[*w.peer] = w
	if other := p.byPlace[*w.peer]; other != nil {
		other.madeBy = w
	}
}

func (p *linkPlan) fail(path, format string, args ...any) {
	p.errs = append(p.errs, p.run.doc.Errorf(path, format, args...))
}

// check finds links that must exist and do not.
func (p *linkPlan) check() {
	for _, w := range p.wants {
		if w.kind == nil && w.madeBy == nil && w.scope.links.byName[w.name] == nil {
			p.fail(w.path(), "link %s does not exist%s, and has no kind to make it of", w.name, w.scope.in())
		}
		if n := w.hardwareLen(); w.spec.Address != nil && n > 0 && len(w.spec.Address) != n {
			p.fail(w.path("address"), "a hardware address of this link has %d bytes, not %d", n, len(w.spec.Address))
		}
		for _, r := range w.refs {
			to, at := linkPlace{w.scope, r.name}, w.path(anySlice(strings.Split(r.key, "."))...)
			have := w.scope.links.byName[r.name]
			switch {
			case p.declared(to) != nil:
			case have == nil:
				p.fail(at, "link %s neither exists nor is declared", to)
			case p.pruned(w.scope, have):
				p.fail(at, "link %s is no longer declared and will be deleted", to)
			}
		}
		p.checkPort(w)
	}
}

// checkPort finds options of a port that has no master of their kind.
func (p *linkPlan) checkPort(w *linkWant) {
	if w.port == nil {
		return
	}
	links, master := w.scope.links.byName, ""
	if w.spec.Master != nil {
		master = *w.spec.Master
	} else if have := links[w.name]; have != nil {
		master = w.scope.LinkName(have.Master)
	}
	declared, have := p.byPlace[linkPlace{w.scope, master}], links[master]
	switch {
	case declared != nil && declared.kind != nil && declared.kind.Name() == w.port.Name():
	case have != nil && have.Kind == w.port.Name() && (declared == nil || declared.kind == nil):
	case declared == nil && have == nil && w.spec.Master != nil: // that has been said
	default:
		p.fail(w.path(w.port.Name()+portSuffix), "%s is a port of no %s", w.name, w.port.Name())
	}
}

func anySlice(words []string) []any {
	a := make([]any, len(words))
	for i, w := range words {
		a[i] = w
	}
	return a
}
