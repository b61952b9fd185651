package route

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// data encodes attributes of a kind.
func data(f func(e *netlink.Encoder)) []byte {
	var e netlink.Encoder
	f(&e)
	return bytes.Clone(e.Bytes())
}

func TestLinkKinds(t *testing.T) {
	for kind, d := range map[string][]byte{
		"dummy": nil, "ifb": nil, "veth": nil,
		"bridge": data(func(e *netlink.Encoder) { e.Uint32(unix.IFLA_BR_AGEING_TIME, 1000) }),
		"vxlan":  data(func(e *netlink.Encoder) { e.Uint32(unix.IFLA_VXLAN_ID, 100) }),
		"vrf":    data(func(e *netlink.Encoder) { e.Uint32(unix.IFLA_VRF_TABLE, 1000) }),
	} {
		t.Run(kind, func(t *testing.T) {
			l := newLab(t)
			link := l.link(&LinkChange{
				Index: 50, Name: new("x0"), Kind: kind, Data: d,
				MTU: new(uint32(1400)), TxQueueLen: new(uint32(55)), Group: new(uint32(7)),
			})
			shown := l.json("ip", "link", "show", "x0")[0]
			l.want(shown, "ifindex", link.Index)
			l.want(shown, "mtu", 1400)
			l.want(shown, "txqlen", 55)
			l.want(shown, "group", "7")
			l.want(shown["linkinfo"].(map[string]any), "info_kind", kind)
			if link.Index != 50 || link.Kind != kind || link.MTU != 1400 || link.TxQueueLen != 55 || link.Group != 7 {
				t.Errorf("read back as %+v", link)
			}
			if d != nil && !bytes.Contains(link.Data, d) {
				t.Errorf("% x is not in % x", d, link.Data)
			}
			if len(link.Extra) > 0 {
				t.Logf("this kernel has more attributes: % x", link.Extra)
			}
			l.must(unix.RTM_DELLINK, 0, &LinkChange{Index: link.Index})
			if _, err := l.LinkByIndex(l.ctx, link.Index); !errors.Is(err, unix.ENODEV) {
				t.Errorf("after deletion: %v", err)
			}
		})
	}
}

func TestLinkChanges(t *testing.T) {
	l := newLab(t)
	x := l.link(&LinkChange{Name: new("x0"), Kind: "veth"})
	c := LinkChange{
		Index: x.Index, Name: new("y0"), Alias: new("to the world"), MTU: new(uint32(1300)),
		Group: new(uint32(9)), TxQueueLen: new(uint32(3)), AddrGenMode: new(uint8(IN6_ADDR_GEN_MODE_NONE)),
		Address: HardwareAddr{2, 0, 0, 0, 0, 7},
	}
	c.SetFlags(unix.IFF_UP|unix.IFF_PROMISC|unix.IFF_NOARP, true)
	c.SetFlags(unix.IFF_MULTICAST, false)
	l.must(unix.RTM_NEWLINK, 0, &c)

	all, ip := steady(l, l.Links(l.ctx), func() []map[string]any { return l.json("ip", "link", "show") })
	i := slices.IndexFunc(all, func(k *Link) bool { return k.Name == "y0" })
	y, shown := all[i], ip[i]
	l.want(shown, "ifalias", "to the world")
	l.want(shown, "mtu", 1300)
	l.want(shown, "group", "9")
	l.want(shown, "txqlen", 3)
	l.want(shown, "address", "02:00:00:00:00:07")
	l.want(shown, "inet6_addr_gen_mode", "none")
	l.want(shown, "promiscuity", 1)
	l.want(shown, "operstate", OperStateName(y.OperState))
	l.want(shown, "flags", append(LinkFlagNames(y.Flags), "M-DOWN")) // the peer is down: no flag of the link
	if y.Alias != "to the world" || y.AddrGenMode != IN6_ADDR_GEN_MODE_NONE || !y.HasAddrGenMode ||
		y.Promiscuity != 1 || !y.IsUp() || y.Address.String() != "02:00:00:00:00:07" {
		t.Errorf("read back as %+v", y)
	}

	l.must(unix.RTM_NEWLINK, 0, &LinkChange{Index: x.Index, Alias: new("")})
	if y = l.byName("y0"); y.Alias != "" {
		t.Errorf("the alias is still %q", y.Alias)
	}
}

