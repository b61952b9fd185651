package route

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/testns"
)

// The tests in this file let iproute2 make objects, and put what was decoded
// into the words of `ip -j -d show`: both must be the same, key by key. What a
// kernel has not got is not made; there is always something left.

// shown is an object as ip shows it.
type shown map[string]any

// plain is v as it comes out of JSON.
func plain(v any) any {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	var p any
	if err := json.Unmarshal(b, &p); err != nil {
		panic(err)
	}
	return p
}

// made runs the commands that the kernel supports, and tells which.
func (l *lab) made(program string, commands []string) {
	l.Helper()
	n := 0
	for _, command := range commands {
		if _, err := testns.Try(l, l.ns, program, strings.Fields(command)...); err != nil {
			l.Log(err)
		} else {
			n++
		}
	}
	if n == 0 {
		l.Fatal("nothing was made")
	}
}

// compare compares what ip shows with what was decoded, without the keys in
// ignored.
func (l *lab) compare(name string, ip map[string]any, decoded shown, ignored ...string) {
	l.Helper()
	for _, key := range ignored {
		delete(ip, key)
		delete(decoded, key)
	}
	if diff := cmp.Diff(any(ip), plain(decoded)); diff != "" {
		l.Errorf("%s (-ip +decoded)\n%s", name, diff)
	}
}

// steady returns a dump that is the same before and after ip shows it: the kernel
// lets time pass, resolves neighbours and finds carriers meanwhile.
func steady[T any, P cloner[T]](l *lab, dump iter.Seq2[P, error], ip func() []map[string]any) ([]P, []map[string]any) {
	l.Helper()
	for range 50 {
		before := collect(l, dump)
		shown := ip()
		if cmp.Equal(before, collect(l, dump), same) {
			return before, shown
		}
		time.Sleep(20 * time.Millisecond)
	}
	l.Fatal("the kernel does not come to rest")
	return nil, nil
}

// names are the names of links by index.
func (l *lab) names() map[int32]string {
	names := map[int32]string{}
	for _, link := range collect(l, l.Links(l.ctx)) {
		names[link.Index] = link.Name
	}
	return names
}

// put sets a key to what is not zero.
func put[T comparable](s shown, key string, v T) {
	var zero T
	if v != zero {
		s[key] = v
	}
}

func TestLinksAsIPShowsThem(t *testing.T) {
	l := newLab(t)
	l.made("ip", []string{
		"link set lo up", "link add v0 type veth peer name v1", "link set v0 up", "link set v1 up",
		"link add i0 mtu 1400 txqueuelen 7 numtxqueues 3 numrxqueues 2 type ifb",
		"link set i0 alias to-the-world group 9 promisc on allmulticast on arp off",
		"link property add dev i0 altname one altname another-name-that-is-longer",
		"link add br0 address 02:00:00:00:00:01 type bridge", "link set v1 master br0",
		"link add vx0 type vxlan id 5 dstport 4789 local 127.0.0.1 dev lo", "link set vx0 master br0",
		"link add mv0 link v0 type macvlan mode private", "link set mv0 addrgenmode none",
		"link set mv0 protodown on", "link set mv0 protodown_reason 3 on", "link set i0 gso_max_size 40000 gso_max_segs 77",
		"link set v0 gro_max_size 70000", "link add d0 type dummy", "link add vl0 link d0 type vlan id 5",
		"link add vrf0 type vrf table 7", "link add bo0 type bond", "link set d0 master bo0", "link add g0 type gre remote 192.0.2.1",
		"link add sit9 type sit remote 192.0.2.1", "link add m0 link v0 type macsec", "link add tun9 type ip6tnl remote 2001:db8::1",
		"tuntap add dev tap0 mode tap",
	})
	links, all := steady(l, l.Links(l.ctx), func() []map[string]any { return l.json("ip", "link", "show") })
	names := l.names()
	decoded := map[string]*Link{}
	for _, link := range links {
		decoded[link.Name] = link
	}
	if len(all) != len(decoded) {
		t.Errorf("ip shows %d links, %d were decoded", len(all), len(decoded))
	}
	for _, ip := range all {
		name := ip["ifname"].(string)
		kind, _ := ip["linkinfo"].(map[string]any)
		for _, key := range []string{"info_data", "info_slave_data", "info_xstats"} {
			delete(kind, key) // package kind's
		}
		if len(kind) == 0 {
			delete(ip, "linkinfo")
		}
		l.compare(name, ip, showLink(decoded[name], names), "link_type")
	}
}

