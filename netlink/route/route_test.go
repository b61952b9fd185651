package route

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

var (
	addr = netip.MustParseAddr
	pfx  = netip.MustParsePrefix
)

// v0 is the index of the link v0 in the fixtures.
const v0 = 3

// sentBy are the routes that commands of testdata/route.txt send.
var sentBy = map[string]Route{
	"ip route add default via 192.0.2.1": {
		Family: unix.AF_INET, Table: unix.RT_TABLE_MAIN, Protocol: unix.RTPROT_BOOT, Type: unix.RTN_UNICAST,
		Gateway: addr("192.0.2.1"),
	},
	"ip route add 10.1.0.0/24 via 192.0.2.9 dev v0 src 192.0.2.2 metric 50 proto 110": {
		Family: unix.AF_INET, Table: unix.RT_TABLE_MAIN, Protocol: 110, Type: unix.RTN_UNICAST,
		Dst: pfx("10.1.0.0/24"), Gateway: addr("192.0.2.9"), OIF: v0, PrefSrc: addr("192.0.2.2"), Priority: 50,
	},
	"ip route add 10.2.0.0/16 dev v0 table 1000 scope link": {
		Family: unix.AF_INET, Table: 1000, Protocol: unix.RTPROT_BOOT, Type: unix.RTN_UNICAST,
		Scope: unix.RT_SCOPE_LINK, Dst: pfx("10.2.0.0/16"), OIF: v0,
	},
	"ip route add 10.3.0.0/16 table 100 nexthop via 192.0.2.9 dev v0 weight 3 nexthop via 192.0.2.10 dev v0 weight 256": {
		Family: unix.AF_INET, Table: 100, Protocol: unix.RTPROT_BOOT, Type: unix.RTN_UNICAST, Dst: pfx("10.3.0.0/16"),
		NextHops: []NextHop{
			{Gateway: addr("192.0.2.9"), OIF: v0, Weight: 3},
			{Gateway: addr("192.0.2.10"), OIF: v0, Weight: 256},
		},
	},
	"ip route add 10.4.0.0/16 via 192.0.2.9 mtu lock 1400 advmss 1360 hoplimit 10 congctl reno rtt 20ms": {
		Family: unix.AF_INET, Table: unix.RT_TABLE_MAIN, Protocol: unix.RTPROT_BOOT, Type: unix.RTN_UNICAST,
		Dst: pfx("10.4.0.0/16"), Gateway: addr("192.0.2.9"),
		Metrics: Metrics{
			Set: 1<<unix.RTAX_LOCK | 1<<unix.RTAX_MTU | 1<<unix.RTAX_ADVMSS | 1<<unix.RTAX_HOPLIMIT |
				1<<unix.RTAX_CC_ALGO | 1<<unix.RTAX_RTT,
			Lock: 1 << unix.RTAX_MTU, MTU: 1400, AdvMSS: 1360, HopLimit: 10, Congestion: "reno", RTT: 160,
		},
	},
	"ip route add 10.5.0.0/16 via inet6 2001:db8::9 dev v0": {
		Family: unix.AF_INET, Table: unix.RT_TABLE_MAIN, Protocol: unix.RTPROT_BOOT, Type: unix.RTN_UNICAST,
		Dst: pfx("10.5.0.0/16"), Gateway: addr("2001:db8::9"), OIF: v0,
	},
	"ip route add 10.6.0.0/16 via 198.51.100.1 dev v0 onlink realms 3/4": {
		Family: unix.AF_INET, Table: unix.RT_TABLE_MAIN, Protocol: unix.RTPROT_BOOT, Type: unix.RTN_UNICAST,
		Dst: pfx("10.6.0.0/16"), Gateway: addr("198.51.100.1"), OIF: v0, Flags: unix.RTNH_F_ONLINK, Realms: 3<<16 | 4,
	},
	"ip route add tos 0x10 10.7.0.0/16 via 192.0.2.9": {
		Family: unix.AF_INET, Table: unix.RT_TABLE_MAIN, Protocol: unix.RTPROT_BOOT, Type: unix.RTN_UNICAST,
		Dst: pfx("10.7.0.0/16"), Gateway: addr("192.0.2.9"), TOS: 16,
	},
	"ip route add blackhole 10.8.0.0/16 metric 4000": {
		Family: unix.AF_INET, Table: unix.RT_TABLE_MAIN, Protocol: unix.RTPROT_BOOT, Type: unix.RTN_BLACKHOLE,
		Dst: pfx("10.8.0.0/16"), Priority: 4000,
	},
	"ip route add default via 2001:db8::1 dev v0 pref high": {
		Family: unix.AF_INET6, Table: unix.RT_TABLE_MAIN, Protocol: unix.RTPROT_BOOT, Type: unix.RTN_UNICAST,
		Gateway: addr("2001:db8::1"), OIF: v0, Pref: ICMPV6_ROUTER_PREF_HIGH,
	},
	"ip route add 2001:db8:3::/48 via 2001:db8::9 dev v0 expires 600 mtu 1300": {
		Family: unix.AF_INET6, Table: unix.RT_TABLE_MAIN, Protocol: unix.RTPROT_BOOT, Type: unix.RTN_UNICAST,
		Dst: pfx("2001:db8:3::/48"), Gateway: addr("2001:db8::9"), OIF: v0, Expires: 600,
		Metrics: Metrics{Set: 1 << unix.RTAX_MTU, MTU: 1300},
	},
	"ip route add 2001:db8:4::/48 from 2001:db8:5::/48 via 2001:db8::9 dev v0": {
		Family: unix.AF_INET6, Table: unix.RT_TABLE_MAIN, Protocol: unix.RTPROT_BOOT, Type: unix.RTN_UNICAST,
		Dst: pfx("2001:db8:4::/48"), Src: pfx("2001:db8:5::/48"), Gateway: addr("2001:db8::9"), OIF: v0,
	},
	"ip route add 10.10.0.0/16 nhid 10": {
		Family: unix.AF_INET, Table: unix.RT_TABLE_MAIN, Protocol: unix.RTPROT_BOOT, Type: unix.RTN_UNICAST,
		Dst: pfx("10.10.0.0/16"), NHID: 10,
	},
}

