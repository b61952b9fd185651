package reconcile

import (
	"slices"
	"strings"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

// order sorts the declared links so that what a link refers to comes before it,
// and what it belongs to now.
func (p *linkPlan) order() error {
	if err := p.sort(p.dependencies); err != nil {
		return err
	}
	held := false
	for _, w := range p.wants {
		held = held || len(p.holders(w)) > 0
	}
	if !held {
		return nil
	}
	return p.sort(func(w *linkWant) []*linkWant { return append(p.dependencies(w), p.holders(w)...) })
}

// sort puts every declared link behind those that it depends on.
func (p *linkPlan) sort(dependencies func(*linkWant) []*linkWant) error {
	const (
		visiting = 1
		done     = 2
	)
	state := map[*linkWant]int{}
	takesPart := map[*linkWant]bool{} // the others wait, or are left alone
	for _, w := range p.wants {
		takesPart[w] = true
	}
	var sorted, trail []*linkWant
	var visit func(w *linkWant) error
	visit = func(w *linkWant) error {
		switch state[w] {
		case done:
			return nil
		case visiting:
			return p.circle(trail, w)
		}
		state[w] = visiting
		trail = append(trail, w)
		for _, to := range dependencies(w) {
			if !takesPart[to] {
				continue
			}
			if err := visit(to); err != nil {
				return err
			}
		}
		trail = trail[:len(trail)-1]
		state[w] = done
		sorted = append(sorted, w)
		return nil
	}
	for _, w := range p.wants {
		if err := visit(w); err != nil {
			return err
		}
	}
	p.wants = sorted
	return nil
}

// dependencies returns what must be made before w.
func (p *linkPlan) dependencies(w *linkWant) (to []*linkWant) {
	for _, r := range w.refs {
		place := linkPlace{w.scope, r.name}
		if d := p.declared(place); d != nil && !r.late {
			to = append(to, d)
		}
	}
	if w.madeBy != nil {
		to = append(to, w.madeBy)
	}
	return to
}

// holders are the declared links that w is a port of, or stands on, as yet: what
// becomes of them is planned first, because it may cost w its master, or itself.
// Those that shall depend on w are left out.
func (p *linkPlan) holders(w *linkWant) []*linkWant {
	return slices.DeleteFunc(p.held(w), func(h *linkWant) bool { return p.reaches(h, w, map[*linkWant]bool{}) })
}

// held is holders with those that shall depend on w. What w refers to is in order
// already.
func (p *linkPlan) held(w *linkWant) (by []*linkWant) {
	have := w.scope.links.byName[w.name]
	if have == nil {
		return nil
	}
	below := []int32{have.Master}
	if !have.HasParentNetNSID && !isPair(have) {
		below = append(below, have.Parent)
	}
	for _, index := range below {
		if l := w.scope.links.byIndex[index]; l != nil {
			h := p.byPlace[linkPlace{w.scope, l.Name}]
			if h != nil && h != w && !slices.Contains(p.dependencies(w), h) {
				by = append(by, h)
			}
		}
	}
	return by
}

// reaches tells whether a link must or may come after another one.
func (p *linkPlan) reaches(from, to *linkWant, seen map[*linkWant]bool) bool {
	if from == to {
		return true
	}
	if seen[from] {
		return false
	}
	seen[from] = true
	return slices.ContainsFunc(slices.Concat(p.dependencies(from), p.held(from)), func(w *linkWant) bool {
		return p.reaches(w, to, seen)
	})
}

// circle names the members of a circle of references.
func (p *linkPlan) circle(trail []*linkWant, w *linkWant) error {
	var names []string
	for _, t := range trail[slices.Index(trail, w):] {
		names = append(names, t.place().String())
	}
	names = append(names, w.place().String())
	return p.run.doc.Errorf(w.path(), "links refer to each other in a circle: %s", strings.Join(names, " → "))
}

// levels counts how many steps must come before each one: a port joins a bond in
// the mode that it shall have, and a VLAN is made on a parent of the MTU that it
// shall have.
func (p *linkPlan) levels() {
	steps := map[*linkWant]*linkStep{}
	for _, st := range p.steps {
		if st.want == nil {
			continue
		}
		for _, to := range p.dependencies(st.want) {
			if d := steps[to]; d != nil {
				st.level = max(st.level, d.level+1)
			}
		}
		for _, to := range p.holders(st.want) {
			if d := steps[to]; d != nil {
				st.level = max(st.level, d.level)
			}
		}
		steps[st.want] = st
	}
}

// checkNames finds links that cannot be renamed because another one has the name
// and keeps it.
func (p *linkPlan) checkNames() {
	renamed := map[*route.Link]bool{}
	for _, st := range p.steps {
		if st.rename {
			renamed[st.have] = true
		}
	}
	for _, st := range p.steps {
		if !st.rename {
			continue
		}
		for _, l := range st.scope.links.byIndex {
			if l.Name == st.name && !renamed[l] && !st.scope.links.state[l.Index].gone {
				p.fail(st.want.madeBy.path("peer", "name"), "link %s cannot be renamed to %s: the name is taken", st.have.Name, st.name)
			}
		}
	}
}

// clearTheWay deletes links before others are made that might not stand beside
// them: two vlans of one id, two tunnels of one key, two links of one name; and
// before their parents become ports, where they take what a port receives.
func (p *linkPlan) clearTheWay() {
	w := &way{
		kinds: map[linkPlace]bool{}, names: map[linkPlace]bool{},
		ports: map[*route.Link]bool{}, emptied: map[*route.Link]bool{},
	}
	for _, st := range p.steps {
		if st.action != Delete {
			w.need(st)
		}
	}
	for _, st := range p.steps {
		st.early = st.early || st.action == Delete && w.blockedBy(st)
	}
}

// way is what the links need that the plan makes or changes.
type way struct {
	kinds map[linkPlace]bool // that are made, in the place of a name
	names map[linkPlace]bool
	ports map[*route.Link]bool // that get another master
	// emptied are masters that are changed without ports.
	emptied map[*route.Link]bool
}

func (w *way) need(st *linkStep) {
	if st.want.kind != nil && st.action != Change {
		w.kinds[linkPlace{st.scope, st.want.kind.Name()}] = true
	}
	if st.want.peer != nil {
		w.names[*st.want.peer] = true
	}
	if st.rename || st.action == Create {
		w.names[linkPlace{st.scope, st.name}] = true
	}
	for _, n := range st.altAdd {
		w.names[linkPlace{st.scope, n}] = true
	}
	if st.master != nil && st.have != nil {
		w.ports[st.have] = true
	}
	if slices.ContainsFunc(st.options, func(c attrChange) bool { return c.NoPorts }) {
		w.emptied[st.have] = true
	}
}

func (w *way) blockedBy(st *linkStep) bool {
	s, l := st.scope, st.have
	far, in, ok := s.peerLink(l)
	if ok && w.wants(in, far) || w.wants(s, l) || w.kinds[linkPlace{s, l.Kind}] || w.emptied[s.links.byIndex[l.Master]] {
		return true
	}
	k, known := s.observedKind(l)
	return known && kind.TakesAll(k) && w.ports[s.links.byIndex[l.Parent]]
}

// wants tells whether a name of l is needed.
func (w *way) wants(s *Scope, l *route.Link) bool {
	return w.names[linkPlace{s, l.Name}] || slices.ContainsFunc(l.AltNames, func(n string) bool { return w.names[linkPlace{s, n}] })
}
