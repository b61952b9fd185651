package monitor

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

func writeLink(v *view, payload []byte) (Fields, error) {
	var l route.Link
	if err := l.Decode(payload); err != nil {
		return nil, err
	}
	return v.linkFields(&l), nil
}

// linkFields writes a link in the order of iproute2, ip/ipaddress.c,
// print_linkinfo. What that prints only with -d is for JSON.
func (v *view) linkFields(l *route.Link) (f Fields) {
	v.linkHead(&f, l)
	f.put("mtu", l.MTU)
	if l.XDPAttached != 0 {
		f.named("prog/xdp id", "xdp_prog_id", l.XDPProgID)
	}
	if l.Qdisc != "" {
		f.put("qdisc", l.Qdisc)
	}
	if l.Master != 0 {
		f.put("master", v.link(l.Master))
	}
	f.named("state", "operstate", route.OperStateName(l.OperState))
	if l.LinkMode != 0 {
		f.named("mode", "linkmode", linkMode(l.LinkMode))
	}
	f.put("group", nameOf(v.names.Groups, l.Group))
	f.hidden("txqlen", l.TxQueueLen)
	if l.Event != 0 {
		f.put("event", linkEvent(l.Event))
	}
	v.linkAddresses(&f, l)
	v.linkPlace(&f, l)
	linkRest(&f, l)
	v.linkInfo(&f, l)
	if len(l.AltNames) > 0 {
		f.as("altnames", slices.Clone(l.AltNames), "altname "+strings.Join(l.AltNames, " altname "))
	}
	f.unknownAttrs(l.Extra)
	return f
}

// linkHead writes what all messages about links begin with: "2: v0@v1: <UP>".
func (v *view) linkHead(f *Fields, l *route.Link) {
	f.as("ifindex", l.Index, fmt.Sprintf("%d:", l.Index))
	switch {
	case !l.HasParent:
		f.as("ifname", l.Name, l.Name+":")
	case l.Parent == 0:
		f.as("ifname", l.Name, l.Name+"@NONE:")
		f.hidden("link", nil)
	case l.HasParentNetNSID:
		f.as("ifname", l.Name, fmt.Sprintf("%s@if%d:", l.Name, l.Parent))
		f.hidden("link_index", l.Parent)
	default:
		f.as("ifname", l.Name, fmt.Sprintf("%s@%s:", l.Name, v.link(l.Parent)))
		f.hidden("link", v.link(l.Parent))
	}
	flags := append([]string{}, route.LinkFlagNames(l.Flags)...) // none is [] in JSON
	f.as("flags", flags, "<"+strings.Join(flags, ",")+">")
}

func (v *view) linkAddresses(f *Fields, l *route.Link) {
	f.as("link_type", linkType(l.Type), "link/"+linkType(l.Type))
	if len(l.Address) > 0 {
		f.bare("address", linkAddress(l.Type, l.Address))
	}
	if len(l.Broadcast) > 0 {
		word := "brd"
		if l.Flags&unix.IFF_POINTOPOINT != 0 {
			word = "peer"
			f.hidden("link_pointtopoint", true)
		}
		f.named(word, "broadcast", linkAddress(l.Type, l.Broadcast))
	}
	if len(l.PermAddress) > 0 && !l.PermAddress.Equal(l.Address) {
		f.named("permaddr", "permaddr", linkAddress(l.Type, l.PermAddress))
	}
}

// linkPlace names the other namespaces that a link has to do with.
func (v *view) linkPlace(f *Fields, l *route.Link) {
	if l.HasParentNetNSID {
		if name := v.netns(l.ParentNetNSID); name != "" {
			f.named("link-netns", "link_netns", name)
		} else if l.ParentNetNSID >= 0 {
			f.named("link-netnsid", "link_netnsid", l.ParentNetNSID)
		} else {
			f.as("link_netnsid", l.ParentNetNSID, "link-netnsid unknown")
		}
	}
	if l.HasNewNetNSID {
		if name := v.netns(l.NewNetNSID); name != "" {
			f.named("new-netns", "new_netns", name)
		} else {
			f.named("new-netnsid", "new_netnsid", l.NewNetNSID)
		}
	}
	if l.NewIndex != 0 {
		f.named("new-ifindex", "new_ifindex", l.NewIndex)
	}
	if l.ProtoDown {
		f.as("proto_down", true, "protodown on")
	}
}

