package reconcile

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// addressEffects follows the IPv4 addresses through a plan.
type addressEffects struct {
	s      *Scope
	tables map[int32]uint32     // of the links
	left   map[int32]int        // on each link
	copies map[addressPlace]int // of each address
	nets   map[subnet]int
	addrs  map[netip.Addr]int
	// renewed are the addresses that are nowhere for a moment.
	renewed map[netip.Addr]bool
	soon    map[int32]*bool // of the links that lose addresses
	events  []LinkEvent
}

// addressPlace is an address as routes of one table see it.
type addressPlace struct {
	addr  netip.Addr
	table uint32
}

// Effects are what the deletion of IPv4 addresses takes down: routes that use
// them as source, and, with the last one of a link, all routes through it
// (net/ipv4/fib_frontend.c, fib_del_ifaddr and fib_disable_ip).
func (addressResource) Effects(s *Scope, want, have []address, ops []op[address]) []LinkEvent {
	x := &addressEffects{
		s: s, tables: map[int32]uint32{}, left: map[int32]int{}, copies: map[addressPlace]int{}, nets: map[subnet]int{},
		addrs: map[netip.Addr]int{}, renewed: map[netip.Addr]bool{}, soon: map[int32]*bool{},
	}
	for i := range have {
		x.comes(&have[i])
	}
	for _, due := range []pass{passNow, passMake} {
		for i := range ops {
			if p := &ops[i]; p.pass() == due {
				x.follow(want, have, p)
			}
		}
	}
	for i := range ops {
		if p := &ops[i]; p.action == Delete && !p.now {
			a := &have[p.have]
			if x.soon[a.Index] == nil {
				x.soon[a.Index] = new(bool)
			}
			p.loses, p.soon = new([]string), x.soon[a.Index]
			x.goes(a, LinkEvent{loses: p.loses, soon: p.soon})
		}
	}
	s.connected = x.connected()
	return x.events
}

// connected returns what is on the links in the end.
func (x *addressEffects) connected() connected {
	c := connected{gone: map[netip.Addr]bool{}, renewed: x.renewed}
	for n, count := range x.nets {
		if count > 0 {
			c.add(n.network, x.table(n.index), n.index)
		}
	}
	for a, count := range x.addrs {
		if count == 0 {
			c.gone[a] = true
		}
	}
	if x.s.Spec != nil {
		c.addRoutes(x.s, x.s.Spec.Routes)
	}
	return c
}

// follow follows an op before the late deletions.
func (x *addressEffects) follow(want, have []address, p *op[address]) {
	if p.action == Delete || p.action == Replace && !p.made {
		a := &have[p.have]
		x.goes(a, LinkEvent{})
		x.renewed[a.Local] = x.addrs[a.Local] == 0
	}
	if p.action == Create || p.action == Replace {
		x.comes(subject(want, have, *p))
	}
}

func (x *addressEffects) place(a *address) addressPlace {
	return addressPlace{a.Local, x.table(a.Index)}
}

func (x *addressEffects) table(index int32) uint32 {
	t, known := x.tables[index]
	if !known {
		t = x.s.routeTable(index)
		x.tables[index] = t
	}
	return t
}

// count counts an address, and it for its network unless that is not on the link.
func (x *addressEffects) count(a *address, n int) {
	x.addrs[a.Local] += n
	if a.Flags&unix.IFA_F_NOPREFIXROUTE == 0 {
		x.nets[subnet{a.Index, a.network()}] += n
	}
}

func (x *addressEffects) comes(a *address) {
	x.count(a, 1)
	if a.Local.Is4() {
		x.left[a.Index]++
		x.copies[x.place(a)]++
	}
}

func (x *addressEffects) goes(a *address, e LinkEvent) {
	x.count(a, -1)
	if !a.Local.Is4() {
		return
	}
	e.Index = a.Index
	at := x.place(a)
	if x.copies[at]--; x.copies[at] == 0 {
		e.Kind, e.Addr, e.Table = AddressRemoved, at.addr, at.table
		x.events = append(x.events, e)
	}
	if x.left[a.Index]--; x.left[a.Index] == 0 {
		e.Kind = LinkNoIPv4
		x.events = append(x.events, e)
	}
}
