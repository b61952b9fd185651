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