// linkRest has what ip prints only with -d.
func linkRest(f *Fields, l *route.Link) {
	for _, n := range []struct {
		key string
		n   uint32
	}{
		{"promiscuity", l.Promiscuity}, {"allmulti", l.AllMulti}, {"min_mtu", l.MinMTU}, {"max_mtu", l.MaxMTU},
		{"num_tx_queues", l.NumTxQueues}, {"num_rx_queues", l.NumRxQueues}, {"gso_max_size", l.GSOMaxSize},
		{"gso_max_segs", l.GSOMaxSegs}, {"gro_max_size", l.GROMaxSize},
	} {
		f.hidden(n.key, n.n)
	}
	if l.HasAddrGenMode {
		f.hidden("inet6_addr_gen_mode", route.AddrGenModeName(l.AddrGenMode))
	}
	if l.Token.IsValid() {
		f.hidden("inet6_token", l.Token.String())
	}
	for _, s := range []struct{ key, s string }{
		{"ifalias", l.Alias}, {"phys_port_name", l.PhysPortName}, {"phys_port_id", l.PhysPortID.String()},
		{"phys_switch_id", l.PhysSwitchID.String()}, {"parentbus", l.ParentDevBusName}, {"parentdev", l.ParentDevName},
	} {
		if s.s != "" {
			f.hidden(s.key, s.s)
		}
	}
}

// linkInfo has what is special to the link's kind and to that of its master.
func (v *view) linkInfo(f *Fields, l *route.Link) {
	var info Fields
	if l.Kind != "" {
		info.hidden("info_kind", l.Kind)
		if k, ok := kind.New(l.Kind); ok {
			v.kindFields(&info, "info_data", k, l.Data)
		} else if len(l.Data) > 0 {
			info.hidden("info_data", hexBytes(l.Data))
		}
	}
	if l.SlaveKind != "" {
		info.hidden("info_slave_kind", l.SlaveKind)
		if k, ok := kind.NewPort(l.SlaveKind); ok {
			v.kindFields(&info, "info_slave_data", k, l.SlaveData)
		} else if len(l.SlaveData) > 0 {
			info.hidden("info_slave_data", hexBytes(l.SlaveData))
		}
	}
	if len(info) > 0 {
		f.hidden("linkinfo", info)
	}
}

// kindFields has the rows of a kind that are set.
func (v *view) kindFields(info *Fields, key string, k kind.Kind, data []byte) {
	unknown, err := kind.Decode(k, data)
	rows := k.Fields()
	for _, r := range rows.Refs() {
		if r.Index != 0 {
			r.Name = v.link(r.Index)
		}
	}
	var f Fields
	for i := range rows {
		if rows[i].Value.IsSet() {
			f = append(f, Field{rows[i].Name, rows[i].Value.Get(), rows[i].Value.String()})
		}
	}
	if f.unknownAttrs(unknown); err != nil {
		f.hidden("unknown", hexBytes(data))
	}
	if len(f) > 0 {
		info.hidden(key, f)
	}
}

// see keeps the state of a link and returns what differs from the one before, nil
// for a link that was not seen before.
func (v *view) see(index int32, name string, f Fields) (changed []Change) {
	state := linkState(f)
	old := v.links[index]
	v.links[index] = &seenLink{name, state}
	if old == nil || old.state == nil {
		return nil
	}
	return compare(old.state, state)
}

// linkState returns the values of a link. What is an event and not a state is no
// part of it.
func linkState(f Fields) (state []Change) {
	for _, x := range f {
		switch value := x.Value.(type) {
		case Fields:
			state = append(state, infoState(value, "info", "")...)
			state = append(state, infoState(value, "info_slave", "_slave")...)
		case []string:
			state = append(state, Change{Name: x.Key, New: strings.Join(value, ",")})
		default:
			if x.Key != "event" && x.Key != "ifindex" && x.Key != "unknown_attributes" && value != nil {
				state = append(state, Change{Name: x.Key, New: fmt.Sprint(value)})
			}
		}
	}
	return state
}

