package monitor

// What golang.org/x/sys/unix v0.49 lacks; a constant goes from here when it has
// it.

// include/uapi/linux/netconf.h, v6.1.
const (
	netconfaIfindex                  = 1
	netconfaForwarding               = 2
	netconfaRpFilter                 = 3
	netconfaMcForwarding             = 4
	netconfaProxyNeigh               = 5
	netconfaIgnoreRoutesWithLinkdown = 6
	netconfaInput                    = 7
	netconfaBcForwarding             = 8

	netconfaIfindexAll     = -1
	netconfaIfindexDefault = -2
)

// include/uapi/linux/if_bridge.h, v6.1.
const (
	sizeofBrVLANMsg = 8 // struct br_vlan_msg: family, three bytes reserved, ifindex

	vlandbEntry         = 1
	vlandbGlobalOptions = 2

	vlandbEntryInfo       = 1
	vlandbEntryRange      = 2
	vlandbEntryState      = 3
	vlandbEntryTunnelInfo = 4
	vlandbEntryStats      = 5

	vlandbTinfoId = 1

	vlandbGoptsId    = 1
	vlandbGoptsRange = 2
)

// include/uapi/linux/nexthop.h, v6.12.
const (
	nhaFDB        = 11
	nhaOpFlags    = 14
	nhaGroupStats = 15

	nexthopGrpTypeRes = 1
)

// ifLinkModeDormant is IF_LINK_MODE_DORMANT of include/uapi/linux/if.h, v6.1.
const ifLinkModeDormant = 1
