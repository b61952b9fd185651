package monitor

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// A Class is a kind of objects, in iproute2's words.
type Class string

// The classes.
const (
	Link      Class = "link"
	Port      Class = "port" // what a bridge says of its ports; Del: the port left the bridge
	Address   Class = "address"
	Route     Class = "route"
	Rule      Class = "rule"
	Neighbor  Class = "neighbor"
	FDB       Class = "fdb"
	VLAN      Class = "vlan"
	Nexthop   Class = "nexthop"
	Netconf   Class = "netconf"
	NSID      Class = "nsid"
	Namespace Class = "namespace" // the names in /run/netns
	// Unknown is the class of messages that are not understood. It comes with any
	// other class, and cannot be chosen.
	Unknown Class = "unknown"
)

// Classes returns the classes that can be chosen.
func Classes() (all []Class) {
	for i := range formats {
		all = append(all, formats[i].class)
	}
	return append(all, Namespace)
}

// A format says how the messages about objects of a class are written down.
type format struct {
	class    Class
	new, del uint16 // RTM_*
	groups   []uint32
	// is tells whether a payload is about the class, nil if all of the type are.
	is func(payload []byte) bool
	// write returns the object, or an error if the payload is not understood.
	write func(v *view, payload []byte) (Fields, error)
}

// formats are those of all classes but Namespace.
var formats = []format{
	{Link, unix.RTM_NEWLINK, unix.RTM_DELLINK, []uint32{unix.RTNLGRP_LINK}, notOfBridge, writeLink},
	{Port, unix.RTM_NEWLINK, unix.RTM_DELLINK, []uint32{unix.RTNLGRP_LINK}, ofBridge, writePort},
	{Address, unix.RTM_NEWADDR, unix.RTM_DELADDR, []uint32{unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR}, ofIP, writeAddress},
	{Route, unix.RTM_NEWROUTE, unix.RTM_DELROUTE, []uint32{unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_MPLS_ROUTE}, ofIP, writeRoute},
	{Rule, unix.RTM_NEWRULE, unix.RTM_DELRULE, []uint32{unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE}, ofIP, writeRule},
	{Neighbor, unix.RTM_NEWNEIGH, unix.RTM_DELNEIGH, []uint32{unix.RTNLGRP_NEIGH}, notOfBridge, writeNeighbor},
	{FDB, unix.RTM_NEWNEIGH, unix.RTM_DELNEIGH, []uint32{unix.RTNLGRP_NEIGH}, ofBridge, writeFDB},
	{VLAN, unix.RTM_NEWVLAN, unix.RTM_DELVLAN, []uint32{unix.RTNLGRP_BRVLAN}, nil, writeVLAN},
	{Nexthop, unix.RTM_NEWNEXTHOP, unix.RTM_DELNEXTHOP, []uint32{unix.RTNLGRP_NEXTHOP}, nil, writeNexthop},
	{Netconf, unix.RTM_NEWNETCONF, unix.RTM_DELNETCONF, []uint32{unix.RTNLGRP_IPV4_NETCONF, unix.RTNLGRP_IPV6_NETCONF, unix.RTNLGRP_MPLS_NETCONF}, nil, writeNetconf},
	{NSID, unix.RTM_NEWNSID, unix.RTM_DELNSID, []uint32{unix.RTNLGRP_NSID}, nil, writeNSID},
}

// family returns the address family, with which all payloads begin.
func family(payload []byte) uint8 {
	if len(payload) == 0 {
		return unix.AF_UNSPEC
	}
	return payload[0]
}

func ofBridge(payload []byte) bool    { return family(payload) == unix.AF_BRIDGE }
func notOfBridge(payload []byte) bool { return family(payload) != unix.AF_BRIDGE }
func ofIP(payload []byte) bool {
	return family(payload) == unix.AF_INET || family(payload) == unix.AF_INET6
}

// formatOf returns the format of a message and what happened to its object, nil
// for messages of unknown type or family.
func formatOf(m netlink.Message) (*format, Kind) {
	for i := range formats {
		f := &formats[i]
		if (m.Type == f.new || m.Type == f.del) && (f.is == nil || f.is(m.Data)) {
			if m.Type == f.del {
				return f, Del
			}
			return f, New
		}
	}
	return nil, unknownKind(m.Type)
}

// unknownKind reads from the number of a message type what it says: types come
// in fours, NEW, DEL, GET and SET (include/uapi/linux/rtnetlink.h).
func unknownKind(typ uint16) Kind {
	if typ >= unix.RTM_BASE && (typ-unix.RTM_BASE)%4 == 1 {
		return Del
	}
	return New
}

// groupsOf returns the multicast groups of the classes. Links name other
// namespaces by ids, so that the messages about ids are needed with them.
func groupsOf(classes []Class) (groups []uint32) {
	add := func(list []uint32) {
		for _, g := range list {
			if !slices.Contains(groups, g) {
				groups = append(groups, g)
			}
		}
	}
	// The names of links are needed for all.
	add([]uint32{unix.RTNLGRP_LINK, unix.RTNLGRP_NSID})
	for i := range formats {
		if slices.Contains(classes, formats[i].class) {
			add(formats[i].groups)
		}
	}
	return groups
}
