package route

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// A Rule is a rule of policy routing: the payload of RTM_NEWRULE and
// RTM_DELRULE. A selector that is zero selects everything, unless a Has field
// says that it is there.
type Rule struct {
	Family   uint8
	Action   uint8 // FR_ACT_*
	Protocol uint8 // who made it: RTPROT_*
	TOS      uint8
	Flags    uint32 // FIB_RULE_*; see VolatileRuleFlags
	Priority uint32 // on creation 0 is a priority too
	Table    uint32 // 0 with actions other than FR_ACT_TO_TBL, and with L3MDev
	Goto     uint32 // the priority to go on at, with FR_ACT_GOTO

	From, To netip.Prefix // zero: any. IPv4 may have host bits
	IIF, OIF string       // names; the links need not exist

	FwMark, FwMask uint32 // mask 0: any mark. A decoded mark without mask has all bits
	IPProto        uint8
	SPort, DPort   PortRange
	// Masks of the only port of SPort and DPort (kernel 6.15); 0: all bits.
	SPortMask, DPortMask uint16
	UIDRange             UIDRange
	HasUIDRange          bool
	TunID                uint64 // tunnel key
	L3MDev               bool   // look in the table of the VRF
	Realms               uint32 // source realm in the upper half; IPv4 only

	// Routes found by the rule that are not taken: those with a prefix of at most
	// this length, and those through links of this group.
	SuppressPrefixLen    uint32
	HasSuppressPrefixLen bool
	SuppressIfGroup      uint32
	HasSuppressIfGroup   bool

	Extra []byte // attributes that are not known here
}

// A PortRange is a range of ports, both ends in it; zero: any.
type PortRange struct{ Start, End uint16 }

// A UIDRange is a range of user ids, both ends in it.
type UIDRange struct{ Start, End uint32 }

// VolatileRuleFlags are the flags that the kernel sets by itself: the goto's
// target or the link is missing at the moment.
const VolatileRuleFlags = unix.FIB_RULE_UNRESOLVED | unix.FIB_RULE_IIF_DETACHED | unix.FIB_RULE_OIF_DETACHED

// Equal tells whether both are the same rule made by the same protocol. Flags
// that the kernel sets by itself do not count.
func (r *Rule) Equal(o *Rule) bool {
	return r.Priority == o.Priority && r.Family == o.Family && r.Action == o.Action && r.Table == o.Table &&
		(r.Flags^o.Flags)&^VolatileRuleFlags == 0 && r.Protocol == o.Protocol && r.TOS == o.TOS && r.Goto == o.Goto &&
		sameDst(r.From, o.From) && sameDst(r.To, o.To) && r.IIF == o.IIF && r.OIF == o.OIF &&
		r.FwMark == o.FwMark && r.FwMask == o.FwMask && r.IPProto == o.IPProto &&
		r.SPort == o.SPort && r.DPort == o.DPort && r.SPortMask == o.SPortMask && r.DPortMask == o.DPortMask &&
		r.UIDRange == o.UIDRange && r.HasUIDRange == o.HasUIDRange &&
		r.TunID == o.TunID && r.L3MDev == o.L3MDev && r.Realms == o.Realms &&
		r.SuppressPrefixLen == o.SuppressPrefixLen && r.HasSuppressPrefixLen == o.HasSuppressPrefixLen &&
		r.SuppressIfGroup == o.SuppressIfGroup && r.HasSuppressIfGroup == o.HasSuppressIfGroup &&
		bytes.Equal(r.Extra, o.Extra)
}

// Clone returns a copy that shares nothing with r.
func (r *Rule) Clone() *Rule {
	c := *r
	c.Extra = clone(r.Extra)
	return &c
}

// AppendTo appends the payload. What it leaves out is a wildcard for a deletion.
func (r *Rule) AppendTo(e *netlink.Encoder) {
	table := uint8(unix.RT_TABLE_COMPAT)
	if r.Table < 256 {
		table = uint8(r.Table)
	}
	// struct fib_rule_hdr
	h := [unix.SizeofRtMsg]byte{r.Family, bits(r.To), bits(r.From), r.TOS, table, 0, 0, r.Action}
	binary.NativeEndian.PutUint32(h[8:], r.Flags)
	e.Fixed(h[:])
	if bits(r.To) != 0 {
		e.Addr(unix.FRA_DST, r.To.Addr())
	}
	if bits(r.From) != 0 {
		e.Addr(unix.FRA_SRC, r.From.Addr())
	}
	e.Uint32(unix.FRA_PRIORITY, r.Priority) // without it the kernel chooses one
	appendUint32(e, unix.FRA_TABLE, r.Table)
	appendUint32(e, unix.FRA_GOTO, r.Goto)
	appendString(e, unix.FRA_IIFNAME, r.IIF)
	appendString(e, unix.FRA_OIFNAME, r.OIF)
	if r.Protocol != 0 {
		e.Uint8(unix.FRA_PROTOCOL, r.Protocol)
	}
	if r.FwMark != 0 || r.FwMask != 0 {
		e.Uint32(unix.FRA_FWMARK, r.FwMark)
		e.Uint32(unix.FRA_FWMASK, r.FwMask)
	}
	r.appendRare(e)
	e.Raw(r.Extra)
}

// appendRare appends what few rules have.
func (r *Rule) appendRare(e *netlink.Encoder) {
	if r.IPProto != 0 {
		e.Uint8(unix.FRA_IP_PROTO, r.IPProto)
	}
	appendPorts(e, unix.FRA_SPORT_RANGE, r.SPort)
	appendPorts(e, unix.FRA_DPORT_RANGE, r.DPort)
	if r.SPortMask != 0 {
		e.Uint16(FRA_SPORT_MASK, r.SPortMask)
	}
	if r.DPortMask != 0 {
		e.Uint16(FRA_DPORT_MASK, r.DPortMask)
	}
	if r.HasUIDRange {
		var b [8]byte // struct fib_rule_uid_range
		binary.NativeEndian.PutUint32(b[0:], r.UIDRange.Start)
		binary.NativeEndian.PutUint32(b[4:], r.UIDRange.End)
		e.Attr(unix.FRA_UID_RANGE, b[:])
	}
	if r.TunID != 0 {
		e.BE64(unix.FRA_TUN_ID, r.TunID)
	}
	if r.L3MDev {
		e.Uint8(unix.FRA_L3MDEV, 1)
	}
	appendUint32(e, unix.FRA_FLOW, r.Realms)
	if r.HasSuppressPrefixLen {
		e.Uint32(unix.FRA_SUPPRESS_PREFIXLEN, r.SuppressPrefixLen)
	}
	if r.HasSuppressIfGroup {
		e.Uint32(unix.FRA_SUPPRESS_IFGROUP, r.SuppressIfGroup)
	}
}

// appendPorts appends struct fib_rule_port_range.
func appendPorts(e *netlink.Encoder, typ uint16, p PortRange) {
	if p == (PortRange{}) {
		return
	}
	var b [4]byte
	binary.NativeEndian.PutUint16(b[0:], p.Start)
	binary.NativeEndian.PutUint16(b[2:], p.End)
	e.Attr(typ, b[:])
}
