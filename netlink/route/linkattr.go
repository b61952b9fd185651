package route

import (
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// linkNumbers are the attributes that number knows.
var linkNumbers = [...]uint16{
	unix.IFLA_TXQLEN, unix.IFLA_MTU, unix.IFLA_MIN_MTU, unix.IFLA_MAX_MTU, unix.IFLA_GROUP,
	unix.IFLA_PROMISCUITY, unix.IFLA_ALLMULTI, unix.IFLA_NUM_TX_QUEUES, unix.IFLA_NUM_RX_QUEUES,
	unix.IFLA_GSO_MAX_SEGS, unix.IFLA_GSO_MAX_SIZE, unix.IFLA_GRO_MAX_SIZE,
	unix.IFLA_GSO_IPV4_MAX_SIZE, unix.IFLA_GRO_IPV4_MAX_SIZE, unix.IFLA_TSO_MAX_SIZE, unix.IFLA_TSO_MAX_SEGS,
	unix.IFLA_CARRIER_CHANGES, unix.IFLA_CARRIER_UP_COUNT, unix.IFLA_CARRIER_DOWN_COUNT,
	unix.IFLA_NUM_VF, unix.IFLA_EVENT,
}

// number returns the field of an attribute that is a u32; 0 is as good as
// absent for all of them.
func (l *Link) number(typ uint16) *uint32 {
	switch typ {
	case unix.IFLA_MTU:
		return &l.MTU
	case unix.IFLA_MIN_MTU:
		return &l.MinMTU
	case unix.IFLA_MAX_MTU:
		return &l.MaxMTU
	case unix.IFLA_TXQLEN:
		return &l.TxQueueLen
	case unix.IFLA_GROUP:
		return &l.Group
	case unix.IFLA_PROMISCUITY:
		return &l.Promiscuity
	case unix.IFLA_ALLMULTI:
		return &l.AllMulti
	case unix.IFLA_NUM_TX_QUEUES:
		return &l.NumTxQueues
	case unix.IFLA_NUM_RX_QUEUES:
		return &l.NumRxQueues
	case unix.IFLA_GSO_MAX_SEGS:
		return &l.GSOMaxSegs
	case unix.IFLA_GSO_MAX_SIZE:
		return &l.GSOMaxSize
	case unix.IFLA_GRO_MAX_SIZE:
		return &l.GROMaxSize
	case unix.IFLA_GSO_IPV4_MAX_SIZE:
		return &l.GSOIPv4MaxSize
	case unix.IFLA_GRO_IPV4_MAX_SIZE:
		return &l.GROIPv4MaxSize
	case unix.IFLA_TSO_MAX_SIZE:
		return &l.TSOMaxSize
	case unix.IFLA_TSO_MAX_SEGS:
		return &l.TSOMaxSegs
	case unix.IFLA_CARRIER_CHANGES:
		return &l.CarrierChanges
	case unix.IFLA_CARRIER_UP_COUNT:
		return &l.CarrierUp
	case unix.IFLA_CARRIER_DOWN_COUNT:
		return &l.CarrierDown
	case unix.IFLA_NUM_VF:
		return &l.NumVFs
	case unix.IFLA_EVENT:
		return &l.Event
	}
	return nil
}

// linkBytes are the attributes that bytes knows.
var linkBytes = [...]uint16{
	unix.IFLA_ADDRESS, unix.IFLA_BROADCAST, unix.IFLA_PERM_ADDRESS, unix.IFLA_PHYS_PORT_ID, unix.IFLA_PHYS_SWITCH_ID,
}

// bytes returns the field of an attribute of bytes.
func (l *Link) bytes(typ uint16) *HardwareAddr {
	switch typ {
	case unix.IFLA_ADDRESS:
		return &l.Address
	case unix.IFLA_BROADCAST:
		return &l.Broadcast
	case unix.IFLA_PERM_ADDRESS:
		return &l.PermAddress
	case unix.IFLA_PHYS_PORT_ID:
		return &l.PhysPortID
	case unix.IFLA_PHYS_SWITCH_ID:
		return &l.PhysSwitchID
	}
	return nil
}

// decodeScalar decodes the other attributes of one value and tells whether this
// was one.
func (l *Link) decodeScalar(a *netlink.Attrs) bool {
	switch a.Type() {
	case unix.IFLA_IFNAME:
		l.Name = a.String()
	case unix.IFLA_IFALIAS:
		l.Alias = a.String()
	case unix.IFLA_QDISC:
		l.Qdisc = interned.get(a.CString())
	case unix.IFLA_PHYS_PORT_NAME:
		l.PhysPortName = a.String()
	case unix.IFLA_PARENT_DEV_NAME:
		l.ParentDevName = a.String()
	case unix.IFLA_PARENT_DEV_BUS_NAME:
		l.ParentDevBusName = interned.get(a.CString())
	case unix.IFLA_MASTER:
		l.Master = a.Int32()
	case unix.IFLA_LINK:
		l.Parent, l.HasParent = a.Int32(), true
	case unix.IFLA_LINK_NETNSID:
		l.ParentNetNSID, l.HasParentNetNSID = a.Int32(), true
	case unix.IFLA_NEW_NETNSID:
		l.NewNetNSID, l.HasNewNetNSID = a.Int32(), true
	case unix.IFLA_NEW_IFINDEX:
		l.NewIndex = a.Int32()
	case unix.IFLA_OPERSTATE:
		l.OperState = a.Uint8()
	case unix.IFLA_LINKMODE:
		l.LinkMode = a.Uint8()
	case unix.IFLA_CARRIER:
		l.Carrier = a.Uint8() != 0
	case unix.IFLA_PROTO_DOWN:
		l.ProtoDown = a.Uint8() != 0
	case IFLA_MAX_PACING_OFFLOAD_HORIZON:
		l.MaxPacingOffloadHorizon = varUint(a)
	case IFLA_NETNS_IMMUTABLE:
		l.NetNSImmutable = a.Uint8() != 0
	case IFLA_HEADROOM:
		l.Headroom = a.Uint16()
	case IFLA_TAILROOM:
		l.Tailroom = a.Uint16()
	default:
		return false
	}
	return true
}

// appendScalars is the counterpart of decodeScalar.
func (l *Link) appendScalars(e *netlink.Encoder) {
	appendString(e, unix.IFLA_IFNAME, l.Name)
	appendString(e, unix.IFLA_IFALIAS, l.Alias)
	appendString(e, unix.IFLA_QDISC, l.Qdisc)
	appendString(e, unix.IFLA_PHYS_PORT_NAME, l.PhysPortName)
	appendString(e, unix.IFLA_PARENT_DEV_NAME, l.ParentDevName)
	appendString(e, unix.IFLA_PARENT_DEV_BUS_NAME, l.ParentDevBusName)
	appendIndex(e, unix.IFLA_MASTER, l.Master, l.Master != 0)
	appendIndex(e, unix.IFLA_LINK, l.Parent, l.HasParent)
	appendIndex(e, unix.IFLA_LINK_NETNSID, l.ParentNetNSID, l.HasParentNetNSID)
	appendIndex(e, unix.IFLA_NEW_NETNSID, l.NewNetNSID, l.HasNewNetNSID)
	appendIndex(e, unix.IFLA_NEW_IFINDEX, l.NewIndex, l.NewIndex != 0)
	e.Uint8(unix.IFLA_OPERSTATE, l.OperState)
	e.Uint8(unix.IFLA_LINKMODE, l.LinkMode)
	e.Uint8(unix.IFLA_CARRIER, bit(l.Carrier))
	e.Uint8(unix.IFLA_PROTO_DOWN, bit(l.ProtoDown))
	e.Uint8(IFLA_NETNS_IMMUTABLE, bit(l.NetNSImmutable))
	e.Uint16(IFLA_HEADROOM, l.Headroom)
	e.Uint16(IFLA_TAILROOM, l.Tailroom)
	if l.MaxPacingOffloadHorizon != 0 {
		e.Uint64(IFLA_MAX_PACING_OFFLOAD_HORIZON, l.MaxPacingOffloadHorizon)
	}
}

// varUint returns a number that the kernel sends in as many bytes as it needs,
// four or eight (NLA_UINT).
func varUint(a *netlink.Attrs) uint64 {
	if len(a.Bytes()) < 8 {
		return uint64(a.Uint32())
	}
	return a.Uint64()
}

// appendString appends s unless it is empty.
func appendString(e *netlink.Encoder, typ uint16, s string) {
	if s != "" {
		e.String(typ, s)
	}
}

// appendIndex appends a signed number if it is there.
func appendIndex(e *netlink.Encoder, typ uint16, v int32, there bool) {
	if there {
		e.Uint32(typ, uint32(v))
	}
}

// appendUint32 appends v unless it is zero.
func appendUint32(e *netlink.Encoder, typ uint16, v uint32) {
	if v != 0 {
		e.Uint32(typ, v)
	}
}

// bit is the kernel's u8 form of a bool.
func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
