package spec

import "net/netip"

// None as the Master of a link releases it from whatever master it has.
const None = "none"

// Link is a declared network device. Fields that are nil are not managed.
type Link struct {
	Kind string // "" for a link that must exist already
	Up   bool   // true unless the document says `up: false`

	MTU, TxQueueLen, Group                *uint32
	Alias                                 *string // "" clears
	Address                               HardwareAddr
	ARP, Multicast, AllMulticast, Promisc *bool
	AddrGenMode                           *string // eui64, none, stable_secret, random
	Parent                                *string // `link`: the device below a vlan, macvlan, …
	Master                                *string // None releases
	Peer                                  *Peer
	AltNames                              *[]string // exact, apart from nlapply's own marks
	Addresses                             []Address // absent and empty are the same: they follow `prune`
	VLANs                                 *[]VLAN   // exact where written
	FDB                                   *[]FDBEntry
	Sysctl                                map[string]string // ipv4.NAME and ipv6.NAME to values

	// Options are the sections of the link's kind ("vxlan") and of its port
	// ("bridge_slave"): key to plain value, which is a bool, int64, json.Number
	// (integers beyond int64), float64, string, []any or map[string]any and has
	// passed the section's checks.
	Options map[string]map[string]any
}

// Peer is the other end of a veth pair.
type Peer struct {
	Name      string
	Namespace *string // nil: the namespace of the link itself; "": the one the run started in
}

// VLAN is a VLAN, or a range of them, that a bridge or its port carries.
type VLAN struct {
	VID, End       uint16 // End equals VID for a single one
	PVID, Untagged bool
}

// FDBEntry is an entry of a forwarding database: of a VXLAN device (Dst is set) or
// of a bridge for its port (Master is true).
type FDBEntry struct {
	LLAddr HardwareAddr

	Dst    netip.Addr // VXLAN: the remote
	Port   uint16     // VXLAN: 0 is the device's own
	VNI    uint32     // VXLAN: 0 is the device's own
	SrcVNI uint32     // VXLAN: of a device in external mode
	Via    string     // VXLAN: the link to send through

	Master bool
	Static bool   // false: local, what bridge(8) calls permanent
	Sticky bool   // never moves to another port
	VLAN   uint16 // 0: without
}
