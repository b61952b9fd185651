package spec

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
)

var (
	addrGenModes = []string{"eui64", "none", "stable_secret", "random"}
	linkAlias    = text("a text", checkAlias)
	altName      = text("a name", checkAltName)
)

var linkObject = define(object[Link]{
	what:   "a link",
	later:  []string{"qdiscs", "classes", "filters", "mdb"},
	other:  (*decoder).readSection,
	others: (*decoder).sectionNames,
	check:  (*decoder).checkLink,
	keys: []key[Link]{
		value("kind", "the kind to make it of; a link without kind must exist", text("a kind", checkKindWord), func(l *Link) *string { return &l.Kind }),
		upKey,
		pointer("link", "the device below a vlan, macvlan, …", linkName, func(l *Link) **string { return &l.Parent }),
		pointer("peer", "the other end of a veth pair", peerObject.format(true), func(l *Link) **Peer { return &l.Peer }),
		pointer("master", "the bridge, bond or VRF that it is a port of; none releases it", linkName, func(l *Link) **string { return &l.Master }),
		// The kernel keeps it as an int.
		pointer("mtu", "the largest packet", number[uint32](0, math.MaxInt32), func(l *Link) **uint32 { return &l.MTU }),
		hardwareKey("address", "the hardware address; IP addresses are under addresses", func(l *Link) *HardwareAddr { return &l.Address }),
		pointer("txqueuelen", "the length of the transmit queue", anyNumber, func(l *Link) **uint32 { return &l.TxQueueLen }),
		pointer("group", "the group's number or name", group, func(l *Link) **uint32 { return &l.Group }),
		pointer("alias", "a text for people; \"\" clears", linkAlias, func(l *Link) **string { return &l.Alias }),
		exact("altnames", "alternative names", listOf(altName, true), func(l *Link) **[]string { return &l.AltNames }),
		pointer("arp", "resolve addresses", boolean, func(l *Link) **bool { return &l.ARP }),
		pointer("multicast", "take part in multicast", boolean, func(l *Link) **bool { return &l.Multicast }),
		pointer("allmulticast", "receive all multicast", boolean, func(l *Link) **bool { return &l.AllMulticast }),
		pointer("promisc", "receive everything", boolean, func(l *Link) **bool { return &l.Promisc }),
		pointer("addrgenmode", "how IPv6 makes addresses: eui64, none, stable_secret or random", enum(addrGenModes, addrGenModes),
			func(l *Link) **string { return &l.AddrGenMode }),
		sectionsKey,
		list("addresses", "the IP addresses, in the order in which they are added", listOf(addressFormat, true), func(l *Link) *[]Address { return &l.Addresses }),
		exact("vlans", "the VLANs of a bridge or its port; nothing else is left", listOf(vlanObject.format(true), true), func(l *Link) **[]VLAN { return &l.VLANs }),
		exact("fdb", "the forwarding entries; nothing else is left", listOf(fdbObject.format(true), true), func(l *Link) **[]FDBEntry { return &l.FDB }),
		linkSysctls,
	},
})

// exact is a list whose presence means that there is nothing else.
func exact[T, V any](name, doc string, f format[[]V], at func(*T) **[]V) key[T] {
	return pointer(name, doc, f, at)
}

func checkKindWord(s string) error {
	if s == "" {
		return errors.New("the kind is empty, a link without one has no such key")
	}
	return nil
}

var upKey = key[Link]{
	name: "up", doc: "true unless written", schema: boolean.schema,
	read: func(d *decoder, n ref, l *Link) bool { return boolean.read(d, n, &l.Up) },
	write: func(w *writer, l *Link) {
		if !l.Up {
			w.key("up")
			w.bool(false)
		}
	},
}

var peerObject = define(object[Peer]{
	what: "a peer",
	keys: []key[Peer]{
		must(value("name", "its name", linkName, func(p *Peer) *string { return &p.Name })),
		pointer("namespace", "its namespace: the link's own where absent, \"\" is the one that nlapply runs in",
			text("the name of a namespace", checkPeerNamespace), func(p *Peer) **string { return &p.Namespace }),
	},
})

func checkPeerNamespace(s string) error {
	if s == "" {
		return nil
	}
	return checkNamespaceName(s)
}

// checkNamespaceName tells what cannot be a file in /run/netns.
func checkNamespaceName(s string) error {
	switch {
	case s == "":
		return errors.New("the name of a namespace is empty")
	case len(s) > 255:
		return fmt.Errorf("the name of a namespace has at most 255 bytes")
	case s == "." || s == ".." || strings.Contains(s, "/") || hasControl(s):
		return fmt.Errorf("%s is no name of a namespace", quote(s))
	}
	return nil
}