// do_setlink applies these, rtnl_create_link does not: whoever makes a link has
// to send them again.
func TestLinkCreation(t *testing.T) {
	l := newLab(t)
	x := l.link(&LinkChange{Name: new("x0"), Kind: "ifb", Alias: new("alias")})
	if x.Alias != "" {
		t.Errorf("alias %q: the doc of LinkChange is wrong", x.Alias)
	}
	err := l.Do(l.ctx, unix.RTM_NEWLINK, create, &LinkChange{
		Name: new("y0"), Kind: "ifb", AddrGenMode: new(uint8(IN6_ADDR_GEN_MODE_NONE)),
	})
	if err == nil && l.byName("y0").AddrGenMode != IN6_ADDR_GEN_MODE_EUI64 {
		t.Error("the address mode counts: the doc of LinkChange is wrong")
	}
}

func TestLinkMaster(t *testing.T) {
	l := newLab(t)
	br := l.link(&LinkChange{Name: new("br0"), Kind: "bridge"})
	port := l.link(&LinkChange{Name: new("p0"), Kind: "veth", Master: &br.Index})
	if port.Master != br.Index || port.SlaveKind != "bridge" || len(port.SlaveData) == 0 {
		t.Fatalf("master %d, %s", port.Master, port.SlaveKind)
	}
	l.must(unix.RTM_NEWLINK, 0, &LinkChange{
		Index: port.Index, SlaveKind: "bridge",
		SlaveData: data(func(e *netlink.Encoder) { e.Uint8(unix.IFLA_BRPORT_LEARNING, 0) }),
	})
	info := l.json("ip", "link", "show", "p0")[0]["linkinfo"].(map[string]any)
	l.want(info["info_slave_data"].(map[string]any), "learning", false)
	l.must(unix.RTM_NEWLINK, 0, &LinkChange{Index: port.Index, Master: new(int32(0))})
	if port = l.byName("p0"); port.Master != 0 || port.SlaveKind != "" {
		t.Errorf("released: master %d, %s", port.Master, port.SlaveKind)
	}
}

func TestLinkAltNames(t *testing.T) {
	l := newLab(t)
	x := l.link(&LinkChange{Name: new("x0"), Kind: "ifb"})
	const long = "nlapply:edge:110:00112233aabbccdd"
	l.must(unix.RTM_NEWLINKPROP, create, &LinkProp{Name: "x0", AltNames: []string{"short", long}})
	for _, name := range []string{"x0", "short", long} {
		if got := l.byName(name); got.Index != x.Index || len(got.AltNames) != 2 {
			t.Errorf("%s: index %d, altnames %q", name, got.Index, got.AltNames)
		}
	}
	l.want(l.json("ip", "link", "show", "x0")[0], "altnames", []string{"short", long})
	l.must(unix.RTM_DELLINKPROP, 0, &LinkProp{Index: x.Index, AltNames: []string{"short"}})
	if got := l.byName("x0").AltNames; fmt.Sprint(got) != fmt.Sprint([]string{long}) {
		t.Errorf("altnames %q", got)
	}
	c := LinkChange{AltName: long, Group: new(uint32(4))}
	l.must(unix.RTM_NEWLINK, 0, &c)
	if got := l.byName("x0").Group; got != 4 {
		t.Errorf("group %d: the alternative name is no key", got)
	}
}

