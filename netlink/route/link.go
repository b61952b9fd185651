package route

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// A Link is a network device as the kernel reports it: the payload of
// RTM_NEWLINK and RTM_DELLINK. To change one, see LinkChange.
type Link struct {
	// Family is AF_UNSPEC. With AF_BRIDGE the message is about a bridge port:
	// RTM_DELLINK then says that it left the bridge, not that it is gone.
	Family uint8
	Type   uint16 // ARPHRD_*
	Index  int32
	Flags  uint32 // IFF_*
	Change uint32 // in notifications: the flags that changed

	Name     string
	AltNames []string
	Alias    string

	Address, Broadcast HardwareAddr
	PermAddress        HardwareAddr // the hardware's own; nil: none

	MTU, MinMTU, MaxMTU uint32 // in bytes; MaxMTU 0: no limit
	TxQueueLen          uint32 // in packets; 0: no queue
	Group               uint32 // number of /etc/iproute2/group; 0: default
	Promiscuity         uint32 // how many want it promiscuous, IFF_PROMISC or not
	AllMulti            uint32 // how many want all multicast

	Master int32 // index of the bridge, bond or VRF this is a port of; 0: none

	// Parent is the link below (a VLAN's, a macvlan's) or a veth's peer, in the
	// namespace with the id ParentNetNSID, -1 being one without an id here.
	// Without HasParentNetNSID it is in the same namespace. A tunnel without
	// device has Parent 0 and HasParent true.
	Parent           int32
	HasParent        bool
	ParentNetNSID    int32
	HasParentNetNSID bool

	// NewNetNSID and NewIndex tell in RTM_DELLINK where the link moved to.
	NewNetNSID    int32
	HasNewNetNSID bool
	NewIndex      int32

	OperState      uint8 // IF_OPER_*
	LinkMode       uint8 // IF_LINK_MODE_*: 1 lets user space bring OperState from DORMANT to UP
	Carrier        bool  // true also while the link is down, where a driver cannot tell
	CarrierChanges uint32
	CarrierUp      uint32 // changes to up
	CarrierDown    uint32 // changes to down

	ProtoDown       bool   // a protocol holds the link down
	ProtoDownReason uint32 // bitmask of who does, numbers of /etc/iproute2/protodown_reasons.d

	AddrGenMode    uint8      // IN6_ADDR_GEN_MODE_*
	HasAddrGenMode bool       // false where the link has no IPv6
	Inet6Flags     uint32     // IF_READY and others of include/net/if_inet6.h; 0: none
	Token          netip.Addr // of IPv6 addresses; zero: none

	NumTxQueues, NumRxQueues        uint32
	NumVFs                          uint32       // virtual functions of the device
	GSOMaxSegs, GSOMaxSize          uint32       // of packets that are segmented late; sizes in bytes
	GROMaxSize                      uint32       // of received packets that are joined, in bytes
	TSOMaxSegs, TSOMaxSize          uint32       // what the device can segment by itself
	GSOIPv4MaxSize, GROIPv4MaxSize  uint32       // of IPv4 in bytes (kernel 6.3); before, the above hold for it too
	MaxPacingOffloadHorizon         uint64       // in ns (kernel 6.13); 0: the device does not pace
	Headroom, Tailroom              uint16       // in bytes before and behind each packet (kernel 6.18)
	NetNSImmutable                  bool         // cannot be moved to another namespace (kernel 6.15)
	Event                           uint32       // IFLA_EVENT_*, in notifications: what caused it; 0: not said
	Qdisc                           string       // kind of the root queueing discipline: "noqueue"
	PhysPortID, PhysSwitchID        HardwareAddr // nil: none
	PhysPortName                    string       // "": none
	ParentDevName, ParentDevBusName string       // of the device in hardware: "0000:00:03.0", "pci"; "": none
	XDPAttached                     uint8        // XDP_ATTACHED_*
	XDPProgID                       uint32       // of the only XDP program; 0: none, or several

	Kind      string // "" for links without rtnl_link_ops
	Data      []byte // attributes of the kind (IFLA_INFO_DATA); nil: none
	SlaveKind string // the master's kind
	SlaveData []byte // attributes of the port (IFLA_INFO_SLAVE_DATA); nil: none

	// Extra has the attributes that are not known here. A nest with something
	// unknown in it is also here as a whole.
	Extra []byte
}

// Clone returns a copy that shares nothing with l.
func (l *Link) Clone() *Link {
	c := *l
	c.AltNames = slices.Clone(l.AltNames)
	for _, p := range []*HardwareAddr{&c.Address, &c.Broadcast, &c.PermAddress, &c.PhysPortID, &c.PhysSwitchID} {
		*p = clone(*p)
	}
	c.Data, c.SlaveData, c.Extra = clone(l.Data), clone(l.SlaveData), clone(l.Extra)
	return &c
}

// IsUp tells whether the link is administratively up.
func (l *Link) IsUp() bool { return l.Flags&unix.IFF_UP != 0 }

// reset empties l and keeps its slices for the next Decode.
func (l *Link) reset() { *l = Link{AltNames: l.AltNames[:0], Extra: l.Extra[:0]} }

// Decode resets l and fills it from a payload of RTM_NEWLINK or RTM_DELLINK.
// Byte slices point into b.
func (l *Link) Decode(b []byte) error {
	l.reset()
	h, rest := split(b, unix.SizeofIfInfomsg)
	l.Family = h[0]
	l.Type = binary.NativeEndian.Uint16(h[2:])
	l.Index = int32(binary.NativeEndian.Uint32(h[4:]))
	l.Flags = binary.NativeEndian.Uint32(h[8:])
	l.Change = binary.NativeEndian.Uint32(h[12:])
	a := netlink.ReadAttrs(rest)
	for a.Next() {
		known := true
		if p := l.number(a.Type()); p != nil {
			*p = a.Uint32()
		} else if p := l.bytes(a.Type()); p != nil {
			*p = a.Bytes()
		} else if !l.decodeScalar(&a) {
			known = l.decodeNest(&a)
		}
		if !known {
			l.Extra = keep(l.Extra, &a)
		}
	}
	return a.Err()
}

// appendIfInfo appends struct ifinfomsg.
func appendIfInfo(e *netlink.Encoder, family uint8, typ uint16, index int32, flags, change uint32) {
	var h [unix.SizeofIfInfomsg]byte
	h[0] = family
	binary.NativeEndian.PutUint16(h[2:], typ)
	binary.NativeEndian.PutUint32(h[4:], uint32(index))
	binary.NativeEndian.PutUint32(h[8:], flags)
	binary.NativeEndian.PutUint32(h[12:], change)
	e.Fixed(h[:])
}

// AppendTo appends the payload of the message that l would be decoded from.
func (l *Link) AppendTo(e *netlink.Encoder) {
	appendIfInfo(e, l.Family, l.Type, l.Index, l.Flags, l.Change)
	l.appendScalars(e)
	for _, typ := range linkNumbers {
		if v := *l.number(typ); v != 0 {
			e.Uint32(typ, v)
		}
	}
	for _, typ := range linkBytes {
		if v := *l.bytes(typ); v != nil {
			e.Attr(typ, v)
		}
	}
	l.appendNests(e)
	e.Raw(l.Extra)
}
