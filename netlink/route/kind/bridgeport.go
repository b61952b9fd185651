package kind

import (
	"errors"

	"github.com/nlapply/nlapply/netlink/route/attr"
	"golang.org/x/sys/unix"
)

// BridgePort is what a bridge has for each of its ports.
type BridgePort struct {
	State          *uint8
	Cost           *uint32
	Priority       *uint16
	Hairpin        *bool
	Guard          *bool
	RootBlock      *bool
	FastLeave      *bool
	Learning       *bool
	Flood          *bool
	ProxyARP       *bool
	ProxyARPWiFi   *bool
	McastRouter    *uint8
	McastFlood     *bool
	BcastFlood     *bool
	McastToUnicast *bool
	McastMaxGroups *uint32
	McastEHTHosts  *uint32
	GroupFwdMask   *uint16
	NeighSuppress  *bool
	NeighVLANSupp  *bool
	VLANTunnel     *bool
	Isolated       *bool
	Locked         *bool
	MAB            *bool
	BackupPort     *attr.Ref
	BackupNHID     *uint32
}

var portStates = []attr.Word{
	{Number: 0, Name: "disabled"},
	{Number: 1, Name: "listening"},
	{Number: 2, Name: "learning"},
	{Number: 3, Name: "forwarding"},
	{Number: 4, Name: "blocking"},
}

// Name returns "bridge".
func (*BridgePort) Name() string { return "bridge" }

// Fields returns the rows of net/bridge/br_netlink.c, br_port_policy: br_setport
// takes all of them at any time.
func (p *BridgePort) Fields() attr.Fields {
	return append(p.basic(), p.flooding()...)
}

// basic are the rows about spanning tree and security.
func (p *BridgePort) basic() attr.Fields {
	return attr.Fields{
		// br_set_port_state: ENETDOWN without carrier, EBUSY under the kernel's spanning tree
		attr.Uint8("state", unix.IFLA_BRPORT_STATE, &p.State).Enum(portStates...).AsVolatile().
			Doc("State in the spanning tree; possible without stp_state and with carrier."),
		attr.Uint32("cost", unix.IFLA_BRPORT_COST, &p.Cost).Range(1, 65535).AsVolatile().
			Doc("Path cost; by default it follows the speed."),
		attr.Uint16("priority", unix.IFLA_BRPORT_PRIORITY, &p.Priority).Range(0, 63).WithDefault(32).
			Doc("Priority in the spanning tree."),
		attr.Bool("hairpin", unix.IFLA_BRPORT_MODE, &p.Hairpin).WithDefault(false).
			Doc("Send frames back through the port that they came from."),
		attr.Bool("guard", unix.IFLA_BRPORT_GUARD, &p.Guard).WithDefault(false).
			Doc("Disable the port when it receives a BPDU."),
		attr.Bool("root_block", unix.IFLA_BRPORT_PROTECT, &p.RootBlock).WithDefault(false).
			Doc("Never let the port become the root port."),
		attr.Bool("isolated", unix.IFLA_BRPORT_ISOLATED, &p.Isolated).WithDefault(false).
			Doc("Forward nothing between isolated ports."),
		attr.Bool("locked", unix.IFLA_BRPORT_LOCKED, &p.Locked).WithDefault(false).
			Doc("Receive from known addresses only."),
		attr.Bool("mab", unix.IFLA_BRPORT_MAB, &p.MAB).WithDefault(false).
			Doc("Enter unknown addresses on a locked port as locked (Linux 6.2)."),
		attr.Uint16("group_fwd_mask", unix.IFLA_BRPORT_GROUP_FWD_MASK, &p.GroupFwdMask).Without(2).WithDefault(0).
			Doc("Which of 01:80:c2:00:00:0X to forward: bit X."),
		attr.Link("backup_port", unix.IFLA_BRPORT_BACKUP_PORT, &p.BackupPort).AsLate().WithDefault("none").
			Doc("Port that takes over when this one has no carrier."),
		attr.Uint32("backup_nhid", unix.IFLA_BRPORT_BACKUP_NHID, &p.BackupNHID).WithDefault(0).AbsentIs(0).
			Doc("Nexthop that a VXLAN backup_port sends to (Linux 6.6)."),
	}
}

