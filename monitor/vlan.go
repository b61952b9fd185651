package monitor

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
)

// vlanOptions are the other options of a VLAN of a port, by BRIDGE_VLANDB_ENTRY_*.
var vlanOptions = map[uint16]string{
	6: "mcast_router", 7: "mcast_n_groups", 8: "mcast_max_groups", 9: "neigh_suppress",
}

// globalOptions are those of a VLAN of a bridge, by BRIDGE_VLANDB_GOPTS_*.
var globalOptions = map[uint16]string{
	3: "mcast_snooping", 4: "mcast_igmp_version", 5: "mcast_mld_version", 6: "mcast_last_member_count",
	7: "mcast_startup_query_count", 8: "mcast_last_member_interval", 10: "mcast_membership_interval",
	11: "mcast_querier_interval", 12: "mcast_query_interval", 13: "mcast_query_response_interval",
	14: "mcast_startup_query_interval", 15: "mcast_querier", 18: "msti",
}

// writeVLAN writes RTM_NEWVLAN, which can be about several VLANs of one port, as
// `bridge monitor vlan` does.
func writeVLAN(v *view, payload []byte) (f Fields, err error) {
	if len(payload) < sizeofBrVLANMsg {
		return nil, fmt.Errorf("%d bytes: %w", len(payload), unix.EBADMSG)
	}
	f.bare("ifname", v.link(int32(binary.NativeEndian.Uint32(payload[4:]))))
	var vlans, options []Fields
	var unknown []byte
	a := netlink.ReadAttrs(payload[sizeofBrVLANMsg:])
	for a.Next() {
		switch a.Type() {
		case vlandbEntry:
			vlans = append(vlans, vlanEntry(a.Nested()))
		case vlandbGlobalOptions:
			options = append(options, vlanGlobal(a.Nested()))
		default:
			unknown = append(unknown, a.Raw()...)
		}
	}
	for _, list := range []struct {
		key string
		all []Fields
	}{{"vlans", vlans}, {"options", options}} {
		if text := joinFields(list.all); len(list.all) > 0 {
			f.as(list.key, list.all, text)
		}
	}
	f.unknownAttrs(unknown)
	return f, a.Err()
}

func joinFields(list []Fields) (text string) {
	for i, f := range list {
		if i > 0 {
			text += ", "
		}
		text += f.String()
	}
	return text
}

func vlanEntry(a netlink.Attrs) (f Fields) {
	var x route.BridgeVLAN
	var rest Fields
	var unknown []byte
	for a.Next() {
		switch b := a.Bytes(); a.Type() {
		case vlandbEntryInfo: // struct bridge_vlan_info
			if len(b) >= 4 {
				x.Flags, x.VID = binary.NativeEndian.Uint16(b), binary.NativeEndian.Uint16(b[2:])
			}
		case vlandbEntryRange:
			x.End = a.Uint16()
		case vlandbEntryState:
			rest.put("state", stpState(a.Uint8()))
		case vlandbEntryTunnelInfo:
			tunnelField(&rest, a.Nested())
		case vlandbEntryStats:
		default:
			unknown = optionField(&rest, vlanOptions, &a, unknown)
		}
	}
	vlanHead(&f, x.VID, x.End)
	f.words("flags", vlanFlags(x.Flags))
	f = append(f, rest...)
	f.unknownAttrs(unknown)
	return f
}

// tunnelField has vlandbTinfoId; the command is only in requests.
func tunnelField(f *Fields, a netlink.Attrs) {
	for a.Next() {
		if a.Type() == vlandbTinfoId {
			f.named("tunnel_id", "tunid", a.Uint32())
		}
	}
}

func vlanGlobal(a netlink.Attrs) (f Fields) {
	var vid, end uint16
	var rest Fields
	var unknown []byte
	for a.Next() {
		switch a.Type() {
		case vlandbGoptsId:
			vid = a.Uint16()
		case vlandbGoptsRange:
			end = a.Uint16()
		default:
			unknown = optionField(&rest, globalOptions, &a, unknown)
		}
	}
	vlanHead(&f, vid, end)
	f = append(f, rest...)
	f.unknownAttrs(unknown)
	return f
}

func vlanHead(f *Fields, vid, end uint16) {
	f.as("vlan", vid, vlanRange(vid, end))
	if end > vid {
		f.hidden("vlanEnd", end)
	}
}

// optionField writes an option that is a number of any width, or keeps one that
// is not known.
func optionField(f *Fields, names map[uint16]string, a *netlink.Attrs, unknown []byte) []byte {
	name, ok := names[a.Type()]
	switch n := len(a.Bytes()); {
	case a.Type() == 0 || n == 0: // padding
	case ok && n == 1:
		f.put(name, a.Uint8())
	case ok && n == 2:
		f.put(name, a.Uint16())
	case ok && n == 4:
		f.put(name, a.Uint32())
	case ok && n == 8:
		f.put(name, a.Uint64())
	default:
		unknown = append(unknown, a.Raw()...)
		for len(unknown)%4 != 0 {
			unknown = append(unknown, 0)
		}
	}
	return unknown
}

// stpState is bridge's word for BR_STATE_*.
func stpState(s uint8) string {
	words := []string{"disabled", "listening", "learning", "forwarding", "blocking"}
	if int(s) < len(words) {
		return words[s]
	}
	return fmt.Sprint(s)
}
