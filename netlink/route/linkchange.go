package route

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// A LinkChange is what a message sets on a link: the payload of RTM_NEWLINK
// (make or change), RTM_SETLINK and RTM_DELLINK. A nil field is left out of the
// message, so it stays as it is or gets the kernel's default.
//
// Aliases and IPv6 address modes are for links that exist: when the message makes
// one, the kernel ignores the alias, and the mode is refused (EAFNOSUPPORT) or
// ignored.
type LinkChange struct {
	// Index is the link's. With 0 the link is the one with Name or AltName, and
	// without those every link of Group. On creation it asks for an index.
	Index   int32
	Name    *string // with Index a new name, without it the key
	AltName string  // the key if Index is 0 and Name is nil; "" is left out

	Flags  uint32 // IFF_*
	Change uint32 // which bits of Flags count; on creation Flags counts in full

	Address, Broadcast       HardwareAddr
	MTU, TxQueueLen          *uint32
	Group                    *uint32
	NumTxQueues, NumRxQueues *uint32 // only on creation; ignored later
	GSOMaxSegs, GSOMaxSize   *uint32
	GROMaxSize               *uint32
	Alias                    *string // "" takes it away
	Master                   *int32  // 0 releases the port
	Parent                   *int32  // only on creation; ignored later
	ParentNetNSID            *int32  // the namespace that Parent is in, if another
	NetNSFD                  *int    // create in or move to this namespace
	NetNSPID                 *int    // the same, by process
	NewIndex                 *int32  // the index in that namespace
	LinkMode                 *uint8
	Carrier                  *bool
	ProtoDown                *bool
	AddrGenMode              *uint8 // IN6_ADDR_GEN_MODE_*

	Kind      string // "": left out
	Data      []byte // attributes of the kind, encoded; nil: left out, which is not the same as empty
	SlaveKind string // the master's kind
	SlaveData []byte // attributes of the port, encoded; nil: left out

	Extra []byte // attributes added as they are
}

// SetFlags sets or clears the bits of mask: SetFlags(unix.IFF_UP, true).
func (c *LinkChange) SetFlags(mask uint32, on bool) {
	c.Change |= mask
	c.Flags &^= mask
	if on {
		c.Flags |= mask
	}
}

// linkChangeNumbers are the attributes that LinkChange.number knows.
var linkChangeNumbers = [...]uint16{
	unix.IFLA_TXQLEN, unix.IFLA_MTU, unix.IFLA_GROUP, unix.IFLA_NUM_TX_QUEUES, unix.IFLA_NUM_RX_QUEUES,
	unix.IFLA_GSO_MAX_SEGS, unix.IFLA_GSO_MAX_SIZE, unix.IFLA_GRO_MAX_SIZE,
}

func (c *LinkChange) number(typ uint16) **uint32 {
	switch typ {
	case unix.IFLA_TXQLEN:
		return &c.TxQueueLen
	case unix.IFLA_MTU:
		return &c.MTU
	case unix.IFLA_GROUP:
		return &c.Group
	case unix.IFLA_NUM_TX_QUEUES:
		return &c.NumTxQueues
	case unix.IFLA_NUM_RX_QUEUES:
		return &c.NumRxQueues
	case unix.IFLA_GSO_MAX_SEGS:
		return &c.GSOMaxSegs
	case unix.IFLA_GSO_MAX_SIZE:
		return &c.GSOMaxSize
	case unix.IFLA_GRO_MAX_SIZE:
		return &c.GROMaxSize
	}
	return nil
}

// linkChangeIndexes are the attributes that LinkChange.index knows.
var linkChangeIndexes = [...]uint16{
	unix.IFLA_MASTER, unix.IFLA_LINK, unix.IFLA_LINK_NETNSID, unix.IFLA_NEW_IFINDEX,
}

func (c *LinkChange) index(typ uint16) **int32 {
	switch typ {
	case unix.IFLA_MASTER:
		return &c.Master
	case unix.IFLA_LINK:
		return &c.Parent
	case unix.IFLA_LINK_NETNSID:
		return &c.ParentNetNSID
	case unix.IFLA_NEW_IFINDEX:
		return &c.NewIndex
	}
	return nil
}

