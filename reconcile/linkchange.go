package reconcile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/attr"
	"github.com/nlapply/nlapply/netlink/route/kind"
	"github.com/nlapply/nlapply/spec"
)

type attrChange = attr.Change

// mustRecreate returns what of a declared link the kernel cannot change.
func (p *linkPlan) mustRecreate(st *linkStep) (why []FieldChange) {
	w, have := st.want, st.have
	if w.kind == nil {
		return nil
	}
	if have.Kind != w.kind.Name() {
		return []FieldChange{{"kind", kindName(have), w.kind.Name()}}
	}
	if parent := w.spec.Parent; parent != nil && (have.HasParentNetNSID || w.scope.Index(*parent) != have.Parent) {
		why = append(why, FieldChange{"link", w.scope.LinkName(have.Parent), *parent})
	}
	if len(w.spec.Options[w.spec.Kind]) > 0 {
		hk, ok := w.scope.observedKind(have)
		if !ok {
			return why
		}
		st.haveKind = hk
		st.options = kind.Diff(w.kind, hk)
	}
	for _, c := range st.options {
		if c.When == attr.AtCreation {
			why = append(why, FieldChange{w.kind.Name() + "." + c.Name, c.Have, c.Want})
		}
	}
	return append(why, p.peerMoved(st)...)
}

func kindName(l *route.Link) string {
	if l.Kind == "" {
		return "none"
	}
	return l.Kind
}

// peerMoved tells whether the far end of a pair is in another namespace than
// declared: pairs are not moved.
func (p *linkPlan) peerMoved(st *linkStep) []FieldChange {
	w := st.want
	if w.peer == nil {
		return nil
	}
	far, s, ok := w.scope.peerLink(st.have)
	switch {
	case !ok:
		return []FieldChange{{"peer.namespace", "unknown", w.peer.scope.Name}}
	case s != w.peer.scope:
		return []FieldChange{{"peer.namespace", quoteEmpty(s.Name), quoteEmpty(w.peer.scope.Name)}}
	case p.byPlace[*w.peer] == nil && far.Name != w.peer.name:
		p.renamePeer(w, s, far)
	}
	return nil
}

// renamePeer plans the renaming of a far end that is not declared itself.
func (p *linkPlan) renamePeer(near *linkWant, s *Scope, far *route.Link) {
	name := near.peer.name
	st := &linkStep{action: Change, scope: s, name: name, have: far, rename: true}
	st.want = wantUndeclared(s, name, &spec.Link{Up: far.IsUp()})
	st.want.madeBy = near
	p.change(st)
	p.steps = append(p.steps, st)
}

func quoteEmpty(s string) string {
	if s == "" {
		return `""`
	}
	return s
}

// change plans what the kernel can change of an existing link.
func (p *linkPlan) change(st *linkStep) {
	w, have, s := st.want, st.have, st.scope
	state := s.links.state[have.Index]
	st.regains = state.released
	if st.rename {
		st.change("name", have.Name, w.name)
		s.links.rename(have, w.name)
		st.bounce = state.up && !canRenameUp()
	}
	for _, f := range linkFields {
		if want, ok := f.want(w.spec); ok && want != f.have(have) {
			st.generic = append(st.generic, f)
			st.change(f.name, f.have(have), want)
			if f.event != nil {
				p.event(st, s, *f.event, have.Index)
			}
		}
	}
	for _, c := range st.options {
		st.change(w.kind.Name()+"."+c.Name, c.Have, c.Want)
		st.bounce = st.bounce || c.When == attr.WhileDown && state.up
		if c.NoPorts {
			p.releasePorts(st)
		}
	}
	p.changeMaster(st, state)
	p.changePort(st)
	p.changeAltNames(st)
	p.changeMTU(st)
	if mtu := w.spec.MTU; mtu != nil && *mtu < minIPv6MTU && have.MTU >= minIPv6MTU {
		p.event(st, s, LinkNoIPv6, have.Index)
	}
	if st.bounce {
		p.down(st, s, have, w.spec.Up)
	}
	p.changeUp(st, state)
	if len(st.fields) == 0 && st.regains && (w.spec.MTU != nil || w.spec.Address != nil) {
		st.quiet = true
	}
}

// changeMTU notes which other links have another MTU afterwards: the ports of a
// bond, and what stands on the link and has a larger one.
func (p *linkPlan) changeMTU(st *linkStep) {
	s, mtu := st.scope, st.want.spec.MTU
	if mtu == nil || *mtu == st.have.MTU {
		return
	}
	if traitsOf(st.have.Kind).releasesDown { // drivers/net/bonding/bond_main.c, bond_change_mtu
		st.resized = append(st.resized, s.portsOf(st.have)...)
	}
	for _, o := range s.standingOn(st.have) {
		if o.MTU > *mtu {
			st.resized = append(st.resized, o)
		}
	}
}

// minIPv6MTU is IPV6_MIN_MTU: below it the kernel takes IPv6 off the link
// (net/ipv6/addrconf.c, addrconf_notify).
const minIPv6MTU = 1280

