package reconcile

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlapply/nlapply/spec"
)

func TestEncapRoundTrip(t *testing.T) {
	for _, want := range []*spec.Encap{
		nil,
		{Type: "mpls", Labels: []uint32{100, 200}},
		{Type: "mpls", Labels: []uint32{16}, TTL: 3},
		{Type: "ip", ID: 7, Dst: netip.MustParseAddr("203.0.113.1")},
		{Type: "ip", ID: 1 << 40, Dst: netip.MustParseAddr("203.0.113.1"), Src: netip.MustParseAddr("203.0.113.2"), TTL: 64},
		{Type: "seg6", Mode: "encap", Segs: []netip.Addr{netip.MustParseAddr("fc00::1"), netip.MustParseAddr("fc00::2")}},
		{Type: "seg6", Mode: "inline", Segs: []netip.Addr{netip.MustParseAddr("fc00::1")}},
	} {
		got, ok := decodeEncap(encodeEncap(want))
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" || !ok {
			t.Errorf("%+v: known %v (-want +got):\n%s", want, ok, diff)
		}
	}
}
