package kind

import (
	"errors"
	"fmt"
	"math"

	"github.com/nlapply/nlapply/netlink/route/attr"
	"golang.org/x/sys/unix"
)

// Bridge is an Ethernet switch. Times are in 1/100 s, as iproute2 has them.
type Bridge struct {
	ForwardDelay     *uint32
	HelloTime        *uint32
	MaxAge           *uint32
	AgeingTime       *uint32
	STPState         *bool
	Priority         *uint16
	GroupFwdMask     *uint16
	GroupAddress     *attr.MAC
	FDBMaxLearned    *uint32
	NoLinkLocalLearn *bool

	VLANFiltering    *bool
	VLANProtocol     *uint16
	VLANDefaultPVID  *uint16
	VLANStatsEnabled *bool
	VLANStatsPerPort *bool
	MSTEnabled       *bool
	FDBLocalVLAN0    *bool

	McastSnooping              *bool
	McastVLANSnooping          *bool
	McastRouter                *uint8
	McastQueryUseIfAddr        *bool
	McastQuerier               *bool
	McastHashMax               *uint32
	McastLastMemberCount       *uint32
	McastStartupQueryCount     *uint32
	McastLastMemberInterval    *uint64
	McastMembershipInterval    *uint64
	McastQuerierInterval       *uint64
	McastQueryInterval         *uint64
	McastQueryResponseInterval *uint64
	McastStartupQueryInterval  *uint64
	McastStatsEnabled          *bool
	McastIGMPVersion           *uint8
	McastMLDVersion            *uint8
	MDBOffloadFailNotify       *bool

	NFCallIPTables  *bool
	NFCallIP6Tables *bool
	NFCallARPTables *bool
}

// Name returns "bridge".
func (*Bridge) Name() string { return "bridge" }

// Fields returns the rows of net/bridge/br_netlink.c, br_policy: br_changelink
// takes all of them at any time. mcast_hash_elasticity is no row, as the kernel
// ignores it.
func (b *Bridge) Fields() attr.Fields {
	var all attr.Fields
	for _, group := range []attr.Fields{b.basic(), b.vlan(), b.mcast(), b.netfilter()} {
		all = append(all, group...)
	}
	return all
}

// bit is a row for one of the boolean options, br_boolopt_multi_toggle.
func (*Bridge) bit(name string, mask uint32, p **bool) attr.Field {
	return attr.Bit(name, unix.IFLA_BR_MULTI_BOOLOPT, attr.FlagsAndMask, mask, p).WithDefault(false)
}

// basic are the rows about spanning tree and forwarding.
func (b *Bridge) basic() attr.Fields {
	return attr.Fields{
		attr.Clock32("forward_delay", unix.IFLA_BR_FORWARD_DELAY, &b.ForwardDelay).WithDefault(1500).
			Doc("Time in the states listening and learning, in 1/100 s."),
		attr.Clock32("hello_time", unix.IFLA_BR_HELLO_TIME, &b.HelloTime).Range(100, 1000).WithDefault(200).
			Doc("Time between two hellos, in 1/100 s."),
		attr.Clock32("max_age", unix.IFLA_BR_MAX_AGE, &b.MaxAge).Range(600, 4000).WithDefault(2000).
			Doc("Time after which a silent root is given up, in 1/100 s."),
		attr.Clock32("ageing_time", unix.IFLA_BR_AGEING_TIME, &b.AgeingTime).WithDefault(30000).
			Doc("Lifetime of learned entries, in 1/100 s."),
		attr.BoolU32("stp_state", unix.IFLA_BR_STP_STATE, &b.STPState).WithDefault(false).
			Doc("Spanning tree protocol."),
		attr.Uint16("priority", unix.IFLA_BR_PRIORITY, &b.Priority).WithDefault(32768).
			Doc("Priority of the bridge in the spanning tree."),
		attr.Uint16("group_fwd_mask", unix.IFLA_BR_GROUP_FWD_MASK, &b.GroupFwdMask).Without(7).WithDefault(0).
			Doc("Which of 01:80:c2:00:00:0X to forward: bit X."),
		attr.HardwareAddr("group_address", unix.IFLA_BR_GROUP_ADDR, &b.GroupAddress).WithDefault("01:80:c2:00:00:00").
			Doc("Address of the spanning tree protocol."),
		attr.Uint32("fdb_max_learned", unix.IFLA_BR_FDB_MAX_LEARNED, &b.FDBMaxLearned).WithDefault(0).
			Doc("Maximal number of learned entries; 0 is no limit (Linux 6.7)."),
		b.bit("no_linklocal_learn", brBooloptNoLLLearn, &b.NoLinkLocalLearn).
			Doc("Do not learn from link-local frames."),
	}
}

