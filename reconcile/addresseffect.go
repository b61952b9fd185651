package reconcile

import (
	"net/netip"
)

// addressEffects follows the IPv4 addresses through a plan.
type addressEffects struct {
	s      *Scope
	left   map[int32]int        // on each link
	copies map[addressPlace]int // of each address
	soon   map[int32]*bool      // of the links that lose addresses
	events []LinkEvent
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
	x := &addressEffects{s: s, left: map[int32]int{}, copies: map[addressPlace]int{}, soon: map[int32]*bool{}}
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
	return x.events
}

// follow follows an op before the late deletions.
func (x *addressEffects) follow(want, have []address, p *op[address]) {
	if p.action == Delete || p.action == Replace && !p.made {
		x.goes(&have[p.have], LinkEvent{})
	}
	if p.action == Create || p.action == Replace {
		x.comes(subject(want, have, *p))
	}
}

func (x *addressEffects) place(a *address) addressPlace {
	return addressPlace{a.Local, x.s.routeTable(a.Index)}
}

func (x *addressEffects) comes(a *address) {
	if a.Local.Is4() {
		x.left[a.Index]++
		x.copies[x.place(a)]++
	}
}

func (x *addressEffects) goes(a *address, e LinkEvent) {
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
