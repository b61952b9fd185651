package route

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// routeLab has v0 with 192.0.2.2/24 and 2001:db8::2/64, nothing else.
func routeLab(t testing.TB) (*lab, *Link) {
	l := newLab(t)
	l.ip("link", "set", "lo", "up")
	v := l.up("v0", "v1")
	l.ip("addr", "add", "192.0.2.2/24", "dev", "v0")
	l.ip("addr", "add", "2001:db8::2/64", "dev", "v0", "nodad")
	return l, v
}

// unicast fills in what the examples have in common.
func unicast(r Route) *Route {
	if r.Table == 0 {
		r.Table = 1000
	}
	if r.Type == 0 {
		r.Type = unix.RTN_UNICAST
	}
	if r.Family == unix.AF_INET6 && r.Priority == 0 {
		r.Priority = 1024
	}
	r.Protocol = 110
	return &r
}

func TestRoutes(t *testing.T) {
	l, v := routeLab(t)
	gw, gw6 := addr("192.0.2.1"), addr("2001:db8::1")
	mtu := Metrics{}
	mtu.Put(unix.RTAX_MTU, 1300)
	mtu.Put(unix.RTAX_LOCK, 1<<unix.RTAX_MTU)
	mtu.Put(unix.RTAX_ADVMSS, 1200)
	mtu.PutCongestion("cubic")
	dst, dst6 := pfx("10.1.0.0/16"), pfx("2001:db8:1::/48")
	for name, r := range map[string]Route{
		"default":       {Family: unix.AF_INET, Gateway: gw, OIF: v.Index},
		"IPv6 default":  {Family: unix.AF_INET6, Gateway: gw6, OIF: v.Index},
		"all":           {Family: unix.AF_INET, Dst: dst, Gateway: gw, OIF: v.Index, Priority: 50, TOS: 16, PrefSrc: addr("192.0.2.2"), Realms: 3<<16 | 4, Metrics: mtu},
		"on link":       {Family: unix.AF_INET, Dst: dst, OIF: v.Index, Scope: unix.RT_SCOPE_LINK},
		"onlink":        {Family: unix.AF_INET, Dst: dst, Gateway: addr("198.51.100.1"), OIF: v.Index, Flags: unix.RTNH_F_ONLINK},
		"IPv4 by IPv6":  {Family: unix.AF_INET, Dst: dst, Gateway: gw6, OIF: v.Index},
		"blackhole":     {Family: unix.AF_INET, Dst: dst, Type: unix.RTN_BLACKHOLE, Priority: 4000},
		"prohibit":      {Family: unix.AF_INET, Dst: dst, Type: unix.RTN_PROHIBIT},
		"throw":         {Family: unix.AF_INET, Dst: dst, Type: unix.RTN_THROW},
		"unreachable 6": {Family: unix.AF_INET6, Dst: dst6, Type: unix.RTN_UNREACHABLE, OIF: 1},
		"pref 6":        {Family: unix.AF_INET6, Dst: dst6, Gateway: gw6, OIF: v.Index, Pref: ICMPV6_ROUTER_PREF_LOW, Priority: 77, Metrics: mtu},
		"expires 6":     {Family: unix.AF_INET6, Dst: dst6, Gateway: gw6, OIF: v.Index, Expires: 600},
		"from 6":        {Family: unix.AF_INET6, Dst: dst6, Src: pfx("2001:db8:9::/48"), Gateway: gw6, OIF: v.Index},
		"prefsrc 6":     {Family: unix.AF_INET6, Dst: dst6, PrefSrc: addr("2001:db8::2"), Gateway: gw6, OIF: v.Index},
		"multipath": {Family: unix.AF_INET, Dst: dst, NextHops: []NextHop{
			{Gateway: gw, OIF: v.Index, Weight: 3}, {Gateway: gw6, OIF: v.Index, Weight: 256},
			{Gateway: addr("198.51.100.1"), OIF: v.Index, Weight: 1, Flags: unix.RTNH_F_ONLINK, Realms: 5},
		}},
		"multipath 6": {Family: unix.AF_INET6, Dst: dst6, NextHops: []NextHop{
			{Gateway: gw6, OIF: v.Index, Weight: 1}, {Gateway: addr("2001:db8::9"), OIF: v.Index, Weight: 9},
		}},
		"encap": {Family: unix.AF_INET, Dst: dst, Gateway: gw, OIF: v.Index, Encap: ipEncap()},
	} {
		t.Run(name, func(t *testing.T) { l.tryRoute(t, unicast(r)) })
	}
}

// ipEncap is `encap ip id 7 dst 203.0.113.1` with the defaults that the kernel
// reports: LWTUNNEL_IP_ID, DST, SRC, TOS, TTL, FLAGS.
func ipEncap() Encap {
	return Encap{Type: unix.LWTUNNEL_ENCAP_IP, Data: data(func(e *netlink.Encoder) {
		e.BE64(1, 7)
		e.Addr(2, addr("203.0.113.1"))
		e.Addr(3, netip.IPv4Unspecified())
		e.Uint8(5, 0)
		e.Uint8(4, 0)
		e.Uint16(6, 0)
	})}
}