// vlan are the rows about VLANs.
func (b *Bridge) vlan() attr.Fields {
	return attr.Fields{
		attr.Bool("vlan_filtering", unix.IFLA_BR_VLAN_FILTERING, &b.VLANFiltering).WithDefault(false).
			Doc("Forward by VLAN."),
		attr.BE16("vlan_protocol", unix.IFLA_BR_VLAN_PROTOCOL, &b.VLANProtocol).Enum(vlanProtocols...).WithDefault("802.1Q").
			Doc("Type of the tags."),
		attr.Uint16("vlan_default_pvid", unix.IFLA_BR_VLAN_DEFAULT_PVID, &b.VLANDefaultPVID).Range(0, 4094).WithDefault(1).
			Doc("VLAN of untagged frames on new ports; 0 is none."),
		attr.Bool("vlan_stats_enabled", unix.IFLA_BR_VLAN_STATS_ENABLED, &b.VLANStatsEnabled).WithDefault(false).
			Doc("Count per VLAN."),
		// br_vlan_set_stats_per_port: EBUSY while a port has VLANs, and ports have the default one
		attr.Bool("vlan_stats_per_port", unix.IFLA_BR_VLAN_STATS_PER_PORT, &b.VLANStatsPerPort).WithoutPorts().WithDefault(false).
			Doc("Count per VLAN and port."),
		// br_mst_set_enabled: likewise
		b.bit("mst_enabled", brBooloptMSTEnable, &b.MSTEnabled).WithoutPorts().
			Doc("Multiple spanning trees."),
		b.bit("fdb_local_vlan_0", brBooloptFDBLocalVLAN0, &b.FDBLocalVLAN0).
			Doc("Keep the ports' own addresses in VLAN 0 only (Linux 6.18)."),
	}
}

// mcast are the rows about multicast snooping.
func (b *Bridge) mcast() attr.Fields {
	// br_multicast_set_query_intvl raises less than a second to one
	interval := func(name string, typ uint16, lo int64, def uint64, p **uint64) attr.Field {
		return attr.Clock64(name, typ, p).Range(lo, math.MaxUint32).WithDefault(def)
	}
	return attr.Fields{
		attr.Bool("mcast_snooping", unix.IFLA_BR_MCAST_SNOOPING, &b.McastSnooping).WithDefault(true).
			Doc("Forward multicast where it is wanted only."),
		b.bit("mcast_vlan_snooping", brBooloptMcastVLANSnooping, &b.McastVLANSnooping).
			Doc("Snooping per VLAN; needs vlan_filtering."),
		attr.Uint8("mcast_router", unix.IFLA_BR_MCAST_ROUTER, &b.McastRouter).Range(0, 2).WithDefault(1).
			Doc("Whether the bridge is a multicast router: 0 no, 1 if it hears queries, 2 yes."),
		attr.Bool("mcast_query_use_ifaddr", unix.IFLA_BR_MCAST_QUERY_USE_IFADDR, &b.McastQueryUseIfAddr).WithDefault(false).
			Doc("Send queries from the bridge's own address."),
		attr.Bool("mcast_querier", unix.IFLA_BR_MCAST_QUERIER, &b.McastQuerier).WithDefault(false).
			Doc("Send queries."),
		attr.Uint32("mcast_hash_max", unix.IFLA_BR_MCAST_HASH_MAX, &b.McastHashMax).WithDefault(4096).
			Doc("Maximal number of groups."),
		attr.Uint32("mcast_last_member_count", unix.IFLA_BR_MCAST_LAST_MEMBER_CNT, &b.McastLastMemberCount).WithDefault(2).
			Doc("Queries after which a group is left."),
		attr.Uint32("mcast_startup_query_count", unix.IFLA_BR_MCAST_STARTUP_QUERY_CNT, &b.McastStartupQueryCount).WithDefault(2).
			Doc("Queries at startup."),
		interval("mcast_last_member_interval", unix.IFLA_BR_MCAST_LAST_MEMBER_INTVL, 0, 100, &b.McastLastMemberInterval).
			Doc("Time between queries after a leave, in 1/100 s."),
		interval("mcast_membership_interval", unix.IFLA_BR_MCAST_MEMBERSHIP_INTVL, 0, 26000, &b.McastMembershipInterval).
			Doc("Time after which a silent member is gone, in 1/100 s."),
		interval("mcast_querier_interval", unix.IFLA_BR_MCAST_QUERIER_INTVL, 0, 25500, &b.McastQuerierInterval).
			Doc("Time after which a silent querier is gone, in 1/100 s."),
		interval("mcast_query_interval", unix.IFLA_BR_MCAST_QUERY_INTVL, 100, 12500, &b.McastQueryInterval).
			Doc("Time between queries, in 1/100 s."),
		interval("mcast_query_response_interval", unix.IFLA_BR_MCAST_QUERY_RESPONSE_INTVL, 0, 1000, &b.McastQueryResponseInterval).
			Doc("Time that members have for an answer, in 1/100 s."),
		interval("mcast_startup_query_interval", unix.IFLA_BR_MCAST_STARTUP_QUERY_INTVL, 100, 3125, &b.McastStartupQueryInterval).
			Doc("Time between queries at startup, in 1/100 s."),
		attr.Bool("mcast_stats_enabled", unix.IFLA_BR_MCAST_STATS_ENABLED, &b.McastStatsEnabled).WithDefault(false).
			Doc("Count IGMP and MLD."),
		attr.Uint8("mcast_igmp_version", unix.IFLA_BR_MCAST_IGMP_VERSION, &b.McastIGMPVersion).Range(2, 3).WithDefault(2).
			Doc("Version of IGMP queries."),
		attr.Uint8("mcast_mld_version", unix.IFLA_BR_MCAST_MLD_VERSION, &b.McastMLDVersion).Range(1, 2).WithDefault(1).
			Doc("Version of MLD queries."),
		b.bit("mdb_offload_fail_notification", brBooloptMDBOffloadFailNotify, &b.MDBOffloadFailNotify).
			Doc("Report group entries that hardware did not take (Linux 6.17)."),
	}
}

