package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/nlapply/nlapply/netlink/route"
)

// pruned tells whether an undeclared link goes.
func (p *linkPlan) pruned(s *Scope, l *route.Link) bool {
	here := linkPlace{s, l.Name}
	if w := p.byPlace[here]; w != nil && (w.madeBy == nil || isPair(l)) || p.isDeclaredPeer(s, l) {
		return false
	}
	m := s.linkMaker(l)
	if m == Foreign && s.Spec != nil && s.Spec.Ignore.Link(l.Name) {
		return false
	}
	return s.prunes("link", m)
}

// isDeclaredPeer tells whether l is the far end of a declared pair under its
// declared name.
func (p *linkPlan) isDeclaredPeer(s *Scope, l *route.Link) bool {
	w := p.peers[linkPlace{s, l.Name}]
	near, in, ok := s.peerLink(l)
	return w != nil && ok && w.place() == linkPlace{in, near.Name}
}

// prune plans the deletion of undeclared links, each by itself, what stands on
// others first. Their side effects are counted before the declared links are
// compared.
func (p *linkPlan) prune(s *Scope) {
	var all []*route.Link
	for _, l := range s.links.byIndex {
		if (!s.leaves() && p.pruned(s, l) || s.goesBeforeNamespace(l)) && !p.run.holds(Object{s.Name, "link", "", l.Name}) {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b *route.Link) int { return cmp.Or(s.depth(b)-s.depth(a), int(a.Index-b.Index)) })
	for _, l := range all {
		if s.links.state[l.Index].gone && isPair(l) || p.tied(s, l) {
			continue // the far end is in the line of the near one
		}
		if l.Kind == "" {
			p.unmanaged = append(p.unmanaged, linkPlace{s, l.Name}.String())
			continue
		}
		st := &linkStep{action: Delete, scope: s, name: l.Name, have: l}
		p.remove(st, s, l)
		p.steps = append(p.steps, st)
	}
}

// goesBeforeNamespace tells whether a link has to be deleted although its namespace
// goes with everything in it: the kernel would take the far end of a pair out of
// another namespace at some later time.
func (s *Scope) goesBeforeNamespace(l *route.Link) bool {
	if !s.leaves() {
		return false
	}
	_, in, ok := s.peerLink(l)
	return ok && !in.leaves()
}

// tied tells whether a declared link would go with l: the other end of its
// pair, or a link that stands on it.
func (p *linkPlan) tied(s *Scope, l *route.Link) bool {
	if near, ns, ok := s.peerLink(l); ok {
		w := p.byPlace[linkPlace{ns, near.Name}]
		if w != nil && w.madeBy != nil {
			return w.madeBy.place() == linkPlace{s, l.Name} // else left over: the pair is made anew
		}
		return w != nil && (w.peer != nil || w.kind == nil)
	}
	for _, o := range s.standingOn(l) {
		if w := p.byPlace[linkPlace{s, o.Name}]; w != nil && w.kind == nil {
			return true
		}
	}
	return false
}

// deleteDeclared plans what `delete` does: declared links of ours go.
func (p *linkPlan) deleteDeclared() {
	for _, w := range p.wants {
		l := w.scope.links.byName[w.name]
		if l == nil || w.kind == nil || w.scope.leaves() && !w.scope.goesBeforeNamespace(l) || w.scope.linkMaker(l) != Ours && !w.scope.farEndOfOurs(l) {
			continue
		}
		st := &linkStep{action: Delete, scope: w.scope, name: w.name, have: l}
		p.remove(st, w.scope, l)
		p.steps = append(p.steps, st)
	}
}

// lossError names what a plan would destroy of others. That addresses and routes
// end with a link of ours that goes is what the document says; that others' links
// do is not.
func (p *linkPlan) lossError() error {
	var lost []string
	for _, st := range p.steps {
		if st.action == Delete {
			lost = append(lost, st.orphans...)
		} else {
			lost = append(lost, st.losses()...)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	return fmt.Errorf("the plan takes down what cannot be put back (%s); --allow-loss does it all the same", strings.Join(lost, "; "))
}