// tryRoute adds a route, compares it with the dump and with what ip shows, and
// deletes it as it was dumped.
func (l *lab) tryRoute(t *testing.T, r *Route) {
	err := l.Do(l.ctx, unix.RTM_NEWROUTE, create, r)
	if errors.Is(err, unix.EOPNOTSUPP) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	all := collect(t, l.Routes(l.ctx, RouteFilter{Table: r.Table}))
	if len(all) != 1 {
		t.Fatalf("%d routes in the table", len(all))
	}
	got := all[0]
	if !r.Equal(got) {
		t.Errorf("not equal (-want +got)\n%s", cmp.Diff(r, got, same))
	}
	if len(got.Extra) > 0 {
		t.Logf("this kernel has more attributes: % x", got.Extra)
	}
	family := "-4"
	if r.Family == unix.AF_INET6 {
		family = "-6"
	}
	shown := l.json("ip", family, "route", "show", "table", "1000")[0]
	l.want(shown, "type", RouteTypeName(r.Type))
	l.want(shown, "protocol", 110)
	if r.Gateway.IsValid() && r.Gateway.Is4() == (r.Family == unix.AF_INET) {
		l.want(shown, "gateway", r.Gateway)
	}
	if hops, _ := shown["nexthops"].([]any); len(hops) != len(r.NextHops) {
		t.Errorf("ip shows the hops %v", hops)
	}
	l.must(unix.RTM_DELROUTE, 0, got)
	if left := collect(t, l.Routes(l.ctx, RouteFilter{Table: r.Table})); len(left) != 0 {
		t.Errorf("left after deletion: %v", left)
	}
}

// The first route that has what the message names is deleted, and a metric of 0
// names none: a route as dumped must hit itself.
func TestRouteDeletionHitsTheRightOne(t *testing.T) {
	l, v := routeLab(t)
	routes := []*Route{
		unicast(Route{Family: unix.AF_INET, Dst: pfx("10.0.0.0/8"), Gateway: addr("192.0.2.1"), OIF: v.Index}),
		unicast(Route{Family: unix.AF_INET, Dst: pfx("10.0.0.0/8"), Gateway: addr("192.0.2.1"), OIF: v.Index, Priority: 10}),
		unicast(Route{Family: unix.AF_INET, Dst: pfx("10.0.0.0/8"), Type: unix.RTN_BLACKHOLE, Priority: 20}),
		unicast(Route{Family: unix.AF_INET, Dst: pfx("10.0.0.0/8"), Gateway: addr("192.0.2.3"), OIF: v.Index, TOS: 8}),
	}
	for _, r := range routes {
		l.must(unix.RTM_NEWROUTE, create, r)
	}
	all := collect(t, l.Routes(l.ctx, RouteFilter{Table: 1000}))
	for len(all) > 0 {
		victim := all[len(all)-1]
		l.must(unix.RTM_DELROUTE, 0, victim)
		left := collect(t, l.Routes(l.ctx, RouteFilter{Table: 1000}))
		if diff := cmp.Diff(all[:len(all)-1], left, same); diff != "" {
			t.Fatalf("after deleting %v (-want +got)\n%s", victim, diff)
		}
		all = left
	}
}

