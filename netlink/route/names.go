package route

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// A vocabulary has iproute2's words for numbers that are part of the kernel's
// interface. Names that people give (in /etc/iproute2) are not here.
type vocabulary []struct {
	n    uint32
	word string
}

// word returns the word for n, or n in digits.
func (v vocabulary) word(n uint32) string {
	for _, e := range v {
		if e.n == n {
			return e.word
		}
	}
	return strconv.FormatUint(uint64(n), 10)
}

// number returns the number of a word.
func (v vocabulary) number(word string) (n uint32, ok bool) {
	for _, e := range v {
		if e.word == word {
			return e.n, true
		}
	}
	return 0, false
}

// bits returns the words of the bits set in n, in the order of v, and what is
// left as one hexadecimal number.
func (v vocabulary) bits(n uint32) []string {
	var words []string
	for _, e := range v {
		if n&e.n != 0 {
			words = append(words, e.word)
			n &^= e.n
		}
	}
	if n != 0 {
		words = append(words, strconv.FormatUint(uint64(n), 16))
	}
	return words
}

var routeTypes = vocabulary{
	{unix.RTN_UNICAST, "unicast"}, {unix.RTN_LOCAL, "local"}, {unix.RTN_BROADCAST, "broadcast"},
	{unix.RTN_ANYCAST, "anycast"}, {unix.RTN_MULTICAST, "multicast"}, {unix.RTN_BLACKHOLE, "blackhole"},
	{unix.RTN_UNREACHABLE, "unreachable"}, {unix.RTN_PROHIBIT, "prohibit"}, {unix.RTN_THROW, "throw"},
	{unix.RTN_NAT, "nat"}, {unix.RTN_XRESOLVE, "xresolve"},
}

// RouteTypeName returns the word for a route type: "unicast", "blackhole".
func RouteTypeName(t uint8) string { return routeTypes.word(uint32(t)) }

// RouteTypeByName is the reverse of RouteTypeName.
func RouteTypeByName(word string) (t uint8, ok bool) {
	n, ok := routeTypes.number(word)
	return uint8(n), ok
}

var scopes = vocabulary{
	{unix.RT_SCOPE_UNIVERSE, "global"}, {unix.RT_SCOPE_SITE, "site"}, {unix.RT_SCOPE_LINK, "link"},
	{unix.RT_SCOPE_HOST, "host"}, {unix.RT_SCOPE_NOWHERE, "nowhere"},
}

// ScopeName returns the kernel's word for a scope of routes and addresses.
func ScopeName(s uint8) string { return scopes.word(uint32(s)) }

// ScopeByName is the reverse of ScopeName.
func ScopeByName(word string) (s uint8, ok bool) {
	n, ok := scopes.number(word)
	return uint8(n), ok
}

var protocols = vocabulary{
	{unix.RTPROT_UNSPEC, "unspec"}, {unix.RTPROT_REDIRECT, "redirect"}, {unix.RTPROT_KERNEL, "kernel"},
	{unix.RTPROT_BOOT, "boot"}, {unix.RTPROT_STATIC, "static"}, {unix.RTPROT_GATED, "gated"},
	{unix.RTPROT_RA, "ra"}, {unix.RTPROT_MRT, "mrt"}, {unix.RTPROT_ZEBRA, "zebra"}, {unix.RTPROT_BIRD, "bird"},
	{unix.RTPROT_DNROUTED, "dnrouted"}, {unix.RTPROT_XORP, "xorp"}, {unix.RTPROT_NTK, "ntk"},
	{unix.RTPROT_DHCP, "dhcp"}, {unix.RTPROT_MROUTED, "mrouted"}, {unix.RTPROT_KEEPALIVED, "keepalived"},
	{unix.RTPROT_BABEL, "babel"}, {unix.RTPROT_OVN, "ovn"}, {unix.RTPROT_OPENR, "openr"}, {unix.RTPROT_BGP, "bgp"},
	{unix.RTPROT_ISIS, "isis"}, {unix.RTPROT_OSPF, "ospf"}, {unix.RTPROT_RIP, "rip"}, {unix.RTPROT_EIGRP, "eigrp"},
}

