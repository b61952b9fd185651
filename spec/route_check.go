package spec

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"
)

// defaultMetric is the metric that the kernel gives a route without one.
func defaultMetric(to netip.Addr) uint32 {
	if to.Is4() {
		return 0
	}
	return 1024 // IP6_RT_PRIO_USER
}

// defaultIs4 tells the family that `to: default` means in this route: that of its
// other addresses, IPv4 where it has none.
func (r *Route) defaultIs4() bool {
	switch {
	case r.Src.IsValid():
		return r.Src.Is4()
	case r.Via.IsValid():
		return r.Via.Is4()
	}
	for i := range r.NextHops {
		if via := r.NextHops[i].Via; via.IsValid() {
			return via.Is4()
		}
	}
	return true
}

// forwards tells whether a route of this type has somewhere to send packets.
func (r *Route) forwards() bool {
	switch r.Type {
	case unix.RTN_BLACKHOLE, unix.RTN_UNREACHABLE, unix.RTN_PROHIBIT, unix.RTN_THROW:
		return false
	}
	return true
}

// checkRoute completes a route with what absent keys mean and looks for mistakes
// between keys.
func (d *decoder) checkRoute(n ref, r *Route) {
	if r.Table == 0 {
		r.Table = unix.RT_TABLE_MAIN
	}
	if !d.has(n, "type") {
		r.Type = unix.RTN_UNICAST
	}
	if to, _, ok := d.t.value(n, "to"); ok && d.t.string(to) == "default" {
		r.To = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
		if r.defaultIs4() {
			r.To = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
		}
	}
	if r.To.IsValid() {
		if r.Metric == 0 {
			r.Metric = defaultMetric(r.To.Addr())
		}
		d.checkRouteFamily(n, r)
	}
	switch {
	case r.Type == unix.RTN_UNSPEC: // a word that is no type
	case r.forwards():
		d.checkHops(n, r)
	default:
		d.checkRejecting(n, r)
	}
}

// checkRejecting looks at a route that sends nothing anywhere.
func (d *decoder) checkRejecting(n ref, r *Route) {
	for _, key := range []string{"via", "dev", "onlink", "nexthops", "encap"} {
		if d.has(n, key) {
			d.failKey(n, key, "a route of type %s has no %s", r.typeName(), key)
		}
	}
}

func (r *Route) typeName() string {
	for i, word := range routeTypes {
		if routeTypeValues[i] == r.Type {
			return word
		}
	}
	return fmt.Sprint(r.Type)
}

// checkHops looks at where a route sends packets.
func (d *decoder) checkHops(n ref, r *Route) {
	hops, _, multipath := d.t.value(n, "nexthops")
	if !multipath {
		if !d.has(n, "via") && !d.has(n, "dev") {
			d.fail(n, "a route needs via, dev or nexthops")
			return
		}
		d.checkGateway(n, r.Via, r.Dev, r.OnLink)
		return
	}
	for _, key := range []string{"via", "dev", "onlink", "encap"} {
		if d.has(n, key) {
			d.failKey(n, key, "stands beside nexthops, write it in the hops")
		}
	}
	switch {
	case d.t.shape(hops) != isList:
	case len(r.NextHops) == 0:
		d.failKey(n, "nexthops", "the list is empty")
	case len(r.NextHops) == 1:
		// The kernel makes no difference, and reports such a route without a list.
		hop := r.NextHops[0]
		r.Via, r.Dev, r.OnLink, r.Encap, r.NextHops = hop.Via, hop.Dev, hop.OnLink, hop.Encap, nil
	case r.To.Addr().Is6():
		d.checkHops6(hops, r.NextHops)
	}
}

// checkHops6 looks for hops that the kernel takes for IPv4 only
// (net/ipv6/route.c, ip6_route_multipath_add).
func (d *decoder) checkHops6(list ref, hops []NextHop) {
	d.push("nexthops")
	defer d.pop()
	seen := map[NextHop]int{}
	for i, n := 0, list+1; i < len(hops); i, n = i+1, d.t.next(n) {
		d.pushIndex(i)
		key := NextHop{Via: hops[i].Via, Dev: hops[i].Dev}
		first, twice := seen[key]
		switch {
		case d.t.shape(n) != isMap:
		case !d.has(n, "via") && d.has(n, "dev"):
			d.fail(n, "a hop of an IPv6 route needs via")
		case twice && key.Via.IsValid():
			d.fail(n, "the same hop as nexthops[%d], an IPv6 route has it once", first)
		default:
			seen[key] = i
		}
		d.pop()
	}
}

// checkHop completes a hop.
func (d *decoder) checkHop(n ref, h *NextHop) {
	if h.Weight == 0 {
		h.Weight = 1
	}
	if !d.has(n, "via") && !d.has(n, "dev") {
		d.fail(n, "a hop needs via or dev")
		return
	}
	d.checkGateway(n, h.Via, h.Dev, h.OnLink)
}

func (d *decoder) checkGateway(n ref, via netip.Addr, dev string, onlink bool) {
	switch {
	case via.IsValid() && (via.IsUnspecified() || via.IsMulticast()):
		d.failKey(n, "via", "%s is no gateway's address", via)
	case via.Is6() && via.IsLinkLocalUnicast() && !d.has(n, "dev"):
		d.failKey(n, "via", "a link-local gateway needs dev")
	case onlink && !d.has(n, "via"):
		d.failKey(n, "onlink", "needs via")
	case onlink && !d.has(n, "dev"):
		d.failKey(n, "onlink", "needs dev")
	}
}

// checkRouteFamily looks for what only the other address family has.
func (d *decoder) checkRouteFamily(n ref, r *Route) {
	is4 := r.To.Addr().Is4()
	if r.Src.IsValid() && r.Src.Is4() != is4 {
		d.failKey(n, "src", "%s is no %s address", r.Src, familyName(r.To.Addr()))
	}
	if is4 {
		d.onlyFor(n, "IPv6", "pref")
		if r.TOS&3 != 0 {
			d.failKey(n, "tos", "the lower two bits are ECN's, no route can ask for them")
		}
		return
	}
	d.onlyFor(n, "IPv4", "tos", "realms")
	if r.Scope != nil && *r.Scope != unix.RT_SCOPE_UNIVERSE {
		d.failKey(n, "scope", "an IPv6 route has none but global")
	}
	if r.Via.Is4() {
		d.failKey(n, "via", "an IPv6 route cannot go via an IPv4 gateway")
	}
	for i := range r.NextHops {
		if r.NextHops[i].Via.Is4() {
			hops, _, _ := d.t.value(n, "nexthops")
			at := hops + 1
			for range i {
				at = d.t.next(at)
			}
			d.push("nexthops")
			d.pushIndex(i)
			d.failKey(at, "via", "an IPv6 route cannot go via an IPv4 gateway")
			d.pop()
			d.pop()
		}
	}
}

// onlyFor reports keys that mean nothing to the other address family.
func (d *decoder) onlyFor(n ref, family string, keys ...string) {
	for _, key := range keys {
		if d.has(n, key) {
			d.failKey(n, key, "only %s has it", family)
		}
	}
}

func checkAlgorithm(s string) error {
	// TCP_CA_NAME_MAX is 16.
	if s == "" || len(s) > 15 || strings.ContainsAny(s, " \t\n/") || hasControl(s) {
		return fmt.Errorf("%s is no congestion control algorithm", quote(s))
	}
	return nil
}
