package route

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/testns"
	"github.com/nlapply/nlapply/netlink"
)

func TestNeighbors(t *testing.T) {
	l := newLab(t)
	v := l.up("v0", "v1")
	mac := HardwareAddr{2, 0, 0, 0, 0, 9}
	for name, n := range map[string]Neighbor{
		"IPv4":   {Family: unix.AF_INET, Dst: addr("192.0.2.9"), LLAddr: mac, State: unix.NUD_PERMANENT},
		"router": {Family: unix.AF_INET6, Dst: addr("2001:db8::9"), LLAddr: mac, State: unix.NUD_PERMANENT, Flags: unix.NTF_ROUTER},
		"noarp":  {Family: unix.AF_INET, Dst: addr("192.0.2.10"), LLAddr: mac, State: unix.NUD_NOARP},
		"proxy":  {Family: unix.AF_INET, Dst: addr("192.0.2.77"), Flags: unix.NTF_PROXY},
		"proxy6": {Family: unix.AF_INET6, Dst: addr("2001:db8::77"), Flags: unix.NTF_PROXY},
	} {
		t.Run(name, func(t *testing.T) {
			n.Index, n.Protocol = v.Index, 110
			find := func() *Neighbor {
				for _, got := range collect(t, l.Neighbors(l.ctx, NeighborFilter{Index: v.Index, Proxy: n.IsProxy()})) {
					if got.Dst == n.Dst && got.State != unix.NUD_FAILED {
						return got
					}
				}
				return nil
			}
			l.must(unix.RTM_NEWNEIGH, netlink.Create|netlink.Replace, &n)
			got := find()
			if got == nil {
				t.Fatal("not in the dump")
			}
			if !got.IsConfigured() {
				t.Error("not told from those that come and go")
			}
			want := n
			want.Type = got.Type
			if diff := cmp.Diff(&want, got, same); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			args := []string{"neigh", "show", "dev", "v0", "nud", "all"}
			if n.IsProxy() {
				args = []string{"neigh", "show", "proxy", "dev", "v0"}
			}
			shown := ""
			for _, o := range l.json("ip", args...) {
				if o["dst"] == n.Dst.String() {
					shown = n.Dst.String()
				}
			}
			if shown == "" {
				t.Error("ip does not show it")
			}
			l.must(unix.RTM_DELNEIGH, 0, got)
			if find() != nil {
				t.Error("still there after deletion")
			}
		})
	}
}

func TestFDBOfBridge(t *testing.T) {
	l := newLab(t)
	br := l.link(&LinkChange{Name: new("br0"), Kind: "bridge"})
	l.ip("link", "add", "p0", "master", "br0", "type", "veth", "peer", "name", "p1")
	port := l.byName("p0")
	n := Neighbor{
		Family: unix.AF_BRIDGE, Index: port.Index, LLAddr: HardwareAddr{2, 0, 0, 0, 0, 0x55},
		State: unix.NUD_NOARP, Flags: unix.NTF_MASTER | NTF_STICKY,
	}
	find := func() *Neighbor {
		for _, got := range collect(t, l.FDB(l.ctx, FDBFilter{Master: br.Index})) {
			if got.LLAddr.Equal(n.LLAddr) {
				return got
			}
		}
		return nil
	}
	l.must(unix.RTM_NEWNEIGH, create, &n)
	got := find()
	if got == nil {
		t.Fatal("not in the dump")
	}
	if got.Index != port.Index || got.Master != br.Index || got.State != unix.NUD_NOARP || got.Flags&NTF_STICKY == 0 {
		t.Errorf("read back as %+v", got)
	}
	// Added without VLAN, there is one for each VLAN of the port besides.
	for range 3 {
		if got = find(); got == nil {
			return
		}
		got.Flags |= unix.NTF_MASTER
		l.must(unix.RTM_DELNEIGH, 0, got)
	}
	t.Error("still there after deletion")
}

func TestFDBOfVXLAN(t *testing.T) {
	l := newLab(t)
	v := l.up("v0", "v1")
	l.ip("addr", "add", "192.0.2.2/24", "dev", "v0")
	vx := l.link(&LinkChange{Name: new("vx0"), Kind: "vxlan", Data: data(func(e *netlink.Encoder) {
		e.Uint32(unix.IFLA_VXLAN_ID, 100)
	})})
	remotes := []*Neighbor{
		{Dst: addr("192.0.2.3"), Port: 4789, VNI: 200, IfIndex: v.Index},
		{Dst: addr("192.0.2.4")},
	}
	for _, n := range remotes {
		n.Family, n.Index, n.LLAddr = unix.AF_BRIDGE, vx.Index, make(HardwareAddr, 6)
		n.State, n.Flags, n.Type = unix.NUD_PERMANENT, unix.NTF_SELF, unix.RTN_UNICAST
		l.must(unix.RTM_NEWNEIGH, netlink.Create|netlink.Append, n)
	}
	all := collect(t, l.FDB(l.ctx, FDBFilter{Index: vx.Index}))
	if diff := cmp.Diff(remotes, all, same); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
	l.must(unix.RTM_DELNEIGH, 0, all[0])
	if diff := cmp.Diff(remotes[1:], collect(t, l.FDB(l.ctx, FDBFilter{Index: vx.Index})), same); diff != "" {
		t.Errorf("after deletion (-want +got)\n%s", diff)
	}
	shown := testns.Run(t, l.ns, "bridge", "fdb", "show", "dev", "vx0")
	if want := "00:00:00:00:00:00 dst 192.0.2.4 self permanent"; !strings.Contains(shown, want) {
		t.Errorf("bridge shows %q", shown)
	}
}

func TestBridgeVLANs(t *testing.T) {
	l := newLab(t)
	br := l.link(&LinkChange{Name: new("br0"), Kind: "bridge"})
	l.ip("link", "add", "p0", "master", "br0", "type", "veth", "peer", "name", "p1")
	port := l.byName("p0")
	both := []*BridgeVLANs{
		{Index: br.Index, Self: true, VLANs: []BridgeVLAN{{VID: 100, End: 109}}},
		{Index: port.Index, VLANs: []BridgeVLAN{
			{VID: 10, Flags: BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED}, {VID: 20, End: 4000}, {VID: 4001, Flags: BRIDGE_VLAN_INFO_UNTAGGED},
		}},
	}
	for _, v := range both {
		err := l.Do(l.ctx, unix.RTM_SETLINK, 0, v)
		if errors.Is(err, unix.EOPNOTSUPP) {
			t.Skip("no VLAN filtering: ", err)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	vlans := func() map[int32][]BridgeVLAN {
		all := map[int32][]BridgeVLAN{}
		for _, v := range collect(t, l.BridgeVLANs(l.ctx)) {
			all[v.Index] = v.VLANs
		}
		return all
	}
	one := BridgeVLAN{VID: 1, Flags: BRIDGE_VLAN_INFO_UNTAGGED} // was the PVID, by default
	bridgeOne := one
	bridgeOne.Flags |= BRIDGE_VLAN_INFO_PVID
	want := map[int32][]BridgeVLAN{
		br.Index:   append([]BridgeVLAN{bridgeOne}, both[0].VLANs...),
		port.Index: append([]BridgeVLAN{one}, both[1].VLANs...),
	}
	if diff := cmp.Diff(want, vlans()); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
	for _, v := range both {
		l.must(unix.RTM_DELLINK, 0, v)
	}
	want = map[int32][]BridgeVLAN{br.Index: {bridgeOne}, port.Index: {one}}
	if diff := cmp.Diff(want, vlans()); diff != "" {
		t.Errorf("after deletion (-want +got)\n%s", diff)
	}
}