func showLink(k *Link, names map[int32]string) shown {
	s := shown{
		"ifindex": k.Index, "ifname": k.Name, "mtu": k.MTU, "qdisc": k.Qdisc, "operstate": OperStateName(k.OperState),
		"flags": LinkFlagNames(k.Flags), "linkmode": []string{"DEFAULT", "DORMANT"}[k.LinkMode], "promiscuity": k.Promiscuity,
		"allmulti": k.AllMulti, "min_mtu": k.MinMTU, "max_mtu": k.MaxMTU, "num_tx_queues": k.NumTxQueues,
		"num_rx_queues": k.NumRxQueues, "gso_max_size": k.GSOMaxSize, "gso_max_segs": k.GSOMaxSegs,
		"tso_max_size": k.TSOMaxSize, "tso_max_segs": k.TSOMaxSegs, "gro_max_size": k.GROMaxSize,
	}
	s["group"] = "default"
	if k.Group != 0 {
		s["group"] = strconv.Itoa(int(k.Group))
	}
	put(s, "txqlen", k.TxQueueLen)
	put(s, "ifalias", k.Alias)
	put(s, "master", names[k.Master])
	if k.Address != nil {
		s["address"], s["broadcast"] = showAddress(k.Address), showAddress(k.Broadcast)
	}
	if k.Flags&unix.IFF_POINTOPOINT != 0 {
		s["link_pointtopoint"] = true
	}
	if k.PermAddress != nil && !k.PermAddress.Equal(k.Address) {
		s["permaddr"] = showAddress(k.PermAddress)
	}
	if len(k.AltNames) > 0 {
		s["altnames"] = k.AltNames
	}
	if k.HasParent {
		s["link"] = nil
		put(s, "link", names[k.Parent])
	}
	if k.HasAddrGenMode {
		s["inet6_addr_gen_mode"] = AddrGenModeName(k.AddrGenMode)
	}
	if k.Token.IsValid() {
		s["token"] = k.Token
	}
	if k.ProtoDown {
		s["proto_down"] = true
	}
	if k.ProtoDownReason != 0 {
		s["proto_down_reason"] = showBits(k.ProtoDownReason)
	}
	put(s, "parentbus", k.ParentDevBusName)
	put(s, "parentdev", k.ParentDevName)
	info := map[string]any{}
	put(info, "info_kind", k.Kind)
	put(info, "info_slave_kind", k.SlaveKind)
	if len(info) > 0 {
		s["linkinfo"] = info
	}
	return s
}

// showAddress shows four bytes as ip does: it takes them for an IPv4 address.
func showAddress(a HardwareAddr) string {
	if ip, ok := netip.AddrFromSlice(a); ok {
		return ip.String()
	}
	return a.String()
}

func showBits(n uint32) (bits []string) {
	for i := range 32 {
		if n&(1<<i) != 0 {
			bits = append(bits, strconv.Itoa(i))
		}
	}
	return bits
}

