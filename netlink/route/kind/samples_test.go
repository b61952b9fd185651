package kind_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/nlapply/nlapply/netlink/route/attr"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

// registered is one entry of the lists, with the name that tests give it.
type registered struct {
	name string
	new  func() kind.Kind
	port bool
}

// everyKind returns all kinds, ports included.
func everyKind() []registered {
	var list []registered
	for _, n := range kind.All {
		list = append(list, registered{n().Name(), n, false})
	}
	for _, n := range kind.Ports {
		list = append(list, registered{n().Name() + "_slave", n, true})
	}
	return list
}

// doc is a section of a document.
type doc = map[string]any

// build returns a kind with the given options.
func build(t testing.TB, r registered, options ...doc) kind.Kind {
	t.Helper()
	k := r.new()
	fields := k.Fields()
	for _, o := range options {
		for _, key := range slices.Sorted(maps.Keys(o)) {
			f, ok := fields.Lookup(key)
			if !ok {
				t.Fatalf("%s has no row %s", r.name, key)
			}
			if err := f.Value.Set(o[key]); err != nil {
				t.Fatalf("%s.%s = %v: %v", r.name, key, o[key], err)
			}
		}
	}
	return k
}

// A sample says how to try one row on a kernel: two values, and what else must
// be set so that the kernel takes them.
type sample struct {
	values []any
	with   doc
}

// base is what a link of a kind cannot do without.
var base = map[string]doc{
	"vlan":   {"id": 100},
	"vrf":    {"table": 100},
	"vxlan":  {"id": 10, "dstport": 4789},
	"gre":    {"local": "192.0.2.1", "remote": "192.0.2.2"},
	"gretap": {"local": "192.0.2.1", "remote": "192.0.2.2"},
}

var (
	addrs4  = []any{"192.0.2.7", "198.51.100.8"}
	groups4 = []any{"239.1.1.1", "239.2.2.2"}
	links   = []any{"p0", "q0"}
	macs    = []any{"02:00:00:00:00:07", "02:00:00:00:00:08"}
	gre     = map[string]sample{
		"remote":        {values: addrs4},
		"local":         {values: addrs4},
		"dev":           {values: links},
		"pmtudisc":      {values: []any{false, true}},
		"ignore_df":     {values: []any{true, false}, with: doc{"pmtudisc": false}},
		"external":      {values: []any{true, false}, with: doc{"local": "any", "remote": "any"}},
		"key":           {values: []any{5, 6}},
		"ikey":          {values: []any{5, "none"}},
		"okey":          {values: []any{"1.2.3.4", 0}},
		"encap":         {values: []any{"none", "gue"}, with: doc{"encap_dport": 5555}},
		"encap_sport":   {values: []any{5555, "auto"}, with: doc{"encap": "fou", "encap_dport": 5555}},
		"encap_dport":   {values: []any{5555, 5556}, with: doc{"encap": "fou"}},
		"encap_csum":    {values: []any{true, false}, with: doc{"encap": "fou", "encap_dport": 5555}},
		"encap_csum6":   {values: []any{true, false}, with: doc{"encap": "fou", "encap_dport": 5555}},
		"encap_remcsum": {values: []any{true, false}, with: doc{"encap": "gue", "encap_dport": 5555}},
	}
	active = doc{"mode": "active-backup"}
	lacp   = doc{"mode": "802.3ad"}
	mii    = doc{"miimon": 50}
	arp    = doc{"mode": "active-backup", "arp_interval": 200, "arp_ip_target": []any{"192.0.2.9"}}
)