func TestLinkVethInNamespaces(t *testing.T) {
	l := newLab(t)
	far := newLab(t)
	fd := far.ns.FD()
	peer := data(func(e *netlink.Encoder) {
		m := e.Begin(1) // VETH_INFO_PEER
		(&LinkChange{Name: new("b0"), NetNSFD: &fd}).AppendTo(e)
		e.End(m)
	})
	a := l.link(&LinkChange{Name: new("a0"), Kind: "veth", Data: peer})
	b := far.byName("b0")
	if a.Parent != b.Index || !a.HasParentNetNSID {
		t.Fatalf("a0 leads to %d, namespace known: %v", a.Parent, a.HasParentNetNSID)
	}
	id, err := l.NSID(l.ctx, fd)
	if err != nil || id != a.ParentNetNSID || id == NoNSID {
		t.Errorf("namespace id %d (%v), a0 says %d", id, err, a.ParentNetNSID)
	}
	if err := l.SetNSID(l.ctx, fd, 77); !errors.Is(err, unix.EEXIST) {
		t.Errorf("a second id: %v", err)
	}

	third := newLab(t)
	if id, err := l.NSID(l.ctx, third.ns.FD()); err != nil || id != NoNSID {
		t.Errorf("namespace without id: %d, %v", id, err)
	}
	if err := l.SetNSID(l.ctx, third.ns.FD(), 77); err != nil {
		t.Fatal(err)
	}
	if id, err := l.NSID(l.ctx, third.ns.FD()); err != nil || id != 77 {
		t.Errorf("id %d, %v", id, err)
	}
	l.must(unix.RTM_NEWLINK, 0, &LinkChange{Index: a.Index, NetNSFD: new(third.ns.FD()), Name: new("c0")})
	if got := third.byName("c0"); got.Kind != "veth" {
		t.Errorf("moved link is %+v", got)
	}
}

func TestLinkMissing(t *testing.T) {
	l := newLab(t)
	for _, name := range []string{"", "none", "a name that is longer than fifteen bytes"} {
		if _, err := l.LinkByName(l.ctx, name); !errors.Is(err, unix.ENODEV) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, n := range []int{127, 128, 1 << 16} {
		if _, err := l.LinkByName(l.ctx, strings.Repeat("x", n)); !errors.Is(err, unix.ENODEV) {
			t.Errorf("a name of %d bytes: %v", n, err)
		}
	}
	for _, index := range []int32{999, 0, -1} {
		if _, err := l.LinkByIndex(l.ctx, index); !errors.Is(err, unix.ENODEV) {
			t.Errorf("index %d: %v", index, err)
		}
	}
}

func TestLinkDump(t *testing.T) {
	l := newLab(t)
	l.up("v0", "v1")
	got := map[string]bool{}
	for _, link := range collect(t, l.Links(l.ctx)) {
		got[link.Name] = true
	}
	for _, shown := range l.json("ip", "link", "show") {
		if name := shown["ifname"].(string); !got[name] {
			t.Errorf("%s is missing", name)
		}
	}
}

// A dump costs two allocations per link at most: its name and one altname.
func TestLinkDumpAllocs(t *testing.T) {
	l := newLab(t)
	const n = 200
	var b netlink.Batch
	for i := range n {
		name := fmt.Sprintf("x%d", i)
		b.Add(unix.RTM_NEWLINK, create, &LinkChange{Name: &name, Kind: "ifb"})
		b.Add(unix.RTM_NEWLINKPROP, create, &LinkProp{Name: name, AltNames: []string{"nlapply:edge:110:" + name}})
	}
	r, err := l.Execute(l.ctx, &b)
	if err != nil {
		t.Fatal(err)
	}
	for i, err := range r.Errors() {
		t.Fatalf("message %d: %v", i, err)
	}
	allocs := testing.AllocsPerRun(5, func() {
		for _, err := range l.Links(l.ctx) {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	if per := allocs / n; per > 2.2 {
		t.Errorf("%.2f allocations per link", per)
	}
}
