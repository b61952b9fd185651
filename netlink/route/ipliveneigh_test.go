package route

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/testns"
)

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