// flooding are the rows about learning, flooding and multicast.
func (p *BridgePort) flooding() attr.Fields {
	return attr.Fields{
		attr.Bool("learning", unix.IFLA_BRPORT_LEARNING, &p.Learning).WithDefault(true).
			Doc("Learn addresses."),
		attr.Bool("flood", unix.IFLA_BRPORT_UNICAST_FLOOD, &p.Flood).WithDefault(true).
			Doc("Send frames for unknown addresses."),
		attr.Bool("mcast_flood", unix.IFLA_BRPORT_MCAST_FLOOD, &p.McastFlood).WithDefault(true).
			Doc("Send multicast for unknown groups."),
		attr.Bool("bcast_flood", unix.IFLA_BRPORT_BCAST_FLOOD, &p.BcastFlood).WithDefault(true).
			Doc("Send broadcasts."),
		attr.Bool("mcast_to_unicast", unix.IFLA_BRPORT_MCAST_TO_UCAST, &p.McastToUnicast).WithDefault(false).
			Doc("Send multicast to each member on its own."),
		attr.Bool("fastleave", unix.IFLA_BRPORT_FAST_LEAVE, &p.FastLeave).WithDefault(false).
			Doc("Stop multicast at the first leave."),
		attr.Uint8("mcast_router", unix.IFLA_BRPORT_MULTICAST_ROUTER, &p.McastRouter).Range(0, 3).WithDefault(1).
			Doc("Whether a multicast router is there: 0 no, 1 if queries come, 2 yes, 3 for a while."),
		attr.Uint32("mcast_max_groups", unix.IFLA_BRPORT_MCAST_MAX_GROUPS, &p.McastMaxGroups).WithDefault(0).
			Doc("Maximal number of groups; 0 is no limit (Linux 6.3)."),
		attr.Uint32("mcast_eht_hosts_limit", unix.IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT, &p.McastEHTHosts).Range(1, 1<<32-1).WithDefault(512).
			Doc("Maximal number of tracked members."),
		attr.Bool("proxy_arp", unix.IFLA_BRPORT_PROXYARP, &p.ProxyARP).WithDefault(false).
			Doc("Answer ARP for known neighbours."),
		attr.Bool("proxy_arp_wifi", unix.IFLA_BRPORT_PROXYARP_WIFI, &p.ProxyARPWiFi).WithDefault(false).
			Doc("Answer ARP as IEEE 802.11 wants it."),
		attr.Bool("neigh_suppress", unix.IFLA_BRPORT_NEIGH_SUPPRESS, &p.NeighSuppress).WithDefault(false).
			Doc("Do not flood ARP and neighbour discovery."),
		attr.Bool("neigh_vlan_suppress", unix.IFLA_BRPORT_NEIGH_VLAN_SUPPRESS, &p.NeighVLANSupp).WithDefault(false).
			Doc("neigh_suppress per VLAN (Linux 6.4)."),
		attr.Bool("vlan_tunnel", unix.IFLA_BRPORT_VLAN_TUNNEL, &p.VLANTunnel).WithDefault(false).
			Doc("Map VLANs to tunnel identifiers."),
	}
}

func (p *BridgePort) check() error {
	off := func(b *bool) bool { return b != nil && !*b }
	if on(p.MAB) && (!on(p.Locked) || off(p.Learning)) {
		return errors.New("mab needs locked and learning")
	}
	return nil
}

func (*BridgePort) reports(typ uint16) bool {
	switch typ {
	case unix.IFLA_BRPORT_ROOT_ID, unix.IFLA_BRPORT_BRIDGE_ID, unix.IFLA_BRPORT_DESIGNATED_PORT, unix.IFLA_BRPORT_DESIGNATED_COST,
		unix.IFLA_BRPORT_ID, unix.IFLA_BRPORT_NO, unix.IFLA_BRPORT_TOPOLOGY_CHANGE_ACK, unix.IFLA_BRPORT_CONFIG_PENDING,
		unix.IFLA_BRPORT_MESSAGE_AGE_TIMER, unix.IFLA_BRPORT_FORWARD_DELAY_TIMER, unix.IFLA_BRPORT_HOLD_TIMER,
		unix.IFLA_BRPORT_MRP_RING_OPEN, unix.IFLA_BRPORT_MRP_IN_OPEN, unix.IFLA_BRPORT_MCAST_EHT_HOSTS_CNT,
		unix.IFLA_BRPORT_MCAST_N_GROUPS, unix.IFLA_BRPORT_PAD:
		return true
	}
	return false
}
