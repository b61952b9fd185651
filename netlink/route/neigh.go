package route

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// A Neighbor is an entry of a neighbour table, or of a forwarding table when
// Family is AF_BRIDGE: the payload of RTM_NEWNEIGH and RTM_DELNEIGH.
//
// Of a neighbour, Dst is the key and LLAddr what it resolves to. Of a forwarding
// entry, LLAddr is the key and Dst the remote end of a VXLAN. One that a bridge
// holds has Master set in a dump; to change it, Flags needs NTF_MASTER.
type Neighbor struct {
	Family   uint8
	Flags    uint8 // NTF_*
	Type     uint8 // RTN_*; 0 in what is sent
	Protocol uint8 // who made it: RTPROT_*; 0: not said
	Index    int32
	State    uint16 // NUD_*; of a bridge NUD_NOARP is static, NUD_PERMANENT local
	VLAN     uint16 // 0: none
	Port     uint16 // UDP port of the remote end; 0: the device's own
	ExtFlags uint32 // NTF_EXT_*

	Dst    netip.Addr
	LLAddr HardwareAddr

	VNI      uint32 // of the remote end; 0: the device's own
	SrcVNI   uint32 // the entry's own, on a VXLAN with many
	IfIndex  int32  // link through which the remote end is reached; 0: any
	Master   int32
	NHID     uint32 // nexthop object instead of Dst; 0: none
	NetNSID  int32  // namespace of the remote end's link, only in dumps
	HasNetNS bool

	Extra []byte // attributes that are not known here
}

// Clone returns a copy that shares nothing with n.
func (n *Neighbor) Clone() *Neighbor {
	c := *n
	c.LLAddr, c.Extra = clone(n.LLAddr), clone(n.Extra)
	return &c
}

// IsProxy tells whether the entry answers for another host.
func (n *Neighbor) IsProxy() bool { return n.Flags&unix.NTF_PROXY != 0 }

// IsConfigured tells whether somebody put the entry there: others come and go
// by themselves.
func (n *Neighbor) IsConfigured() bool {
	return n.State&(unix.NUD_PERMANENT|unix.NUD_NOARP) != 0 || n.IsProxy() ||
		n.Flags&unix.NTF_EXT_LEARNED != 0 || n.ExtFlags&NTF_EXT_MANAGED != 0
}

// appendNdMsg appends struct ndmsg.
func appendNdMsg(e *netlink.Encoder, family uint8, index int32, state uint16, flags, typ uint8) {
	var h [unix.SizeofNdMsg]byte
	h[0] = family
	binary.NativeEndian.PutUint32(h[4:], uint32(index))
	binary.NativeEndian.PutUint16(h[8:], state)
	h[10], h[11] = flags, typ
	e.Fixed(h[:])
}

// AppendTo appends the payload.
func (n *Neighbor) AppendTo(e *netlink.Encoder) {
	appendNdMsg(e, n.Family, n.Index, n.State, n.Flags, n.Type)
	e.Addr(unix.NDA_DST, n.Dst)
	if n.LLAddr != nil {
		e.Attr(unix.NDA_LLADDR, n.LLAddr)
	}
	if n.Protocol != 0 {
		e.Uint8(NDA_PROTOCOL, n.Protocol)
	}
	if n.VLAN != 0 {
		e.Uint16(unix.NDA_VLAN, n.VLAN)
	}
	if n.Port != 0 {
		e.BE16(unix.NDA_PORT, n.Port)
	}
	appendUint32(e, unix.NDA_VNI, n.VNI)
	appendUint32(e, unix.NDA_SRC_VNI, n.SrcVNI)
	appendIndex(e, unix.NDA_IFINDEX, n.IfIndex, n.IfIndex != 0)
	appendIndex(e, unix.NDA_MASTER, n.Master, n.Master != 0)
	appendIndex(e, unix.NDA_LINK_NETNSID, n.NetNSID, n.HasNetNS)
	appendUint32(e, NDA_FLAGS_EXT, n.ExtFlags)
	appendUint32(e, NDA_NH_ID, n.NHID)
	e.Raw(n.Extra)
}

// Decode resets n and fills it from a payload. LLAddr points into b.
func (n *Neighbor) Decode(b []byte) error {
	*n = Neighbor{Extra: n.Extra[:0]}
	h, rest := split(b, unix.SizeofNdMsg)
	n.Family = h[0]
	n.Index = int32(binary.NativeEndian.Uint32(h[4:]))
	n.State = binary.NativeEndian.Uint16(h[8:])
	n.Flags, n.Type = h[10], h[11]
	a := netlink.ReadAttrs(rest)
	for a.Next() {
		n.decodeAttr(&a)
	}
	return a.Err()
}

func (n *Neighbor) decodeAttr(a *netlink.Attrs) {
	switch a.Type() {
	case unix.NDA_DST:
		if n.Dst = a.Addr(); !n.Dst.IsValid() {
			n.Extra = keep(n.Extra, a) // the key of another family
		}
	case unix.NDA_LLADDR:
		n.LLAddr = a.Bytes()
	case NDA_PROTOCOL:
		n.Protocol = a.Uint8()
	case unix.NDA_VLAN:
		n.VLAN = a.Uint16()
	case unix.NDA_PORT:
		n.Port = a.BE16()
	case unix.NDA_VNI:
		n.VNI = a.Uint32()
	case unix.NDA_SRC_VNI:
		n.SrcVNI = a.Uint32()
	case unix.NDA_IFINDEX:
		n.IfIndex = a.Int32()
	case unix.NDA_MASTER:
		n.Master = a.Int32()
	case unix.NDA_LINK_NETNSID:
		n.NetNSID, n.HasNetNS = a.Int32(), true
	case NDA_FLAGS_EXT:
		n.ExtFlags = a.Uint32()
	case NDA_NH_ID:
		n.NHID = a.Uint32()
	case unix.NDA_CACHEINFO, unix.NDA_PROBES:
	default:
		n.Extra = keep(n.Extra, a)
	}
}
