package spec

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// TestRouteMeaning pins what routes are after absent keys got their meaning.
func TestRouteMeaning(t *testing.T) {
	for text, want := range map[string]Route{
		"{to: default, via: 192.0.2.1}": {
			Type: unix.RTN_UNICAST, Table: 254, To: netip.MustParsePrefix("0.0.0.0/0"), Via: netip.MustParseAddr("192.0.2.1"),
		},
		"{to: default, via: 2001:db8::1}": {
			Type: unix.RTN_UNICAST, Table: 254, To: netip.MustParsePrefix("::/0"), Via: netip.MustParseAddr("2001:db8::1"), Metric: 1024,
		},
		"{to: default, dev: eth0, src: 2001:db8::2}": {
			Type: unix.RTN_UNICAST, Table: 254, To: netip.MustParsePrefix("::/0"), Dev: "eth0", Src: netip.MustParseAddr("2001:db8::2"), Metric: 1024,
		},
		"{to: default, dev: eth0}": {Type: unix.RTN_UNICAST, Table: 254, To: netip.MustParsePrefix("0.0.0.0/0"), Dev: "eth0"},
		"{to: default, via: 2001:db8::1, src: 192.0.2.2}": {
			Type: unix.RTN_UNICAST, Table: 254, To: netip.MustParsePrefix("0.0.0.0/0"), Via: netip.MustParseAddr("2001:db8::1"), Src: netip.MustParseAddr("192.0.2.2"),
		},
		"{to: default, nexthops: [{dev: a}, {via: 2001:db8::1, weight: 256}]}": {}, // refused: a hop of IPv6 needs via
		"{to: 192.0.2.7, nexthops: [{via: 192.0.2.1, dev: eth0, onlink: true, weight: 7}]}": {
			Type: unix.RTN_UNICAST, Table: 254, To: netip.MustParsePrefix("192.0.2.7/32"), Via: netip.MustParseAddr("192.0.2.1"), Dev: "eth0", OnLink: true,
		},
		"{type: throw, to: 2001:db8::1/32, table: local, tos: 0}": {}, // refused: tos is IPv4's
		"{type: throw, to: 2001:db8::1/32, table: local, metric: 7}": {
			Type: unix.RTN_THROW, Table: 255, To: netip.MustParsePrefix("2001:db8::/32"), Metric: 7,
		},
		"{to: 10.0.0.0/8, dev: e, tos: CS1, realms: 3, hoplimit: lock 9, scope: link, protocol: bgp}": {
			Type: unix.RTN_UNICAST, Table: 254, To: netip.MustParsePrefix("10.0.0.0/8"), Dev: "e", TOS: 0x20, Realms: 3,
			Scope: new(uint8(unix.RT_SCOPE_LINK)), Protocol: new(uint8(186)), Metrics: &Metrics{HopLimit: 9, Lock: 1 << unix.RTAX_HOPLIMIT},
		},
	} {
		d, err := loadText("version: 1\nroutes: [" + text + "]\n")
		switch {
		case !want.To.IsValid():
			if err == nil {
				t.Errorf("%s is taken", text)
			}
		case err != nil:
			t.Error(err)
		default:
			if d := cmp.Diff(want, d.Routes[0], sameDocument); d != "" {
				t.Errorf("%s: %s", text, d)
			}
		}
	}
}

func TestRuleMeaning(t *testing.T) {
	for text, want := range map[string]Rule{
		"{priority: 5}":                               {Family: unix.AF_INET, Priority: 5, Action: ActionLookup, Table: 254},
		"{priority: 5, l3mdev: true}":                 {Family: unix.AF_INET, Priority: 5, Action: ActionLookup, L3MDev: true},
		"{priority: 5, l3mdev: false, table: 7}":      {Family: unix.AF_INET, Priority: 5, Action: ActionLookup, Table: 7},
		"{priority: 40000, type: nop, family: inet6}": {Family: unix.AF_INET6, Priority: 40000, Action: ActionNop},
		"{priority: 5, goto: 6, from: 2001:db8::/32}": {Family: unix.AF_INET6, Priority: 5, Action: ActionGoto, Goto: 6, From: netip.MustParsePrefix("2001:db8::/32")},
		"{priority: 5, fwmark: 0x10, from: 10.1.1.1/8}": {
			Family: unix.AF_INET, Priority: 5, Action: ActionLookup, Table: 254, FwMark: 16, FwMask: 1<<32 - 1, From: netip.MustParsePrefix("10.1.1.1/8"),
		},
	} {
		d, err := loadText("version: 1\nrules: [" + text + "]\n")
		if err != nil {
			t.Error(err)
			continue
		}
		if d := cmp.Diff(want, d.Rules[0], sameDocument); d != "" {
			t.Errorf("%s: %s", text, d)
		}
	}
}

