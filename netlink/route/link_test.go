package route

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestLinkChangeSent(t *testing.T) {
	expect(t, "link", map[string]LinkChange{
		"ip link set v0 up": {Index: v0, Flags: unix.IFF_UP, Change: unix.IFF_UP},
		"ip link set v0 mtu 1400 txqueuelen 77 group 5 alias uplink": {
			Index: v0, MTU: new(uint32(1400)), TxQueueLen: new(uint32(77)), Group: new(uint32(5)), Alias: new("uplink"),
		},
		"ip link set v0 address 02:00:00:00:00:01": {Index: v0, Address: HardwareAddr{2, 0, 0, 0, 0, 1}},
		"ip link set v1 addrgenmode none":          {Index: v1, AddrGenMode: new(uint8(IN6_ADDR_GEN_MODE_NONE))},
		"ip link set v1 up promisc on": {
			Index: v1, Flags: unix.IFF_UP | unix.IFF_PROMISC, Change: unix.IFF_UP | unix.IFF_PROMISC,
		},
		"ip link set v1 master br0":               {Index: v1, Master: new(int32(4))},
		"ip link set v1 nomaster":                 {Index: v1, Master: new(int32(0))},
		"ip link add name ifb7 index 77 type ifb": {Index: 77, Name: new("ifb7"), Kind: "ifb"},
		"ip link set ifb7 name ifb8":              {Index: 77, Name: new("ifb8")},
		"ip link del ifb8":                        {Index: 77},
		"ip link add br0 mtu 1450 type bridge ageing_time 1000": {
			Name: new("br0"), MTU: new(uint32(1450)), Kind: "bridge",
			Data: []byte{8, 0, unix.IFLA_BR_AGEING_TIME, 0, 0xe8, 3, 0, 0},
		},
		"ip link set dev v1 type bridge_slave cost 50 learning off": {
			Index: v1, Kind: "bridge_slave", // the kernel looks at the master instead
			SlaveData: []byte{
				8, 0, unix.IFLA_BRPORT_COST, 0, 50, 0, 0, 0,
				5, 0, unix.IFLA_BRPORT_LEARNING, 0, 0, 0, 0, 0,
			},
		},
	})
}

func TestLinkPropSent(t *testing.T) {
	prop := LinkProp{Index: v0, AltNames: []string{"nlapply:edge:110:00112233aabbccdd"}}
	expect(t, "link", map[string]LinkProp{
		"ip link property add dev v0 altname nlapply:edge:110:00112233aabbccdd": prop,
		"ip link property del dev v0 altname nlapply:edge:110:00112233aabbccdd": prop,
	})
}

func reportedLinks(t testing.TB) map[string]*Link {
	t.Helper()
	all := map[string]*Link{}
	for _, x := range readFixtures(t, "link") {
		for _, m := range x.received {
			var l Link
			if err := l.Decode(m.Data); err != nil {
				t.Fatal(err)
			}
			all[l.Name] = l.Clone()
		}
	}
	return all
}

func TestLinkReported(t *testing.T) {
	links := reportedLinks(t)
	if l := links["v0"]; l == nil {
		t.Error("v0 is not reported")
	} else {
		got := []any{
			l.Index, l.Parent, l.HasParent, l.HasParentNetNSID, l.MTU, l.TxQueueLen, l.Group, l.Alias, l.Kind,
			l.AltNames[0], l.Address.String(), l.NumTxQueues, l.MinMTU, l.MaxMTU, l.Qdisc, l.IsUp(), l.Master,
		}
		want := []any{
			int32(v0), int32(v1), true, false, uint32(1400), uint32(77), uint32(5), "uplink", "veth",
			"nlapply:edge:110:00112233aabbccdd", "02:00:00:00:00:01", uint32(2), uint32(68), uint32(65535),
			"noqueue", true, int32(0),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("v0 (-want +got)\n%s", diff)
		}
	}
	if l := links["v1"]; l == nil || l.Master != 4 || l.SlaveKind != "bridge" || len(l.SlaveData) == 0 ||
		l.AddrGenMode != IN6_ADDR_GEN_MODE_NONE || !l.HasAddrGenMode || l.Flags&unix.IFF_PROMISC == 0 {
		t.Errorf("v1 is %+v", l)
	}
	if l := links["vx0"]; l == nil || l.Kind != "vxlan" || len(l.Data) == 0 || l.HasParent {
		t.Errorf("vx0 is %+v", l)
	}
	if l := links["lo"]; l == nil || l.Type != unix.ARPHRD_LOOPBACK || l.Kind != "" || l.Data != nil || !l.NetNSImmutable {
		t.Errorf("lo is %+v", l)
	}
}

// Nothing of a message may be in a clone: the receive buffer is used again.
func TestLinkClone(t *testing.T) {
	for _, x := range readFixtures(t, "link") {
		for _, m := range x.received {
			var l Link
			if err := l.Decode(m.Data); err != nil {
				t.Fatal(err)
			}
			c := l.Clone()
			if diff := cmp.Diff(&l, c, same); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			before := encode(t, c)
			clear(m.Data)
			if diff := cmp.Diff(before, encode(t, c)); diff != "" {
				t.Errorf("%s changed with the buffer", c.Name)
			}
		}
	}
}

func TestLinkChangeSetFlags(t *testing.T) {
	var c LinkChange
	c.SetFlags(unix.IFF_UP, true)
	c.SetFlags(unix.IFF_NOARP, true)
	c.SetFlags(unix.IFF_NOARP, false)
	if c.Flags != unix.IFF_UP || c.Change != unix.IFF_UP|unix.IFF_NOARP {
		t.Errorf("flags %#x, change %#x", c.Flags, c.Change)
	}
}

// Data that is empty is sent, data that is nil is not: vrf refuses even an empty
// nest, vlan refuses a change without one.
func TestLinkChangeData(t *testing.T) {
	for name, tt := range map[string]struct {
		data []byte
		want bool
	}{"nil": {nil, false}, "empty": {[]byte{}, true}} {
		var c LinkChange
		if err := c.Decode(encode(t, &LinkChange{Kind: "vlan", Data: tt.data})); err != nil {
			t.Fatal(err)
		}
		if got := c.Data != nil; got != tt.want {
			t.Errorf("%s: data is there: %v", name, got)
		}
	}
}

func BenchmarkLinkDecode(b *testing.B) {
	b.ReportAllocs()
	data := encode(b, reportedLinks(b)["vx0"])
	var l Link
	for b.Loop() {
		if err := l.Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}
