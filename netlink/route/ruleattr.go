package route

import (
	"cmp"
	"encoding/binary"
	"math"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// none is what the kernel reports for a suppressor that is not set.
const none = math.MaxUint32

// Decode resets r and fills it from a payload.
func (r *Rule) Decode(b []byte) error {
	last := [2]string{r.IIF, r.OIF}
	*r = Rule{Extra: r.Extra[:0]}
	h, rest := split(b, unix.SizeofRtMsg)
	r.Family, r.TOS, r.Table, r.Action = h[0], h[3], uint32(h[4]), h[7]
	r.Flags = binary.NativeEndian.Uint32(h[8:])
	masked := false
	a := netlink.ReadAttrs(rest)
	for a.Next() {
		switch a.Type() {
		case unix.FRA_DST:
			r.To = netip.PrefixFrom(a.Addr(), int(h[1]))
		case unix.FRA_SRC:
			r.From = netip.PrefixFrom(a.Addr(), int(h[2]))
		case unix.FRA_IIFNAME:
			r.IIF = again(last[0], a.CString())
		case unix.FRA_OIFNAME:
			r.OIF = again(last[1], a.CString())
		case unix.FRA_FWMARK:
			r.FwMark = a.Uint32()
		case unix.FRA_FWMASK:
			r.FwMask, masked = a.Uint32(), true
		default:
			if !r.decodeNumber(&a) && !r.decodeRare(&a) {
				r.Extra = keep(r.Extra, &a)
			}
		}
	}
	if r.FwMark != 0 && !masked {
		r.FwMask = math.MaxUint32
	}
	var to, from error
	r.To, to = prefix(r.To, r.Family, h[1])
	r.From, from = prefix(r.From, r.Family, h[2])
	return cmp.Or(a.Err(), to, from)
}

func (r *Rule) decodeNumber(a *netlink.Attrs) (known bool) {
	switch a.Type() {
	case unix.FRA_PRIORITY:
		r.Priority = a.Uint32()
	case unix.FRA_TABLE:
		r.Table = a.Uint32()
	case unix.FRA_GOTO:
		r.Goto = a.Uint32()
	case unix.FRA_PROTOCOL:
		r.Protocol = a.Uint8()
	case unix.FRA_IP_PROTO:
		r.IPProto = a.Uint8()
	case unix.FRA_L3MDEV:
		r.L3MDev = a.Uint8() != 0
	case unix.FRA_TUN_ID:
		r.TunID = a.BE64()
	case unix.FRA_FLOW:
		r.Realms = a.Uint32()
	case unix.FRA_PAD:
	default:
		return false
	}
	return true
}

func (r *Rule) decodeRare(a *netlink.Attrs) (known bool) {
	switch b := a.Bytes(); a.Type() {
	case unix.FRA_SUPPRESS_PREFIXLEN:
		if v := a.Uint32(); v != none {
			r.SuppressPrefixLen, r.HasSuppressPrefixLen = v, true
		}
	case unix.FRA_SUPPRESS_IFGROUP:
		if v := a.Uint32(); v != none {
			r.SuppressIfGroup, r.HasSuppressIfGroup = v, true
		}
	case unix.FRA_SPORT_RANGE:
		r.SPort = ports(b)
	case unix.FRA_DPORT_RANGE:
		r.DPort = ports(b)
	case FRA_SPORT_MASK:
		r.SPortMask = portMask(a.Uint16())
	case FRA_DPORT_MASK:
		r.DPortMask = portMask(a.Uint16())
	case unix.FRA_UID_RANGE:
		if len(b) >= 8 {
			r.UIDRange = UIDRange{binary.NativeEndian.Uint32(b[0:]), binary.NativeEndian.Uint32(b[4:])}
			r.HasUIDRange = true
		}
	default:
		return false
	}
	return true
}

func ports(b []byte) PortRange {
	if len(b) < 4 {
		return PortRange{}
	}
	return PortRange{binary.NativeEndian.Uint16(b[0:]), binary.NativeEndian.Uint16(b[2:])}
}

// portMask returns 0 for all bits, which is what the kernel reports when no mask
// was given.
func portMask(m uint16) uint16 {
	if m == math.MaxUint16 {
		return 0
	}
	return m
}
