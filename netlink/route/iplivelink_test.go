package route

import (
	"net/netip"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

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
