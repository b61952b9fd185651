package normalize_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlapply/nlapply/tests/normalize"
)

// Every case is what iproute2 6.1 printed, shortened to what the case is about.
var cases = []struct{ name, command, input, want string }{
	{
		"link: indexes, state, marks and random addresses go", "ip -d -j link show",
		`[{"ifindex":6,"link_index":2,"ifname":"x0","flags":["BROADCAST","UP","LOWER_UP"],"mtu":1500,"qdisc":"noop","operstate":"DOWN",
		   "address":"66:4c:11:3d:97:5a","broadcast":"ff:ff:ff:ff:ff:ff","link_netnsid":3,"promiscuity":1,"linkinfo":{"info_kind":"veth"},
		   "altnames":["nlapply:x:1:ab","uplink"]},
		  {},{"ifname":"br0","flags":["UP","NO-CARRIER"],"address":"02:00:00:00:00:09","altnames":["nlapply:x:1:ab"],
		   "linkinfo":{"info_kind":"bridge","info_data":{"forward_delay":1500,"gc_timer":297.95,"bridge_id":"8000.7e:8:35:62:51:c0"}}}]`,
		`{"address":"02:00:00:00:00:09","flags":["UP"],"ifname":"br0","linkinfo":{"info_data":{"forward_delay":1500},"info_kind":"bridge"}}
{"address":"random","altnames":["uplink"],"broadcast":"ff:ff:ff:ff:ff:ff","flags":["BROADCAST","UP"],"ifname":"x0","link_netnsid":"elsewhere","linkinfo":{"info_kind":"veth"},"mtu":1500}
`,
	},
	{
		"link: fallback tunnels go unless somebody uses them", "ip -d -j link show",
		`[{"ifname":"gre0","flags":["NOARP"],"linkinfo":{"info_kind":"gre","info_data":{"remote":"any","local":"any","ttl":0}}},
		  {"ifname":"tunl0","flags":["NOARP","UP"],"linkinfo":{"info_kind":"ipip","info_data":{"remote":"any","local":"any"}}},
		  {"ifname":"gre1","flags":["NOARP"],"permaddr":"7637:e9b6:91b2::","linkinfo":{"info_kind":"gre","info_data":{"remote":"any","local":"any"}}}]`,
		`{"flags":["NOARP"],"ifname":"gre1","linkinfo":{"info_data":{"local":"any","remote":"any"},"info_kind":"gre"}}
{"flags":["NOARP","UP"],"ifname":"tunl0","linkinfo":{"info_data":{"local":"any","remote":"any"},"info_kind":"ipip"}}
`,
	},
	{
		"addr: order within an IPv4 subnet stays, lifetimes are finite or not", "ip -j addr show",
		`[{"ifindex":2,"ifname":"br0","operstate":"UP","addr_info":[
		   {"family":"inet","local":"10.0.0.9","prefixlen":24,"valid_life_time":4294967295,"preferred_life_time":4294967295},
		   {"family":"inet","local":"10.0.0.2","prefixlen":24,"secondary":true,"valid_life_time":4294967295,"preferred_life_time":4294967295},
		   {"family":"inet6","local":"fd00::2","prefixlen":64,"dynamic":true,"valid_life_time":198,"preferred_life_time":0,"deprecated":true},
		   {"family":"inet6","local":"fd00::1","prefixlen":64,"tentative":true,"valid_life_time":4294967295,"preferred_life_time":4294967295},
		   {"family":"inet6","local":"fe80::7c08:35ff:fe62:51c0","prefixlen":64,"scope":"link"},
		   {"family":"inet6","local":"fe80::ff:fe00:9","prefixlen":64,"scope":"link"}]},
		  {"ifname":"d0","addr_info":[]}]`,
		`{"addr_info":[{"family":"inet","local":"10.0.0.9","prefixlen":24},{"family":"inet","local":"10.0.0.2","prefixlen":24,"secondary":true},` +
			`{"family":"inet6","local":"fd00::1","prefixlen":64},{"deprecated":true,"family":"inet6","local":"fd00::2","preferred_life_time":0,"prefixlen":64,"valid_life_time":"finite"},` +
			`{"family":"inet6","local":"fe80::ff:fe00:9","prefixlen":64,"scope":"link"}],"ifname":"br0"}
`,
	},
	{
		"route: sorted, without our protocol and what comes and goes", "ip -j route show table all",
		`[{"dst":"10.9.0.0/16","protocol":"110","flags":[],"nexthops":[{"gateway":"10.0.0.5","dev":"br0","weight":1,"flags":["dead","linkdown"]}]},
		  {"dst":"10.1.0.0/16","protocol":"static","gateway":"10.0.0.5","dev":"br0","flags":["onlink","linkdown"]},
		  {"dst":"default","protocol":"ra","gateway":"fe80::1"},
		  {"dst":"fd00::/64","dev":"br0","protocol":"kernel","metric":256},
		  {"type":"multicast","dst":"ff00::/8","dev":"br0","table":"local","protocol":"kernel"},
		  {"type":"local","dst":"10.0.0.1","dev":"br0","table":"local","protocol":"kernel","flags":[]},
		  {"type":"local","dst":"fe80::7c08:35ff:fe62:51c0","dev":"v0","table":"local","protocol":"kernel","flags":[]}]`,
		`{"dev":"br0","dst":"10.0.0.1","protocol":"kernel","table":"local","type":"local"}
{"dev":"br0","dst":"10.1.0.0/16","flags":["onlink"],"gateway":"10.0.0.5","protocol":"static"}
{"dev":"br0","dst":"fd00::/64","metric":256,"protocol":"kernel"}
{"dst":"10.9.0.0/16","nexthops":[{"dev":"br0","gateway":"10.0.0.5","weight":1}]}
`,
	},
	{
		"rule: the order stays", "ip -6 -j rule show",
		`[{"priority":100,"src":"all","table":"b","protocol":"110"},{"priority":100,"src":"all","table":"a","protocol":"bird"}]`,
		`{"priority":100,"src":"all","table":"b"}
{"priority":100,"protocol":"bird","src":"all","table":"a"}
`,
	},
	{
		"neigh: permanent ones and proxies", "ip -j neigh",
		`[{"dst":"10.0.0.78","dev":"br0","lladdr":"02:00:00:00:00:08","state":["REACHABLE"]},
		  {"dst":"10.0.0.77","dev":"br0","lladdr":"02:00:00:00:00:09","state":["PERMANENT"]},{"dst":"10.0.0.99","dev":"br0","proxy":null}]`,
		`{"dev":"br0","dst":"10.0.0.77","lladdr":"02:00:00:00:00:09","state":["PERMANENT"]}
{"dev":"br0","dst":"10.0.0.99","proxy":null}
`,
	},
	{
		"fdb: neither learned entries nor the stack's own groups", "bridge -j fdb show",
		`[{"mac":"33:33:00:00:00:01","ifname":"br0","flags":["self"],"state":"permanent"},
		  {"mac":"b2:ca:15:77:cd:4a","ifname":"v0","flags":[],"master":"br0","state":""},
		  {"mac":"7e:08:35:62:51:c0","ifname":"v0","flags":[],"master":"br0","state":"permanent"},
		  {"mac":"00:00:00:00:00:00","ifname":"vx0","dst":"10.0.0.9","flags":["self"],"state":"permanent"}]`,
		`{"dst":"10.0.0.9","flags":["self"],"ifname":"vx0","mac":"00:00:00:00:00:00","state":"permanent"}
{"flags":[],"ifname":"v0","mac":"random","master":"br0","state":"permanent"}
`,
	},
	{
		"vlan", "bridge -j vlan show",
		`[{"ifname":"v1","vlans":[{"vlan":20},{"vlan":3,"flags":["PVID"]}]},{"ifname":"v0","vlans":[]}]`,
		`{"ifname":"v1","vlans":[{"flags":["PVID"],"vlan":3},{"vlan":20}]}
`,
	},
	{"nothing", "ip -j -n red route show", ``, ``},
}

