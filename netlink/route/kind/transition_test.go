package kind_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/attr"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

// A transition is a change for which the row alone does not tell everything.
type transition struct {
	name     string
	kind     string
	from, to doc
	when     attr.When
	keeps    doc // what must be there afterwards, too
}

var transitions = []transition{
	{name: "tunnel keeps what is not declared", kind: "gre",
		from:  doc{"local": "192.0.2.1", "remote": "192.0.2.2", "ttl": 64, "ikey": 5, "oseq": true, "fwmark": 7, "dev": "p0"},
		to:    doc{"ttl": 65},
		keeps: doc{"local": "192.0.2.1", "remote": "192.0.2.2", "ikey": 5, "okey": "none", "oseq": true, "iseq": false, "fwmark": 7, "dev": "p0"}},
	{name: "both keys", kind: "gre", from: doc{"remote": "192.0.2.2", "ikey": 5}, to: doc{"key": 6}},
	{name: "no key", kind: "gre", from: doc{"remote": "192.0.2.2", "key": 5}, to: doc{"key": "none"}, keeps: doc{"remote": "192.0.2.2"}},
	{name: "point-to-point to broadcast", kind: "gre", when: attr.AtCreation,
		from: doc{"local": "192.0.2.1", "remote": "192.0.2.2"}, to: doc{"remote": "239.1.1.1"}},
	{name: "point-to-point to neither", kind: "gre", when: attr.AtCreation,
		from: doc{"local": "192.0.2.1", "remote": "192.0.2.2"}, to: doc{"remote": "any"}},
	{name: "to multicast", kind: "gretap",
		from: doc{"local": "192.0.2.1", "remote": "192.0.2.2"}, to: doc{"remote": "239.1.1.1"}},
	{name: "end of ignore_df", kind: "gre", when: attr.AtCreation,
		from: doc{"remote": "192.0.2.2", "pmtudisc": false, "ignore_df": true}, to: doc{"pmtudisc": true, "ignore_df": false}},
	{name: "external tunnel", kind: "gretap",
		from: doc{"external": true}, to: doc{"fwmark": 9}, keeps: doc{"external": true}},

	{name: "another family", kind: "vxlan", when: attr.AtCreation,
		from: doc{"id": 10, "dstport": 4789, "local": "192.0.2.1"}, to: doc{"local": "2001:db8::1"}},
	{name: "the first remote", kind: "vxlan",
		from: doc{"id": 10, "dstport": 4789}, to: doc{"remote": "192.0.2.7"}},
	{name: "the first IPv6 remote", kind: "vxlan", when: attr.AtCreation,
		from: doc{"id": 10, "dstport": 4789}, to: doc{"remote": "2001:db8::7"}},
	{name: "no remote", kind: "vxlan",
		from: doc{"id": 10, "dstport": 4789, "remote": "2001:db8::7", "local": "2001:db8::1"}, to: doc{"remote": "any"},
		keeps: doc{"local": "2001:db8::1"}},
	{name: "group to remote", kind: "vxlan",
		from: doc{"id": 10, "dstport": 4789, "dev": "p0", "group": "239.1.1.1"}, to: doc{"remote": "192.0.2.7"},
		keeps: doc{"group": "any", "dev": "p0"}},
	{name: "remote to group", kind: "vxlan",
		from: doc{"id": 10, "dstport": 4789, "dev": "p0", "remote": "192.0.2.7"}, to: doc{"group": "239.1.1.1"},
		keeps: doc{"remote": "any"}},
	{name: "ttl to inherit", kind: "vxlan", when: attr.AtCreation,
		from: doc{"id": 10, "dstport": 4789, "ttl": 5}, to: doc{"ttl": "inherit"}},
	{name: "no dev", kind: "vxlan", when: attr.AtCreation,
		from: doc{"id": 10, "dstport": 4789, "dev": "p0"}, to: doc{"dev": "none"}},

	{name: "into passthru", kind: "macvlan", when: attr.AtCreation,
		from: doc{"mode": "bridge"}, to: doc{"mode": "passthru"}},
	{name: "out of passthru", kind: "macvlan", when: attr.AtCreation,
		from: doc{"mode": "passthru", "nopromisc": true}, to: doc{"mode": "bridge"}},
	{name: "into source", kind: "macvlan",
		from: doc{"mode": "bridge"}, to: doc{"mode": "source", "macaddr": macs}},
	{name: "out of source", kind: "macvlan",
		from: doc{"mode": "source", "macaddr": macs}, to: doc{"mode": "private"}, keeps: doc{"macaddr": []any{}}},
	{name: "one flag keeps the other", kind: "macvlan",
		from: doc{"mode": "source", "nodst": true}, to: doc{"nopromisc": true}, keeps: doc{"nodst": true}},

	{name: "maps are exact", kind: "vlan",
		from: doc{"id": 5, "egress_qos_map": doc{"1": 2, "3": 4, "70000": 7}, "ingress_qos_map": doc{"1": 2, "3": 4}},
		to:   doc{"egress_qos_map": doc{"3": 5}, "ingress_qos_map": doc{}}},
	{name: "no flag at all", kind: "vlan",
		from: doc{"id": 5}, to: doc{"reorder_hdr": false}, keeps: doc{"gvrp": false}},

	{name: "another miimon keeps the delays", kind: "bond",
		from:  doc{"mode": "active-backup", "miimon": 100, "updelay": 200, "downdelay": 300},
		to:    doc{"miimon": 50, "downdelay": 300},
		keeps: doc{"updelay": 200}},
	{name: "a delay is rounded down", kind: "bond",
		from: doc{"miimon": 100}, to: doc{"updelay": 250}, keeps: doc{"updelay": 200}},
	{name: "another mode keeps ARP monitoring", kind: "bond", when: attr.WhileDown,
		from: doc{"mode": "active-backup", "arp_interval": 100, "arp_ip_target": addrs4, "arp_validate": "all"},
		to:   doc{"mode": "balance-xor", "arp_interval": 100, "arp_ip_target": addrs4, "arp_validate": "all"}},
	{name: "MII to ARP monitoring", kind: "bond",
		from: doc{"mode": "active-backup", "miimon": 100},
		to:   doc{"miimon": 0, "arp_interval": 100, "arp_ip_target": addrs4, "arp_validate": "active"}},
	{name: "ARP to MII monitoring", kind: "bond",
		from: doc{"mode": "active-backup", "arp_interval": 100, "arp_ip_target": addrs4},
		to:   doc{"arp_interval": 0, "miimon": 100, "arp_ip_target": []any{}}},
	{name: "into 802.3ad", kind: "bond", when: attr.WhileDown,
		from: doc{"mode": "active-backup"}, to: doc{"mode": "802.3ad", "lacp_rate": "fast"}, keeps: doc{"miimon": 100}},
	{name: "mode keeps a load balancing choice", kind: "bond", when: attr.WhileDown,
		from: doc{"mode": "balance-tlb", "tlb_dynamic_lb": false}, to: doc{"mode": "balance-alb", "tlb_dynamic_lb": false}},
}