// expect checks what the commands of a file send.
func expect[T any, P object[T]](t *testing.T, file string, want map[string]T) {
	t.Helper()
	found := 0
	for _, x := range readFixtures(t, file) {
		w, ok := want[x.command]
		if !ok {
			continue
		}
		found++
		t.Run(x.command, func(t *testing.T) {
			var got T
			if err := P(&got).Decode(x.sent[len(x.sent)-1].Data); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(w, got, same); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	if found != len(want) {
		t.Errorf("%d of %d commands are in testdata/%s.txt", found, len(want), file)
	}
}

func TestRouteSent(t *testing.T) { expect(t, "route", sentBy) }

// What the kernel reports equals what was sent, but for what it fills in.
func TestRouteReported(t *testing.T) {
	reported := map[string]*Route{}
	for _, x := range readFixtures(t, "route") {
		for _, m := range x.received {
			var r Route
			if err := r.Decode(m.Data); err != nil {
				t.Fatal(err)
			}
			if r.Protocol != unix.RTPROT_KERNEL {
				reported[string(rune(r.Family))+r.Dst.String()] = r.Clone()
			}
		}
	}
	for command, r := range sentBy {
		t.Run(command, func(t *testing.T) {
			got, ok := reported[string(rune(r.Family))+r.Dst.String()]
			if !ok {
				t.Fatal("not reported")
			}
			want := r.Clone()
			if want.OIF == 0 && got.OIF != 0 {
				want.OIF = v0 // found by the gateway
			}
			if want.Family == unix.AF_INET6 {
				want.Priority = 1024
			}
			if !got.Equal(want) {
				t.Errorf("not equal (-want +got)\n%s", cmp.Diff(want, got, same))
			}
		})
	}
}

func TestRouteEncode(t *testing.T) {
	for name, tt := range map[string]struct{ give, want Route }{
		"table above 255": {
			give: Route{Family: unix.AF_INET, Table: 1 << 20},
			want: Route{Family: unix.AF_INET, Table: 1 << 20},
		},
		"default written out": {
			give: Route{Family: unix.AF_INET6, Dst: pfx("::/0"), Table: 254},
			want: Route{Family: unix.AF_INET6, Table: 254},
		},
		"one hop becomes flat": {
			give: Route{Family: unix.AF_INET, NextHops: []NextHop{{Gateway: addr("192.0.2.1"), OIF: 2, Weight: 7, Flags: unix.RTNH_F_ONLINK}}},
			want: Route{Family: unix.AF_INET, Gateway: addr("192.0.2.1"), OIF: 2, Flags: unix.RTNH_F_ONLINK},
		},
		"hops of the other family": {
			give: Route{Family: unix.AF_INET, NextHops: []NextHop{{Gateway: addr("fe80::1"), OIF: 2}, {Gateway: addr("192.0.2.1"), Weight: 256}}},
			want: Route{Family: unix.AF_INET, NextHops: []NextHop{{Gateway: addr("fe80::1"), OIF: 2, Weight: 1}, {Gateway: addr("192.0.2.1"), Weight: 256}}},
		},
		"nexthop object without hops": {
			give: Route{Family: unix.AF_INET, NHID: 5, OIF: 2, Gateway: addr("192.0.2.1")},
			want: Route{Family: unix.AF_INET, NHID: 5},
		},
		"encap": {
			give: Route{Family: unix.AF_INET, OIF: 2, Encap: Encap{Type: unix.LWTUNNEL_ENCAP_MPLS, Data: []byte{8, 0, 1, 0, 0, 0x06, 0x41, 0}}},
			want: Route{Family: unix.AF_INET, OIF: 2, Encap: Encap{Type: unix.LWTUNNEL_ENCAP_MPLS, Data: []byte{8, 0, 1, 0, 0, 0x06, 0x41, 0}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got Route
			if err := got.Decode(encode(t, &tt.give)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, same); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestRouteTableCompat(t *testing.T) {
	for table, want := range map[uint32]byte{254: 254, 255: 255, 256: unix.RT_TABLE_COMPAT} {
		if got := encode(t, &Route{Table: table})[4]; got != want {
			t.Errorf("rtm_table of table %d is %d, want %d", table, got, want)
		}
	}
}

func TestRouteEqual(t *testing.T) {
	base := Route{Family: unix.AF_INET, Table: 254, Dst: pfx("10.0.0.0/8"), Gateway: addr("192.0.2.1"), OIF: 2}
	for name, tt := range map[string]struct {
		change func(*Route)
		equal  bool
	}{
		"nothing":       {func(*Route) {}, true},
		"linkdown":      {func(r *Route) { r.Flags |= unix.RTNH_F_LINKDOWN }, true},
		"onlink":        {func(r *Route) { r.Flags |= unix.RTNH_F_ONLINK }, false},
		"gateway":       {func(r *Route) { r.Gateway = addr("192.0.2.2") }, false},
		"metric":        {func(r *Route) { r.Metrics.Put(unix.RTAX_MTU, 1400) }, false},
		"protocol":      {func(r *Route) { r.Protocol = 4 }, false},
		"encap":         {func(r *Route) { r.Encap.Type = 1 }, false},
		"unknown":       {func(r *Route) { r.Extra = []byte{4, 0, 99, 0} }, false},
		"scope":         {func(r *Route) { r.Scope = unix.RT_SCOPE_LINK }, false},
		"other default": {func(r *Route) { r.Dst = netip.Prefix{} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := base.Clone()
			tt.change(c)
			if got := base.Equal(c); got != tt.equal {
				t.Errorf("Equal is %v, want %v", got, tt.equal)
			}
		})
	}
	if a, b := (&Route{Dst: pfx("0.0.0.0/0")}), (&Route{}); !a.Equal(b) {
		t.Error("both are the default route")
	}
}

func TestRouteBadPrefix(t *testing.T) {
	b := encode(t, &Route{Family: unix.AF_INET, Dst: pfx("10.0.0.0/8")})
	b[1] = 40
	if err := new(Route).Decode(b); err == nil {
		t.Error("a prefix of 40 bits is no error")
	}
}

// A dump of all families also has routes that are not of IP: they are no errors.
func TestRouteOtherFamily(t *testing.T) {
	var e netlink.Encoder
	e.Fixed([]byte{unix.AF_PHONET, 6, 0, 0, unix.RT_TABLE_MAIN, 0, 0, unix.RTN_UNICAST, 0, 0, 0, 0})
	e.Uint8(unix.RTA_DST, 0x6c)
	var r Route
	if err := r.Decode(e.Bytes()); err != nil || r.Dst.IsValid() {
		t.Errorf("%v, %v", r.Dst, err)
	}
	e.Reset()
	e.Fixed([]byte{unix.AF_MPLS, 20, 0, 0, unix.RT_TABLE_MAIN, 0, 0, unix.RTN_UNICAST, 0, 0, 0, 0})
	e.BE32(unix.RTA_DST, 100<<12|1<<8) // label 100, bottom of stack
	if err := r.Decode(e.Bytes()); err != nil || r.Dst.Bits() != 20 {
		t.Errorf("%v, %v", r.Dst, err)
	}
}

func TestRouteCloneShares(t *testing.T) {
	b := encode(t, &Route{Family: unix.AF_INET, Encap: Encap{Type: 1, Data: []byte{1, 2, 3, 4}}})
	var r Route
	if err := r.Decode(b); err != nil {
		t.Fatal(err)
	}
	c := r.Clone()
	clear(b)
	if want := []byte{1, 2, 3, 4}; cmp.Diff(want, c.Encap.Data) != "" {
		t.Errorf("the clone changed with the buffer: % x", c.Encap.Data)
	}
}

var benchRoute = Route{
	Family: unix.AF_INET, Table: unix.RT_TABLE_MAIN, Protocol: unix.RTPROT_STATIC, Type: unix.RTN_UNICAST,
	Dst: pfx("10.1.2.0/24"), OIF: 3, Gateway: addr("192.0.2.1"),
}

func BenchmarkRouteEncode(b *testing.B) {
	b.ReportAllocs()
	var e netlink.Encoder
	r := benchRoute.Clone()
	for b.Loop() {
		e.Reset()
		r.AppendTo(&e)
	}
}

func BenchmarkRouteDecode(b *testing.B) {
	b.ReportAllocs()
	data := encode(b, &benchRoute)
	var r Route
	for b.Loop() {
		if err := r.Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRouteEqual(b *testing.B) {
	x, y := benchRoute.Clone(), benchRoute.Clone()
	for b.Loop() {
		if !x.Equal(y) {
			b.Fatal()
		}
	}
}

// A weight that one byte cannot hold is an error, not another weight.
func TestNextHopWeightTooLarge(t *testing.T) {
	for weight, fits := range map[uint16]bool{0: true, 256: true, 257: false, 1000: false} {
		r := Route{Family: unix.AF_INET, NextHops: []NextHop{{OIF: 1, Weight: weight}, {OIF: 2}}}
		var e netlink.Encoder
		if r.AppendTo(&e); (e.Err() == nil) != fits || !fits && !errors.Is(e.Err(), unix.EINVAL) {
			t.Errorf("weight %d: %v", weight, e.Err())
		}
	}
}
