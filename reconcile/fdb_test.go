package reconcile

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

var (
	noMAC  = route.HardwareAddr{0, 0, 0, 0, 0, 0}
	oneMAC = route.HardwareAddr{2, 0, 0, 0, 0, 1}
	group  = route.HardwareAddr{1, 0, 0x5e, 0, 0, 1}
)

func remoteEntry(mac route.HardwareAddr, dst string) *fdbObject {
	return &fdbObject{Neighbor: route.Neighbor{Index: 1, LLAddr: mac, Dst: netip.MustParseAddr(dst), State: unix.NUD_PERMANENT}}
}

func bridgeEntry(port int32, vlan uint16) *fdbObject {
	return &fdbObject{Neighbor: route.Neighbor{Index: port, Master: 9, LLAddr: oneMAC, VLAN: vlan, State: unix.NUD_NOARP}}
}

func TestFDBKey(t *testing.T) {
	for _, test := range []struct {
		name string
		a, b *fdbObject
		same bool
	}{
		{"one remote for an address", remoteEntry(oneMAC, "192.0.2.1"), remoteEntry(oneMAC, "192.0.2.2"), true},
		{"many for unknown addresses", remoteEntry(noMAC, "192.0.2.1"), remoteEntry(noMAC, "192.0.2.2"), false},
		{"many for multicast", remoteEntry(group, "192.0.2.1"), remoteEntry(group, "192.0.2.2"), false},
		{"the port is no key of a bridge", bridgeEntry(2, 0), bridgeEntry(3, 0), true},
		{"the VLAN is", bridgeEntry(2, 0), bridgeEntry(2, 1), false},
		{"a port has its own", bridgeEntry(1, 0), remoteEntry(oneMAC, "192.0.2.1"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := fdbResource{}
			if same := r.Key(test.a) == r.Key(test.b); same != test.same {
				t.Errorf("have %v, want %v", same, test.same)
			}
		})
	}
}

func TestFDBMaker(t *testing.T) {
	s := fakeScope("p1", "p2", "br0")
	s.Spec.Links["p1"] = &spec.Link{FDB: &[]spec.FDBEntry{{LLAddr: spec.HardwareAddr(group), Master: true, Static: true}}}
	s.Link(2).Address = oneMAC
	entry := func(port int32, mac route.HardwareAddr, state uint16) *fdbObject {
		return &fdbObject{Neighbor: route.Neighbor{Index: port, Master: 3, LLAddr: mac, State: state}}
	}
	spread := entry(1, group, unix.NUD_NOARP)
	spread.VLAN = 7
	remote := &fdbObject{Neighbor: route.Neighbor{Index: 1, LLAddr: noMAC, Dst: netip.MustParseAddr("192.0.2.1"), State: unix.NUD_PERMANENT}}
	learned := entry(1, oneMAC, unix.NUD_NOARP)
	learned.Flags = unix.NTF_EXT_LEARNED
	for _, test := range []struct {
		name string
		o    *fdbObject
		want Maker
	}{
		{"static, the port has a list", entry(1, oneMAC, unix.NUD_NOARP), Listed},
		{"static, the port has none", entry(2, group, unix.NUD_NOARP), Foreign},
		{"the port's own address", entry(2, oneMAC, unix.NUD_PERMANENT), Kernel},
		{"learned by the bridge", entry(1, oneMAC, unix.NUD_REACHABLE), Kernel},
		{"learned by a daemon", learned, Kernel},
		{"in a VLAN, declared without one", spread, Kernel},
		{"a remote", remote, Listed},
		{"what a device listens to", &fdbObject{Neighbor: route.Neighbor{Index: 1, LLAddr: group, State: unix.NUD_PERMANENT}}, Kernel},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.o.made = newFDBMakers(s).made(test.o)
			if got := (fdbResource{}).Maker(s, test.o); got != test.want {
				t.Errorf("have %d, want %d", got, test.want)
			}
		})
	}
}

func TestFDBSurvives(t *testing.T) {
	s := fakeScope("p1", "p2", "br0")
	s.Spec.Links["p1"] = &spec.Link{FDB: &[]spec.FDBEntry{}}
	declared, foreign, remote := bridgeEntry(1, 0), bridgeEntry(2, 0), remoteEntry(noMAC, "192.0.2.1")
	for _, test := range []struct {
		name string
		o    *fdbObject
		e    LinkEvent
		want bool
	}{
		{"another port", declared, LinkEvent{Kind: LinkRemoved, Index: 2}, true},
		{"the port goes", declared, LinkEvent{Kind: LinkRemoved, Index: 1}, false},
		{"the bridge goes", declared, LinkEvent{Kind: LinkRemoved, Index: 9}, false},
		{"the port leaves", declared, LinkEvent{Kind: LinkLeft, Index: 1}, false},
		{"the port goes down", declared, LinkEvent{Kind: LinkDown, Index: 1}, true},
		{"goes with the port's place", foreign, LinkEvent{Kind: LinkLeft, Index: 2}, true},
		{"a remote stays", remote, LinkEvent{Kind: LinkLeft, Index: 1}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := (fdbResource{}).Survives(s, test.o, test.e); got != test.want {
				t.Errorf("have %v, want %v", got, test.want)
			}
		})
	}
}
