package netns_test

import (
	"fmt"
	"slices"
)

func (d *document) number() int {
	n := d.numbers[0]
	d.numbers = d.numbers[1:]
	return n + 1
}

// declare makes up the i-th of the links.
func (s *space) declare(i int, slot slot) {
	kind := pick(s.world, slot.kinds...)
	l := object{"kind": kind}
	if options := s.options(i, kind); options != nil {
		l[kind] = options
	}
	switch kind {
	case "veth":
		s.pair(i, l)
	case "bridge":
		// what a bridge would take from its ports
		l["mtu"], l["address"], l["addrgenmode"] = pick(s.world, 1400, 1500), fmt.Sprintf("02:00:00:00:01:%02x", i), "none"
		if s.filtering {
			l["vlans"] = s.vlans()
		}
	}
	if slot.role == "upper" {
		if len(s.grounds) == 0 {
			return
		}
		l["link"], l["mtu"] = pick(s.world, s.grounds...), 1400
	}
	switch slot.role {
	case "ground":
		l["mtu"] = pick(s.world, 1500, 2000, 9000) // never less than what stands on it
		s.grounds = append(s.grounds, slot.name)
		s.inhabit(i, slot.name, l)
	case "master":
		s.masters = append(s.masters, slot.name)
		if kind != "vrf" {
			s.inhabit(i, slot.name, l)
		}
	case "port":
		s.enslave(i, slot.name, l)
	case "upper", "tunnel":
		s.inhabit(i, slot.name, l)
		if kind != "gre" {
			l["alias"] = pick(s.world, "", "one", "another one")
		}
	}
	if len(slot.sysctls) > 0 {
		values := object{}
		for _, key := range slot.sysctls {
			values[key] = s.IntN(2)
		}
		l["sysctl"] = values
	}
	s.links[slot.name] = l
}

// options makes up the options of a kind.
func (s *space) options(i int, kind string) object {
	switch kind {
	case "bridge":
		o := object{"ageing_time": 100 * (1 + s.IntN(900)), "mcast_snooping": s.IntN(2) == 0, "priority": s.IntN(65536)}
		if s.filtering {
			o["vlan_filtering"], o["vlan_default_pvid"] = s.IntN(2) == 0, pick(s.world, 0, 1, 11)
		}
		return o
	case "bond":
		return object{"mode": pick(s.world, "balance-rr", "active-backup", "802.3ad"), "miimon": 100 * s.IntN(4), "min_links": s.IntN(3)}
	case "vrf":
		return object{"table": 1000 + i}
	case "vlan":
		return object{"id": s.number(), "protocol": pick(s.world, "802.1Q", "802.1ad"), "egress_qos_map": object{"1": s.IntN(8), "2": s.IntN(8)}}
	case "macvlan":
		return object{"mode": pick(s.world, "private", "vepa", "bridge")}
	case "vxlan":
		return object{"id": s.number(), "dstport": pick(s.world, 4789, 8472), "local": fmt.Sprintf("192.0.2.%d", 1+s.IntN(3)), "learning": s.IntN(2) == 0, "ttl": s.IntN(64)}
	case "gre":
		return object{"local": fmt.Sprintf("192.0.2.%d", 1+s.IntN(3)), "remote": fmt.Sprintf("198.51.100.%d", 1+s.IntN(3)), "key": s.number(), "ttl": s.IntN(64), "pmtudisc": true}
	}
	return nil
}

// pair declares the far end of a pair, in some namespace.
func (s *space) pair(i int, l object) {
	far := s
	if other := s.spaces[pick(s.world, spaces...)]; other != nil {
		far = other
	}
	name := fmt.Sprintf("far%d", i)
	peer := object{"name": name}
	if far != s {
		peer["namespace"] = far.name
	}
	l["peer"] = peer
	end := object{}
	far.inhabit(100+i, name, end)
	far.links[name] = end
}

// enslave makes a link the port of some master, or of none.
func (s *space) enslave(i int, name string, l object) {
	master := pick(s.world, append(s.masters, "none")...)
	l["master"] = master
	m, _ := s.links[master].(object)
	fdb := []object{}
	switch m["kind"] {
	case "vrf":
		s.inhabit(i, name, l)
		if n := len(s.homes); n > 0 && s.homes[n-1].name == name {
			s.homes[n-1].table = m["vrf"].(object)["table"].(int)
		}
	case "bond":
		port := object{"queue_id": s.queues[0]}
		s.queues = s.queues[1:]
		if m["bond"].(object)["mode"] == "active-backup" {
			port["prio"] = s.IntN(3)
		}
		l["bond_slave"] = port
	case "bridge":
		l["bridge_slave"] = object{
			"learning": s.IntN(2) == 0, "isolated": s.IntN(2) == 0, "hairpin": s.IntN(2) == 0, "neigh_suppress": s.IntN(2) == 0, "priority": s.IntN(64),
		}
		vlans := s.vlans()
		if s.filtering {
			l["vlans"] = vlans
		}
		for range min(s.IntN(3), len(s.stations)) {
			e := object{"lladdr": fmt.Sprintf("02:00:00:00:02:%02x", s.stations[0]), "master": true, "static": true}
			if len(vlans) > 0 && s.filtering {
				e["vlan"] = pick(s.world, vlans...)["vid"]
			}
			fdb, s.stations = append(fdb, e), s.stations[1:]
		}
	}
	if l["kind"] == "vxlan" {
		for _, n := range s.Perm(3)[:s.IntN(3)] {
			fdb = append(fdb, object{"lladdr": "00:00:00:00:00:00", "dst": fmt.Sprintf("198.51.100.%d", n+1)})
		}
		fdb = append(fdb, object{"lladdr": fmt.Sprintf("02:00:00:00:03:%02x", s.IntN(3)), "dst": fmt.Sprintf("198.51.100.%d", 1+s.IntN(3))})
	}
	if l["kind"] == "vxlan" || m["kind"] == "bridge" {
		l["fdb"] = fdb
	}
}

// vlans makes up the VLANs of a port.
func (s *space) vlans() []object {
	list, pvid := []object{}, false
	for _, vid := range []int{1, 10, 11, 12, 20} {
		if s.IntN(2) == 0 {
			continue
		}
		v := object{"vid": vid, "untagged": s.IntN(2) == 0}
		if !pvid && s.IntN(3) == 0 {
			v["pvid"], pvid = true, true
		}
		list = append(list, v)
	}
	return list
}

// inhabit gives a link addresses.
func (s *space) inhabit(i int, name string, l object) {
	h := home{name: name, net: i + 1, hasNeigh: l["kind"] != "gre"}
	addresses := []any{}
	for _, n := range s.Perm(4)[:s.IntN(4)] { // two in a network: the order of secondary ones is nobody's
		a := fmt.Sprintf("10.%d.%d.%d", h.net, n/2, n+1)
		h.v4 = append(h.v4, a)
		addresses = append(addresses, fmt.Sprintf("%s/%d", a, pick(s.world, 24, 24, 25)))
	}
	for _, n := range s.Perm(3)[:s.IntN(3)] {
		a := fmt.Sprintf("fd00:%d::%d", h.net, n+1)
		h.v6 = append(h.v6, a)
		addresses = append(addresses, object{"address": a + "/64", "nodad": true})
	}
	l["addresses"] = addresses
	if len(addresses) > 0 {
		s.homes = append(s.homes, h)
	} else if l["kind"] != nil && l["kind"] != "bond" && !slices.Contains(s.grounds, name) && s.IntN(4) == 0 {
		l["up"] = false
	}
}
