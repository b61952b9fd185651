package reconcile

import (
	"slices"
	"strings"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/kind"
	"github.com/nlapply/nlapply/spec"
)

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
	switch {
	case l == nil || w.kind == nil:
		return l, false
	case l.Name == w.name && p.claimed(w, l):
		return nil, false // renamed or gone by then
	case l.Name == w.name:
		return l, false
	}
	if w.scope.links.state[l.Index].gone {
		return nil, false
	}
	if d := p.byPlace[linkPlace{w.scope, l.Name}]; d != nil && d.spec.AltNames != nil && !slices.Contains(*d.spec.AltNames, w.name) {
		return nil, false // free by then
	}
	p.fail(w.path(), "%s is an alternative name of link %s", w.name, l.Name)
	return l, false
}

// claimed tells whether l, which has w's name, is the far end of another declared
// pair, under another name.
func (p *linkPlan) claimed(w *linkWant, l *route.Link) bool {
	far, s, ok := w.scope.peerLink(l)
	if !ok {
		return false
	}
	other := p.byPlace[linkPlace{s, far.Name}]
	switch {
	case other == nil || other.peer == nil || *other.peer == w.place():
		return false
	case w.peer == nil:
		return true
	}
	_, marked := ownMark(far.AltNames, s.Owner())
	return *w.peer != other.place() && marked
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
	w.plan()
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
	st.regains = p.risesByJoining(st)
	st.lowered = !w.spec.Up && (w.kind != nil && kind.FollowsDown(w.kind) || st.regains)
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
	if w.kind == nil || w.scope.linkMaker(st.have) != Ours && !w.scope.farEndOfOurs(st.have) {
		p.refuse(st, reason)
		return
	}
	st.action, st.reason = Replace, reason
	p.remove(st, w.scope, st.have)
	if st.peer == "" && w.peer != nil { // the old link had none
		st.peer = w.peer.seenFrom(w.scope)
	}
	w.scope.links.successors[st.have.Index] = w.plan()
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
