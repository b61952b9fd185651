package kind_test

import (
	"testing"

	"github.com/nlapply/nlapply/netlink/route/kind"
)

func TestCheck(t *testing.T) {
	byName := map[string]registered{}
	for _, r := range everyKind() {
		byName[r.name] = r
	}
	for _, tt := range []struct {
		kind    string
		options doc
		reason  string
	}{
		{"dummy", nil, ""},
		{"vlan", nil, "id is required"},
		{"vlan", doc{"id": 0}, ""},
		{"vrf", nil, "table is required"},
		{"vxlan", nil, "id is required, unless external is true"},
		{"vxlan", doc{"external": true}, ""},
		{"vxlan", doc{"external": false}, "id is required, unless external is true"},
		{"vxlan", doc{"id": 1, "remote": "192.0.2.1", "group": "239.1.1.1", "dev": "p0"}, "remote and group exclude each other"},
		{"vxlan", doc{"id": 1, "remote": "any", "group": "239.1.1.1", "dev": "p0"}, ""},
		{"vxlan", doc{"id": 1, "group": "239.1.1.1"}, "group needs dev"},
		{"vxlan", doc{"id": 1, "group": "239.1.1.1", "dev": "none"}, "group needs dev"},
		{"vxlan", doc{"id": 1, "local": "192.0.2.1", "remote": "2001:db8::1"}, "local and remote or group are of different families"},
		{"vxlan", doc{"id": 1, "flowlabel": 5}, "flowlabel needs IPv6 addresses"},
		{"vxlan", doc{"id": 1, "flowlabel": 0}, ""},
		{"vxlan", doc{"id": 1, "flowlabel": "inherit", "local": "2001:db8::1"}, ""},
		{"vxlan", doc{"id": 1, "vnifilter": true}, "vnifilter needs external"},
		{"vxlan", doc{"id": 1, "gpe": true}, "gpe needs external"},
		{"vxlan", doc{"external": true, "gpe": true}, "gpe needs learning: false"},
		{"vxlan", doc{"external": true, "gpe": true, "learning": false}, ""},
		{"vxlan", doc{"external": true, "gpe": true, "learning": false, "gbp": true}, "gpe and gbp exclude each other"},
		{"vxlan", doc{"external": true, "gpe": true, "learning": false, "ttl": "inherit"}, "gpe and ttl inherit exclude each other"},
		{"vxlan", doc{"id": 1, "reserved_bits": "0xffffffffffffffff"}, "reserved_bits has the bits 0x8000000ffffff00, which are used"},
		{"macvlan", doc{"macaddr": macs}, "macaddr needs mode source"},
		{"macvlan", doc{"macaddr": []any{}}, ""},
		{"macvlan", doc{"mode": "source", "macaddr": macs}, ""},
		{"gre", doc{"ignore_df": true}, "ignore_df needs pmtudisc: false"},
		{"gre", doc{"ignore_df": true, "pmtudisc": false}, ""},
		{"gre", doc{"external": true, "encap": "fou"}, "external and encap exclude each other"},
		{"gre", doc{"external": true, "encap": "none"}, ""},
		{"gre", doc{"external": true, "remote": "192.0.2.1"}, "external excludes local and remote"},
		{"gre", doc{"remote": "239.1.1.1"}, "a multicast remote needs local"},
		{"gretap", nil, "remote is required, unless external is true"},
		{"gretap", doc{"remote": "any"}, "remote is required, unless external is true"},
		{"gretap", doc{"external": true}, ""},
		{"bridge", doc{"mcast_vlan_snooping": true}, "mcast_vlan_snooping needs vlan_filtering"},
		{"bridge", doc{"forward_delay": 100}, ""},
		{"bridge", doc{"forward_delay": 100, "stp_state": true}, "forward_delay 100 is out of range 200..3000 with stp_state"},
		{"bridge", doc{"group_address": "01:80:c2:00:00:02"}, "group_address 01:80:c2:00:00:02 is not one of 01:80:c2:00:00:00 and 04..0f"},
		{"bridge", doc{"group_address": "01:80:c2:00:00:0f"}, ""},
		{"bridge", doc{"group_address": "01:80:c2:00:00:10"}, "group_address 01:80:c2:00:00:10 is not one of 01:80:c2:00:00:00 and 04..0f"},
		{"bridge_slave", doc{"mab": true}, "mab needs locked and learning"},
		{"bridge_slave", doc{"mab": true, "locked": true}, ""},
		{"bridge_slave", doc{"mab": true, "locked": true, "learning": false}, "mab needs locked and learning"},
		{"bond", nil, ""},
		{"bond", doc{"miimon": 100, "arp_interval": 100}, "miimon and arp_interval exclude each other"},
		{"bond", doc{"miimon": 0, "arp_interval": 100}, ""},
		{"bond", doc{"miimon": 100, "arp_validate": "all"}, "miimon and arp_validate exclude each other"},
		{"bond", doc{"updelay": 0}, "updelay needs miimon"},
		{"bond", doc{"downdelay": 100, "miimon": 0}, "downdelay needs miimon"},
		{"bond", doc{"peer_notify_delay": 100, "mode": "active-backup"}, "peer_notify_delay needs miimon"},
		{"bond", doc{"updelay": 100, "mode": "802.3ad"}, ""},
		{"bond", doc{"updelay": 100, "miimon": 100}, ""},
		{"bond", doc{"lacp_rate": "fast"}, "lacp_rate is not possible in mode balance-rr"},
		{"bond", doc{"lacp_rate": "fast", "mode": 4}, ""},
		{"bond", doc{"primary": "eth0", "mode": "802.3ad"}, "primary is not possible in mode 802.3ad"},
	} {
		err := kind.Check(build(t, byName[tt.kind], tt.options))
		if tt.reason == "" && err != nil || tt.reason != "" && (err == nil || err.Error() != tt.reason) {
			t.Errorf("%s %v: %v, want %q", tt.kind, tt.options, err, tt.reason)
		}
	}
}

