package route

import (
	"fmt"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// routesOfIP are nexthop objects and routes of all kinds, as arguments of ip.
var routesOfIP = []string{
	"nexthop add id 10 via 192.0.2.9 dev v0", "nexthop add id 11 via 192.0.2.10 dev v0", "nexthop add id 12 group 10,5/11",
	"route add 10.1.0.0/24 via 192.0.2.9 dev v0 src 192.0.2.2 metric 50 proto 110 table 1000",
	"route add 10.3.0.0/16 table 1000 nexthop via 192.0.2.9 dev v0 weight 3 nexthop via 192.0.2.10 dev v0 weight 256 onlink",
	"route add 10.4.0.0/16 table 1000 via 192.0.2.9 mtu lock 1400 advmss 1360 hoplimit 10 congctl reno initcwnd 11 initrwnd 12 window 4000 reordering 5 quickack 1 fastopen_no_cookie 1 features ecn rto_min 30ms rtt 20ms rttvar 10ms ssthresh 9 cwnd lock 8",
	"route add 10.5.0.0/16 table 1000 via inet6 2001:db8::9 dev v0", "route add tos 0x10 10.7.0.0/16 table 1000 via 192.0.2.9",
	"route add 10.6.0.0/16 table 1000 via 198.51.100.1 dev v0 onlink", "route add blackhole 10.8.0.0/16 table 1000 metric 4000",
	"route add 10.9.0.0/16 table 1000 nhid 10", "route add 10.10.0.0/16 table 1000 nhid 12", "route add default table 1000 dev v0 scope link",
	"route add unreachable default table 1000 metric 9", "route add throw 10.12.0.0/16 table 1000", "route add prohibit 10.13.0.0/16 table 1000 proto static",
	"route add local 10.14.0.0/16 dev lo table 1000", "route add broadcast 10.15.0.0/16 dev v0 table 1000 scope link",
	"-6 route add 2001:db8:3::/48 table 1000 via 2001:db8::9 dev v0 mtu 1300 pref high",
	"-6 route add 2001:db8:4::/48 from 2001:db8:5::/48 table 1000 via 2001:db8::9 dev v0 metric 5",
	"-6 route add 2001:db8:6::/48 table 1000 nexthop via 2001:db8::9 dev v0 weight 7 nexthop via 2001:db8::10 dev v0",
	"-6 route add unreachable 2001:db8:7::/48 table 1000", "-6 route add default table 1000 via fe80::1 dev v0 src 2001:db8::2 pref low",
}

func TestRoutesAsIPShowsThem(t *testing.T) {
	l, _ := routeLab(t)
	l.made("ip", routesOfIP)
	names := l.names()
	for family, flag := range map[uint8]string{unix.AF_INET: "-4", unix.AF_INET6: "-6"} {
		decoded, all := steady(l, l.Routes(l.ctx, RouteFilter{Table: 1000, Family: family}),
			func() []map[string]any { return l.json("ip", flag, "route", "show", "table", "1000") })
		if len(all) != len(decoded) || len(all) < 5 {
			t.Fatalf("ip shows %d routes, %d were decoded", len(all), len(decoded))
		}
		for i, ip := range all {
			l.compare(fmt.Sprint(ip["type"], " ", ip["dst"]), ip, showRoute(decoded[i], names), "nh_info")
		}
	}
}

func showRoute(r *Route, names map[int32]string) shown {
	s := shown{"type": RouteTypeName(r.Type), "dst": showDst(r.Dst, "default"), "scope": ScopeName(r.Scope), "protocol": ProtocolName(r.Protocol)}
	if r.Src.IsValid() {
		s["from"] = showDst(r.Src, "all")
	}
	if r.TOS != 0 {
		s["tos"] = fmt.Sprintf("%#x", r.TOS)
	}
	put(s, "metric", r.Priority)
	put(s, "nhid", r.NHID)
	if r.PrefSrc.IsValid() {
		s["prefsrc"] = r.PrefSrc
	}
	showGateway(s, r.Family, r.Gateway)
	put(s, "dev", names[r.OIF])
	s["flags"] = showHopFlags(r.Flags)
	if m := showMetrics(&r.Metrics); m != nil {
		s["metrics"] = m
	}
	if r.Family == unix.AF_INET6 {
		s["pref"] = PrefName(r.Pref)
	}
	var hops []shown
	for i := range r.NextHops {
		h := &r.NextHops[i]
		hop := shown{"dev": names[h.OIF], "weight": h.Weight, "flags": showHopFlags(uint32(h.Flags))}
		showGateway(hop, r.Family, h.Gateway)
		hops = append(hops, hop)
	}
	if hops != nil {
		s["nexthops"] = hops
	}
	return s
}

// showDst leaves out the length of a whole address.
func showDst(p netip.Prefix, all string) string {
	switch {
	case !p.IsValid():
		return all
	case p.IsSingleIP():
		return p.Addr().String()
	}
	return p.String()
}

func showGateway(s shown, family uint8, gw netip.Addr) {
	switch {
	case !gw.IsValid():
	case gw.Is4() && family == unix.AF_INET6:
		s["via"] = shown{"family": "inet", "host": gw}
	case gw.Is6() && family == unix.AF_INET:
		s["via"] = shown{"family": "inet6", "host": gw}
	default:
		s["gateway"] = gw
	}
}

func showHopFlags(flags uint32) []string {
	words := []string{}
	for _, f := range []struct {
		bit  uint32
		word string
	}{
		{unix.RTNH_F_DEAD, "dead"}, {unix.RTNH_F_ONLINK, "onlink"}, {unix.RTNH_F_PERVASIVE, "pervasive"},
		{unix.RTNH_F_OFFLOAD, "offload"}, {unix.RTNH_F_LINKDOWN, "linkdown"}, {unix.RTNH_F_UNRESOLVED, "unresolved"},
	} {
		if flags&f.bit != 0 {
			words = append(words, f.word)
		}
	}
	return words
}

// showMetrics returns nil when there are none.
func showMetrics(m *Metrics) []shown {
	names := map[uint16]string{
		unix.RTAX_MTU: "mtu", unix.RTAX_WINDOW: "window", unix.RTAX_RTT: "rtt", unix.RTAX_RTTVAR: "rttvar",
		unix.RTAX_SSTHRESH: "ssthresh", unix.RTAX_CWND: "cwnd", unix.RTAX_ADVMSS: "advmss", unix.RTAX_REORDERING: "reordering",
		unix.RTAX_HOPLIMIT: "hoplimit", unix.RTAX_INITCWND: "initcwnd", unix.RTAX_RTO_MIN: "rto_min",
		unix.RTAX_INITRWND: "initrwnd", unix.RTAX_QUICKACK: "quickack", unix.RTAX_FASTOPEN_NO_COOKIE: "fastopen_no_cookie",
	}
	s := shown{}
	for typ := range uint16(unix.RTAX_MAX + 1) {
		v, ok := m.Get(typ)
		if !ok || typ == unix.RTAX_LOCK {
			continue
		}
		switch typ { // ip shows milliseconds
		case unix.RTAX_RTT:
			v /= 8
		case unix.RTAX_RTTVAR:
			v /= 4
		}
		if typ == unix.RTAX_FEATURES {
			s["ecn"] = nil
			continue
		}
		s[names[typ]] = v
	}
	put(s, "congestion", m.Congestion)
	if len(s) == 0 {
		return nil
	}
	return []shown{s}
}
