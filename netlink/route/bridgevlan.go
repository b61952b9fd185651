package route

import (
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// BridgeVLANs are the VLANs of a bridge port, or of a bridge itself: the payload
// of RTM_NEWLINK, RTM_SETLINK (add) and RTM_DELLINK (delete) with family
// AF_BRIDGE.
type BridgeVLANs struct {
	Index  int32
	Master int32 // the bridge, only in dumps; a bridge's own have none or itself

	// Self addresses the link itself: for a bridge's own VLANs. Otherwise the
	// link's master is asked, as is right for a port.
	Self  bool
	VLANs []BridgeVLAN

	// Extra has the attributes within IFLA_AF_SPEC that are not known here.
	Extra []byte
}

// A BridgeVLAN is one VLAN, or a range of VLANs with the same flags.
type BridgeVLAN struct {
	VID, End uint16 // End 0 or VID: only one
	Flags    uint16 // BRIDGE_VLAN_INFO_PVID, BRIDGE_VLAN_INFO_UNTAGGED
}

const (
	rangeFlags = BRIDGE_VLAN_INFO_RANGE_BEGIN | BRIDGE_VLAN_INFO_RANGE_END

	// BRENTRY only tells that a bridge's own VLAN is in use there.
	vlanFlags = BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED
)

// Clone returns a copy that shares nothing with v.
func (v *BridgeVLANs) Clone() *BridgeVLANs {
	c := *v
	c.VLANs, c.Extra = slices.Clone(v.VLANs), clone(v.Extra)
	return &c
}

// AppendTo appends the payload.
func (v *BridgeVLANs) AppendTo(e *netlink.Encoder) {
	appendIfInfo(e, unix.AF_BRIDGE, 0, v.Index, 0, 0)
	appendIndex(e, unix.IFLA_MASTER, v.Master, v.Master != 0)
	spec := e.Begin(unix.IFLA_AF_SPEC)
	if v.Self {
		e.Uint16(IFLA_BRIDGE_FLAGS, BRIDGE_FLAGS_SELF)
	}
	for _, r := range v.VLANs {
		if r.End <= r.VID {
			appendVLAN(e, r.VID, r.Flags)
			continue
		}
		appendVLAN(e, r.VID, r.Flags|BRIDGE_VLAN_INFO_RANGE_BEGIN)
		appendVLAN(e, r.End, r.Flags|BRIDGE_VLAN_INFO_RANGE_END)
	}
	e.Raw(v.Extra)
	e.End(spec)
}

// appendVLAN appends struct bridge_vlan_info { __u16 flags; __u16 vid; }.
func appendVLAN(e *netlink.Encoder, vid, flags uint16) {
	var b [4]byte
	binary.NativeEndian.PutUint16(b[0:], flags)
	binary.NativeEndian.PutUint16(b[2:], vid)
	e.Attr(IFLA_BRIDGE_VLAN_INFO, b[:])
}

// Decode resets v and fills it from a payload. Of the flags only PVID and
// UNTAGGED are kept.
func (v *BridgeVLANs) Decode(b []byte) error {
	*v = BridgeVLANs{VLANs: v.VLANs[:0], Extra: v.Extra[:0]}
	h, rest := split(b, unix.SizeofIfInfomsg)
	v.Index = int32(binary.NativeEndian.Uint32(h[4:]))
	a := netlink.ReadAttrs(rest)
	for a.Next() {
		switch a.Type() {
		case unix.IFLA_MASTER:
			v.Master = a.Int32()
		case unix.IFLA_AF_SPEC:
			v.decodeSpec(a.Nested())
		}
	}
	return a.Err()
}

func (v *BridgeVLANs) decodeSpec(a netlink.Attrs) {
	for a.Next() {
		switch a.Type() {
		case IFLA_BRIDGE_FLAGS:
			v.Self = a.Uint16()&BRIDGE_FLAGS_SELF != 0
		case IFLA_BRIDGE_VLAN_INFO:
			v.decodeVLAN(a.Bytes())
		default:
			v.Extra = keep(v.Extra, &a)
		}
	}
}

func (v *BridgeVLANs) decodeVLAN(b []byte) {
	if len(b) < 4 {
		return
	}
	flags, vid := binary.NativeEndian.Uint16(b[0:]), binary.NativeEndian.Uint16(b[2:])
	if flags&rangeFlags == BRIDGE_VLAN_INFO_RANGE_END && len(v.VLANs) > 0 {
		if last := &v.VLANs[len(v.VLANs)-1]; vid > last.VID {
			last.End = vid
			return
		}
	}
	v.VLANs = append(v.VLANs, BridgeVLAN{VID: vid, Flags: flags & vlanFlags})
}