// K9 (the facts of netlink's TestK tests): IPv6 makes one route of all that have
// the same destination and metric, where IPv4 keeps several, in an order.
func TestK09HopsOfIPv6(t *testing.T) {
	l, v := routeLab(t)
	hop := func(a string) NextHop { return NextHop{Gateway: addr(a), OIF: v.Index, Weight: 1} }
	via := func(a string) *Route {
		return unicast(Route{Family: unix.AF_INET6, Dst: pfx("2001:db8:1::/48"), Gateway: addr(a), OIF: v.Index})
	}
	both := via("2001:db8::4")
	both.Gateway, both.OIF = netip.Addr{}, 0
	both.NextHops = []NextHop{hop("2001:db8::4"), hop("2001:db8::5")}
	sub, err := l.Subscribe(unix.RTNLGRP_IPV6_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	const replace = netlink.Create | netlink.Replace
	for _, step := range []struct {
		name   string
		typ    uint16
		flags  netlink.Flags
		r      *Route
		hops   int
		events []uint16
	}{
		{"add", unix.RTM_NEWROUTE, create, via("2001:db8::1"), 1, []uint16{unix.RTM_NEWROUTE}},
		{"prepend", unix.RTM_NEWROUTE, netlink.Create, via("2001:db8::6"), 2, []uint16{unix.RTM_NEWROUTE}},
		{"append", unix.RTM_NEWROUTE, netlink.Create | netlink.Append, via("2001:db8::3"), 3, []uint16{unix.RTM_NEWROUTE}},
		{"replace", unix.RTM_NEWROUTE, replace, both, 2, []uint16{unix.RTM_NEWROUTE}}, // and none for the old one
		{"delete", unix.RTM_DELROUTE, 0, via("2001:db8::4"), 1, []uint16{unix.RTM_DELROUTE}},
	} {
		l.must(step.typ, step.flags, step.r)
		all := collect(t, l.Routes(l.ctx, RouteFilter{Table: 1000, Family: unix.AF_INET6}))
		if len(all) != 1 || max(len(all[0].NextHops), 1) != step.hops {
			t.Errorf("after %s: %v, want one route with %d hops", step.name, all, step.hops)
		}
		for _, want := range step.events {
			for m, err := range sub.Messages(l.ctx) {
				if err != nil || m.Type != want {
					t.Errorf("event of %s: %s, %v", step.name, MessageName(m.Type), err)
				}
				break
			}
		}
	}
}

func TestRouteNexthopObject(t *testing.T) {
	l, _ := routeLab(t)
	l.ip("nexthop", "add", "id", "10", "via", "192.0.2.1", "dev", "v0")
	l.tryRoute(t, unicast(Route{Family: unix.AF_INET, Dst: pfx("10.0.0.0/8"), NHID: 10}))
}

func TestRouteFilter(t *testing.T) {
	l, v := routeLab(t)
	for i, r := range []Route{
		{Family: unix.AF_INET, Dst: pfx("10.0.0.0/8"), OIF: v.Index, Scope: unix.RT_SCOPE_LINK},
		{Family: unix.AF_INET6, Dst: pfx("2001:db8:1::/48"), OIF: v.Index},
		{Family: unix.AF_INET, Dst: pfx("10.1.0.0/16"), Type: unix.RTN_BLACKHOLE},
	} {
		r.Table = 1000 + uint32(i%2)
		l.must(unix.RTM_NEWROUTE, create, unicast(r))
	}
	for name, tt := range map[string]struct {
		f    RouteFilter
		want int
	}{
		"protocol":       {RouteFilter{Protocol: 110}, 3},
		"table":          {RouteFilter{Table: 1000}, 2},
		"missing table":  {RouteFilter{Table: 4711}, 0},
		"missing table4": {RouteFilter{Table: 4711, Family: unix.AF_INET}, 0},
		"missing table6": {RouteFilter{Table: 4711, Family: unix.AF_INET6}, 0},
		"type":           {RouteFilter{Type: unix.RTN_BLACKHOLE}, 1},
		"link":           {RouteFilter{OIF: v.Index, Protocol: 110}, 2},
		"family":         {RouteFilter{Family: unix.AF_INET6, Protocol: 110}, 1},
		"nothing":        {RouteFilter{Protocol: 99}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := collect(t, l.Routes(l.ctx, tt.f)); len(got) != tt.want {
				t.Errorf("%d routes, want %d: %v", len(got), tt.want, got)
			}
		})
	}
}

// fill adds n routes to table 1000, each of its own.
func (l *lab) fill(n int, index int32) {
	l.Helper()
	r := unicast(Route{Family: unix.AF_INET, Gateway: addr("192.0.2.1"), OIF: index})
	const chunk = 10000
	var b netlink.Batch
	for from := 0; from < n; from += chunk {
		b.Reset()
		for i := from; i < min(from+chunk, n); i++ {
			var a [4]byte
			binary.BigEndian.PutUint32(a[:], 10<<24+uint32(i))
			r.Dst = netip.PrefixFrom(netip.AddrFrom4(a), 32)
			b.Add(unix.RTM_NEWROUTE, create, r)
		}
		result, err := l.Execute(l.ctx, &b)
		if err != nil {
			l.Fatal(err)
		}
		for i, err := range result.Errors() {
			l.Fatalf("route %d: %v", from+i, err)
		}
	}
}

func TestRouteDumpAllocs(t *testing.T) {
	l, v := routeLab(t)
	const n = 5000
	l.fill(n, v.Index)
	allocs := testing.AllocsPerRun(5, func() {
		got := 0
		for _, err := range l.Routes(l.ctx, RouteFilter{Table: 1000}) {
			if err != nil {
				t.Fatal(err)
			}
			got++
		}
		if got != n {
			t.Fatalf("%d routes", got)
		}
	})
	if allocs > 100 {
		t.Errorf("%v allocations for %d routes", allocs, n)
	}
}

func BenchmarkDumpRoutes(b *testing.B) {
	const n = 100_000
	l, v := routeLab(b)
	l.fill(n, v.Index)
	b.ReportAllocs()
	for b.Loop() {
		got := 0
		for _, err := range l.Routes(l.ctx, RouteFilter{Family: unix.AF_INET, Table: 1000}) {
			if err != nil {
				b.Fatal(err)
			}
			got++
		}
		if got != n {
			b.Fatalf("%d routes", got)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/route")
}