// TestDefaultsOfOtherValues are what Minimal leaves out because of other rows.
func TestDefaultsOfOtherValues(t *testing.T) {
	byName := map[string]registered{}
	for _, r := range everyKind() {
		byName[r.name] = r
	}
	for _, tt := range []struct {
		kind    string
		options doc
		key     string
		dumped  bool
	}{
		{"bond", doc{"miimon": 0}, "miimon", false},
		{"bond", doc{"miimon": 100}, "miimon", true},
		{"bond", doc{"miimon": 100, "mode": "802.3ad"}, "miimon", false},
		{"bond", doc{"miimon": 0, "mode": "802.3ad"}, "miimon", true},
		{"bond", doc{"packets_per_slave": 5}, "packets_per_slave", true},
		{"bond", doc{"packets_per_slave": 5, "mode": "balance-xor"}, "packets_per_slave", false},
		{"bond", doc{"active_slave": "p0", "mode": "active-backup"}, "active_slave", false},
		{"bridge", doc{"group_address": "01:80:c2:00:00:00"}, "group_address", false},
		{"bridge", doc{"group_address": "01:80:c2:00:00:00", "vlan_protocol": "802.1ad"}, "group_address", true},
		{"vxlan", doc{"id": 0}, "id", true},
		{"vxlan", doc{"id": 0, "external": true}, "id", false},
		{"vxlan", doc{"id": 1, "reserved_bits": "0xf7ffffff000000ff"}, "reserved_bits", false},
		{"vxlan", doc{"id": 1, "gbp": true, "reserved_bits": "0x77000000000000ff"}, "reserved_bits", false},
		{"vxlan", doc{"id": 1, "gbp": true, "reserved_bits": "0x7700000000000000"}, "reserved_bits", true},
	} {
		dump := kind.Minimal(build(t, byName[tt.kind], tt.options))
		if _, dumped := dump[tt.key]; dumped != tt.dumped {
			t.Errorf("%s %v: %s dumped: %v", tt.kind, tt.options, tt.key, dumped)
		}
	}
}
