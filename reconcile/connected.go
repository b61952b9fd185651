package reconcile

import (
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/spec"
)

// connected are the networks that are on links after a plan, by their addresses
// and by the declared routes without a gateway.
type connected struct {
	links map[network][]int32
	bits  []int               // the lengths of the prefixes, longest first
	gone  map[netip.Addr]bool // what the plan takes off all links
	// renewed is what it takes off and puts back: IPv6 routes lose such a source
	// (net/ipv6/route.c, fib6_remove_prefsrc).
	renewed map[netip.Addr]bool
}

type network struct {
	prefix netip.Prefix
	table  uint32
}

func (c *connected) add(p netip.Prefix, table uint32, index int32) {
	if c.links == nil {
		c.links = map[network][]int32{}
	}
	n := network{p.Masked(), table}
	if !slices.Contains(c.links[n], index) {
		c.links[n] = append(c.links[n], index)
	}
	if !slices.Contains(c.bits, p.Bits()) {
		c.bits = append(c.bits, p.Bits())
		slices.Sort(c.bits)
		slices.Reverse(c.bits)
	}
}

// addRoutes adds what declared routes put on links.
func (c *connected) addRoutes(s *Scope, routes []spec.Route) {
	for i := range routes {
		d := &routes[i]
		if d.Type == unix.RTN_UNICAST && d.Dev != "" && !d.Via.IsValid() && d.To.Bits() > 0 {
			c.add(d.To, d.Table, s.Index(d.Dev))
		}
	}
}

// dev returns the link for a gateway of which the document does not name one: the
// one that is there, if the gateway is on it, or the only one that the gateway is
// on, or 0, which leaves it to the kernel. Like that it looks in the route's
// table first (net/ipv4/fib_semantics.c, fib_check_nh_v4_gw).
func (c *connected) dev(gateway netip.Addr, table uint32, have int32) int32 {
	var first []int32
	for _, t := range [...]uint32{table, unix.RT_TABLE_MAIN} {
		for _, bits := range c.bits {
			p, err := gateway.Prefix(bits)
			if err != nil {
				continue // of the other family
			}
			links := c.links[network{p, t}]
			if slices.Contains(links, have) {
				return have
			}
			if first == nil {
				first = links
			}
		}
	}
	if len(first) == 1 {
		return first[0]
	}
	return 0
}

func (c *connected) relocate(index func(int32) int32) {
	for _, links := range c.links {
		for i := range links {
			links[i] = index(links[i])
		}
	}
}
