package spec

import "net/netip"

// Route is a route, declared whole: what the document leaves out is the kernel's
// default, apart from the fields whose absence is said to accept what is there.
type Route struct {
	To       netip.Prefix // always valid and masked; a default route is 0.0.0.0/0 or ::/0
	Via      netip.Addr   // invalid: on-link, or NextHops. May be of the other family (RFC 8950)
	Src      netip.Addr   // invalid: accepts what is there
	Dev      string       // "" with Via: accepts what is there
	NextHops []NextHop    // of a multipath route; otherwise nil
	Metrics  *Metrics     // nil: none
	Encap    *Encap       // nil: none
	Protocol *uint8       // nil: the document's
	Scope    *uint8       // RT_SCOPE_*; nil: accepts what is there
	Table    uint32       // 254 unless written
	Metric   uint32       // 1024 for IPv6 unless written
	Realms   uint32       // FROM<<16 | TO
	Type     uint8        // RTN_*, RTN_UNICAST unless written
	TOS      uint8
	Pref     RouterPref // IPv6 only
	OnLink   bool
}

// NextHop is one of several hops of a route.
type NextHop struct {
	Via    netip.Addr // invalid: on-link
	Dev    string
	Weight uint16 // 1..256
	OnLink bool
	Encap  *Encap // nil: none
}

// Metrics are the route's values for transport protocols. Zero is unset, as it is
// in the kernel (net/ipv4/fib_semantics.c, rtnetlink_put_metrics).
type Metrics struct {
	MTU, AdvMSS, Window, Cwnd, InitCwnd, InitRwnd, HopLimit, QuickAck uint32

	CongCtl string
	Lock    uint32 // bit 1<<RTAX_* for each metric that is written "lock N"
}

// RouterPref is a route's preference among routers (RFC 4191), with the kernel's values.
type RouterPref uint8

// The preferences. PrefMedium, the zero value, is the default.
const (
	PrefMedium RouterPref = 0
	PrefHigh   RouterPref = 1
	PrefLow    RouterPref = 3
)

// Encap is a light-weight tunnel of a route or hop. Fields of other types are zero.
type Encap struct {
	Type string // mpls, seg6 or ip

	Labels []uint32 // mpls
	TTL    uint8    // mpls and ip; 0: the default

	Mode string       // seg6: inline, encap, l2encap, …
	Segs []netip.Addr // seg6, in iproute2's order

	ID       uint64     // ip
	Dst, Src netip.Addr // ip
}
