package monitor

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
)

// writeNexthop writes a nexthop object in the order of iproute2, ip/ipnexthop.c,
// print_nexthop. Its payload is struct nhmsg: family, scope, protocol, a byte
// reserved, flags.
func writeNexthop(v *view, payload []byte) (f Fields, err error) {
	if len(payload) < unix.SizeofNhmsg {
		return nil, fmt.Errorf("%d bytes: %w", len(payload), unix.EBADMSG)
	}
	n := map[uint16]netlink.Attrs{}
	var unknown []byte
	a := netlink.ReadAttrs(payload[unix.SizeofNhmsg:])
	for a.Next() {
		switch n[a.Type()] = a; {
		case a.Type() == nhaOpFlags || a.Type() == nhaGroupStats: // of the request, and counters
		case a.Type() > nhaFDB:
			unknown = append(unknown, a.Raw()...)
		}
	}
	has := func(typ uint16) (netlink.Attrs, bool) { x, ok := n[typ]; return x, ok }
	if x, ok := has(unix.NHA_ID); ok {
		f.put("id", x.Uint32())
	}
	if x, ok := has(unix.NHA_GROUP); ok {
		groupField(&f, x.Bytes())
	}
	if x, ok := has(unix.NHA_GROUP_TYPE); ok && x.Uint16() != 0 {
		f.put("type", groupType(x.Uint16()))
	}
	if x, ok := has(unix.NHA_ENCAP_TYPE); ok {
		data := n[unix.NHA_ENCAP]
		encapField(&f, route.Encap{Type: x.Uint16(), Data: data.Bytes()})
	}
	if x, ok := has(unix.NHA_GATEWAY); ok {
		viaField(&f, payload[0], x.Addr())
	}
	if x, ok := has(unix.NHA_OIF); ok {
		f.put("dev", v.link(x.Int32()))
	}
	if scope := payload[1]; scope != unix.RT_SCOPE_UNIVERSE {
		f.put("scope", nameOf(v.names.Scopes, scope))
	}
	_, blackhole := has(unix.NHA_BLACKHOLE)
	f.flag("blackhole", blackhole)
	if proto := payload[2]; proto != unix.RTPROT_UNSPEC {
		f.named("proto", "protocol", nameOf(v.names.Protocols, proto))
	}
	f.words("flags", routeFlags(binary.NativeEndian.Uint32(payload[4:])))
	_, fdb := has(nhaFDB)
	f.flag("fdb", fdb)
	f.unknownAttrs(unknown)
	return f, a.Err()
}

// groupField writes the members: struct nexthop_grp { __u32 id; __u8 weight;
// __u8 weight_high; __u16 resvd2; }. The weight is one less.
func groupField(f *Fields, b []byte) {
	var list []Fields
	text := ""
	for ; len(b) >= unix.SizeofNexthopGrp; b = b[unix.SizeofNexthopGrp:] {
		id, weight := binary.NativeEndian.Uint32(b), int(b[4])|int(b[5])<<8
		member := Fields{{Key: "id", Value: id}}
		text += fmt.Sprintf("/%d", id)
		if weight > 0 {
			member.hidden("weight", weight+1)
			text += fmt.Sprintf(",%d", weight+1)
		}
		list = append(list, member)
	}
	if len(list) > 0 {
		f.as("group", list, "group "+text[1:])
	}
}

// groupType is NEXTHOP_GRP_TYPE_*.
func groupType(t uint16) string {
	if t == nexthopGrpTypeRes {
		return "resilient"
	}
	return fmt.Sprint(t)
}
