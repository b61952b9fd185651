package reconcile

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
)

func neighborOf(dst string, state uint16, flags, protocol uint8) *neighborObject {
	n := &neighborObject{Neighbor: route.Neighbor{
		Family: unix.AF_INET, Index: 1, Dst: netip.MustParseAddr(dst), State: state, Flags: flags, Protocol: protocol, LLAddr: oneMAC,
	}}
	if n.Dst.Is6() {
		n.Family = unix.AF_INET6
	}
	return n
}

func TestNeighborMaker(t *testing.T) {
	s := fakeScope("v0")
	s.Link(1).Kind = "veth"
	for _, test := range []struct {
		name string
		n    *neighborObject
		want Maker
	}{
		{"ours", neighborOf("192.0.2.1", unix.NUD_PERMANENT, 0, 110), Ours},
		{"a person's", neighborOf("192.0.2.1", unix.NUD_PERMANENT, 0, 0), Foreign},
		{"a person's proxy", neighborOf("192.0.2.1", 0, unix.NTF_PROXY, 0), Foreign},
		{"learned", neighborOf("192.0.2.1", unix.NUD_REACHABLE, 0, 0), Kernel},
		{"ours, being deleted", neighborOf("192.0.2.1", unix.NUD_FAILED, 0, 110), Kernel},
		{"multicast", neighborOf("ff02::1", unix.NUD_NOARP, 0, 0), Kernel},
		{"a daemon's", neighborOf("192.0.2.1", unix.NUD_NOARP, unix.NTF_EXT_LEARNED, unix.RTPROT_ZEBRA), Kernel},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := (neighborResource{}).Maker(s, test.n); got != test.want {
				t.Errorf("have %d, want %d", got, test.want)
			}
		})
	}
}

func TestNeighborSurvives(t *testing.T) {
	s := fakeScope("v0")
	v4, v6 := neighborOf("192.0.2.1", unix.NUD_PERMANENT, 0, 110), neighborOf("2001:db8::1", unix.NUD_PERMANENT, 0, 110)
	for _, test := range []struct {
		kind         EventKind
		want4, want6 bool
	}{
		{LinkRemoved, false, false},
		{LinkDown, false, false},
		{LinkVRF, false, false},
		{LinkLeft, true, true},
		{LinkNoIPv6, true, false},
		{LinkNoIPv4, false, true},
		{AddressRemoved, true, true},
	} {
		e := LinkEvent{Kind: test.kind, Index: 1}
		got4, got6 := neighborResource{}.Survives(s, v4, e), neighborResource{}.Survives(s, v6, e)
		if got4 != test.want4 || got6 != test.want6 {
			t.Errorf("event %d: have %v and %v, want %v and %v", test.kind, got4, got6, test.want4, test.want6)
		}
	}
	if !(neighborResource{}).Survives(s, v4, LinkEvent{Kind: LinkDown, Index: 2}) {
		t.Error("an event of another link")
	}
}

func TestNeighborRank(t *testing.T) {
	s := fakeScope("v0")
	last := int64(0)
	for _, dst := range []string{"0.0.0.1", "192.0.2.1", "255.255.255.255", "::1", "fe80::1", "fe80::2:0:1"} {
		rank := neighborResource{}.Rank(s, neighborOf(dst, 0, 0, 0))
		if rank <= last && dst != "fe80::1" { // ranks go by the lower half of an address
			t.Errorf("%s comes before its predecessor", dst)
		}
		last = rank
	}
}
