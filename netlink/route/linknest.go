package route

import (
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// decodeNest decodes the attributes of attributes and skips counters. It is
// false for what is not known, or not known in full.
func (l *Link) decodeNest(a *netlink.Attrs) (known bool) {
	switch a.Type() {
	case unix.IFLA_LINKINFO:
		return l.decodeInfo(a.Nested())
	case unix.IFLA_AF_SPEC:
		return l.decodeAFSpec(a.Nested())
	case unix.IFLA_PROP_LIST:
		return l.decodeProps(a.Nested())
	case unix.IFLA_PROTO_DOWN_REASON:
		for n := a.Nested(); n.Next(); {
			if n.Type() == unix.IFLA_PROTO_DOWN_REASON_VALUE {
				l.ProtoDownReason = n.Uint32()
			}
		}
	case unix.IFLA_XDP:
		for n := a.Nested(); n.Next(); {
			switch n.Type() {
			case unix.IFLA_XDP_ATTACHED:
				l.XDPAttached = n.Uint8()
			case unix.IFLA_XDP_PROG_ID:
				l.XDPProgID = n.Uint32()
			}
		}
	case unix.IFLA_DEVLINK_PORT, unix.IFLA_DPLL_PIN:
		return len(a.Bytes()) == 0 // v6.18 sends them empty with every link
	case unix.IFLA_STATS, unix.IFLA_STATS64, unix.IFLA_MAP, unix.IFLA_PAD:
	default:
		return false
	}
	return true
}

// decodeProps decodes IFLA_PROP_LIST. As with all attributes a second one counts
// instead of the first: with something unknown in it, it is in Extra, too.
func (l *Link) decodeProps(a netlink.Attrs) (known bool) {
	known = true
	l.AltNames = l.AltNames[:0]
	for a.Next() {
		if a.Type() == unix.IFLA_ALT_IFNAME {
			l.AltNames = append(l.AltNames, a.String())
		} else {
			known = false
		}
	}
	return known
}

// decodeInfo decodes IFLA_LINKINFO.
func (l *Link) decodeInfo(a netlink.Attrs) (known bool) {
	known = true
	for a.Next() {
		switch a.Type() {
		case unix.IFLA_INFO_KIND:
			l.Kind = interned.get(a.CString())
		case unix.IFLA_INFO_DATA:
			l.Data = a.Bytes()
		case unix.IFLA_INFO_SLAVE_KIND:
			l.SlaveKind = interned.get(a.CString())
		case unix.IFLA_INFO_SLAVE_DATA:
			l.SlaveData = a.Bytes()
		case unix.IFLA_INFO_XSTATS:
		default:
			known = false
		}
	}
	return known
}

// decodeAFSpec decodes IFLA_AF_SPEC, which has one nest per address family.
// Those of AF_INET and AF_INET6 are mostly copies of sysctls and counters.
func (l *Link) decodeAFSpec(a netlink.Attrs) (known bool) {
	known = true
	for a.Next() {
		switch a.Type() {
		case unix.AF_INET:
		case unix.AF_INET6:
			l.decodeInet6(a.Nested())
		default:
			known = false
		}
	}
	return known
}

func (l *Link) decodeInet6(a netlink.Attrs) {
	for a.Next() {
		switch a.Type() {
		case unix.IFLA_INET6_ADDR_GEN_MODE:
			l.AddrGenMode, l.HasAddrGenMode = a.Uint8(), true
		case unix.IFLA_INET6_FLAGS:
			l.Inet6Flags = a.Uint32()
		case unix.IFLA_INET6_TOKEN:
			if t := a.Addr(); t.IsValid() && !t.IsUnspecified() {
				l.Token = t
			}
		}
	}
}

// appendNests is the counterpart of decodeNest.
func (l *Link) appendNests(e *netlink.Encoder) {
	if len(l.AltNames) > 0 {
		appendAltNames(e, l.AltNames)
	}
	if l.ProtoDownReason != 0 {
		m := e.Begin(unix.IFLA_PROTO_DOWN_REASON)
		e.Uint32(unix.IFLA_PROTO_DOWN_REASON_VALUE, l.ProtoDownReason)
		e.End(m)
	}
	if l.XDPAttached != 0 || l.XDPProgID != 0 {
		m := e.Begin(unix.IFLA_XDP)
		e.Uint8(unix.IFLA_XDP_ATTACHED, l.XDPAttached)
		appendUint32(e, unix.IFLA_XDP_PROG_ID, l.XDPProgID)
		e.End(m)
	}
	appendInfo(e, l.Kind, l.Data, l.SlaveKind, l.SlaveData)
	if !l.HasAddrGenMode && l.Inet6Flags == 0 && !l.Token.IsValid() {
		return
	}
	spec := e.Begin(unix.IFLA_AF_SPEC)
	inet6 := e.Begin(unix.AF_INET6)
	appendUint32(e, unix.IFLA_INET6_FLAGS, l.Inet6Flags)
	e.Addr(unix.IFLA_INET6_TOKEN, l.Token)
	if l.HasAddrGenMode {
		e.Uint8(unix.IFLA_INET6_ADDR_GEN_MODE, l.AddrGenMode)
	}
	e.End(inet6)
	e.End(spec)
}

// appendAltNames appends IFLA_PROP_LIST.
func appendAltNames(e *netlink.Encoder, names []string) {
	m := e.Begin(unix.IFLA_PROP_LIST)
	for _, name := range names {
		e.String(unix.IFLA_ALT_IFNAME, name)
	}
	e.End(m)
}

// appendInfo appends IFLA_LINKINFO, or nothing if there is nothing in it. Kinds
// that cannot be changed refuse even an empty IFLA_INFO_DATA, so it is there
// only when data is not nil.
func appendInfo(e *netlink.Encoder, kind string, data []byte, slaveKind string, slaveData []byte) {
	if kind == "" && data == nil && slaveKind == "" && slaveData == nil {
		return
	}
	m := e.Begin(unix.IFLA_LINKINFO)
	appendString(e, unix.IFLA_INFO_KIND, kind)
	if data != nil {
		e.Attr(unix.IFLA_INFO_DATA|unix.NLA_F_NESTED, data)
	}
	appendString(e, unix.IFLA_INFO_SLAVE_KIND, slaveKind)
	if slaveData != nil {
		e.Attr(unix.IFLA_INFO_SLAVE_DATA|unix.NLA_F_NESTED, slaveData)
	}
	e.End(m)
}
