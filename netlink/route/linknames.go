package route

import "golang.org/x/sys/unix"

var operStates = vocabulary{
	{IF_OPER_UNKNOWN, "UNKNOWN"}, {IF_OPER_NOTPRESENT, "NOTPRESENT"}, {IF_OPER_DOWN, "DOWN"},
	{IF_OPER_LOWERLAYERDOWN, "LOWERLAYERDOWN"}, {IF_OPER_TESTING, "TESTING"},
	{IF_OPER_DORMANT, "DORMANT"}, {IF_OPER_UP, "UP"},
}

// OperStateName returns the word for an operational state: "LOWERLAYERDOWN".
func OperStateName(s uint8) string { return operStates.word(uint32(s)) }

var addrGenModes = vocabulary{
	{IN6_ADDR_GEN_MODE_EUI64, "eui64"}, {IN6_ADDR_GEN_MODE_NONE, "none"},
	{IN6_ADDR_GEN_MODE_STABLE_PRIVACY, "stable_secret"}, {IN6_ADDR_GEN_MODE_RANDOM, "random"},
}

// AddrGenModeName returns the word for how IPv6 addresses are made: "eui64".
func AddrGenModeName(m uint8) string { return addrGenModes.word(uint32(m)) }

// AddrGenModeByName is the reverse of AddrGenModeName.
func AddrGenModeByName(word string) (m uint8, ok bool) {
	n, ok := addrGenModes.number(word)
	return uint8(n), ok
}

// IFF_RUNNING is not among them: it shows as NO-CARRIER when it is missing.
var linkFlags = vocabulary{
	{unix.IFF_LOOPBACK, "LOOPBACK"}, {unix.IFF_BROADCAST, "BROADCAST"}, {unix.IFF_POINTOPOINT, "POINTOPOINT"},
	{unix.IFF_MULTICAST, "MULTICAST"}, {unix.IFF_NOARP, "NOARP"}, {unix.IFF_ALLMULTI, "ALLMULTI"},
	{unix.IFF_PROMISC, "PROMISC"}, {unix.IFF_MASTER, "MASTER"}, {unix.IFF_SLAVE, "SLAVE"},
	{unix.IFF_DEBUG, "DEBUG"}, {unix.IFF_DYNAMIC, "DYNAMIC"}, {unix.IFF_AUTOMEDIA, "AUTOMEDIA"},
	{unix.IFF_PORTSEL, "PORTSEL"}, {unix.IFF_NOTRAILERS, "NOTRAILERS"}, {unix.IFF_UP, "UP"},
	{unix.IFF_LOWER_UP, "LOWER_UP"}, {unix.IFF_DORMANT, "DORMANT"}, {unix.IFF_ECHO, "ECHO"},
}

// LinkFlagNames returns the words for IFF_* flags that ip prints in <>.
func LinkFlagNames(flags uint32) []string {
	words := linkFlags.bits(flags &^ unix.IFF_RUNNING)
	if flags&(unix.IFF_UP|unix.IFF_RUNNING) == unix.IFF_UP {
		words = append([]string{"NO-CARRIER"}, words...)
	}
	return words
}

var addrFlags = vocabulary{
	{unix.IFA_F_SECONDARY, "secondary"}, {unix.IFA_F_NODAD, "nodad"}, {unix.IFA_F_OPTIMISTIC, "optimistic"},
	{unix.IFA_F_DADFAILED, "dadfailed"}, {unix.IFA_F_HOMEADDRESS, "home"}, {unix.IFA_F_DEPRECATED, "deprecated"},
	{unix.IFA_F_TENTATIVE, "tentative"}, {unix.IFA_F_PERMANENT, "permanent"},
	{unix.IFA_F_MANAGETEMPADDR, "mngtmpaddr"}, {unix.IFA_F_NOPREFIXROUTE, "noprefixroute"},
	{unix.IFA_F_MCAUTOJOIN, "autojoin"}, {unix.IFA_F_STABLE_PRIVACY, "stable-privacy"},
}

// AddrFlagNames returns the words for IFA_F_* flags. What is "secondary" for
// IPv4 is a temporary address for IPv6.
func AddrFlagNames(flags uint32) []string { return addrFlags.bits(flags) }

var neighborStates = vocabulary{
	{unix.NUD_INCOMPLETE, "INCOMPLETE"}, {unix.NUD_REACHABLE, "REACHABLE"}, {unix.NUD_STALE, "STALE"},
	{unix.NUD_DELAY, "DELAY"}, {unix.NUD_PROBE, "PROBE"}, {unix.NUD_FAILED, "FAILED"},
	{unix.NUD_NOARP, "NOARP"}, {unix.NUD_PERMANENT, "PERMANENT"},
}

// NeighborStateNames returns the words for NUD_* states.
func NeighborStateNames(state uint16) []string { return neighborStates.bits(uint32(state)) }