// ProtocolName returns the kernel's word for who made an object: "static".
func ProtocolName(p uint8) string { return protocols.word(uint32(p)) }

// ProtocolByName is the reverse of ProtocolName.
func ProtocolByName(word string) (p uint8, ok bool) {
	n, ok := protocols.number(word)
	return uint8(n), ok
}

var tables = vocabulary{
	{unix.RT_TABLE_UNSPEC, "unspec"}, {unix.RT_TABLE_DEFAULT, "default"},
	{unix.RT_TABLE_MAIN, "main"}, {unix.RT_TABLE_LOCAL, "local"},
}

// TableName returns the kernel's word for a routing table: "main".
func TableName(t uint32) string { return tables.word(t) }

// TableByName is the reverse of TableName.
func TableByName(word string) (t uint32, ok bool) { return tables.number(word) }

var ruleActions = vocabulary{
	{unix.FR_ACT_TO_TBL, "lookup"}, {unix.FR_ACT_GOTO, "goto"}, {unix.FR_ACT_NOP, "nop"},
	{unix.FR_ACT_BLACKHOLE, "blackhole"}, {unix.FR_ACT_UNREACHABLE, "unreachable"}, {unix.FR_ACT_PROHIBIT, "prohibit"},
}

// RuleActionName returns the word for what a rule does: "lookup", "goto".
func RuleActionName(a uint8) string { return ruleActions.word(uint32(a)) }

// RuleActionByName is the reverse of RuleActionName.
func RuleActionByName(word string) (a uint8, ok bool) {
	n, ok := ruleActions.number(word)
	return uint8(n), ok
}

var prefs = vocabulary{
	{ICMPV6_ROUTER_PREF_LOW, "low"}, {ICMPV6_ROUTER_PREF_MEDIUM, "medium"}, {ICMPV6_ROUTER_PREF_HIGH, "high"},
}

// PrefName returns the word for the preference of an IPv6 route.
func PrefName(p uint8) string { return prefs.word(uint32(p)) }

// PrefByName is the reverse of PrefName.
func PrefByName(word string) (p uint8, ok bool) {
	n, ok := prefs.number(word)
	return uint8(n), ok
}

// ipProtos are the protocols that rules are written for.
var ipProtos = vocabulary{
	{unix.IPPROTO_ICMP, "icmp"}, {unix.IPPROTO_TCP, "tcp"}, {unix.IPPROTO_UDP, "udp"}, {unix.IPPROTO_GRE, "gre"},
	{unix.IPPROTO_ESP, "esp"}, {unix.IPPROTO_ICMPV6, "ipv6-icmp"}, {unix.IPPROTO_SCTP, "sctp"},
}

// IPProtoName returns the word for a protocol on top of IP: "tcp".
func IPProtoName(p uint8) string { return ipProtos.word(uint32(p)) }

var metrics = vocabulary{
	{unix.RTAX_LOCK, "lock"}, {unix.RTAX_MTU, "mtu"}, {unix.RTAX_WINDOW, "window"}, {unix.RTAX_RTT, "rtt"},
	{unix.RTAX_RTTVAR, "rttvar"}, {unix.RTAX_SSTHRESH, "ssthresh"}, {unix.RTAX_CWND, "cwnd"},
	{unix.RTAX_ADVMSS, "advmss"}, {unix.RTAX_REORDERING, "reordering"}, {unix.RTAX_HOPLIMIT, "hoplimit"},
	{unix.RTAX_INITCWND, "initcwnd"}, {unix.RTAX_FEATURES, "features"}, {unix.RTAX_RTO_MIN, "rto_min"},
	{unix.RTAX_INITRWND, "initrwnd"}, {unix.RTAX_QUICKACK, "quickack"}, {unix.RTAX_CC_ALGO, "congctl"},
	{unix.RTAX_FASTOPEN_NO_COOKIE, "fastopen_no_cookie"},
}

// MetricName returns the word for a metric of a route, RTAX_MTU and so on: "mtu".
func MetricName(typ uint16) string { return metrics.word(uint32(typ)) }
