package reconcile

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/kind"
	"github.com/nlapply/nlapply/spec"
)

// event notes a side effect of a step on the objects behind a link.
func (p *linkPlan) event(st *linkStep, s *Scope, k EventKind, index int32) {
	p.events[s] = append(p.events[s], LinkEvent{Kind: k, Index: index, step: st})
}

// blame returns the step in whose line the victims of an event are counted: what
// the plan does to the link itself, else what brings the event about.
func (s *Scope) blame(e LinkEvent) *linkStep {
	if own := s.links.steps[e.Index]; own != nil && e.step != nil {
		return own
	}
	return e.step
}

// keepsLink tells whether the link of an event is there after the plan, in a
// state in which what it loses can be put back.
func (s *Scope) keepsLink(e LinkEvent) bool {
	state := s.links.state[e.Index]
	switch {
	case e.step == nil:
		return true
	case e.Kind == LinkRemoved:
		return s.links.successors[e.Index] != 0
	case state == nil || state.gone:
		return false
	case e.Kind == LinkLeft:
		return state.master != 0
	}
	return state.up || e.Kind == LinkVRF
}

// remove notes that a link goes, and what the kernel takes with it: its far
// end, the links above it, and the membership of its ports.
func (p *linkPlan) remove(st *linkStep, s *Scope, l *route.Link) {
	state := s.links.state[l.Index]
	if state.gone {
		return
	}
	state.gone = true
	p.event(st, s, LinkRemoved, l.Index)
	if far, ns, ok := s.peerLink(l); ok && !ns.links.state[far.Index].gone {
		if st.have == l {
			st.peer = linkPlace{ns, far.Name}.seenFrom(s)
		}
		p.fall(st, ns, far)
	}
	for _, o := range s.standingOn(l) {
		p.fall(st, s, o)
	}
	for _, o := range s.portsOf(l) {
		if state := s.links.state[o.Index]; !state.gone && state.master == l.Index {
			p.releasePort(st, s, o)
		}
	}
}

// fall notes that a link goes because another one goes.
func (p *linkPlan) fall(st *linkStep, s *Scope, l *route.Link) {
	if s.links.state[l.Index].gone {
		return
	}
	here := linkPlace{s, l.Name}
	switch {
	case p.byPlace[here] != nil, p.peers[here] != nil:
		st.early = st.early || st.action == Delete
	case s.linkMaker(l) == Ours, !p.run.deleting && p.pruned(s, l):
	default:
		if _, _, pair := s.peerLink(l); !pair {
			st.orphans = append(st.orphans, "link "+here.String())
		}
	}
	p.remove(st, s, l)
}

// down notes that a link goes down, for a moment or to stay so, and with it the
// links above that follow.
func (p *linkPlan) down(st *linkStep, s *Scope, l *route.Link, comesBack bool) {
	p.event(st, s, LinkDown, l.Index)
	if l != st.have {
		st.followers = append(st.followers, follower{l, comesBack})
	}
	for _, o := range s.followers(l) {
		if state := s.links.state[o.Index]; state.up {
			p.down(st, s, o, comesBack)
			state.up = comesBack
		}
	}
}

// followers returns the links above l that go down and up with it.
func (s *Scope) followers(l *route.Link) (above []*route.Link) {
	for _, o := range s.standingOn(l) {
		if !s.links.state[o.Index].gone && s.followsDown(o) {
			above = append(above, o)
		}
	}
	return above
}

// releasePorts plans to release the ports of a link before it is changed.
func (p *linkPlan) releasePorts(st *linkStep) {
	if len(st.release) > 0 {
		return
	}
	s := st.scope
	for _, o := range s.portsOf(st.have) {
		if state := s.links.state[o.Index]; state.master == st.have.Index && !state.gone {
			st.release = append(st.release, o.Index)
			p.releasePort(st, s, o)
			st.regains = st.regains || s.links.state[o.Index].released // without ports a bond gets a random address
		}
	}
}

// releasePort notes that a link loses its master. A port that others put there
// is put back when the master stays or is made anew as one.
func (p *linkPlan) releasePort(st *linkStep, s *Scope, port *route.Link) {
	state := s.links.state[port.Index]
	master := s.links.byIndex[state.master]
	t := s.masterKind(state.master)
	p.event(st, s, LinkLeft, port.Index)
	if t.movesRoutes {
		p.event(st, s, LinkVRF, port.Index)
	}
	st.released = append(st.released, port)
	declared := p.byPlace[linkPlace{s, port.Name}]
	stays := st.action == Delete && p.stays(s, port)
	// what the port loses is put back when everything new is there
	st.early = st.early || stays && (t.releasesDown || t.movesRoutes)
	state.released = t.releasesDown
	if t.releasesDown && state.up {
		if stays {
			st.raise = append(st.raise, port.Index)
		}
		p.down(st, s, port, stays)
		state.up = stays
	}
	state.master = 0
	if declared != nil {
		st.early = st.early || st.action == Delete
	}
	if declared != nil && !declared.rejoins(port, master.Name) || !takesPorts(st) {
		return
	}
	if declared == nil {
		declared = wantUndeclared(s, port.Name, &spec.Link{Up: port.IsUp()})
		declared.port = s.portToRestore(port, st.want)
		p.wants = append(p.wants, declared)
		p.byPlace[declared.place()] = declared
	}
	l := *declared.spec
	l.Master = &master.Name
	declared.spec = &l
	declared.refs = append(declared.refs, linkRef{"master", master.Name, false})
}

