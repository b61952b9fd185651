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

// linkPlan compares the links of all scopes at once, because pairs reach from
// one namespace into another. It is pure: it reads scopes and writes steps.
type linkPlan struct {
	run     *Run
	wants   []*linkWant // what a link refers to comes before it
	byPlace map[linkPlace]*linkWant
	// peers are the far ends of declared pairs, declared themselves or not.
	peers  map[linkPlace]*linkWant
	steps  []*linkStep
	events map[*Scope][]LinkEvent
	errs   spec.Errors
	// unmanaged are links that `prune: all` cannot delete.
	unmanaged []string
}

func planLinks(r *Run) (*linkPlan, error) {
	p := &linkPlan{
		run: r, byPlace: map[linkPlace]*linkWant{}, peers: map[linkPlace]*linkWant{},
		events: map[*Scope][]LinkEvent{},
	}
	if err := p.declare(); err != nil {
		return nil, err
	}
	if r.deleting {
		p.deleteDeclared()
		return p, nil
	}
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
	p.checkNames()
	p.levels()
	p.clearTheWay()
	if len(p.errs) > 0 {
		return nil, p.errs
	}
	return p, nil
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
				return p.run.doc.Errorf(spec.Path(s.Name, "links", name), "%v", err)
			}
			p.wants = append(p.wants, w)
			p.byPlace[w.place()] = w
		}
	}
	for _, w := range p.wants {
		p.tie(w)
	}
	return nil
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
		for _, r := range w.refs {
			to, at := linkPlace{w.scope, r.name}, w.path(anySlice(strings.Split(r.key, "."))...)
			have := w.scope.links.byName[r.name]
			switch {
			case p.byPlace[to] != nil, p.peers[to] != nil:
			case have == nil:
				p.fail(at, "link %s neither exists nor is declared", to)
			case p.pruned(w.scope, have):
				p.fail(at, "link %s is no longer declared and will be deleted", to)
			}
		}
	}
}

func anySlice(words []string) []any {
	a := make([]any, len(words))
	for i, w := range words {
		a[i] = w
	}
	return a
}

// pruned tells whether an undeclared link goes.
func (p *linkPlan) pruned(s *Scope, l *route.Link) bool {
	here := linkPlace{s, l.Name}
	if p.byPlace[here] != nil || p.peers[here] != nil && s.isPair(l) {
		return false
	}
	m := s.linkMaker(l)
	if m == Foreign && s.Spec != nil && s.Spec.Ignore.Link(l.Name) {
		return false
	}
	return s.prunes("link", m)
}

