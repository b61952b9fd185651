package route

import (
	"testing"

	"golang.org/x/sys/unix"
)

// vx0 and v1 are the indexes of links in the fixtures.
const (
	v1  = 2
	vx0 = 5
)

func TestNeighborSent(t *testing.T) {
	mac := HardwareAddr{2, 0, 0, 0, 0, 9}
	expect(t, "neigh", map[string]Neighbor{
		"ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev v0 protocol 110": {
			Family: unix.AF_INET, Index: v0, State: unix.NUD_PERMANENT, Dst: addr("192.0.2.9"), LLAddr: mac, Protocol: 110,
		},
		"ip neigh add 2001:db8::9 lladdr 02:00:00:00:00:09 dev v0 router": {
			Family: unix.AF_INET6, Index: v0, State: unix.NUD_PERMANENT, Flags: unix.NTF_ROUTER,
			Dst: addr("2001:db8::9"), LLAddr: mac,
		},
		"ip neigh add proxy 192.0.2.77 dev v0": {
			Family: unix.AF_INET, Index: v0, State: unix.NUD_PERMANENT, Flags: unix.NTF_PROXY, Dst: addr("192.0.2.77"),
		},
		"bridge fdb append 00:00:00:00:00:00 dev vx0 dst 192.0.2.3 port 8472 vni 200 via v0": {
			Family: unix.AF_BRIDGE, Index: vx0, State: unix.NUD_NOARP | unix.NUD_PERMANENT, Flags: unix.NTF_SELF,
			LLAddr: make(HardwareAddr, 6), Dst: addr("192.0.2.3"), Port: 8472, VNI: 200, IfIndex: v0,
		},
		"bridge fdb add 02:00:00:00:00:55 dev v1 master static": {
			Family: unix.AF_BRIDGE, Index: v1, State: unix.NUD_NOARP | unix.NUD_REACHABLE, Flags: unix.NTF_MASTER,
			LLAddr: HardwareAddr{2, 0, 0, 0, 0, 0x55},
		},
		"bridge fdb add 02:00:00:00:00:56 dev v1 master sticky static": {
			Family: unix.AF_BRIDGE, Index: v1, State: unix.NUD_NOARP | unix.NUD_REACHABLE,
			Flags: unix.NTF_MASTER | NTF_STICKY, LLAddr: HardwareAddr{2, 0, 0, 0, 0, 0x56},
		},
	})
}

func TestNeighborReported(t *testing.T) {
	var permanent, proxy, remote, static int
	for _, x := range readFixtures(t, "neigh") {
		for _, m := range x.received {
			var n Neighbor
			if err := n.Decode(m.Data); err != nil {
				t.Fatal(err)
			}
			switch {
			case n.IsProxy() && n.Dst == addr("192.0.2.77"):
				proxy++
			case n.Dst == addr("192.0.2.9") && n.Protocol == 110 && n.LLAddr.String() == "02:00:00:00:00:09":
				permanent++
			case n.Dst == addr("192.0.2.3") && n.LLAddr.IsZero() && n.Port == 8472 && n.VNI == 200 && n.IfIndex == v0:
				remote++
			case n.LLAddr.Equal(HardwareAddr{2, 0, 0, 0, 0, 0x55}) && n.Master != 0 && n.State == unix.NUD_NOARP:
				static++
			}
		}
	}
	if permanent != 1 || proxy != 1 || remote != 1 || static == 0 {
		t.Errorf("%d permanent, %d proxy, %d remote, %d static entries are reported", permanent, proxy, remote, static)
	}
}

func TestNeighborIsConfigured(t *testing.T) {
	for name, tt := range map[string]struct {
		n    Neighbor
		want bool
	}{
		"permanent": {Neighbor{State: unix.NUD_PERMANENT}, true},
		"static":    {Neighbor{State: unix.NUD_NOARP}, true},
		"proxy":     {Neighbor{Flags: unix.NTF_PROXY}, true},
		"managed":   {Neighbor{State: unix.NUD_REACHABLE, ExtFlags: NTF_EXT_MANAGED}, true},
		"learned":   {Neighbor{State: unix.NUD_REACHABLE}, false},
		"stale":     {Neighbor{State: unix.NUD_STALE}, false},
	} {
		if got := tt.n.IsConfigured(); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
