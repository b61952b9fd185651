package reconcile

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

// routeObject is one route of one table.
type routeObject struct {
	route.Route
	decl int32 // in the document; -1 for what was observed
	// anyScope, anySrc and anyDev accept what is there, because the document
	// leaves the field out; a link as long as the gateway is on it.
	anyScope, anySrc, anyDev bool
}

// routeKey is what the kernel looks for before it says EEXIST: for both
// families neither the gateway nor the device is part of it.
type routeKey struct {
	dst, src netip.Prefix
	table    uint32
	priority uint32
	family   uint8
	tos      uint8
}

type routeResource struct{}

func (routeResource) Class() string { return "route" }

func (routeResource) Groups() []uint32 {
	return []uint32{unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR}
}

// Dump asks for the tables that the document has routes in, and for our routes
// in all tables. Other programs' full tables elsewhere are not looked at.
func (r routeResource) Dump(ctx context.Context, s *Scope, all bool) iter.Seq2[*routeObject, error] {
	return func(yield func(*routeObject, error) bool) {
		c, err := s.Conn()
		if err != nil {
			yield(nil, err)
			return
		}
		o := routeObject{decl: -1}
		for _, f := range r.filters(s, all) {
			for k, err := range c.Routes(ctx, f.RouteFilter) {
				if err == nil && f.skip[k.Table] {
					continue
				}
				if err == nil {
					o.Route = *k
				}
				if !yield(&o, err) {
					return
				}
			}
		}
	}
}

type routeDump struct {
	route.RouteFilter
	skip map[uint32]bool // tables that another filter covers
}

func (routeResource) filters(s *Scope, all bool) []routeDump {
	if all || s.run.keepAll || s.pruneMode("route") == spec.PruneAll {
		return []routeDump{{}}
	}
	tables := map[uint32]bool{}
	if s.Spec != nil {
		for i := range s.Spec.Routes {
			tables[s.Spec.Routes[i].Table] = true
		}
	}
	var filters []routeDump
	if s.shards != nil {
		maps.DeleteFunc(tables, func(t uint32, _ bool) bool { return !s.shards[t] })
	}
	if !s.narrow {
		filters = append(filters, routeDump{RouteFilter: route.RouteFilter{Protocol: s.Protocol()}, skip: tables})
	}
	for t := range tables {
		filters = append(filters, routeDump{RouteFilter: route.RouteFilter{Table: t}})
	}
	slices.SortFunc(filters, func(a, b routeDump) int { return int(int64(a.Table) - int64(b.Table)) })
	return filters
}

func (routeResource) Own(r *routeObject) routeObject {
	c := *r
	c.Route = *r.Clone()
	return c
}

// Shard implements sharder.
func (routeResource) Shard(r *routeObject) uint32 { return r.Table }

func (routeResource) Key(r *routeObject) routeKey {
	return routeKey{dst: r.Dst, src: r.Src, table: r.Table, priority: r.Priority, family: r.Family, tos: r.TOS}
}

func (routeResource) Maker(s *Scope, r *routeObject) Maker {
	switch r.Protocol {
	case s.Protocol():
		return Ours
	case unix.RTPROT_KERNEL, unix.RTPROT_REDIRECT, unix.RTPROT_RA, unix.RTPROT_DHCP:
		return Kernel
	}
	if s.othersProtocol(r.Protocol) {
		return Other
	}
	if r.OIF != 0 && !s.managesLink(r.OIF) {
		return Kernel
	}
	return Foreign
}

func (routeResource) Ignored(s *Scope, r *routeObject) bool {
	if s.Spec == nil {
		return false
	}
	return slices.ContainsFunc(s.Spec.Ignore.Routes, func(m spec.RouteMatch) bool {
		return (m.Table == nil || *m.Table == r.Table) &&
			(m.Protocol == nil || *m.Protocol == r.Protocol) &&
			(m.Type == nil || *m.Type == r.Type) &&
			(m.Metric == nil || *m.Metric == r.Priority) &&
			(m.Dev == "" || matchAny([]string{m.Dev}, s.LinkName(r.OIF))) &&
			(!m.Within.IsValid() || r.within(m.Within))
	})
}

