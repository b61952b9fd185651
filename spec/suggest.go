package spec

import (
	"slices"
	"strings"
)

// synonyms are other programs' words for ours.
var synonyms = map[string][]string{
	"gateway": {"via"}, "gw": {"via"}, "nexthop": {"via", "nexthops"}, "dst": {"to"}, "dest": {"to"}, "destination": {"to"}, "prefix": {"to"},
	"prefsrc": {"src"}, "mac": {"address", "lladdr"}, "macaddress": {"address", "lladdr"}, "mac_address": {"address", "lladdr"},
	"hwaddr": {"address"}, "ip": {"addresses", "address", "to"}, "ips": {"addresses"}, "addrs": {"addresses"}, "local": {"address"},
	"state": {"up"}, "parent": {"link"}, "dev": {"link"}, "device": {"dev", "link"}, "interface": {"dev", "link"}, "oif": {"dev"},
	"ifname": {"name"}, "netns": {"namespaces", "namespace"}, "type": {"kind"}, "action": {"type"}, "pref": {"priority"}, "preference": {"priority"},
	"prio": {"priority"}, "mark": {"fwmark"}, "fwmask": {"fwmark"}, "lookup": {"table"}, "neighbours": {"neighbors"}, "neigh": {"neighbors"},
	"valid_life_time": {"valid_lft"}, "preferred_life_time": {"preferred_lft"}, "vlan": {"vid", "vlans"}, "brd": {"broadcast"},
	"interfaces": {"links"}, "sysctls": {"sysctl"}, "group": {"master"},
}

// didYouMean returns a suggestion to put behind "unknown …", or nothing.
func didYouMean(name string, names []string) string {
	word, best := strings.ToLower(name), ""
	distance := 1 + min(2, len(word)/2)
	for _, n := range names {
		if d := editDistance(word, n, distance); d < distance {
			best, distance = n, d
		}
	}
	for _, n := range names {
		if best == "" && slices.Contains(synonyms[word], n) {
			best = n
		}
	}
	for _, n := range names {
		if best == "" && len(word) > 2 && len(n) > 2 && (strings.HasPrefix(n, word) || strings.HasPrefix(word, n)) {
			best = n
		}
	}
	if best == "" {
		return ""
	}
	return ", did you mean " + best + "?"
}

// editDistance counts insertions, deletions and replacements, up to limit.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