func TestAddressMeaning(t *testing.T) {
	addr := netip.MustParseAddr
	for text, want := range map[string]Address{
		"192.0.2.1":                                                {Local: addr("192.0.2.1"), PrefixLen: 32},
		"{address: 10.0.0.1, peer: 10.0.0.2/31}":                   {Local: addr("10.0.0.1"), Peer: addr("10.0.0.2"), PrefixLen: 31},
		"{address: 10.0.0.1/20, broadcast: +, label: eth0}":        {Local: addr("10.0.0.1"), PrefixLen: 20, Broadcast: addr("10.0.15.255")},
		"{address: fd00::1/64, valid_lft: 9}":                      {Local: addr("fd00::1"), PrefixLen: 64, ValidLft: new(uint32(9)), PreferredLft: new(uint32(9))},
		"{address: fd00::1/64, preferred_lft: 0, protocol: bird}":  {Local: addr("fd00::1"), PrefixLen: 64, PreferredLft: new(uint32(0)), Protocol: new(uint8(12))},
		"{address: fd00::1/64, valid_lft: forever, home: on}":      {Local: addr("fd00::1"), PrefixLen: 64, Home: true},
		"{address: 10.0.0.1/24, scope: host, label: \"eth0:web\"}": {Local: addr("10.0.0.1"), PrefixLen: 24, Scope: new(uint8(254)), Label: "eth0:web"},
	} {
		d, err := loadText("version: 1\nlinks: {eth0: {addresses: [" + text + "]}}\n")
		if err != nil {
			t.Error(err)
			continue
		}
		if d := cmp.Diff(want, d.Links["eth0"].Addresses[0], sameDocument); d != "" {
			t.Errorf("%s: %s", text, d)
		}
	}
}

func TestInheritance(t *testing.T) {
	d, err := loadText(`version: 1
prune: {links: all}
ignore: {links: [a], namespaces: [n]}
namespaces:
  red: {}
  blue: {prune: {routes: none, links: owned}, ignore: {links: [b]}}
  green: {prune: none}
`)
	if err != nil {
		t.Fatal(err)
	}
	if p := d.Namespaces["red"].Prune; p.For("links") != PruneAll || p.For("routes") != PruneOwned {
		t.Error(p)
	}
	blue := d.Namespaces["blue"]
	if p := blue.Prune; p.For("links") != PruneOwned || p.For("routes") != PruneNone || p.For("rules") != PruneOwned {
		t.Error(p)
	}
	if p := d.Namespaces["green"].Prune; p.For("links") != PruneNone {
		t.Error(p)
	}
	if !blue.Ignore.Link("a") || !blue.Ignore.Link("b") || d.Ignore.Link("b") || blue.Ignore.Namespace("n") || !d.Ignore.Namespace("n") {
		t.Error(blue.Ignore, d.Ignore)
	}
}

// TestMarshal pins how documents are written.
func TestMarshal(t *testing.T) {
	d, err := load([]string{"testdata/good/everything.yaml"}, nil, testVocabulary, builtin)
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("testdata/everything.golden", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/everything.golden")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Error(d)
	}
}

func TestMarshalEmpty(t *testing.T) {
	got, err := (&Document{Owner: DefaultOwner, Protocol: DefaultProtocol}).Marshal()
	if err != nil || string(got) != "version: 1\n" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestAliasesEnd loads documents that would grow without end.
func TestAliasesEnd(t *testing.T) {
	laughs := "version: 1\nlinks:\n  a0: &a0 [" + strings.Repeat("x, ", 50) + "x]\n"
	merges := "version: 1\nlinks:\n  a0: &a0 {mtu: 1500}\n"
	for i := range 40 {
		name, last := string(rune('a'+i/10))+string(rune('1'+i%9)), "*a0"
		if i > 0 {
			last = "*m" + string(rune('A'+i-1))
		}
		anchor := "&m" + string(rune('A'+i))
		laughs += "  " + name + "x" + string(rune('A'+i)) + ": " + anchor + " [" + strings.Repeat(last+", ", 9) + last + "]\n"
		merges += "  " + name + "x" + string(rune('A'+i)) + ": " + anchor + " {<<: [" + last + ", " + last + "]}\n"
	}
	for _, text := range []string{laughs, merges, "version: 1\nlinks: &a {b: *a}\n", "version: 1\nlinks: &a {<<: *a}\n", "version: 1\nlinks: &a {<<: [*a, *a]}\n"} {
		if _, err := loadText(text); err == nil {
			t.Errorf("%.60s is taken", text)
		}
	}
}