func TestText(t *testing.T) {
	n := &normalize.Normalizer{Written: []string{"02:00:00:00:00:09"}}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			c, err := normalize.ClassOf(strings.Fields(tt.command))
			if err != nil {
				t.Fatal(err)
			}
			got, err := n.Text(c, []byte(tt.input))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			again, err := n.Objects(c, lines(got))
			if err != nil {
				t.Fatal(err)
			}
			if len(again) != strings.Count(got, "\n") {
				t.Error("normalising a normal form loses objects")
			}
		})
	}
}

func lines(text string) []byte {
	return []byte("[" + strings.ReplaceAll(strings.TrimSpace(text), "\n", ",") + "]")
}

func TestClassOf(t *testing.T) {
	for command, want := range map[string]string{
		"ip -n red -j addr show dev x": "addr", "ip -j address": "addr", "ip -6 -j route get ::1": "route",
		"bridge -j fdb": "fdb", "ip -j neighbour": "neigh",
	} {
		if c, err := normalize.ClassOf(strings.Fields(command)); err != nil || c.Name != want {
			t.Errorf("%s: got %q, %v, want %q", command, c.Name, err, want)
		}
	}
	for _, command := range []string{"ip -j", "bridge -j link", "tc -j qdisc", "ip"} {
		if _, err := normalize.ClassOf(strings.Fields(command)); err == nil {
			t.Errorf("%s: no error", command)
		}
	}
}
