package route

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBridgeVLANsSent(t *testing.T) {
	expect(t, "vlan", map[string]BridgeVLANs{
		"bridge vlan add dev v1 vid 10 pvid untagged": {
			Index: v1, VLANs: []BridgeVLAN{{VID: 10, Flags: BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED}},
		},
		"bridge vlan add dev v1 vid 20-29":    {Index: v1, VLANs: []BridgeVLAN{{VID: 20, End: 29}}},
		"bridge vlan add dev br0 vid 20 self": {Index: 4, Self: true, VLANs: []BridgeVLAN{{VID: 20}}},
		"bridge vlan del dev v1 vid 25":       {Index: v1, VLANs: []BridgeVLAN{{VID: 25}}},
	})
}

// The dump of iproute2 is not the compressed one: every VLAN is listed.
func TestBridgeVLANsReported(t *testing.T) {
	got := map[int32][]BridgeVLAN{}
	for _, x := range readFixtures(t, "vlan") {
		for _, m := range x.received {
			var v BridgeVLANs
			if err := v.Decode(m.Data); err != nil {
				t.Fatal(err)
			}
			got[v.Index] = v.Clone().VLANs
		}
	}
	want := map[int32][]BridgeVLAN{
		v1: {{VID: 1, Flags: BRIDGE_VLAN_INFO_UNTAGGED}, {VID: 10, Flags: BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED}},
		4:  {{VID: 1, Flags: BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED}, {VID: 20}},
	}
	for vid := uint16(20); vid <= 29; vid++ {
		want[v1] = append(want[v1], BridgeVLAN{VID: vid})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestBridgeVLANsRoundTrip(t *testing.T) {
	give := BridgeVLANs{Index: 3, Self: true, VLANs: []BridgeVLAN{
		{VID: 1, End: 1, Flags: BRIDGE_VLAN_INFO_UNTAGGED}, {VID: 10, End: 19}, {VID: 20}, {VID: 21, End: 4094},
	}}
	want := give.Clone()
	want.VLANs[0].End = 0
	var got BridgeVLANs
	if err := got.Decode(encode(t, &give)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*want, got, same); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
