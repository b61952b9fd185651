package kind

import (
	"math"

	"github.com/nlapply/nlapply/netlink/route/attr"
	"golang.org/x/sys/unix"
)

// VLAN is one VLAN of its parent link, with the tag taken off.
type VLAN struct {
	ID            *uint16
	Protocol      *uint16
	ReorderHdr    *bool
	GVRP          *bool
	MVRP          *bool
	LooseBinding  *bool
	BridgeBinding *bool
	IngressQoS    *map[uint32]uint32
	EgressQoS     *map[uint32]uint32
}

// vlanProtocols are the tags' EtherTypes under iproute2's names.
var vlanProtocols = []attr.Word{{Number: unix.ETH_P_8021Q, Name: "802.1Q"}, {Number: unix.ETH_P_8021AD, Name: "802.1ad"}}

// Name returns "vlan".
func (*VLAN) Name() string { return "vlan" }

// Fields returns the rows of net/8021q/vlan_netlink.c, vlan_policy. Its
// vlan_changelink takes a new id or protocol with "ok" and ignores it.
func (v *VLAN) Fields() attr.Fields {
	flag := func(name string, mask uint32, p **bool) attr.Field {
		// the kernel leaves the attribute out when all are off
		return attr.Bit(name, unix.IFLA_VLAN_FLAGS, attr.FlagsAndMask, mask, p).AbsentIs(false)
	}
	return attr.Fields{
		attr.BE16("protocol", unix.IFLA_VLAN_PROTOCOL, &v.Protocol).AtCreation().Enum(vlanProtocols...).WithDefault("802.1Q").
			Doc("Type of the tag."),
		attr.Uint16("id", unix.IFLA_VLAN_ID, &v.ID).AtCreation().Range(0, 4094).
			Doc("VLAN number."),
		flag("reorder_hdr", vlanFlagReorderHdr, &v.ReorderHdr).WithDefault(true).
			Doc("Take the tag off before packet sockets see the frame."),
		flag("gvrp", vlanFlagGVRP, &v.GVRP).WithDefault(false).
			Doc("Announce the VLAN with GVRP."),
		flag("mvrp", vlanFlagMVRP, &v.MVRP).WithDefault(false).
			Doc("Announce the VLAN with MVRP."),
		flag("loose_binding", vlanFlagLooseBinding, &v.LooseBinding).WithDefault(false).
			Doc("Stay up when the parent goes down."),
		flag("bridge_binding", vlanFlagBridgeBinding, &v.BridgeBinding).WithDefault(false).
			Doc("Follow the state of the bridge ports in this VLAN, instead of the bridge's."),
		attr.QoSMap("ingress_qos_map", unix.IFLA_VLAN_INGRESS_QOS, 7, math.MaxUint32, &v.IngressQoS).
			Doc("Priority of the tag to the kernel's priority of a received frame."),
		attr.QoSMap("egress_qos_map", unix.IFLA_VLAN_EGRESS_QOS, math.MaxUint32, 7, &v.EgressQoS).
			Doc("Kernel's priority of a sent frame to the priority of the tag."),
	}
}

func (v *VLAN) check() error { return required("id", v.ID) }

func (*VLAN) needsParent() bool { return true }
func (*VLAN) needsData() bool   { return true }

// net/8021q/vlan.c, vlan_device_event: NETDEV_DOWN takes the VLANs down that are
// not loosely bound.
func (v *VLAN) followsDown() bool { return !on(v.LooseBinding) }
