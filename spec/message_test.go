package spec

import (
	"strings"
	"testing"
)

// TestMessages loads documents with one mistake that archives cannot hold well:
// long, in odd encodings, or one of many of its kind.
func TestMessages(t *testing.T) {
	long := strings.Repeat("x", 300)
	link := func(keys string) string { return "version: 1\nlinks: {eth0: {" + keys + "}}\n" }
	for text, want := range map[string]string{
		link("alias: " + long):                                `2:23: links.eth0.alias: an alias has at most 255 bytes, this one has 300`,
		link(`alias: "a\0"`):                                  `2:23: links.eth0.alias: an alias has no NUL`,
		link("altnames: [" + long + "]"):                      `2:27: links.eth0.altnames[0]: an alternative name has at most 127 bytes, this one has 300`,
		link(`altnames: [""]`):                                `2:27: links.eth0.altnames[0]: the name is empty`,
		link(`group: ` + long):                                `2:23: links.eth0.group: unknown group "` + long[:60] + `…"`,
		link(`group: [1]`):                                    `2:23: links.eth0.group: want the name or number of a group, have a list`,
		link(`addresses: [{address: 10.0.0.1/8, label: ""}]`): `2:57: links.eth0.addresses[0].label: "" is no label: it has 1 to 15 bytes`,
		link(`addresses: ["::/64"]`):                          `2:28: links.eth0.addresses[0]: :: is no link's address`,
		link(`addresses: ["2001:db8::1/200"]`):                `2:28: links.eth0.addresses[0]: "2001:db8::1/200": the prefix length of IPv6 is 0..128`,
		link(`addresses: [10.0.0.1/x]`):                       `2:28: links.eth0.addresses[0]: "10.0.0.1/x" is no IP prefix: bad prefix length`,
		link(`address: 192.0.2`):                              `2:25: links.eth0.address: "192.0.2" is no hardware address`,
		link(`fdb: [{lladdr: 192.0.2.1, dst: 192.0.2.2}]`):    `2:31: links.eth0.fdb[0].lladdr: want the six octets of an Ethernet address`,
		link(`fdb: [{lladdr: "02:00:00:00:00:01", master: true, sticky: true}]`):      `2:74: links.eth0.fdb[0].sticky: needs static: true`,
		link(`sysctl: {ipv4.x: "a\0b"}`):                                              `2:33: links.eth0.sysctl.ipv4.x: a sysctl has no control characters`,
		link(`kind: vlan, link: a, vlan: [1]`):                                        `2:43: links.eth0.vlan: want a map of options, have a list`,
		link(`kind: vxlan, vxlan: {id: 99999999999999999999}`):                        `2:41: links.eth0.vxlan.id: want a number`,
		link(`kind: vxlan, vxlan: {gain: +Inf}`):                                      `2:43: links.eth0.vxlan.gain: +Inf is no number that can be used`,
		link(`kind: vlan, link: a, vlan: {id: 1, egress_qos_map: {` + long + `: 1}}`): `2:68: links.eth0.vlan.egress_qos_map.` + long + `: a key has at most 255 bytes`,
		"version: 1\nnamespaces: {" + long + ": {}}\n":                                `2:14: namespaces.` + long + `: the name of a namespace has at most 255 bytes`,
		"version: 1\nnamespaces: {..: {}}\n":                                          `2:14: namespaces...: ".." is no name of a namespace`,
		"version: 1\nsysctl: {net." + long + ": 1}\n":                                 `2:10: sysctl.net.` + long + `: the name of a sysctl has at most 255 bytes`,
		"version: 1\nroutes: [{to: 10.0.0.0/8, via: 224.0.0.1}]":                      `2:32: routes[0].via: 224.0.0.1 is no gateway's address`,
		"version: 1\nroutes: [{to: 10.0.0.0/8, dev: e, onlink: true}]":                `2:43: routes[0].onlink: needs via`,
		"version: 1\nroutes: [{to: 10.0.0.0/8, dev: e, realms: 1/70000}]":             `2:43: routes[0].realms: 70000 is out of range 0..65535`,
		"version: 1\nroutes: [{to: 10.0.0.0/8, dev: e, mtu: lock x}]":                 `2:40: routes[0].mtu: want a number, have lock x`,
		"version: 1\nroutes: [{to: \"\", dev: e}]":                                    `2:15: routes[0].to: "" is no IP prefix`,
		"version: 1\nrules: [{priority: 1, fwmark: -1}]":                              `2:31: rules[0].fwmark: -1 is out of range 0..4294967295`,
		"version: 1\nrules: [{priority: 1, from: 10.0.0.0/8, realms: nosuch}]":        `2:49: rules[0].realms: want a number, have nosuch`,
		"version: 1\nprune: {}\nprune: all\n":                                         `3:1: prune: the key is written twice, first at -:2:1`,
		"version: 1\nlinks: {a: {mtu: 0b11}}":                                         `2:18: links.a.mtu: want a number, have 0b11`,
		"version: 1\nlinks: {a: {mtu: 1_500}}":                                        `2:18: links.a.mtu: want a number, have 1_500`,
		"version: 1\nlinks: {a: {mtu: 1.5}}":                                          `2:18: links.a.mtu: want a number, have 1.5`,
		"version: 1\nlinks: {a: {mtu: }}":                                             `2:18: links.a.mtu: want a number, have nothing`,
		"version: 1\nlinks: {a: {dev: x}}":                                            `2:13: links.a.dev: unknown key, did you mean link?`,
		"version: 1\r\nlinks:\r\n  a: {mtu: x}\r\n":                                   `3:12: links.a.mtu: want a number, have x`,
		"version: 1\nlinks: {ä: {alias: 'a\u0085b\u2028c', mtu: x}}":                  `2:38: links.ä.mtu: want a number, have x`,
		"version: 1\nlinks: {a: {mtu: !!int 5, alias: !!binary aGk=}}":                `2:34: the tag !!binary is not supported`,
		"version: 1\n\xff": `2:1: the file is not UTF-8`,
		"version: 1\nlinks: {a: {alias: \ufffdé\xe9}}":                   `2:25: the file is not UTF-8`,
		"{\"version\": 1, \"links\": {\"a\": {\"alias\": \"\\ud800\"}}}": `1:42: no escape that JSON knows`,
		"[]":     `1:1: want the document as a map, have a list`,
		"links":  `1:1: want the document as a map, have links`,
		"%x\n--": `1:2: found unknown directive name`,
	} {
		_, err := loadText(text)
		if err == nil {
			t.Errorf("%q is taken", text)
			continue
		}
		if got := strings.TrimPrefix(err.Error(), "-:"); got != want {
			t.Errorf("%q\ngot  %s\nwant %s", text, got, want)
		}
	}
}