func TestAddrsAsIPShowsThem(t *testing.T) {
	l := newLab(t)
	l.up("v0", "v1")
	l.made("ip", []string{
		"addr add 192.0.2.1/24 dev v0", "addr add 192.0.2.3/24 dev v0", "addr add 10.0.0.1/8 brd + dev v0 label v0:one metric 77",
		"addr add 10.9.0.1 peer 10.9.0.2/30 dev v0", "addr add 10.8.0.1/24 dev v0 scope link noprefixroute",
		"addr add 10.7.0.1/24 dev v0 valid_lft 100000 preferred_lft 0", "addr add 10.6.0.1/24 dev v0 valid_lft 90000 preferred_lft 80000",
		"addr add 2001:db8::1/64 dev v0 nodad", "addr add 2001:db8::2 peer 2001:db8:1::/64 dev v0",
		"addr add 2001:db8:5::2/64 dev v0 mngtmpaddr home valid_lft 5000 preferred_lft 4000", "addr add fec0::1/10 dev v0 scope site",
		"addr add 2001:db8:7::2/64 dev v0 metric 5 noprefixroute", "addr add 239.1.1.1/32 dev v0 autojoin",
	})
	addrs, all := steady(l, l.Addrs(l.ctx, AddrFilter{}), func() []map[string]any { return l.json("ip", "addr", "show") })
	decoded := map[string]*Addr{}
	for _, d := range addrs {
		decoded[d.Local.String()] = d
	}
	n := 0
	for _, link := range all {
		infos, _ := link["addr_info"].([]any)
		for _, info := range infos {
			n++
			ip := info.(map[string]any)
			d := decoded[ip["local"].(string)]
			if d == nil {
				t.Errorf("%s was not decoded", ip["local"])
				continue
			}
			l.compare(d.Local.String(), ip, showAddr(d), "protocol") // old versions have none
		}
	}
	if n != len(decoded) {
		t.Errorf("ip shows %d addresses, %d were decoded", n, len(decoded))
	}
}

func showAddr(d *Addr) shown {
	s := shown{
		"family": "inet", "local": d.Local, "prefixlen": d.PrefixLen, "scope": ScopeName(d.Scope),
		"valid_life_time": d.ValidLft, "preferred_life_time": d.PreferredLft,
	}
	if d.Family == unix.AF_INET6 {
		s["family"] = "inet6"
	}
	if d.Peer.IsValid() {
		s["address"] = d.Peer
	}
	if d.Broadcast.IsValid() {
		s["broadcast"] = d.Broadcast
	}
	put(s, "label", d.Label)
	put(s, "metric", d.Metric)
	for _, word := range AddrFlagNames(d.Flags) {
		switch {
		case word == "permanent": // ip shows what is not
		case word == "secondary" && d.Family == unix.AF_INET6:
			s["temporary"] = true
		default:
			s[word] = true
		}
	}
	if d.Flags&unix.IFA_F_PERMANENT == 0 {
		s["dynamic"] = true
	}
	return s
}

// rulesOfIP are rules of all kinds, as arguments of ip.
var rulesOfIP = []string{
	"rule add priority 10 from 10.1.0.0/16 to 10.2.0.0/24 tos 0x10 fwmark 0x10/0xff iif v0 oif v1 table 1000 protocol 99",
	"rule add priority 11 not from 192.0.2.1 ipproto tcp sport 10-20 dport 443 table main", "rule add priority 12 fwmark 7 prohibit",
	"rule add priority 13 uidrange 5-9 tun_id 77 table 9 suppress_prefixlength 3 suppress_ifgroup 4",
	"rule add priority 14 goto 32000", "rule add priority 15 nop", "rule add priority 16 to 10.0.0.0/8 unreachable",
	"rule add priority 17 l3mdev", "rule add priority 18 blackhole", "rule add priority 19 table 5 realms 3/4",
	"rule add priority 20 fwmark 0/0xff table 6", "-6 rule add priority 21 from 2001:db8::/32 to 2001:db8:1::1 ipproto udp dport 53 table 8",
	"-6 rule add priority 22 table 4294967295", "rule add priority 23 table 255 protocol static", "rule add priority 24 ipproto 200 table 252",
	"rule add priority 0 table 5", "-6 rule add priority 25 not iif lo suppress_prefixlength 0 table main",
}

func TestRulesAsIPShowsThem(t *testing.T) {
	l := newLab(t)
	l.made("ip", rulesOfIP)
	for family, flag := range map[uint8]string{unix.AF_INET: "-4", unix.AF_INET6: "-6"} {
		decoded, all := steady(l, l.Rules(l.ctx, family), func() []map[string]any { return l.json("ip", flag, "rule", "show") })
		if len(all) != len(decoded) {
			t.Fatalf("ip shows %d rules, %d were decoded", len(all), len(decoded))
		}
		for i, ip := range all {
			l.compare(fmt.Sprint("rule ", decoded[i].Priority), ip, showRule(decoded[i]))
		}
	}
}