// infoState returns the values of a kind, named as plans do: "vxlan.id",
// "bridge_slave.isolated".
func infoState(info Fields, which, suffix string) (state []Change) {
	kind, ok := info.Get(which + "_kind").(string)
	if !ok {
		return nil
	}
	state = []Change{{Name: "kind" + suffix, New: kind}}
	switch data := info.Get(which + "_data").(type) {
	case Fields:
		for _, row := range data {
			if row.Key != "unknown_attributes" {
				state = append(state, Change{Name: kind + suffix + "." + row.Key, New: row.text})
			}
		}
	case string: // bytes of a kind that is not known
		state = append(state, Change{Name: kind + suffix, New: data})
	}
	return state
}

// compare returns the values that differ. Of flags only those that came and went
// are named, and of a port that came or went its master alone.
func compare(old, neu []Change) (changed []Change) {
	was, is := values(old), values(neu)
	for _, c := range neu {
		if was[c.Name] != c.New {
			changed = append(changed, Change{c.Name, was[c.Name], c.New})
		}
	}
	for _, c := range old {
		if _, ok := is[c.Name]; !ok {
			changed = append(changed, Change{Name: c.Name, Old: c.New})
		}
	}
	isOfOtherPort := func(c Change) bool {
		return was["kind_slave"] != is["kind_slave"] && strings.Contains(c.Name, "_slave.")
	}
	changed = slices.DeleteFunc(changed, isOfOtherPort)
	for i, c := range changed {
		if c.Name == "flags" {
			changed[i] = Change{c.Name, without(c.Old, c.New), without(c.New, c.Old)}
		}
	}
	return changed
}

func values(state []Change) map[string]string {
	m := make(map[string]string, len(state))
	for _, c := range state {
		m[c.Name] = c.New
	}
	return m
}

// without returns the words of a list that are not in another.
func without(list, other string) string {
	have := strings.Split(other, ",")
	words := strings.Split(list, ",")
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return slices.Contains(have, w) }), ",")
}

// linkTypes are ip's words for ARPHRD_* (iproute2, lib/ll_types.c).
var linkTypes = map[uint16]string{
	unix.ARPHRD_ETHER: "ether", unix.ARPHRD_LOOPBACK: "loopback", unix.ARPHRD_NONE: "none", unix.ARPHRD_VOID: "void",
	unix.ARPHRD_PPP: "ppp", unix.ARPHRD_TUNNEL: "ipip", unix.ARPHRD_TUNNEL6: "tunnel6", unix.ARPHRD_SIT: "sit",
	unix.ARPHRD_IPGRE: "gre", unix.ARPHRD_IP6GRE: "gre6", unix.ARPHRD_INFINIBAND: "infiniband",
	unix.ARPHRD_CAN: "can", unix.ARPHRD_NETLINK: "netlink", unix.ARPHRD_RAWIP: "rawip",
	unix.ARPHRD_IEEE802154: "ieee802.15.4", unix.ARPHRD_6LOWPAN: "6lowpan", unix.ARPHRD_VSOCKMON: "vsockmon",
}

func linkType(t uint16) string {
	if word, ok := linkTypes[t]; ok {
		return word
	}
	return fmt.Sprintf("[%d]", t)
}

// linkAddress writes the addresses of tunnels as IP addresses (iproute2,
// lib/ll_addr.c, ll_addr_n2a).
func linkAddress(typ uint16, a route.HardwareAddr) string {
	switch typ {
	case unix.ARPHRD_TUNNEL, unix.ARPHRD_SIT, unix.ARPHRD_IPGRE, unix.ARPHRD_TUNNEL6, unix.ARPHRD_IP6GRE:
		if ip, ok := netip.AddrFromSlice(a); ok {
			return ip.String()
		}
	}
	return a.String()
}

// linkMode is IFLA_LINKMODE.
func linkMode(m uint8) string {
	if m == ifLinkModeDormant {
		return "DORMANT"
	}
	return fmt.Sprint(m)
}

// linkEvents are IFLA_EVENT_* from 0 (iproute2, ip/ipaddress.c, link_events).
var linkEvents = []string{
	"NONE", "REBOOT", "FEATURE CHANGE", "BONDING FAILOVER", "NOTIFY PEERS", "RESEND IGMP", "BONDING OPTION",
}

func linkEvent(e uint32) string {
	if int(e) < len(linkEvents) {
		return linkEvents[e]
	}
	return fmt.Sprint(e)
}