// within tells whether the destination lies in p.
func (r *routeObject) within(p netip.Prefix) bool {
	if r.Dst.Bits() <= 0 {
		return p.Bits() == 0 && p.Addr().Is4() == (r.Family == unix.AF_INET)
	}
	return r.Dst.Bits() >= p.Bits() && p.Contains(r.Dst.Addr())
}

// Compare takes the fields that the document leaves open from what is there. A
// route is compared without its protocol: it stays its maker's.
func (routeResource) Compare(s *Scope, want, have *routeObject) Verdict {
	w := want.Route
	w.Protocol, w.Extra, w.Expires = have.Protocol, have.Extra, have.Expires
	w.Flags = have.Flags&^unix.RTNH_F_ONLINK | want.Flags&unix.RTNH_F_ONLINK
	if want.anyScope || w.Family == unix.AF_INET6 {
		w.Scope = have.Scope
	}
	if want.anySrc {
		w.PrefSrc = s.acceptSrc(have.PrefSrc)
	}
	if want.anyDev {
		w.OIF = s.acceptDev(want.Gateway, have.Table, have.OIF)
	}
	if len(w.NextHops) > 0 && len(w.NextHops) == len(have.NextHops) {
		w.NextHops = acceptDevs(s, w.NextHops, have)
	}
	h := &have.Route
	if h.PrefSrc.Is6() && s.connected.renewed[h.PrefSrc] {
		c := *h
		c.PrefSrc = netip.Addr{}
		h = &c
	}
	if w.Equal(h) {
		return Verdict{}
	}
	return Verdict{Action: routeAction(&w, h), Fields: routeChanges(s, h, &w)}
}

// Ident implements identifier: what changes is no part of it.
func (routeResource) Ident(_ *Scope, r *routeObject) string {
	return routeDst(&r.Route) + routeRest(&r.Route)
}

// acceptSrc returns the source that is there, unless its address goes.
func (s *Scope) acceptSrc(have netip.Addr) netip.Addr {
	if s.connected.gone[have] {
		return netip.Addr{}
	}
	return have
}

// acceptDev returns the link for a gateway without one: that which is there, if
// no other is certain.
func (s *Scope) acceptDev(gateway netip.Addr, table uint32, have int32) int32 {
	if !gateway.IsValid() {
		return have
	}
	return cmp.Or(s.connected.dev(gateway, table, have), have)
}

// acceptDevs fills in the devices that hops leave open, and puts the hops of an
// IPv6 route, which are a set, into the order of what is there.
func acceptDevs(s *Scope, want []route.NextHop, have *routeObject) []route.NextHop {
	hops := slices.Clone(want)
	for i := range have.NextHops {
		h := &have.NextHops[i]
		same := func(w route.NextHop) bool {
			return w.Gateway == h.Gateway && (w.OIF == 0 || w.OIF == h.OIF)
		}
		j := i
		if have.Family == unix.AF_INET6 {
			if n := slices.IndexFunc(hops[i:], same); n >= 0 {
				j = i + n
			}
		}
		hops[i], hops[j] = hops[j], hops[i]
		if hops[i].OIF == 0 && same(hops[i]) {
			hops[i].OIF = s.acceptDev(h.Gateway, have.Table, h.OIF)
		}
	}
	return hops
}

// routeAction says whether the kernel replaces have by want. IPv6 replaces
// routes with a gateway by such, and others by others; otherwise both would
// stand side by side (net/ipv6/ip6_fib.c, fib6_add_rt2node).
func routeAction(want, have *route.Route) Action {
	if want.Family == unix.AF_INET6 && hasGateway(want) != hasGateway(have) {
		return Replace
	}
	return Change
}

func hasGateway(r *route.Route) bool { return r.Gateway.IsValid() || len(r.NextHops) > 0 }

func (routeResource) Name(s *Scope, r *routeObject) string {
	return routeDst(&r.Route) + routeHops(s, &r.Route) + routeRest(&r.Route)
}

func (routeResource) Path(s *Scope, r *routeObject) string {
	return spec.Path(s.Name, "routes", int(r.decl))
}

func (routeResource) Relocate(r *routeObject, index func(int32) int32) {
	r.OIF = index(r.OIF)
	if len(r.NextHops) > 0 {
		r.NextHops = slices.Clone(r.NextHops)
	}
	for i := range r.NextHops {
		r.NextHops[i].OIF = index(r.NextHops[i].OIF)
	}
}

