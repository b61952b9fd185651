package reconcile

import (
	"errors"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

func (routeResource) Declare(s *Scope) ([]routeObject, error) {
	all := make([]routeObject, 0, len(s.Spec.Routes))
	var errs []error
	for i := range s.Spec.Routes {
		d := &s.Spec.Routes[i]
		if s.routeMustWait(d) {
			continue
		}
		errs = append(errs, s.checkDev(d.Dev, false, i, -1)...)
		for h := range d.NextHops {
			errs = append(errs, s.checkDev(d.NextHops[h].Dev, len(d.NextHops) > 1, i, h)...)
		}
		all = append(all, routeObject{decl: int32(i)})
		declareRoute(s, &all[len(all)-1], d)
	}
	return all, errors.Join(errs...)
}

// routeMustWait tells whether a route waits for a link to come, or to go up.
func (s *Scope) routeMustWait(d *spec.Route) bool {
	if s.mustWait(d.Dev) || s.mustWaitUp(d.Dev, false) {
		return true
	}
	for _, h := range d.NextHops {
		if s.mustWait(h.Dev) || s.mustWaitUp(h.Dev, len(d.NextHops) > 1) {
			return true
		}
	}
	return false
}

// mustWaitUp tells whether something waits for a link to go up of which the
// document does not say that it is down.
func (s *Scope) mustWaitUp(link string, oneOfMany bool) bool {
	if !s.run.cfg.Await || link == "" || s.Spec.Links[link] != nil || !s.staysDown(link, oneOfMany) {
		return false
	}
	s.waitFor(link)
	return true
}

// checkDev returns what is wrong with a link that a route, or its hop, names; hop
// is -1 for the route itself.
func (s *Scope) checkDev(name string, oneOfMany bool, i, hop int) []error {
	gone := name != "" && s.Index(name) == 0
	if name == "" || !gone && !s.staysDown(name, oneOfMany) {
		return nil
	}
	path := spec.Path(s.Name, "routes", i, "dev")
	if hop >= 0 {
		path = spec.Path(s.Name, "routes", i, "nexthops", hop, "dev")
	}
	if gone {
		return []error{s.missing(path, name)}
	}
	return []error{s.run.doc.Errorf(path, "link %s is down: the kernel makes no route through it", name)}
}

// staysDown tells whether a link is down after the plan. One of several links may
// go down at any time without the route going, so there only the document counts.
func (s *Scope) staysDown(name string, oneOfMany bool) bool {
	if s.deleting() {
		return false
	}
	if l := s.Spec.Links[name]; l != nil {
		return !l.Up
	}
	state := s.links.state[s.Index(name)]
	return state != nil && !state.up && !oneOfMany
}

func declareRoute(s *Scope, r *routeObject, d *spec.Route) {
	r.Family, r.Type, r.TOS, r.Table, r.Priority = unix.AF_INET6, d.Type, d.TOS, d.Table, d.Metric
	if d.To.Addr().Is4() {
		r.Family = unix.AF_INET
	}
	r.Dst, r.Gateway, r.PrefSrc, r.Realms, r.Pref = d.To, d.Via, d.Src, d.Realms, uint8(d.Pref)
	if d.To.Bits() == 0 {
		r.Dst = netip.Prefix{}
	}
	r.OIF = s.Index(d.Dev)
	r.anySrc = !d.Src.IsValid() && !rejects(d.Type)
	r.anyDev = d.Dev == "" && (d.Via.IsValid() || d.Type != unix.RTN_UNICAST)
	r.Protocol = s.Protocol()
	if d.Protocol != nil {
		r.Protocol = *d.Protocol
	}
	if d.OnLink {
		r.Flags |= unix.RTNH_F_ONLINK
	}
	for _, h := range d.NextHops {
		r.NextHops = append(r.NextHops, declareNextHop(s, h))
	}
	r.flatten()
	r.spreadRealms()
	r.Encap = encodeEncap(d.Encap)
	r.Metrics = declareMetrics(d.Metrics)
	r.Scope, r.anyScope = routeScope(r), true
	if d.Scope != nil {
		r.Scope, r.anyScope = *d.Scope, false
	}
}

// flatten makes a list of one hop the route's own, as the kernel does.
func (r *routeObject) flatten() {
	if len(r.NextHops) != 1 {
		return
	}
	h := r.NextHops[0]
	r.Gateway, r.OIF, r.Encap = h.Gateway, h.OIF, h.Encap
	r.Flags |= uint32(h.Flags)
	r.anyDev = h.OIF == 0
	r.NextHops = nil
}

// spreadRealms gives the realms to each of several hops: the kernel keeps them
// there (net/ipv4/fib_semantics.c, fib_get_nhs).
func (r *routeObject) spreadRealms() {
	for i := range r.NextHops {
		r.NextHops[i].Realms = r.Realms
	}
	if len(r.NextHops) > 0 {
		r.Realms = 0
	}
}

func declareNextHop(s *Scope, h spec.NextHop) route.NextHop {
	n := route.NextHop{Gateway: h.Via, OIF: s.Index(h.Dev), Weight: h.Weight, Encap: encodeEncap(h.Encap)}
	if h.OnLink {
		n.Flags = unix.RTNH_F_ONLINK
	}
	return n
}

func declareMetrics(d *spec.Metrics) (m route.Metrics) {
	if d == nil {
		return m
	}
	for typ, v := range map[uint16]uint32{
		unix.RTAX_MTU: d.MTU, unix.RTAX_ADVMSS: d.AdvMSS, unix.RTAX_WINDOW: d.Window, unix.RTAX_CWND: d.Cwnd,
		unix.RTAX_INITCWND: d.InitCwnd, unix.RTAX_INITRWND: d.InitRwnd, unix.RTAX_HOPLIMIT: d.HopLimit,
		unix.RTAX_QUICKACK: d.QuickAck, unix.RTAX_LOCK: d.Lock,
	} {
		if v != 0 {
			m.Put(typ, v)
		}
	}
	if d.CongCtl != "" {
		m.PutCongestion(d.CongCtl)
	}
	return m
}

// routeScope is what iproute2 sends when no scope is given (ip/iproute.c,
// iproute_modify). IPv6 has no scopes.
func routeScope(r *routeObject) uint8 {
	if r.Family != unix.AF_INET {
		return unix.RT_SCOPE_UNIVERSE
	}
	switch r.Type {
	case unix.RTN_LOCAL, unix.RTN_NAT:
		return unix.RT_SCOPE_HOST
	case unix.RTN_BROADCAST, unix.RTN_MULTICAST, unix.RTN_ANYCAST:
		return unix.RT_SCOPE_LINK
	case unix.RTN_UNICAST, unix.RTN_UNSPEC:
		if !r.Gateway.IsValid() && len(r.NextHops) == 0 {
			return unix.RT_SCOPE_LINK
		}
	}
	return unix.RT_SCOPE_UNIVERSE
}