// samples are the rows for which the schema does not tell good values.
var samples = map[string]map[string]sample{
	"gre":    gre,
	"gretap": gre,
	"vxlan": {
		"remote":        {values: addrs4},
		"local":         {values: addrs4},
		"group":         {values: groups4, with: doc{"dev": "p0"}},
		"dev":           {values: links},
		"flowlabel":     {values: []any{5, 0x12345}, with: doc{"local": "2001:db8::1"}},
		"srcport":       {values: []any{"5000-6000", 7000}},
		"vnifilter":     {values: []any{true, false}, with: doc{"external": true}},
		"gpe":           {values: []any{true, false}, with: doc{"external": true, "learning": false}},
		"reserved_bits": {values: []any{"0xf7ffffff000000ff", "0xf7ffffff00000000"}},
		"dstport":       {values: []any{4790, 4791}},
		"maxaddress":    {values: []any{5, 6}},
	},
	"bridge": {
		"forward_delay":       {values: []any{1501, 3000}},
		"hello_time":          {values: []any{201, 300}},
		"group_fwd_mask":      {values: []any{8, 0xfff8}},
		"group_address":       {values: []any{"01:80:c2:00:00:04", "01:80:c2:00:00:0f"}},
		"mcast_hash_max":      {values: []any{64, 512}}, // a few would fill up, which ends snooping
		"mcast_vlan_snooping": {values: []any{true, false}, with: doc{"vlan_filtering": true}},
		"mst_enabled":         {values: []any{true, false}, with: doc{"vlan_filtering": true}},
	},
	"bridge_slave": {
		"state":          {values: []any{"learning", "forwarding"}},
		"group_fwd_mask": {values: []any{8, 0xfffd}},
		"mab":            {values: []any{true, false}, with: doc{"locked": true}},
		"backup_port":    {values: []any{"q0", "none"}},
		"vlan_tunnel":    {values: []any{true, false}},
		"cost":           {values: []any{7, 65535}},
	},
	"macvlan": {
		"mode":    {values: []any{"bridge", "private"}},
		"macaddr": {values: []any{macs, []any{"02:00:00:00:00:09"}}, with: doc{"mode": "source"}},
	},
	"vlan": {
		"ingress_qos_map": {values: []any{doc{"1": 2, "7": 1 << 20}, doc{"1": 3, "0": 4}}},
		"egress_qos_map":  {values: []any{doc{"1": 2, "70000": 7}, doc{"2": 0, "1": 3}}},
		"gvrp":            {values: []any{true, false}, with: doc{"protocol": "802.1Q"}},
		"bridge_binding":  {values: []any{true, false}},
	},
	"bond": {
		"mode":              {values: []any{"balance-xor", "802.3ad"}},
		"packets_per_slave": {values: []any{5, 0}},
		"tlb_dynamic_lb":    {values: []any{false, true}, with: doc{"mode": "balance-tlb"}},
		"miimon":            {values: []any{100, 50}},
		"updelay":           {values: []any{250, 110}, with: mii},
		"downdelay":         {values: []any{250, 110}, with: mii},
		"peer_notify_delay": {values: []any{250, 110}, with: mii},
		"arp_interval":      {values: []any{100, 200}, with: doc{"mode": "active-backup"}},
		"arp_ip_target":     {values: []any{addrs4, []any{"192.0.2.1"}}},
		"ns_ip6_target":     {values: []any{[]any{"2001:db8::1", "2001:db8::2"}, []any{}}},
		"arp_validate":      {values: []any{"active", "filter_backup"}, with: arp},
		"arp_missed_max":    {values: []any{3, 4}, with: active},
		"primary":           {values: links, with: active},
		"active_slave":      {values: links, with: active},
		"lacp_active":       {values: []any{false, true}, with: lacp},
		"lacp_rate":         {values: []any{"fast", "slow"}, with: lacp},
		"ad_actor_sys_prio": {values: []any{1, 65535}, with: lacp},
		"ad_actor_system":   {values: macs, with: lacp},
		"ad_user_port_key":  {values: []any{1, 1023}, with: lacp},
		"coupled_control":   {values: []any{false, true}, with: lacp},
	},
	"bond_slave": {
		"queue_id":        {values: []any{1, 2}},
		"prio":            {values: []any{-5, 5}, with: active},
		"actor_port_prio": {values: []any{1, 2}, with: lacp},
	},
}

// sampleOf returns how to try a row.
func sampleOf(t testing.TB, kindName string, f *attr.Field) sample {
	t.Helper()
	if s, ok := samples[kindName][f.Name]; ok {
		return s
	}
	values := fromSchema(f.Value.Schema())
	if len(values) < 2 {
		t.Fatalf("%s.%s: no sample, and the schema tells none: %v", kindName, f.Name, f.Value.Schema())
	}
	return sample{values: values}
}

// fromSchema returns values that a schema allows.
func fromSchema(s map[string]any) []any {
	if list, ok := s["enum"].([]any); ok {
		return list
	}
	if list, ok := s["anyOf"].([]any); ok {
		var values []any
		for _, o := range list {
			values = append(values, fromSchema(o.(map[string]any))...)
		}
		return values
	}
	if s["type"] == "integer" {
		var lo, hi int64
		fmt.Sscan(fmt.Sprint(s["minimum"]), &lo)
		if _, err := fmt.Sscan(fmt.Sprint(s["maximum"]), &hi); err != nil {
			hi = 1 << 62
		}
		lo = max(lo, 0)
		return []any{min(lo+3, hi), min(lo+100, hi-1), lo}
	}
	return nil
}