func (routeResource) Create(s *Scope, b *netlink.Batch, r *routeObject) {
	r.chooseDevs(s, 0)
	b.Add(unix.RTM_NEWROUTE, netlink.Create|netlink.Excl, r.settable())
}

// chooseDevs names the links that the document leaves out, where they are
// certain: addresses that are yet to go would have the kernel choose others.
func (r *routeObject) chooseDevs(s *Scope, have int32) {
	if r.anyDev && r.Gateway.IsValid() {
		r.OIF = s.connected.dev(r.Gateway, r.Table, have)
	}
	for i := range r.NextHops {
		if h := &r.NextHops[i]; h.OIF == 0 && h.Gateway.IsValid() {
			h.OIF = s.connected.dev(h.Gateway, r.Table, 0)
		}
	}
}

// settable returns the route without the flags that are the kernel's state, which
// one has that is put back: the kernel refuses some of them in a request
// (net/ipv4/fib_semantics.c, fib_create_info).
func (r *routeObject) settable() *route.Route {
	dirty := r.Flags&route.VolatileFlags != 0
	for i := range r.NextHops {
		dirty = dirty || uint32(r.NextHops[i].Flags)&route.VolatileFlags != 0
	}
	if !dirty {
		return &r.Route
	}
	c := r.Route
	c.Flags &^= route.VolatileFlags
	c.NextHops = slices.Clone(c.NextHops)
	for i := range c.NextHops {
		c.NextHops[i].Flags &^= route.VolatileFlags & 0xff
	}
	return &c
}

func (routeResource) Change(s *Scope, b *netlink.Batch, want, have *routeObject) {
	want.chooseDevs(s, have.OIF)
	c := want.Route
	if want.anySrc {
		c.PrefSrc = s.acceptSrc(have.PrefSrc)
	}
	b.Add(unix.RTM_NEWROUTE, netlink.Create|netlink.Replace, &c)
}

func (routeResource) Delete(_ *Scope, b *netlink.Batch, have *routeObject) {
	r := &have.Route
	if r.NHID != 0 { // of a blackhole object the kernel reports a type that the route does not have
		r = r.Clone()
		r.Type = unix.RTN_UNSPEC
	}
	b.Add(unix.RTM_DELROUTE, 0, r)
}

// Rank puts routes after those that make their gateways reachable: on-link ones
// first, default routes last.
func (routeResource) Rank(_ *Scope, r *routeObject) int64 {
	switch {
	case !hasGateway(&r.Route):
		return 0
	case r.Dst.Bits() > 0:
		return 1
	}
	return 2
}

func (routeResource) Source(r *routeObject) netip.Addr { return r.PrefSrc }

// Survives follows net/ipv4/fib_semantics.c, fib_sync_down_addr and
// fib_sync_down_dev, and net/ipv6/route.c, rt6_sync_down_dev.
func (routeResource) Survives(_ *Scope, r *routeObject, e LinkEvent) bool {
	if e.Kind == AddressRemoved {
		return !r.PrefSrc.Is4() || r.PrefSrc != e.Addr || r.Table != e.Table
	}
	if !r.through(e.Index) || r.NHID != 0 && e.Kind == LinkNoIPv4 {
		return true
	}
	switch e.Kind {
	case LinkRemoved, LinkVRF:
		return false
	case LinkDown:
		return r.Type == unix.RTN_LOCAL && r.Family == unix.AF_INET || r.leadsElsewhere(e.Index)
	case LinkNoIPv6:
		return r.Family == unix.AF_INET
	case LinkNoIPv4:
		return r.Family == unix.AF_INET6 || r.leadsElsewhere(e.Index)
	}
	return true
}

func (r *routeObject) through(index int32) bool {
	return r.OIF == index || slices.ContainsFunc(r.NextHops, func(h route.NextHop) bool { return h.OIF == index })
}

// leadsElsewhere tells whether a hop through another link is left.
func (r *routeObject) leadsElsewhere(index int32) bool {
	return slices.ContainsFunc(r.NextHops, func(h route.NextHop) bool {
		return h.OIF != index && h.Flags&unix.RTNH_F_DEAD == 0
	})
}

// Restorable leaves routes alone that a daemon learns and will put back itself.
// The nexthop object that a route uses goes with the link.
func (routeResource) Restorable(_ *Scope, r *routeObject) bool { return r.Expires == 0 && r.NHID == 0 }
