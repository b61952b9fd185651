package reconcile

import (
	"bytes"
	"slices"

	"github.com/nlapply/nlapply/netlink/route"
)

// readdress notes which links get another hardware address because of the ports that
// they get or lose: permanent neighbors go with the old one (net/core/neighbour.c,
// neigh_changeaddr).
func (p *linkPlan) readdress() {
	for _, st := range p.steps {
		if len(st.release) > 0 {
			p.addressMoves(st, st.scope, st.have)
		}
		if st.master == nil {
			continue
		}
		if m := st.scope.links.byName[*st.master]; m != nil && p.takesAddress(st.scope, m, false) {
			p.addressMoves(st, st.scope, m)
		}
	}
	for _, s := range p.run.scopes {
		for _, e := range p.events[s] {
			if e.Kind != LinkRemoved && e.Kind != LinkLeft {
				continue
			}
			m := s.links.byIndex[s.links.byIndex[e.Index].Master]
			if m != nil && p.takesAddress(s, m, true) {
				e.step.early = e.step.early || e.step.action == Delete // before what it costs is put back
				p.addressMoves(e.step, s, m)
			}
		}
	}
}

// takesAddress tells whether the address of a master changes when a port joins or
// leaves. A bridge has the lowest address of its ports until it is set
// (net/bridge/br_stp_if.c, br_stp_recalculate_bridge_id). A bond has that of the first
// port, and another one when the last port is gone (drivers/net/bonding/bond_main.c).
func (p *linkPlan) takesAddress(s *Scope, master *route.Link, leaves bool) bool {
	if s.links.state[master.Index].gone {
		return false
	}
	w, t, ports := p.byPlace[linkPlace{s, master.Name}], traitsOf(master.Kind), s.portsOf(master)
	free := w == nil || w.spec.Address == nil
	has := func(port *route.Link) bool { return bytes.Equal(port.Address, master.Address) }
	stays := func(port *route.Link) bool {
		state := s.links.state[port.Index]
		return !state.gone && state.master == master.Index
	}
	return t.followsPorts && free && (len(ports) == 0 || slices.ContainsFunc(ports, has)) ||
		t.wantsDown && (free || leaves) && !slices.ContainsFunc(ports, stays)
}

// addressMoves notes that a link, and what stands on it and has its address, gets
// another one.
func (p *linkPlan) addressMoves(st *linkStep, s *Scope, l *route.Link) {
	p.event(st, s, LinkAddress, l.Index)
	if l != st.have && !slices.Contains(st.readdressed, l) {
		st.readdressed = append(st.readdressed, l)
	}
	for _, o := range s.standingOn(l) {
		if bytes.Equal(o.Address, l.Address) && !s.links.state[o.Index].gone {
			p.addressMoves(st, s, o)
		}
	}
}