// AppendTo appends the message's payload.
func (c *LinkChange) AppendTo(e *netlink.Encoder) {
	appendIfInfo(e, unix.AF_UNSPEC, 0, c.Index, c.Flags, c.Change)
	if c.Name != nil {
		e.String(unix.IFLA_IFNAME, *c.Name)
	}
	appendString(e, unix.IFLA_ALT_IFNAME, c.AltName)
	if c.Address != nil {
		e.Attr(unix.IFLA_ADDRESS, c.Address)
	}
	if c.Broadcast != nil {
		e.Attr(unix.IFLA_BROADCAST, c.Broadcast)
	}
	for _, typ := range linkChangeNumbers {
		if p := *c.number(typ); p != nil {
			e.Uint32(typ, *p)
		}
	}
	for _, typ := range linkChangeIndexes {
		if p := *c.index(typ); p != nil {
			e.Uint32(typ, uint32(*p))
		}
	}
	c.appendRest(e)
	appendInfo(e, c.Kind, c.Data, c.SlaveKind, c.SlaveData)
	if c.AddrGenMode != nil {
		spec := e.Begin(unix.IFLA_AF_SPEC)
		inet6 := e.Begin(unix.AF_INET6)
		e.Uint8(unix.IFLA_INET6_ADDR_GEN_MODE, *c.AddrGenMode)
		e.End(inet6)
		e.End(spec)
	}
	e.Raw(c.Extra)
}

func (c *LinkChange) appendRest(e *netlink.Encoder) {
	if c.Alias != nil {
		e.Attr(unix.IFLA_IFALIAS, []byte(*c.Alias)) // without NUL, or "" would not take it away
	}
	if c.NetNSFD != nil {
		e.Uint32(unix.IFLA_NET_NS_FD, uint32(*c.NetNSFD))
	}
	if c.NetNSPID != nil {
		e.Uint32(unix.IFLA_NET_NS_PID, uint32(*c.NetNSPID))
	}
	if c.LinkMode != nil {
		e.Uint8(unix.IFLA_LINKMODE, *c.LinkMode)
	}
	if c.Carrier != nil {
		e.Uint8(unix.IFLA_CARRIER, bit(*c.Carrier))
	}
	if c.ProtoDown != nil {
		e.Uint8(unix.IFLA_PROTO_DOWN, bit(*c.ProtoDown))
	}
}

// Decode resets c and fills it from a payload that somebody sends. Byte slices
// point into b.
func (c *LinkChange) Decode(b []byte) error {
	*c = LinkChange{Extra: c.Extra[:0]}
	h, rest := split(b, unix.SizeofIfInfomsg)
	c.Index = int32(binary.NativeEndian.Uint32(h[4:]))
	c.Flags = binary.NativeEndian.Uint32(h[8:])
	c.Change = binary.NativeEndian.Uint32(h[12:])
	a := netlink.ReadAttrs(rest)
	for a.Next() {
		if p := c.number(a.Type()); p != nil {
			*p = new(a.Uint32())
		} else if p := c.index(a.Type()); p != nil {
			*p = new(a.Int32())
		} else if !c.decodeRest(&a) {
			c.Extra = keep(c.Extra, &a)
		}
	}
	return a.Err()
}

func (c *LinkChange) decodeRest(a *netlink.Attrs) (known bool) {
	switch a.Type() {
	case unix.IFLA_IFNAME:
		c.Name = new(a.String())
	case unix.IFLA_ALT_IFNAME:
		c.AltName = a.String()
	case unix.IFLA_ADDRESS:
		c.Address = a.Bytes()
	case unix.IFLA_BROADCAST:
		c.Broadcast = a.Bytes()
	case unix.IFLA_IFALIAS:
		c.Alias = new(a.String())
	case unix.IFLA_NET_NS_FD:
		c.NetNSFD = new(int(a.Int32()))
	case unix.IFLA_NET_NS_PID:
		c.NetNSPID = new(int(a.Int32()))
	case unix.IFLA_LINKMODE:
		c.LinkMode = new(a.Uint8())
	case unix.IFLA_CARRIER:
		c.Carrier = new(a.Uint8() != 0)
	case unix.IFLA_PROTO_DOWN:
		c.ProtoDown = new(a.Uint8() != 0)
	case unix.IFLA_LINKINFO, unix.IFLA_AF_SPEC:
		return c.decodeNest(a)
	default:
		return false
	}
	return true
}

// decodeNest decodes a nest as Link does, and refuses what a Link has and a
// LinkChange does not.
func (c *LinkChange) decodeNest(a *netlink.Attrs) (known bool) {
	var l Link
	known = l.decodeNest(a)
	if a.Type() == unix.IFLA_LINKINFO {
		c.Kind, c.Data, c.SlaveKind, c.SlaveData = l.Kind, l.Data, l.SlaveKind, l.SlaveData
	}
	if l.HasAddrGenMode {
		c.AddrGenMode = new(l.AddrGenMode)
	}
	return known && l.Inet6Flags == 0 && !l.Token.IsValid()
}