func TestTransitions(t *testing.T) {
	for _, tt := range transitions {
		t.Run(tt.kind+" "+tt.name, func(t *testing.T) {
			r := registered{name: tt.kind, new: func() kind.Kind { k, _ := kind.New(tt.kind); return k }}
			tr := newTrial(t, r, nil)
			tr.make(tt.from)
			want, have := tr.want([]doc{tt.to}), tr.have()
			changes := kind.Diff(want, have)
			last := slices.MaxFunc(changes, func(a, b attr.Change) int { return int(a.When) - int(b.When) })
			if last.When != tt.when {
				t.Fatalf("%v", changes)
			}
			tr.up(tt.when == attr.Live)
			err := tr.change(want, have, changes)
			todo := kind.Diff(tr.want([]doc{tt.to, tt.keeps}), tr.have())
			if refused := err != nil || len(todo) > 0; refused != (tt.when == attr.AtCreation) {
				t.Errorf("%v: %v, still to do: %v", changes, err, todo)
			}
		})
	}
}

// TestChangeWithExtension: newer kernels forget which bits the extension uses.
func TestChangeWithExtension(t *testing.T) {
	tr := newTrial(t, registered{name: "vxlan", new: func() kind.Kind { return new(kind.VXLAN) }}, nil)
	tr.make(doc{"id": 10, "dstport": 4789, "gbp": true})
	want, have := tr.want([]doc{{"ageing": 77}}), tr.have().(*kind.VXLAN)
	changes := kind.Diff(want, have)
	if live := changes[0].When == attr.Live; live != (have.ReservedBits == nil) {
		t.Fatalf("reserved bits %v: %v", have.ReservedBits, changes)
	}
	tr.must(tr.change(want, have, changes))
	now := tr.have().(*kind.VXLAN)
	if now.ReservedBits != nil && *now.ReservedBits == *have.ReservedBits {
		t.Error("the kernel keeps reserved_bits: changes are live again")
	}
	if _, dumped := kind.Minimal(now)["reserved_bits"]; dumped {
		t.Error("what is left of reserved_bits cannot be declared, but is dumped")
	}
}

// TestFallback recognises the device that comes with the module, under any name.
func TestFallback(t *testing.T) {
	tr := newTrial(t, registered{name: "gre", new: func() kind.Kind { return new(kind.GRE) }}, nil)
	tr.make(doc{"remote": "192.0.2.2"})
	if kind.IsFallback(tr.have()) {
		t.Error("t0 is a tunnel with a remote address")
	}
	// those that exist before the module is loaded get no gre0
	tr = newTrial(t, tr.kind, nil)
	gre0, err := tr.conn.LinkByName(context.Background(), "gre0")
	if errors.Is(err, unix.ENODEV) {
		t.Skip("net.core.fb_tunnels_only_for_init_net is set")
	}
	tr.must(err)
	tr.must(tr.newLink(&route.LinkChange{Index: gre0.Index, Name: new("t0")}, 0))
	if !kind.IsFallback(tr.have()) {
		t.Errorf("gre0 is no fallback: %v", kind.Minimal(tr.have()))
	}
	tr.must(tr.conn.Do(context.Background(), unix.RTM_DELLINK, 0, &route.LinkChange{Index: gre0.Index}))
	tr.have() // still there
}

// TestPeer makes a veth pair whose far end is in another namespace.
func TestPeer(t *testing.T) {
	near, far := newLab(t), newLab(t)
	var mac netlink.Encoder
	mac.Attr(unix.IFLA_ADDRESS, []byte{2, 0, 0, 0, 0, 9})
	k := &kind.Veth{Peer: &kind.Peer{Name: "peer0", NetNSFD: far.ns.FD(), Extra: mac.Bytes()}}
	near.must(near.create(k))
	peer := far.link("peer0")
	if peer.Kind != "veth" || peer.Address.String() != "02:00:00:00:00:09" {
		t.Errorf("%+v", peer)
	}
	if !kind.IsPair(k) || kind.IsPair(new(kind.Dummy)) {
		t.Error("IsPair")
	}
}
