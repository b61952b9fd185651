package reconcile

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

// knownMetrics are the bits of Metrics.Set that a document can say.
const knownMetrics = 1<<unix.RTAX_LOCK | 1<<unix.RTAX_MTU | 1<<unix.RTAX_ADVMSS | 1<<unix.RTAX_WINDOW | 1<<unix.RTAX_CWND |
	1<<unix.RTAX_INITCWND | 1<<unix.RTAX_INITRWND | 1<<unix.RTAX_HOPLIMIT | 1<<unix.RTAX_QUICKACK | 1<<unix.RTAX_CC_ALGO

// isSayable tells whether a document has words for the whole route.
func (r *routeObject) isSayable() bool {
	_, same := commonRealms(&r.Route)
	return same && r.NHID == 0 && r.Expires == 0 && !r.Src.IsValid() && r.Metrics.Set&^knownMetrics == 0 && len(r.Extra) == 0
}

// Describe writes a route. Routes that a document cannot say, because they use
// nexthop objects, metrics or tunnels that it does not know, are left out, as are
// those that expire.
func (routeResource) Describe(s *Scope, r *routeObject, n *spec.Namespace) {
	if !r.isSayable() || r.Type == unix.RTN_LOCAL && r.Protocol == unix.RTPROT_KERNEL {
		return
	}
	d := spec.Route{
		To: r.Dst, Via: r.Gateway, Src: r.PrefSrc, Table: r.Table, Metric: r.Priority,
		Type: r.Type, TOS: r.TOS, Pref: spec.RouterPref(r.Pref), OnLink: r.Flags&unix.RTNH_F_ONLINK != 0,
	}
	if r.Dst.Bits() <= 0 {
		d.To = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
		if r.Family == unix.AF_INET6 {
			d.To = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
		}
	}
	if !rejects(r.Type) {
		d.Dev = s.LinkName(r.OIF)
	}
	d.Realms, _ = commonRealms(&r.Route)
	var ok bool
	if d.Encap, ok = decodeEncap(r.Encap); !ok {
		return
	}
	for _, h := range r.NextHops {
		e, ok := decodeEncap(h.Encap)
		if !ok {
			return
		}
		d.NextHops = append(d.NextHops, spec.NextHop{
			Via: h.Gateway, Dev: s.LinkName(h.OIF), Weight: max(h.Weight, 1),
			OnLink: h.Flags&unix.RTNH_F_ONLINK != 0, Encap: e,
		})
	}
	d.Metrics = describeMetrics(&r.Metrics)
	if r.Protocol != s.Protocol() {
		d.Protocol = &r.Protocol
	}
	if r.Family == unix.AF_INET && r.Scope != routeScope(r) {
		d.Scope = &r.Scope
	}
	n.Routes = append(n.Routes, d)
}

// rejects tells whether a route of this type sends packets nowhere. The kernel has
// lo for such a route of IPv6 (net/ipv6/route.c, ip6_route_info_create).
func rejects(typ uint8) bool {
	switch typ {
	case unix.RTN_BLACKHOLE, unix.RTN_UNREACHABLE, unix.RTN_PROHIBIT, unix.RTN_THROW:
		return true
	}
	return false
}

func describeMetrics(m *route.Metrics) *spec.Metrics {
	d := spec.Metrics{
		MTU: m.MTU, AdvMSS: m.AdvMSS, Window: m.Window, Cwnd: m.Cwnd, InitCwnd: m.InitCwnd, InitRwnd: m.InitRwnd,
		HopLimit: m.HopLimit, QuickAck: m.QuickAck, CongCtl: m.Congestion, Lock: m.Lock,
	}
	if d == (spec.Metrics{}) {
		return nil
	}
	return &d
}
