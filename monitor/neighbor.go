package monitor

import (
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
)

// writeNeighbor writes a neighbour in the order of iproute2, ip/ipneigh.c,
// print_neigh.
func writeNeighbor(v *view, payload []byte) (f Fields, err error) {
	var n route.Neighbor
	if err := n.Decode(payload); err != nil {
		return nil, err
	}
	if n.Dst.IsValid() {
		f.bare("dst", n.Dst.String())
	}
	f.hidden("family", familyName(n.Family))
	if n.Index != 0 {
		f.put("dev", v.link(n.Index))
	}
	if len(n.LLAddr) > 0 {
		f.put("lladdr", n.LLAddr.String())
	}
	f.flag("router", n.Flags&unix.NTF_ROUTER != 0)
	f.flag("proxy", n.IsProxy())
	f.flag("extern_learn", n.Flags&unix.NTF_EXT_LEARNED != 0)
	f.flag("offload", n.Flags&unix.NTF_OFFLOADED != 0)
	f.flag("managed", n.ExtFlags&route.NTF_EXT_MANAGED != 0)
	f.words("state", route.NeighborStateNames(n.State))
	if n.Protocol != 0 {
		f.named("proto", "protocol", nameOf(v.names.Protocols, n.Protocol))
	}
	f.unknownAttrs(n.Extra)
	return f, nil
}

// writeFDB writes a forwarding entry in the order of iproute2, bridge/fdb.c,
// print_fdb.
func writeFDB(v *view, payload []byte) (f Fields, err error) {
	var n route.Neighbor
	if err := n.Decode(payload); err != nil {
		return nil, err
	}
	f.bare("mac", n.LLAddr.String())
	if n.Index != 0 {
		f.named("dev", "ifname", v.link(n.Index))
	}
	if n.Dst.IsValid() {
		f.put("dst", n.Dst.String())
	}
	for _, x := range []struct {
		key string
		n   uint32
	}{
		{"vlan", uint32(n.VLAN)}, {"port", uint32(n.Port)}, {"vni", n.VNI}, {"src_vni", n.SrcVNI}, {"nhid", n.NHID},
	} {
		if x.n != 0 {
			f.put(x.key, x.n)
		}
	}
	if n.IfIndex != 0 {
		f.named("via", "viaIf", v.link(n.IfIndex))
	}
	if n.HasNetNS {
		f.named("link-netnsid", "linkNetNsId", n.NetNSID)
	}
	f.words("flags", fdbFlags(&n))
	if n.Master != 0 {
		f.put("master", v.link(n.Master))
	}
	f.words("state", fdbState(n.State))
	f.unknownAttrs(n.Extra)
	return f, nil
}

func fdbFlags(n *route.Neighbor) (words []string) {
	for _, w := range []struct {
		bit  uint8
		word string
	}{
		{unix.NTF_SELF, "self"}, {unix.NTF_ROUTER, "router"}, {unix.NTF_EXT_LEARNED, "extern_learn"},
		{unix.NTF_OFFLOADED, "offload"}, {route.NTF_STICKY, "sticky"},
	} {
		if n.Flags&w.bit != 0 {
			words = append(words, w.word)
		}
	}
	if n.ExtFlags&route.NTF_EXT_LOCKED != 0 {
		words = append(words, "locked")
	}
	return words
}

// fdbState is bridge's word for a state; one that is in use has none.
func fdbState(state uint16) []string {
	switch {
	case state&unix.NUD_PERMANENT != 0:
		return []string{"permanent"}
	case state&unix.NUD_NOARP != 0:
		return []string{"static"}
	case state&unix.NUD_STALE != 0:
		return []string{"stale"}
	case state == unix.NUD_REACHABLE || state == 0:
		return nil
	}
	return route.NeighborStateNames(state)
}
