//revive:disable:var-naming the kernel's spelling, as in golang.org/x/sys/unix

package route

// What golang.org/x/sys/unix v0.49 lacks; a constant goes from here when it has
// it.

// include/uapi/linux/rtnetlink.h, v6.1.
const (
	RTA_NH_ID = 30

	RTEXT_FILTER_BRVLAN            = 1 << 1
	RTEXT_FILTER_BRVLAN_COMPRESSED = 1 << 2
	RTEXT_FILTER_SKIP_STATS        = 1 << 3
)

// include/uapi/linux/fib_rules.h, v6.15.
const (
	FRA_SPORT_MASK = 28
	FRA_DPORT_MASK = 29
)

// include/uapi/linux/if_addr.h, v5.18.
const IFA_PROTO = 11

// Values of IFA_PROTO: the kernel's own addresses. include/uapi/linux/if_addr.h, v5.18.
const (
	IFAPROT_UNSPEC    = 0
	IFAPROT_KERNEL_LO = 1 // ::1 and 127.0.0.1
	IFAPROT_KERNEL_RA = 2 // from a router advertisement
	IFAPROT_KERNEL_LL = 3 // link-local
)

// include/uapi/linux/neighbour.h, v6.1.
const (
	NDA_PROTOCOL  = 12
	NDA_NH_ID     = 13
	NDA_FLAGS_EXT = 15

	NTF_STICKY      = 1 << 6
	NTF_EXT_MANAGED = 1 << 0 // in NDA_FLAGS_EXT
	NTF_EXT_LOCKED  = 1 << 1 // in NDA_FLAGS_EXT, v6.2
)

// include/uapi/linux/if_bridge.h, v6.1.
const (
	IFLA_BRIDGE_FLAGS     = 0
	IFLA_BRIDGE_MODE      = 1
	IFLA_BRIDGE_VLAN_INFO = 2

	BRIDGE_FLAGS_MASTER = 1
	BRIDGE_FLAGS_SELF   = 2

	BRIDGE_VLAN_INFO_MASTER      = 1 << 0
	BRIDGE_VLAN_INFO_PVID        = 1 << 1
	BRIDGE_VLAN_INFO_UNTAGGED    = 1 << 2
	BRIDGE_VLAN_INFO_RANGE_BEGIN = 1 << 3
	BRIDGE_VLAN_INFO_RANGE_END   = 1 << 4
	BRIDGE_VLAN_INFO_BRENTRY     = 1 << 5
)

// include/uapi/linux/if_link.h, v6.18.
const (
	IFLA_MAX_PACING_OFFLOAD_HORIZON = 66
	IFLA_NETNS_IMMUTABLE            = 67
	IFLA_HEADROOM                   = 68
	IFLA_TAILROOM                   = 69

	IN6_ADDR_GEN_MODE_EUI64          = 0
	IN6_ADDR_GEN_MODE_NONE           = 1
	IN6_ADDR_GEN_MODE_STABLE_PRIVACY = 2
	IN6_ADDR_GEN_MODE_RANDOM         = 3
)

// include/uapi/linux/if.h, v6.1: RFC 2863 operational status.
const (
	IF_OPER_UNKNOWN        = 0
	IF_OPER_NOTPRESENT     = 1
	IF_OPER_DOWN           = 2
	IF_OPER_LOWERLAYERDOWN = 3
	IF_OPER_TESTING        = 4
	IF_OPER_DORMANT        = 5
	IF_OPER_UP             = 6
)

// include/uapi/linux/icmpv6.h, v6.1: values of RTA_PREF.
const (
	ICMPV6_ROUTER_PREF_MEDIUM = 0
	ICMPV6_ROUTER_PREF_HIGH   = 1
	ICMPV6_ROUTER_PREF_LOW    = 3
)
