package normalize

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// cleanLink keeps of a link what can be configured.
func cleanLink(_ *Normalizer, o object) bool {
	if fallback(o) {
		return false
	}
	drop(o, "ifindex", "link_index", "operstate", "qdisc", "promiscuity", "allmulti", "min_mtu", "max_mtu", "permaddr",
		"tso_max_size", "tso_max_segs") // of a master: what its ports can do
	if _, ok := o["link_netnsid"]; ok {
		o["link_netnsid"] = "elsewhere" // the number is given in the order of need
	}
	dropWords(o, "flags", "LOWER_UP", "NO-CARRIER", "M-DOWN", "DORMANT", "ECHO")
	if names, ok := o["altnames"].([]any); ok {
		names = slices.DeleteFunc(names, func(a any) bool { return strings.HasPrefix(fmt.Sprint(a), "nlapply:") })
		if o["altnames"] = names; len(names) == 0 {
			delete(o, "altnames")
		}
	}
	info := sub(o, "linkinfo")
	drop(sub(info, "info_data"),
		"bridge_id", "root_id", "root_port", "root_path_cost", "topology_change", "topology_change_detected",
		"hello_timer", "tcn_timer", "topology_change_timer", "gc_timer",
		"ad_info", "active_slave", "usedbcqueuelen")
	drop(sub(info, "info_slave_data"),
		"state", "id", "no", "designated_port", "designated_cost", "designated_bridge", "designated_root", "bridge_id", "root_id",
		"hold_timer", "message_age_timer", "forward_delay_timer", "topology_change_ack", "config_pending",
		"mii_status", "link_failure_count", "perm_hwaddr", "ad_aggregator_id", "ad_actor_oper_port_state",
		"ad_actor_oper_port_state_str", "ad_partner_oper_port_state", "ad_partner_oper_port_state_str")
	return true
}

// fallbacks are the tunnels that the kernel makes in every namespace at the
// moment when somebody, anywhere on the machine, loads their module.
var fallbacks = []string{"gre0", "gretap0", "erspan0", "tunl0", "sit0", "ip6tnl0", "ip6gre0", "ip_vti0", "ip6_vti0"}

// fallback reports whether a link is a fallback tunnel as the kernel made it.
func fallback(o object) bool {
	data := sub(sub(o, "linkinfo"), "info_data")
	return slices.Contains(fallbacks, byName(o)) && data["remote"] == "any" && data["local"] == "any" && !hasWord(o, "flags", "UP")
}

// cleanAddr keeps a link's addresses only: the link itself is another class.
// The order of IPv4 addresses within a subnet says which one is primary; that
// of IPv6 addresses says nothing, and link-local ones that are made from a
// random hardware address come whenever the link gets its carrier.
func cleanAddr(n *Normalizer, o object) bool {
	list, _ := o["addr_info"].([]any)
	for k := range o {
		if k != "ifname" && k != "addr_info" {
			delete(o, k)
		}
	}
	list = slices.DeleteFunc(list, func(a any) bool {
		return len(a.(object)) == 0 || n.address(fmt.Sprint(a.(object)["local"])) == randomLocal
	})
	for _, a := range list {
		a := a.(object)
		drop(a, "dynamic", "tentative", "optimistic")
		lifetime(a, "valid_life_time")
		lifetime(a, "preferred_life_time")
	}
	slices.SortStableFunc(list, func(a, b any) int { return strings.Compare(addrKey(a.(object)), addrKey(b.(object))) })
	o["addr_info"] = list
	return len(list) > 0
}

func addrKey(a object) string {
	local := fmt.Sprint(a["local"])
	if p, err := netip.ParsePrefix(fmt.Sprintf("%s/%v", local, a["prefixlen"])); err == nil && p.Addr().Is4() {
		return "4 " + p.Masked().String()
	}
	return "6 " + local
}

func lifetime(a object, key string) {
	switch fmt.Sprint(a[key]) {
	case "4294967295", "<nil>":
		delete(a, key)
	case "0":
	default:
		a[key] = "finite"
	}
}

// kernelTypes are the types of the IPv6 routes that follow from addresses, in
// table local or in that of a VRF.
var kernelTypes = map[any]bool{"local": true, "anycast": true, "multicast": true}

// cleanRoute keeps routes that somebody configured or that follow from it.
// Those learned from routers, and cached ones, come and go by themselves; so do
// the IPv6 ones that the kernel makes when duplicate address detection ends.
func cleanRoute(n *Normalizer, o object) bool {
	p, dst := o["protocol"], fmt.Sprint(o["dst"])
	if p == "ra" || p == "redirect" || hasWord(o, "flags", "cache") {
		return false
	}
	if p == "kernel" && strings.Contains(dst, ":") && (dst == "fe80::/64" || kernelTypes[o["type"]]) {
		return false
	}
	n.protocol(o)
	drop(o, "cache", "used", "age", "users")
	if _, ok := o["expires"]; ok {
		o["expires"] = "finite"
	}
	dropWords(o, "flags", "linkdown", "dead", "pervasive")
	hops, _ := o["nexthops"].([]any)
	for _, h := range hops {
		dropWords(h.(object), "flags", "linkdown", "dead", "pervasive")
	}
	return true
}

func cleanRule(n *Normalizer, o object) bool {
	n.protocol(o)
	_, l3mdev := o["l3mdev"] // the kernel makes one with the first VRF, and leaves it
	return !l3mdev || o["protocol"] != "kernel"
}

// cleanNeigh keeps what was configured: permanent entries and proxies.
func cleanNeigh(n *Normalizer, o object) bool {
	n.protocol(o)
	_, proxy := o["proxy"]
	return proxy || hasWord(o, "state", "PERMANENT")
}

func cleanVLAN(_ *Normalizer, o object) bool {
	list, _ := o["vlans"].([]any)
	slices.SortStableFunc(list, func(a, b any) int {
		return int(number(a.(object)["vlan"]) - number(b.(object)["vlan"]))
	})
	return len(list) > 0
}

func number(v any) int64 {
	n, _ := v.(json.Number)
	i, _ := n.Int64()
	return i
}

// cleanFDB keeps permanent and static entries, without the multicast groups
// that the network stack itself has joined on a device.
func cleanFDB(_ *Normalizer, o object) bool {
	drop(o, "used", "updated", "ifindex")
	mac := fmt.Sprint(o["mac"])
	group := strings.HasPrefix(mac, "33:33:") || strings.HasPrefix(mac, "01:00:5e:") || strings.HasPrefix(mac, "01:80:c2:")
	if o["master"] == nil && hasWord(o, "flags", "self") && group {
		return false
	}
	return o["state"] == "permanent" || o["state"] == "static" || hasWord(o, "flags", "extern_learn")
}