// prune plans the deletion of undeclared links. Their side effects are counted
// before the declared links are compared.
func (p *linkPlan) prune(s *Scope) {
	if s.leaves() {
		return // everything goes with the namespace
	}
	for _, i := range slices.Sorted(maps.Keys(s.links.byIndex)) {
		l := s.links.byIndex[i]
		if s.links.state[i].gone || p.tied(s, l) || !p.pruned(s, l) {
			continue
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
		if l == nil || w.kind == nil || w.scope.leaves() || w.scope.linkMaker(l) != Ours {
			continue
		}
		st := &linkStep{action: Delete, scope: w.scope, name: w.name, have: l}
		p.remove(st, w.scope, l)
		p.steps = append(p.steps, st)
	}
}

// compare plans one declared link.
func (p *linkPlan) compare(w *linkWant) {
	have, rename := p.find(w)
	st := &linkStep{scope: w.scope, name: w.name, want: w, have: have, rename: rename}
	switch {
	case have == nil:
		p.create(st)
	case w.scope.links.state[have.Index].gone:
		p.recreate(st, "goes with what it stands on")
	default:
		if why := p.mustRecreate(st); why != nil {
			st.fields = why
			p.recreate(st, "")
			break
		}
		st.action = Change
		p.change(st)
	}
	if !st.empty() {
		p.steps = append(p.steps, st)
	}
}

// find returns the kernel's link for a declared one: by its name, or, for the
// far end of a pair, as the end that the near one has, which may have to be
// renamed.
func (p *linkPlan) find(w *linkWant) (have *route.Link, rename bool) {
	if w.madeBy != nil {
		if near := w.madeBy.scope.links.byName[w.madeBy.name]; near != nil {
			if far, s, ok := w.madeBy.scope.peerLink(near); ok && s == w.scope {
				return far, far.Name != w.name
			}
		}
		if l := w.scope.links.byName[w.name]; l != nil && !w.scope.links.state[l.Index].gone {
			p.fail(w.path(), "link %s exists already%s and is not the peer of %s", w.name, w.scope.in(), w.madeBy.place())
		}
		return nil, false
	}
	l := w.scope.links.byName[w.name]
	if l == nil || l.Name == w.name || w.kind == nil {
		return l, false
	}
	if d := p.byPlace[linkPlace{w.scope, l.Name}]; d != nil && d.spec.AltNames != nil && !slices.Contains(*d.spec.AltNames, w.name) {
		return nil, false // free by then
	}
	p.fail(w.path(), "%s is an alternative name of link %s", w.name, l.Name)
	return l, false
}

func (p *linkPlan) create(st *linkStep) {
	w := st.want
	st.action = Create
	if w.kind == nil {
		st.quiet = true
		if w.madeBy == nil {
			return
		}
	}
	w.scope.links.plan(w.name)
	st.mark = newMark(w.scope.Owner(), w.scope.Protocol())
	p.setAll(st)
}

// setAll plans everything declared of a link that is made.
func (p *linkPlan) setAll(st *linkStep) {
	w := st.want
	for _, f := range linkFields {
		if _, ok := f.want(w.spec); ok && (f.late || w.kind == nil) {
			st.generic = append(st.generic, f)
		}
	}
	if m := w.spec.Master; m != nil && *m != spec.None {
		st.master = m
	}
	if w.port != nil {
		st.ports = allChanges(w.port)
	}
	if w.spec.AltNames != nil {
		st.altAdd = *w.spec.AltNames
	}
	if w.spec.Up {
		st.up = new(true)
	}
	st.lowered = !w.spec.Up && w.kind != nil && kind.FollowsDown(w.kind)
}

// recreate plans to delete a link and to make it anew.
func (p *linkPlan) recreate(st *linkStep, reason string) {
	w := st.want
	if w.kind == nil && w.madeBy != nil {
		p.create(st)
		w.scope.links.successors[st.have.Index] = w.scope.links.plan(w.name)
		st.have = nil
		return
	}
	if w.kind == nil || w.scope.linkMaker(st.have) != Ours {
		p.refuse(st, reason)
		return
	}
	st.action, st.reason = Replace, reason
	p.remove(st, w.scope, st.have)
	i := w.scope.links.plan(w.name)
	w.scope.links.successors[st.have.Index] = i
	st.mark = newMark(w.scope.Owner(), w.scope.Protocol())
	p.setAll(st)
}

func (p *linkPlan) refuse(st *linkStep, reason string) {
	var what []string
	for _, f := range st.fields {
		what = append(what, f.String())
	}
	if reason != "" {
		what = append(what, reason)
	}
	p.fail(st.want.path(), "link %s would have to be recreated (%s), but nlapply did not create it", st.name, strings.Join(what, ", "))
}

// allChanges returns every option that is set, as a change from nothing.
func allChanges(k kind.Kind) []attrChange {
	var cs []attrChange
	for _, f := range k.Fields() {
		if f.Value.IsSet() {
			cs = append(cs, attrChange{Name: f.Name, Want: f.Value.String(), When: f.When})
		}
	}
	return cs
}

// order sorts the declared links so that what a link refers to comes before it.
func (p *linkPlan) order() error {
	const (
		visiting = 1
		done     = 2
	)
	state := map[*linkWant]int{}
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
		for _, to := range p.dependencies(w) {
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
		d := p.byPlace[place]
		if d == nil {
			d = p.peers[place]
		}
		if d != nil && !r.late {
			to = append(to, d)
		}
	}
	if w.madeBy != nil {
		to = append(to, w.madeBy)
	}
	return to
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

// levels counts how many creations must come before each one.
func (p *linkPlan) levels() {
	made := map[*linkWant]*linkStep{}
	for _, st := range p.steps {
		if st.want == nil || st.action != Create && st.action != Replace {
			continue
		}
		for _, to := range p.dependencies(st.want) {
			if d := made[to]; d != nil {
				st.level = max(st.level, d.level+1)
			}
		}
		made[st.want] = st
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
// them: two vlans of one id, two tunnels of one key, two links of one name.
func (p *linkPlan) clearTheWay() {
	type place struct {
		scope *Scope
		kind  string
	}
	made, named := map[place]bool{}, map[linkPlace]bool{}
	for _, st := range p.steps {
		if st.want != nil && st.want.kind != nil && st.action != Change {
			made[place{st.scope, st.want.kind.Name()}] = true
		}
		if st.want != nil && st.want.peer != nil {
			named[*st.want.peer] = true
		}
		named[linkPlace{st.scope, st.name}] = named[linkPlace{st.scope, st.name}] || st.rename
	}
	for _, st := range p.steps {
		if st.action == Delete && (made[place{st.scope, st.have.Kind}] || named[linkPlace{st.scope, st.name}]) {
			st.early = true
		}
	}
}

// lossError names what a plan would destroy of others.
func (p *linkPlan) lossError() error {
	var lost []string
	for _, st := range p.steps {
		if st.action != Delete {
			lost = append(lost, st.lost...)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	return fmt.Errorf("the plan takes down what cannot be put back (%s); --allow-loss does it all the same", strings.Join(lost, "; "))
}
