package reconcile

import (
	"bytes"
	"slices"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

// readdress notes which links get another hardware address because of what happens
// to others: permanent neighbors go with the old one (net/core/neighbour.c,
// neigh_changeaddr).
func (p *linkPlan) readdress() {
	for _, s := range p.run.scopes {
		for _, e := range slices.Clone(p.events[s]) {
			l := s.links.byIndex[e.Index]
			switch e.Kind {
			case LinkAddress:
				p.addressFollows(e.step, s, l)
			case LinkRemoved, LinkLeft:
				if m := s.links.byIndex[l.Master]; m != nil && p.givesUpAddress(s, m, l.Address) {
					e.step.early = e.step.early || e.step.action == Delete // before what it costs is put back
					p.addressMoves(e.step, s, m)
				}
			}
		}
	}
	for _, st := range p.steps {
		if len(st.release) > 0 {
			p.addressMoves(st, st.scope, st.have)
		}
		if st.master == nil {
			continue
		}
		if m := st.scope.links.byName[*st.master]; m != nil && p.takesAddress(st.scope, m, lowestAddress(st.have, st.want.spec.Address)) {
			p.addressMoves(st, st.scope, m)
		}
	}
}

// addressMoves notes that a link gets another hardware address.
func (p *linkPlan) addressMoves(st *linkStep, s *Scope, l *route.Link) {
	p.event(st, s, LinkAddress, l.Index)
	if l != st.have && !slices.Contains(st.readdressed, l) {
		st.readdressed = append(st.readdressed, l)
	}
	p.addressFollows(st, s, l)
}

// addressFollows notes which links get another address because l does: what stands
// on it and has its address, and the bridge that it is a port of.
func (p *linkPlan) addressFollows(st *linkStep, s *Scope, l *route.Link) {
	for _, o := range s.standingOn(l) {
		if bytes.Equal(o.Address, l.Address) && !s.links.state[o.Index].gone {
			p.addressMoves(st, s, o)
		}
	}
	m := s.links.byIndex[s.links.state[l.Index].master]
	if m == nil || m.Index != l.Master { // it joins, or leaves
		return
	}
	var lowest route.HardwareAddr
	if w := p.byPlace[linkPlace{s, l.Name}]; w != nil && w.spec.Address != nil {
		lowest = lowestAddress(l, w.spec.Address)
	}
	if p.followsPort(s, m, lowest) {
		p.addressMoves(st, s, m)
	}
}

// lowestAddress returns the lowest address that a link has before or after the plan,
// or nil for one that is made and may get any.
func lowestAddress(have *route.Link, declared spec.HardwareAddr) route.HardwareAddr {
	if have == nil || declared != nil && bytes.Compare(declared, have.Address) < 0 {
		return route.HardwareAddr(declared)
	}
	return have.Address
}

// takesAddress tells whether a master gets another address when a port joins. A bond
// takes that of its first port (drivers/net/bonding/bond_main.c).
func (p *linkPlan) takesAddress(s *Scope, master *route.Link, addr route.HardwareAddr) bool {
	return p.followsPort(s, master, addr) || p.isFreeBond(s, master) && !p.hasFixedAddress(s, master)
}

// givesUpAddress tells whether a master gets another address when a port leaves. A
// bond does when it was the last one, also when its address was set
// (drivers/net/bonding/bond_main.c).
func (p *linkPlan) givesUpAddress(s *Scope, master *route.Link, addr route.HardwareAddr) bool {
	return p.followsPort(s, master, addr) || p.isFreeBond(s, master)
}

// followsPort tells whether the address of a bridge changes with a port that has, had
// or will have addr. It has the lowest address of its ports until it is set
// (net/bridge/br_stp_if.c, br_stp_recalculate_bridge_id).
func (p *linkPlan) followsPort(s *Scope, bridge *route.Link, addr route.HardwareAddr) bool {
	if s.links.state[bridge.Index].gone || !traitsOf(bridge.Kind).followsPorts || p.hasFixedAddress(s, bridge) {
		return false
	}
	ports := s.portsOf(bridge)
	wasSet := len(ports) > 0 && !slices.ContainsFunc(ports, func(port *route.Link) bool {
		return bytes.Equal(port.Address, bridge.Address)
	})
	return !wasSet && !slices.ContainsFunc(ports, func(port *route.Link) bool {
		return p.isStillPort(s, port, bridge) && !p.readdresses(s, port) && bytes.Compare(port.Address, addr) < 0
	})
}

// isFreeBond tells whether a master is a bond that keeps none of its ports.
func (p *linkPlan) isFreeBond(s *Scope, master *route.Link) bool {
	return !s.links.state[master.Index].gone && traitsOf(master.Kind).wantsDown &&
		!slices.ContainsFunc(s.portsOf(master), func(port *route.Link) bool { return p.isStillPort(s, port, master) })
}

func (p *linkPlan) isStillPort(s *Scope, port, master *route.Link) bool {
	state := s.links.state[port.Index]
	return !state.gone && state.master == master.Index
}

// hasFixedAddress tells whether the address of a link is declared.
func (p *linkPlan) hasFixedAddress(s *Scope, l *route.Link) bool {
	w := p.byPlace[linkPlace{s, l.Name}]
	return w != nil && w.spec.Address != nil
}

// readdresses tells whether the plan sets another address on a link.
func (p *linkPlan) readdresses(s *Scope, l *route.Link) bool {
	w := p.byPlace[linkPlace{s, l.Name}]
	return w != nil && w.spec.Address != nil && !bytes.Equal(w.spec.Address, l.Address)
}
