package monitor

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

// writePort writes what a bridge says of a port, as `bridge monitor` does.
func writePort(v *view, payload []byte) (f Fields, err error) {
	var l route.Link
	var vlans route.BridgeVLANs
	if err := l.Decode(payload); err != nil {
		return nil, err
	}
	if err := vlans.Decode(payload); err != nil {
		return nil, err
	}
	if l.Name == "" { // a bridge that reports its own VLANs
		l.Name = v.link(l.Index)
	}
	v.linkHead(&f, &l)
	f.put("mtu", l.MTU)
	if l.Master != 0 {
		f.put("master", v.link(l.Master))
	}
	var unknown []byte
	for a := netlink.ReadAttrs(l.Extra); a.Next(); {
		switch a.Type() {
		case unix.IFLA_PROTINFO:
			v.portRows(&f, a.Bytes())
		case unix.IFLA_AF_SPEC: // of a bridge these are VLANs
		default:
			unknown = append(unknown, a.Raw()...)
		}
	}
	if len(vlans.VLANs) > 0 {
		f.hidden("vlans", vlanList(vlans.VLANs))
	}
	f.unknownAttrs(unknown)
	return f, nil
}

// portRows has IFLA_PROTINFO: what bridge prints without -d, the rest for JSON.
func (v *view) portRows(f *Fields, data []byte) {
	var port Fields
	v.kindFields(&port, "port", new(kind.BridgePort), data)
	rows, _ := port.Get("port").(Fields)
	printed := []string{"state", "priority", "cost"}
	for _, key := range printed {
		for _, row := range rows {
			if row.Key == key {
				f.as(key, row.Value, key+" "+row.text)
			}
		}
	}
	for _, row := range rows {
		if !slices.Contains(printed, row.Key) {
			f.hidden(row.Key, row.Value)
		}
	}
}

// vlanList is the list of `bridge -j vlan`.
func vlanList(vlans []route.BridgeVLAN) (list []Fields) {
	for _, x := range vlans {
		e := Fields{{Key: "vlan", Value: x.VID}}
		if x.End > x.VID {
			e.hidden("vlanEnd", x.End)
		}
		e.words("flags", vlanFlags(x.Flags))
		list = append(list, slices.Clip(e))
	}
	return list
}

// vlanFlags are bridge's words for BRIDGE_VLAN_INFO_*.
func vlanFlags(flags uint16) (words []string) {
	if flags&route.BRIDGE_VLAN_INFO_PVID != 0 {
		words = append(words, "PVID")
	}
	if flags&route.BRIDGE_VLAN_INFO_UNTAGGED != 0 {
		words = append(words, "Egress Untagged")
	}
	return words
}

// vlanRange writes "20" or "20-22".
func vlanRange(vid, end uint16) string {
	if end > vid {
		return fmt.Sprintf("%d-%d", vid, end)
	}
	return fmt.Sprint(vid)
}