func checkAlias(s string) error {
	// IFALIASZ is 256.
	if len(s) > 255 {
		return fmt.Errorf("an alias has at most 255 bytes, this one has %d", len(s))
	}
	if strings.Contains(s, "\x00") {
		return errors.New("an alias has no NUL")
	}
	return nil
}

// markPrefix begins the alternative names by which nlapply knows its links.
const markPrefix = "nlapply:"

func checkAltName(s string) error {
	switch {
	case s == "":
		return errors.New("the name is empty")
	case len(s) > 127: // ALTIFNAMSIZ is 128.
		return fmt.Errorf("an alternative name has at most 127 bytes, this one has %d", len(s))
	case strings.HasPrefix(s, markPrefix):
		return fmt.Errorf("names that begin with %s are nlapply's own marks", markPrefix)
	case strings.ContainsAny(s, "/ \t\n\v\f\r") || hasControl(s):
		return fmt.Errorf("%s is no name: it has a blank, '/' or a control character", quote(s))
	}
	return nil
}

var vlanObject = define(object[VLAN]{
	what:  "a vlan",
	check: (*decoder).checkVLAN,
	keys: []key[VLAN]{
		must(key[VLAN]{
			name: "vid", doc: "1 to 4094, or a range A-B", schema: spanSchema(1, 4094),
			read: func(d *decoder, n ref, v *VLAN) bool {
				from, to, ok := d.span(n, 1, 4094)
				v.VID, v.End = uint16(from), uint16(to)
				return ok
			},
			write: func(w *writer, v *VLAN) {
				w.key("vid")
				w.span(uint64(v.VID), uint64(v.End))
			},
		}),
		value("pvid", "incoming packets without a tag belong to it", boolean, func(v *VLAN) *bool { return &v.PVID }),
		value("untagged", "packets leave without a tag", boolean, func(v *VLAN) *bool { return &v.Untagged }),
	},
})

func (d *decoder) checkVLAN(n ref, v *VLAN) {
	if v.PVID && v.VID != v.End {
		d.failKey(n, "pvid", "a range cannot be the pvid")
	}
}

var fdbObject = define(object[FDBEntry]{
	what:  "a forwarding entry",
	later: []string{"nhid", "state", "dynamic", "extern_learn", "self"},
	check: (*decoder).checkFDBEntry,
	keys: []key[FDBEntry]{
		must(hardwareKey("lladdr", "the hardware address", func(e *FDBEntry) *HardwareAddr { return &e.LLAddr })),
		value("dst", "the remote end of a VXLAN", address, func(e *FDBEntry) *netip.Addr { return &e.Dst }),
		value("port", "the remote's UDP port", number[uint16](1, math.MaxUint16), func(e *FDBEntry) *uint16 { return &e.Port }),
		value("vni", "the remote's VXLAN id", number[uint32](1, 1<<24-1), func(e *FDBEntry) *uint32 { return &e.VNI }),
		value("src_vni", "the VXLAN id of the entry itself, for a device in external mode", number[uint32](1, 1<<24-1), func(e *FDBEntry) *uint32 { return &e.SrcVNI }),
		value("via", "the link to reach the remote through", linkName, func(e *FDBEntry) *string { return &e.Via }),
		value("master", "an entry of the port's bridge", boolean, func(e *FDBEntry) *bool { return &e.Master }),
		value("static", "the bridge forwards to the port; false: the address is the bridge's own", boolean, func(e *FDBEntry) *bool { return &e.Static }),
		value("sticky", "the entry never moves to another port", boolean, func(e *FDBEntry) *bool { return &e.Sticky }),
		value("vlan", "the VLAN of the entry", number[uint16](1, 4094), func(e *FDBEntry) *uint16 { return &e.VLAN }),
	},
})

func (d *decoder) checkFDBEntry(n ref, e *FDBEntry) {
	if e.LLAddr != nil && len(e.LLAddr) != 6 {
		d.failKey(n, "lladdr", "want the six octets of an Ethernet address")
	}
	switch {
	case d.has(n, "dst") && e.Master:
		d.failKey(n, "master", "stands beside dst: an entry is of a VXLAN or of a bridge")
	case d.has(n, "dst"):
		d.foreignKeys(n, "an entry with dst", "static", "sticky", "vlan")
	case e.Master:
		d.foreignKeys(n, "an entry of a bridge", "port", "vni", "src_vni", "via")
		if e.Sticky && !e.Static {
			d.failKey(n, "sticky", "needs static: true")
		}
	default:
		d.fail(n, "a forwarding entry needs dst (VXLAN) or master: true (bridge)")
	}
}

// foreignKeys reports keys that what cannot have.
func (d *decoder) foreignKeys(n ref, what string, keys ...string) {
	for _, key := range keys {
		if d.has(n, key) {
			d.failKey(n, key, "%s has none", what)
		}
	}
}