func (p *linkPlan) changeMaster(st *linkStep, state *linkState) {
	w, s := st.want, st.scope
	if w.spec.Master == nil {
		return
	}
	name, index := *w.spec.Master, int32(0)
	if name == spec.None {
		name = ""
	} else {
		index = s.Index(name)
	}
	if index == state.master {
		return
	}
	old, neu := s.masterKind(state.master), p.masterKind(s, name)
	st.master = &name
	st.regains = st.regains || old.releasesDown || neu.wantsDown
	st.change("master", s.LinkName(state.master), name)
	if state.master != 0 {
		p.event(st, s, LinkLeft, st.have.Index)
	}
	if old.movesRoutes || neu.movesRoutes {
		p.event(st, s, LinkVRF, st.have.Index)
	}
	if state.up && (old.releasesDown || neu.wantsDown) {
		st.bounce = true
	}
	state.master = index
}

func (p *linkPlan) changePort(st *linkStep) {
	w := st.want
	if w.port == nil {
		return
	}
	have, ok := st.scope.observedPort(st.have)
	if !ok || have.Name() != w.port.Name() || st.master != nil {
		st.ports = allChanges(w.port)
	} else {
		st.ports = kind.Diff(w.port, have)
		st.havePort = have
	}
	for _, c := range st.ports {
		st.change(w.port.Name()+portSuffix+"."+c.Name, c.Have, c.Want)
	}
}

func (p *linkPlan) changeAltNames(st *linkStep) {
	if st.want.spec.AltNames == nil {
		return
	}
	want := *st.want.spec.AltNames
	for _, n := range want {
		if !slices.Contains(st.have.AltNames, n) {
			st.altAdd = append(st.altAdd, n)
			st.scope.links.byName[n] = st.have
		}
	}
	for _, n := range st.have.AltNames {
		if !strings.HasPrefix(n, markPrefix) && !slices.Contains(want, n) {
			st.altDel = append(st.altDel, n)
		}
	}
	if len(st.altAdd)+len(st.altDel) > 0 {
		st.change("altnames", strings.Join(userAltNames(st.have), ","), strings.Join(want, ","))
	}
}

// userAltNames returns the alternative names that are no marks.
func userAltNames(l *route.Link) (names []string) {
	for _, n := range l.AltNames {
		if !strings.HasPrefix(n, markPrefix) {
			names = append(names, n)
		}
	}
	return names
}

func (p *linkPlan) changeUp(st *linkStep, state *linkState) {
	want, was := st.want.spec.Up, st.have.Flags&iffUp != 0
	raised := p.risesWithParent(st) || p.risesByJoining(st)
	switch {
	case want && (!state.up || st.bounce):
		st.up = new(true)
	case !want && state.up:
		st.up = new(false)
		st.lowered = raised
		p.down(st, st.scope, st.have, false)
	case !want && raised:
		st.lowered, st.quiet = true, st.empty()
	}
	if want != was || want && !state.up && st.empty() {
		st.change("up", strconv.FormatBool(!want), strconv.FormatBool(want))
	}
	state.up = want
	if state.rises = st.up != nil && want || raised; state.rises {
		p.keepDown(st)
	}
}

// risesWithParent tells whether the kernel takes the link up because the plan
// takes its parent up (net/8021q/vlan.c, vlan_device_event).
func (p *linkPlan) risesWithParent(st *linkStep) bool {
	l, s := st.have, st.scope
	if !l.HasParent || l.HasParentNetNSID || !s.followsDown(l) {
		return false
	}
	parent := s.links.state[l.Parent]
	return parent != nil && parent.rises
}

// risesByJoining tells whether the kernel takes the link up because the plan makes
// it a port (drivers/net/bonding/bond_main.c, bond_enslave).
func (p *linkPlan) risesByJoining(st *linkStep) bool {
	return st.master != nil && p.masterKind(st.scope, *st.master).wantsDown
}

// keepDown sees to it that links which are down stay so when the kernel raises
// them together with the step's: declared ones have a step of their own.
func (p *linkPlan) keepDown(st *linkStep) {
	s := st.scope
	for _, o := range s.followers(st.have) {
		if s.links.state[o.Index].up {
			continue
		}
		st.lifted = append(st.lifted, o)
		w := wantUndeclared(s, o.Name, new(spec.Link))
		if p.byPlace[w.place()] == nil && p.peers[w.place()] == nil {
			p.byPlace[w.place()] = w
			p.wants = append(p.wants, w)
		}
	}
}

// canRenameUp tells whether the kernel renames links that are up, which it does
// since 6.2 (net/core/dev.c, dev_change_name).
var canRenameUp = sync.OnceValue(func() bool {
	var u unix.Utsname
	var major, minor int
	if unix.Uname(&u) != nil {
		return false
	}
	fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &major, &minor)
	return major > 6 || major == 6 && minor >= 2
})
