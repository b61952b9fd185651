package spec

import "strings"

// synonyms are other programs' words for ours.
var synonyms = map[string]string{
	"gateway": "via", "gw": "via", "dst": "to", "destination": "to", "prefsrc": "src", "dest": "to",
	"mac": "address", "macaddress": "address", "ips": "addresses", "addrs": "addresses", "ip": "addresses",
	"state": "up", "parent": "link", "type": "kind", "pref": "priority", "preference": "priority", "prio": "priority",
	"mark": "fwmark", "lookup": "table", "interface": "dev", "device": "dev", "oif": "dev", "ifname": "name",
	"netns": "namespace", "neighbours": "neighbors", "neigh": "neighbors", "prefix": "to", "nexthop": "nexthops",
	"mac_address": "address", "hwaddr": "address", "local": "address", "valid_life_time": "valid_lft",
	"preferred_life_time": "preferred_lft", "vlan": "vid", "fwmask": "fwmark", "action": "type", "brd": "broadcast",
}

// didYouMean returns a suggestion to put behind "unknown …", or nothing.
func didYouMean(name string, names []string) string {
	best, distance := "", 1+min(2, len(name)/2)
	for _, n := range names {
		if d := editDistance(strings.ToLower(name), n, distance); d < distance {
			best, distance = n, d
		}
	}
	if best == "" {
		for _, n := range names {
			if n == synonyms[strings.ToLower(name)] {
				best = n
			}
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
