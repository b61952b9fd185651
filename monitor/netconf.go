package monitor

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// writeNetconf writes a change of the sysctls of IPv4, IPv6 or MPLS that the
// kernel announces, as `ip monitor netconf` does. The payload is struct
// netconfmsg, one byte, with its padding.
func writeNetconf(v *view, payload []byte) (f Fields, err error) {
	if len(payload) < unix.NLMSG_ALIGNTO {
		return nil, fmt.Errorf("%d bytes: %w", len(payload), unix.EBADMSG)
	}
	f.bare("family", familyName(payload[0]))
	var rest Fields
	var unknown []byte
	a := netlink.ReadAttrs(payload[unix.NLMSG_ALIGNTO:])
	for a.Next() {
		switch a.Type() {
		case netconfaIfindex:
			f.bare("interface", v.netconfLink(a.Int32()))
		case netconfaRpFilter:
			rest.put("rp_filter", rpFilter(a.Uint32()))
		case netconfaForwarding:
			rest.onOff("forwarding", a.Uint32())
		case netconfaMcForwarding:
			rest.onOff("mc_forwarding", a.Uint32())
		case netconfaProxyNeigh:
			rest.onOff("proxy_neigh", a.Uint32())
		case netconfaIgnoreRoutesWithLinkdown:
			rest.onOff("ignore_routes_with_linkdown", a.Uint32())
		case netconfaInput:
			rest.onOff("input", a.Uint32())
		case netconfaBcForwarding:
			rest.onOff("bc_forwarding", a.Uint32())
		default:
			unknown = append(unknown, a.Raw()...)
		}
	}
	f = append(f, rest...)
	f.unknownAttrs(unknown)
	return f, a.Err()
}

// netconfLink names a link, or what stands for all of them.
func (v *view) netconfLink(index int32) string {
	switch index {
	case netconfaIfindexAll:
		return "all"
	case netconfaIfindexDefault:
		return "default"
	}
	return v.link(index)
}

func (f *Fields) onOff(key string, n uint32) {
	text := key + " off"
	if n != 0 {
		text = key + " on"
	}
	f.as(key, n != 0, text)
}

func rpFilter(n uint32) string {
	words := []string{"off", "strict", "loose"}
	if int(n) < len(words) {
		return words[n]
	}
	return fmt.Sprint(n)
}