var encapTypes = vocabulary{
	{unix.LWTUNNEL_ENCAP_MPLS, "mpls"}, {unix.LWTUNNEL_ENCAP_IP, "ip"}, {unix.LWTUNNEL_ENCAP_ILA, "ila"},
	{unix.LWTUNNEL_ENCAP_IP6, "ip6"}, {unix.LWTUNNEL_ENCAP_SEG6, "seg6"}, {unix.LWTUNNEL_ENCAP_BPF, "bpf"},
	{unix.LWTUNNEL_ENCAP_SEG6_LOCAL, "seg6local"}, {unix.LWTUNNEL_ENCAP_RPL, "rpl"},
	{unix.LWTUNNEL_ENCAP_IOAM6, "ioam6"}, {unix.LWTUNNEL_ENCAP_XFRM, "xfrm"},
}

// EncapTypeName returns the word for the type of an Encap: "mpls".
func EncapTypeName(t uint16) string { return encapTypes.word(uint32(t)) }

// EncapTypeByName is the reverse of EncapTypeName.
func EncapTypeByName(word string) (t uint16, ok bool) {
	n, ok := encapTypes.number(word)
	return uint16(n), ok
}

// Groups are the multicast groups that report the objects of this package. The
// VLANs and entries of bridges come by RTNLGRP_LINK and RTNLGRP_NEIGH.
var Groups = []uint32{
	unix.RTNLGRP_LINK, unix.RTNLGRP_NEIGH, unix.RTNLGRP_NSID,
	unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV4_RULE,
	unix.RTNLGRP_IPV6_IFADDR, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_IPV6_RULE,
}

var groups = vocabulary{
	{unix.RTNLGRP_LINK, "link"}, {unix.RTNLGRP_NEIGH, "neigh"}, {unix.RTNLGRP_NSID, "nsid"},
	{unix.RTNLGRP_IPV4_IFADDR, "ipv4-ifaddr"}, {unix.RTNLGRP_IPV4_ROUTE, "ipv4-route"},
	{unix.RTNLGRP_IPV4_RULE, "ipv4-rule"}, {unix.RTNLGRP_IPV6_IFADDR, "ipv6-ifaddr"},
	{unix.RTNLGRP_IPV6_ROUTE, "ipv6-route"}, {unix.RTNLGRP_IPV6_RULE, "ipv6-rule"},
	{unix.RTNLGRP_TC, "tc"}, {unix.RTNLGRP_MDB, "mdb"}, {unix.RTNLGRP_NEXTHOP, "nexthop"},
	{unix.RTNLGRP_BRVLAN, "brvlan"},
}

// GroupName returns a word for a multicast group of rtnetlink: "ipv4-route".
func GroupName(g uint32) string { return groups.word(g) }

var messages = vocabulary{
	{unix.RTM_NEWLINK, "newlink"}, {unix.RTM_DELLINK, "dellink"}, {unix.RTM_GETLINK, "getlink"},
	{unix.RTM_SETLINK, "setlink"}, {unix.RTM_NEWADDR, "newaddr"}, {unix.RTM_DELADDR, "deladdr"},
	{unix.RTM_GETADDR, "getaddr"}, {unix.RTM_NEWROUTE, "newroute"}, {unix.RTM_DELROUTE, "delroute"},
	{unix.RTM_GETROUTE, "getroute"}, {unix.RTM_NEWNEIGH, "newneigh"}, {unix.RTM_DELNEIGH, "delneigh"},
	{unix.RTM_GETNEIGH, "getneigh"}, {unix.RTM_NEWRULE, "newrule"}, {unix.RTM_DELRULE, "delrule"},
	{unix.RTM_GETRULE, "getrule"}, {unix.RTM_NEWNSID, "newnsid"}, {unix.RTM_DELNSID, "delnsid"},
	{unix.RTM_GETNSID, "getnsid"}, {unix.RTM_NEWLINKPROP, "newlinkprop"}, {unix.RTM_DELLINKPROP, "dellinkprop"},
	{unix.RTM_NEWNETCONF, "newnetconf"}, {unix.RTM_DELNETCONF, "delnetconf"}, {unix.RTM_GETNETCONF, "getnetconf"},
	{unix.RTM_NEWVLAN, "newvlan"}, {unix.RTM_DELVLAN, "delvlan"}, {unix.RTM_GETVLAN, "getvlan"},
	{unix.RTM_NEWNEXTHOP, "newnexthop"}, {unix.RTM_DELNEXTHOP, "delnexthop"}, {unix.RTM_GETNEXTHOP, "getnexthop"},
}

// MessageName returns a word for a message type of rtnetlink: "newlink".
func MessageName(typ uint16) string { return messages.word(uint32(typ)) }