func showRule(r *Rule) shown {
	s := shown{"priority": r.Priority, "src": "all", "protocol": ProtocolName(r.Protocol)}
	showSelector(s, "src", r.From)
	showSelector(s, "dst", r.To)
	if r.Flags&unix.FIB_RULE_INVERT != 0 {
		s["not"] = nil
	}
	put(s, "iif", r.IIF)
	put(s, "oif", r.OIF)
	if r.TOS != 0 {
		s["tos"] = fmt.Sprintf("%#02x", r.TOS)
	}
	if r.FwMark != 0 || r.FwMask != 0 {
		s["fwmark"] = showHex(r.FwMark)
		if r.FwMask != none {
			s["fwmask"] = fmt.Sprintf("%#x", r.FwMask)
		}
	}
	switch r.IPProto {
	case 0:
	case unix.IPPROTO_TCP:
		s["ipproto"] = "tcp"
	case unix.IPPROTO_UDP:
		s["ipproto"] = "udp"
	default:
		s["ipproto"] = "ipproto-" + strconv.Itoa(int(r.IPProto))
	}
	showPorts(s, "sport", r.SPort)
	showPorts(s, "dport", r.DPort)
	if r.HasUIDRange {
		s["uid_start"], s["uid_end"] = r.UIDRange.Start, r.UIDRange.End
	}
	put(s, "tun_id", r.TunID)
	if r.L3MDev {
		s["l3mdev"] = nil
	}
	if r.Table != 0 {
		s["table"] = TableName(r.Table)
	}
	if r.HasSuppressPrefixLen {
		s["suppress_prefixlen"] = r.SuppressPrefixLen
	}
	if r.HasSuppressIfGroup {
		s["suppress_ifgroup"] = strconv.Itoa(int(r.SuppressIfGroup))
	}
	if r.Realms != 0 {
		s["flow_from"], s["flow_to"] = strconv.Itoa(int(r.Realms>>16)), strconv.Itoa(int(r.Realms&0xffff))
	}
	showAction(s, r)
	return s
}

func showAction(s shown, r *Rule) {
	switch r.Action {
	case unix.FR_ACT_TO_TBL:
	case unix.FR_ACT_GOTO:
		s["goto"] = r.Goto
	case unix.FR_ACT_NOP:
		s["nop"] = nil
	default:
		s["action"] = RuleActionName(r.Action)
	}
	if r.Flags&unix.FIB_RULE_UNRESOLVED != 0 {
		s["unresolved"] = nil
	}
	if r.Flags&unix.FIB_RULE_IIF_DETACHED != 0 {
		s["iif_detached"] = nil
	}
	if r.Flags&unix.FIB_RULE_OIF_DETACHED != 0 {
		s["oif_detached"] = nil
	}
}

// showHex shows a number as C's %#x does.
func showHex(n uint32) string {
	if n == 0 {
		return "0"
	}
	return fmt.Sprintf("%#x", n)
}

func showSelector(s shown, key string, p netip.Prefix) {
	if !p.IsValid() {
		return
	}
	s[key] = p.Addr()
	if !p.IsSingleIP() {
		s[key+"len"] = p.Bits()
	}
}

func showPorts(s shown, key string, p PortRange) {
	switch {
	case p == PortRange{}:
	case p.Start == p.End:
		s[key] = p.Start
	default:
		s[key+"_start"], s[key+"_end"] = p.Start, p.End
	}
}

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