// rejoins tells whether a declared port is put back into a master that had to let it
// go: where the document says nothing of it, and it does not become another link.
func (w *linkWant) rejoins(port *route.Link, master string) bool {
	stands := slices.ContainsFunc(w.refs, func(r linkRef) bool { return r.name == master })
	return w.spec.Master == nil && !stands && (w.kind == nil || w.kind.Name() == port.Kind)
}

// takesPorts tells whether the link of a step has ports again afterwards.
func takesPorts(st *linkStep) bool {
	return st.action == Change || st.action == Replace && kind.IsMaster(st.want.kind)
}

// stays tells whether a link is left as it is: up, too, when the kernel would
// leave it down.
func (p *linkPlan) stays(s *Scope, l *route.Link) bool {
	if p.run.deleting {
		return s.linkMaker(l) != Ours
	}
	return p.byPlace[linkPlace{s, l.Name}] == nil && !p.pruned(s, l)
}

// portToRestore returns the options that a port gets again when its master is
// made anew, nil when that is of another kind.
func (s *Scope) portToRestore(port *route.Link, master *linkWant) kind.Kind {
	k, ok := s.observedPort(port)
	if !ok || master == nil || master.kind == nil || master.kind.Name() != k.Name() {
		return nil
	}
	fields := k.Fields()
	for i := range fields {
		if fields[i].Volatile || fields[i].IsDefault() {
			fields[i].Value.Clear()
		}
	}
	return k
}

// masterTraits is what joining and leaving a master does to a port.
type masterTraits struct {
	wantsDown    bool // a port must be down to join (bond)
	releasesDown bool // a port is down after leaving (bond)
	movesRoutes  bool // routes and IPv6 addresses are lost (vrf)
	followsPorts bool // the master has the address of a port (bridge)
}

func traitsOf(kindName string) (t masterTraits) {
	if k, ok := kind.New(kindName); ok {
		down := kind.PortsJoinDown(k)
		t = masterTraits{wantsDown: down, releasesDown: down, movesRoutes: kind.MovesRoutes(k), followsPorts: kind.FollowsPorts(k)}
	}
	return t
}

func (s *Scope) masterKind(index int32) masterTraits {
	if l := s.links.byIndex[index]; l != nil {
		return traitsOf(l.Kind)
	}
	return masterTraits{}
}

// masterKind returns the traits of a master by its name, as it will be.
func (p *linkPlan) masterKind(s *Scope, name string) masterTraits {
	if w := p.declared(linkPlace{s, name}); w != nil && w.kind != nil {
		return traitsOf(w.kind.Name())
	}
	if l := s.links.byName[name]; l != nil {
		return traitsOf(l.Kind)
	}
	return masterTraits{}
}

// routeTable returns the table that the connected routes of a link are in: that
// of its VRF, or the main one.
func (s *Scope) routeTable(index int32) uint32 {
	for _, i := range []int32{index, s.masterIndex(index)} {
		if l := s.Link(i); l != nil && traitsOf(l.Kind).movesRoutes {
			return optionNumber(s.option(l.Name, "table"))
		}
	}
	return unix.RT_TABLE_MAIN
}

// masterIndex returns the master that a link will have, 0 for none.
func (s *Scope) masterIndex(index int32) int32 {
	if state := s.links.state[index]; state != nil {
		return state.master
	}
	return 0
}

// followsDown tells whether a link goes down with the one below it.
func (s *Scope) followsDown(l *route.Link) bool {
	k, ok := s.observedKind(l)
	return ok && kind.FollowsDown(k)
}

// linkMaker tells who made a link.
func (s *Scope) linkMaker(l *route.Link) Maker {
	if l.Flags&unix.IFF_LOOPBACK != 0 {
		return Kernel // a mark on it is the namespace's
	}
	if _, ok := ownMark(l.AltNames, s.Owner()); ok {
		return Ours
	}
	if len(marksOf(l.AltNames)) > 0 {
		return Other
	}
	if madeByModule(l) {
		return Kernel
	}
	if k, ok := s.observedKind(l); ok && kind.IsFallback(k) || !ok && kind.IsForeignFallback(l.Kind, l.Data) {
		return Kernel
	}
	return Foreign
}

// farEndOfOurs tells whether the other end of a pair bears our mark: one end does.
func (s *Scope) farEndOfOurs(l *route.Link) bool {
	far, in, ok := s.peerLink(l)
	return ok && in.linkMaker(far) == Ours
}

// othersProtocol tells whether a protocol number marks the objects of another
// owner, whose marks are in the namespace. They are never touched.
func (s *Scope) othersProtocol(p uint8) bool {
	if s.others == nil {
		s.others = map[uint8]bool{}
		for _, l := range s.links.byIndex {
			for _, m := range marksOf(l.AltNames) {
				s.others[m.protocol] = s.others[m.protocol] || m.owner != s.Owner()
			}
		}
	}
	return p != 0 && s.others[p]
}

// moduleLinks are the links that a kernel module makes when it is loaded, other
// than fallback tunnels, which their kinds recognise.
var moduleLinks = map[string]string{"dummy0": "dummy", "bond0": "bond", "ifb0": "ifb", "ifb1": "ifb"}

// madeByModule tells whether l looks like a link that came with its module and
// that nobody uses.
func madeByModule(l *route.Link) bool {
	return moduleLinks[l.Name] != "" && moduleLinks[l.Name] == l.Kind && l.Flags&iffUp == 0 && l.Master == 0
}