// netfilter are the rows about the module br_netfilter.
func (b *Bridge) netfilter() attr.Fields {
	return attr.Fields{
		attr.Bool("nf_call_iptables", unix.IFLA_BR_NF_CALL_IPTABLES, &b.NFCallIPTables).WithDefault(false).
			Doc("Show bridged IPv4 to iptables."),
		attr.Bool("nf_call_ip6tables", unix.IFLA_BR_NF_CALL_IP6TABLES, &b.NFCallIP6Tables).WithDefault(false).
			Doc("Show bridged IPv6 to ip6tables."),
		attr.Bool("nf_call_arptables", unix.IFLA_BR_NF_CALL_ARPTABLES, &b.NFCallARPTables).WithDefault(false).
			Doc("Show bridged ARP to arptables."),
	}
}

func (b *Bridge) check() error {
	switch {
	case on(b.McastVLANSnooping) && !on(b.VLANFiltering):
		return errors.New("mcast_vlan_snooping needs vlan_filtering")
	case on(b.STPState) && b.ForwardDelay != nil && (*b.ForwardDelay < 200 || *b.ForwardDelay > 3000):
		// br_set_forward_delay; without spanning tree there is no limit
		return fmt.Errorf("forward_delay %d is out of range 200..3000 with stp_state", *b.ForwardDelay)
	case b.GroupAddress != nil && !isBridgeGroup(*b.GroupAddress):
		return fmt.Errorf("group_address %s is not one of 01:80:c2:00:00:00 and 04..0f", b.GroupAddress)
	}
	return nil
}

// isBridgeGroup is what br_changelink takes for a group address: a link-local
// one, without those of pause frames, slow protocols and 802.1X.
func isBridgeGroup(a attr.MAC) bool {
	last := a[5]
	a[5] = 0
	return a == attr.MAC{0x01, 0x80, 0xc2} && last <= 0x0f && (last == 0 || last > 3)
}

// minimal writes the group address of a bridge with S-tags, which has another
// default (br_recalculate_fwd_mask).
func (b *Bridge) minimal(doc map[string]any) {
	if b.VLANProtocol != nil && *b.VLANProtocol != unix.ETH_P_8021Q && b.GroupAddress != nil {
		doc["group_address"] = b.GroupAddress.String()
	}
}

func (*Bridge) reports(typ uint16) bool {
	switch typ {
	case unix.IFLA_BR_ROOT_ID, unix.IFLA_BR_BRIDGE_ID, unix.IFLA_BR_ROOT_PORT, unix.IFLA_BR_ROOT_PATH_COST,
		unix.IFLA_BR_TOPOLOGY_CHANGE, unix.IFLA_BR_TOPOLOGY_CHANGE_DETECTED,
		unix.IFLA_BR_HELLO_TIMER, unix.IFLA_BR_TCN_TIMER, unix.IFLA_BR_TOPOLOGY_CHANGE_TIMER, unix.IFLA_BR_GC_TIMER,
		unix.IFLA_BR_MCAST_HASH_ELASTICITY, unix.IFLA_BR_MCAST_QUERIER_STATE, unix.IFLA_BR_FDB_N_LEARNED, unix.IFLA_BR_PAD:
		return true
	}
	return false
}

func (*Bridge) portsJoinDown() bool { return false }

// followsPorts: net/bridge/br_if.c, br_mtu_auto_adjust, and BROPT_MTU_SET_BY_USER.
func (*Bridge) followsPorts() bool { return true }