func TestNeighborsAsIPShowsThem(t *testing.T) {
	l, _ := routeLab(t)
	l.made("ip", []string{
		"neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev v0", "neigh add 192.0.2.10 lladdr 02:00:00:00:00:10 dev v0 nud reachable",
		"neigh add 192.0.2.11 lladdr 02:00:00:00:00:11 dev v0 nud stale extern_learn", "neigh add 192.0.2.12 lladdr 02:00:00:00:00:12 dev v0 nud noarp",
		"neigh add 192.0.2.13 lladdr 02:00:00:00:00:13 dev v0 proto 110", "neigh add 2001:db8::9 lladdr 02:00:00:00:00:19 dev v0 router",
		"neigh add 2001:db8::10 dev v0 lladdr 02:00:00:00:00:10 nud permanent proto static",
	})
	names := l.names()
	neighbors, all := steady(l, l.Neighbors(l.ctx, NeighborFilter{}), func() []map[string]any { return l.json("ip", "neigh", "show", "nud", "all") })
	decoded := map[string]*Neighbor{}
	for _, n := range neighbors {
		decoded[fmt.Sprint(n.Dst, names[n.Index])] = n
	}
	shownNeighbors := 0
	for _, ip := range all {
		n := decoded[fmt.Sprint(ip["dst"], ip["dev"])]
		if n == nil {
			t.Errorf("%s was not decoded", ip["dst"])
			continue
		}
		shownNeighbors++
		s := shown{"dst": n.Dst, "dev": names[n.Index]}
		if n.State != 0 {
			s["state"] = NeighborStateNames(n.State)
		}
		put(s, "lladdr", n.LLAddr.String())
		if n.Protocol != 0 {
			s["protocol"] = ProtocolName(n.Protocol)
		}
		for bit, word := range map[uint8]string{unix.NTF_ROUTER: "router", unix.NTF_EXT_LEARNED: "extern_learn", unix.NTF_PROXY: "proxy"} {
			if n.Flags&bit != 0 {
				s[word] = nil
			}
		}
		l.compare(n.Dst.String(), ip, s)
	}
	if shownNeighbors != len(decoded) {
		t.Errorf("ip shows %d neighbours, %d were decoded", shownNeighbors, len(decoded))
	}
	l.ip("neigh", "add", "proxy", "192.0.2.99", "dev", "v0")
	proxies := collect(t, l.Neighbors(l.ctx, NeighborFilter{Proxy: true}))
	if ip := l.json("ip", "neigh", "show", "proxy"); len(ip) != 1 || len(proxies) != 1 || ip[0]["dst"] != proxies[0].Dst.String() {
		t.Errorf("proxies %v, ip shows %v", proxies, ip)
	}
}

func TestFDBAsBridgeShowsIt(t *testing.T) {
	l, _ := routeLab(t)
	l.made("ip", []string{
		"link add br0 type bridge", "link set v0 master br0", "link add vx0 type vxlan id 5 dstport 4789 local 192.0.2.2",
		"link set vx0 master br0", "link add vx1 type vxlan external dstport 4790", "nexthop add id 20 via 192.0.2.9 fdb", "nexthop add id 21 group 20 fdb",
	})
	l.made("bridge", []string{
		"fdb add 02:00:00:00:00:01 dev v0 master static", "fdb add 02:00:00:00:00:02 dev v0 master static sticky",
		"fdb add 02:00:00:00:00:03 dev v0 master dynamic extern_learn", "fdb add 02:00:00:00:00:04 dev v0 master static vlan 7",
		"fdb add 02:00:00:00:00:05 dev vx0 dst 192.0.2.50 port 4444 vni 77 via v0", "fdb add 02:00:00:00:00:06 dev vx0 dst 2001:db8::50",
		"fdb append 00:00:00:00:00:00 dev vx0 dst 192.0.2.51", "fdb append 00:00:00:00:00:00 dev vx0 dst 192.0.2.52",
		"fdb add 02:00:00:00:00:07 dev vx1 dst 192.0.2.53 src_vni 8 vni 9", "fdb add 02:00:00:00:00:08 dev vx0 nhid 21",
		"fdb add 02:00:00:00:00:09 dev br0 self local", "fdb add 02:00:00:00:00:0a dev v0 self",
	})
	names := l.names()
	entries, all := steady(l, l.FDB(l.ctx, FDBFilter{}), func() []map[string]any { return l.json("bridge", "fdb", "show") })
	decoded := map[string]shown{}
	for _, n := range entries {
		s := showFDB(n, names)
		decoded[fmt.Sprint(s["mac"], s["ifname"], s["dst"], s["vlan"], n.Flags&unix.NTF_SELF)] = s
	}
	seen := 0
	for _, ip := range all {
		self := 0
		if strings.Contains(fmt.Sprint(ip["flags"]), "self") {
			self = unix.NTF_SELF
		}
		dst, vlan := ip["dst"], ip["vlan"]
		key := fmt.Sprint(ip["mac"], ip["ifname"], dst, vlan, self)
		s, ok := decoded[key]
		if !ok {
			t.Errorf("%v was not decoded", ip)
			continue
		}
		seen++
		l.compare(key, ip, s)
	}
	if seen != len(decoded) {
		t.Errorf("bridge shows %d entries, %d were decoded", seen, len(decoded))
	}
}

func showFDB(n *Neighbor, names map[int32]string) shown {
	s := shown{"mac": n.LLAddr.String(), "ifname": names[n.Index], "flags": []string{}, "state": ""}
	if n.Dst.IsValid() {
		s["dst"] = n.Dst.String()
	}
	put(s, "vlan", n.VLAN)
	put(s, "port", n.Port)
	put(s, "vni", n.VNI)
	put(s, "src_vni", n.SrcVNI)
	put(s, "viaIf", names[n.IfIndex])
	put(s, "nhid", n.NHID)
	put(s, "master", names[n.Master])
	words := []string{}
	for _, f := range []struct {
		bit  uint8
		word string
	}{{unix.NTF_SELF, "self"}, {unix.NTF_ROUTER, "router"}, {unix.NTF_EXT_LEARNED, "extern_learn"}, {unix.NTF_OFFLOADED, "offload"},
		{unix.NTF_MASTER, "master"}, {NTF_STICKY, "sticky"}} {
		if n.Flags&f.bit != 0 {
			words = append(words, f.word)
		}
	}
	s["flags"] = words
	switch {
	case n.State&unix.NUD_PERMANENT != 0:
		s["state"] = "permanent"
	case n.State&unix.NUD_NOARP != 0:
		s["state"] = "static"
	case n.State&unix.NUD_STALE != 0:
		s["state"] = "stale"
	}
	return s
}

func TestBridgeVLANsAsBridgeShowsThem(t *testing.T) {
	l := newLab(t)
	l.up("v0", "v1")
	if _, err := testns.Try(t, l.ns, "ip", "link", "add", "br0", "type", "bridge", "vlan_filtering", "1"); err != nil {
		t.Skip(err)
	}
	l.ip("link", "set", "v0", "master", "br0")
	l.made("bridge", []string{
		"vlan add vid 10 dev v0 pvid untagged", "vlan add vid 20-29 dev v0", "vlan add vid 25 dev v0 untagged",
		"vlan add vid 4094 dev v0", "vlan add vid 100-200 dev br0 self", "vlan del vid 1 dev br0 self", "vlan add vid 31 dev v0", "vlan add vid 32 dev v0 untagged",
	})
	decoded := map[string]*BridgeVLANs{}
	for _, v := range collect(t, l.BridgeVLANs(l.ctx)) {
		decoded[l.names()[v.Index]] = v
	}
	for _, ip := range l.briefJSON("bridge", "-j", "-compressvlans", "vlan", "show") {
		v := decoded[ip["ifname"].(string)]
		if v == nil {
			t.Errorf("%s was not decoded", ip["ifname"])
			continue
		}
		for _, one := range ip["vlans"].([]any) {
			if one := one.(map[string]any); fmt.Sprint(one["flags"]) == "[]" {
				delete(one, "flags") // shown for ranges only
			}
		}
		vlans := []shown{}
		for _, one := range v.VLANs {
			s := shown{"vlan": one.VID}
			put(s, "vlanEnd", one.End)
			var flags []string
			if one.Flags&BRIDGE_VLAN_INFO_PVID != 0 {
				flags = append(flags, "PVID")
			}
			if one.Flags&BRIDGE_VLAN_INFO_UNTAGGED != 0 {
				flags = append(flags, "Egress Untagged")
			}
			if flags != nil {
				s["flags"] = flags
			}
			vlans = append(vlans, s)
		}
		l.compare(ip["ifname"].(string), ip, shown{"ifname": ip["ifname"], "vlans": vlans})
	}
}
