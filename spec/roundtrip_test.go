package spec

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"
)

// sameDocument compares what documents say, not where it was found.
var sameDocument = cmp.Options{
	cmpopts.IgnoreUnexported(Document{}),
	cmpopts.IgnoreFields(Document{}, "Files"),
	cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}),
}

// loadText loads a text.
func loadText(text string) (*Document, error) {
	return load([]string{"-"}, strings.NewReader(text), testVocabulary, builtin)
}

// checkRoundTrip writes a document, loads what was written and compares.
func checkRoundTrip(t testing.TB, want *Document) {
	t.Helper()
	text, err := want.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := loadText(string(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if d := cmp.Diff(want, got, sameDocument); d != "" {
		t.Fatalf("%s in\n%s", d, text)
	}
	again, err := got.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != string(again) {
		t.Fatalf("written differently the second time:\n%s", cmp.Diff(string(text), string(again)))
	}
}

func TestGood(t *testing.T) {
	files, err := filepath.Glob("testdata/good/*")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			d, err := load([]string{file}, nil, testVocabulary, builtin)
			if err != nil {
				t.Fatal(err)
			}
			checkRoundTrip(t, d)
		})
	}
}

// TestRandomDocuments writes and loads documents that no person would write.
func TestRandomDocuments(t *testing.T) {
	for seed := range uint64(300) {
		r := random{rand.New(rand.NewPCG(seed, 1))}
		checkRoundTrip(t, r.document())
	}
}

// random makes documents as Load makes them.
type random struct{ *rand.Rand }

func (r random) bool() bool { return r.IntN(2) == 0 }

// few returns a small count, often none.
func (r random) few() int { return max(0, r.IntN(6)-2) }

func maybe[V any](r random, v V) *V {
	if r.bool() {
		return nil
	}
	return &v
}

func (r random) addr(is4 bool) netip.Addr {
	if is4 {
		return netip.AddrFrom4([4]byte{10, byte(r.IntN(256)), byte(r.IntN(256)), byte(1 + r.IntN(254))})
	}
	a := [16]byte{0x20, 0x01, 0xd, 0xb8}
	for i := 4; i < 16; i++ {
		a[i] = byte(r.IntN(3) * r.IntN(256))
	}
	return netip.AddrFrom16(a)
}

func (r random) prefix(is4 bool) netip.Prefix {
	a := r.addr(is4)
	return netip.PrefixFrom(a, r.IntN(a.BitLen()+1)).Masked()
}

func (r random) hardware() HardwareAddr {
	a := make(HardwareAddr, 6)
	for i := range a {
		a[i] = byte(r.IntN(256))
	}
	return a
}

// word returns a string that tempts YAML.
func (r random) word() string {
	words := []string{"on", "no", "y", "true", "null", "~", "0x10", "010", "1e3", "1.5", "-", "a b", "a: b", "#x", "ä", "\"", "'", "{", "- a",
		"2001-02-03", "12:30:45", "eth0", "", " ", "\\", "%", "@x", "`", "&a", "*a", "!x", "|", ">", "?", "x:", ":x", "=", "<<", ".inf", "\t", "\u2028"}
	return words[r.IntN(len(words))]
}

func (r random) document() *Document {
	d := &Document{Version: 1, Owner: DefaultOwner, Protocol: DefaultProtocol, names: builtin}
	if r.bool() {
		d.Owner, d.Protocol = "edge-1", uint8(5+r.IntN(251))
	}
	d.Namespace = r.namespace(nil)
	d.Ignore.Namespaces = []string{"cni-*"}
	for i := range r.few() {
		if d.Namespaces == nil {
			d.Namespaces = map[string]*Namespace{}
		}
		ns := r.namespace(&d.Namespace)
		d.Namespaces[fmt.Sprintf("ns.%d %s", i, "on")] = &ns
	}
	return d
}

func (r random) namespace(parent *Namespace) Namespace {
	var ns Namespace
	if r.bool() {
		ns.Ignore.Links = []string{r.word() + "*", "veth?"}
		ns.Ignore.Routes = []RouteMatch{{Protocol: new(uint8(12)), Within: r.prefix(r.bool())}, {Table: new(uint32(200)), Type: new(uint8(unix.RTN_BLACKHOLE))}}
		ns.Ignore.Addresses = []AddressMatch{{Within: r.prefix(true)}, {Dev: "docker*"}}
		ns.Ignore.Rules = []RuleMatch{{Priority: &Range{5, 10}}, {Table: new(uint32(5))}}
	}
	if parent != nil {
		ns.Prune = parent.Prune
		ns.Ignore.inherit(parent.Ignore)
		if r.bool() {
			ns.Prune = Prune{Default: PruneMode(r.IntN(3))}
		}
	} else if r.bool() {
		ns.Prune.Default = PruneMode(r.IntN(3))
	}
	if ns.Prune.Default == PruneOwned && (parent == nil || parent.Prune.Default == PruneOwned) {
		for range r.few() {
			ns.Prune.set(PruneClasses[r.IntN(len(PruneClasses))], PruneMode(r.IntN(3)))
		}
	}
	for i := range r.few() {
		if ns.Links == nil {
			ns.Links = map[string]*Link{}
		}
		name := []string{"on", "no", "0755", "1e3", "eth0.100", "true"}[i]
		ns.Links[name] = r.link(name)
	}
	for i := range r.few() {
		ns.Routes = append(ns.Routes, r.route(uint32(i+1)))
	}
	for i := range r.few() {
		ns.Rules = append(ns.Rules, r.rule(uint32(i+1)))
	}
	for i := range r.few() {
		b := Neighbor{To: r.addr(r.bool()), Dev: fmt.Sprint("e", i), Proxy: r.bool(), Router: r.bool(), Protocol: maybe(r, uint8(r.IntN(256)))}
		if !b.Proxy {
			b.LLAddr = r.hardware()
		}
		ns.Neighbors = append(ns.Neighbors, b)
	}
	if r.bool() {
		ns.Sysctl = map[string]string{"net.ipv4.ip_forward": "1", "net.ipv4.tcp_rmem": "4096 131072 6291456", "net.core.default_qdisc": "on"}
	}
	return ns
}

func (r random) link(name string) *Link {
	l := &Link{
		Up: r.bool(), MTU: maybe(r, uint32(1280+r.IntN(9000))), TxQueueLen: maybe(r, r.Uint32()), Group: maybe(r, uint32(r.IntN(3))),
		Alias: maybe(r, r.word()), ARP: maybe(r, r.bool()), Multicast: maybe(r, r.bool()), AllMulticast: maybe(r, r.bool()),
		Promisc: maybe(r, r.bool()), AddrGenMode: maybe(r, "none"), Master: maybe(r, "br0"),
	}
	if r.bool() {
		l.Address = r.hardware()
		l.Sysctl = map[string]string{"ipv6.accept_ra": "0"}
	}
	switch r.IntN(4) {
	case 0:
		l.Kind, l.Peer = "veth", &Peer{Name: fmt.Sprint("p-", r.Uint32()), Namespace: maybe(r, "")}
	case 1:
		l.Kind, l.Parent = "vlan", new("yes")
		l.Options = map[string]map[string]any{"vlan": {"id": int64(r.IntN(4095)), "egress_qos_map": map[string]any{"1": int64(2), "on": "x"}}}
	case 2:
		l.Kind = "vxlan"
		l.Options = map[string]map[string]any{"vxlan": {"local": r.word(), "gain": r.Float64() * 1e3, "learning": r.bool()}, "bridge_slave": {}}
		l.FDB = maybe(r, []FDBEntry{{LLAddr: make(HardwareAddr, 6), Dst: r.addr(r.bool()), VNI: uint32(r.IntN(5)), Via: "on"}})
	}
	if r.bool() {
		l.AltNames = &[]string{"alt-" + name, "x:" + name}
		l.VLANs = &[]VLAN{{VID: 1, End: 1, PVID: r.bool(), Untagged: r.bool()}, {VID: 5, End: uint16(5 + r.IntN(100))}}
	}
	for range r.few() {
		l.Addresses = append(l.Addresses, r.address(name, len(l.Addresses)))
	}
	return l
}

func (r random) address(link string, i int) Address {
	is4 := r.bool()
	a := Address{
		Local: r.addr(is4), PrefixLen: 24, Metric: uint32(r.IntN(3)), NoPrefixRoute: r.bool(), Protocol: maybe(r, uint8(r.IntN(256))),
	}
	if r.bool() {
		a.ValidLft, a.PreferredLft = new(uint32(100)), new(uint32(r.IntN(100)))
	} else {
		a.PreferredLft = maybe(r, r.Uint32N(1000))
		if a.Local.Is4() {
			a.PreferredLft = maybe(r, uint32(0))
		}
	}
	if r.bool() {
		a.Peer = r.addr(is4)
	}
	if is4 {
		if r.bool() {
			a.Broadcast = r.addr(true)
			a.Label = fmt.Sprint(link, ":", i)
		}
		a.Scope = maybe(r, uint8(r.IntN(256)))
	} else {
		a.NoDAD, a.Home = r.bool(), r.bool()
	}
	return a
}

func (r random) route(table uint32) Route {
	is4 := r.bool()
	rt := Route{To: r.prefix(is4), Table: table, Type: unix.RTN_UNICAST, Metric: defaultMetric(r.addr(is4)), Protocol: maybe(r, uint8(r.IntN(256)))}
	if r.bool() {
		rt.To = netip.PrefixFrom(rt.To.Addr(), 0).Masked()
	}
	if r.bool() {
		rt.Metric = 1 + r.Uint32()>>1
		rt.Src = r.addr(is4)
		rt.Metrics = &Metrics{MTU: 1400, Lock: 1 << unix.RTAX_MTU, QuickAck: uint32(r.IntN(2)), HopLimit: uint32(r.IntN(3))}
	}
	if is4 {
		rt.TOS, rt.Realms, rt.Scope = uint8(r.IntN(64)*4), r.Uint32()>>uint(r.IntN(32)), maybe(r, uint8(r.IntN(256)))
	} else {
		rt.Pref = []RouterPref{PrefLow, PrefMedium, PrefHigh}[r.IntN(3)]
	}
	switch r.IntN(4) {
	case 0:
		rt.Type = unix.RTN_UNREACHABLE
	case 1:
		rt.Via, rt.Dev, rt.OnLink = r.addr(false), "off", r.bool()
	case 2:
		rt.Dev, rt.Type = "eth0", unix.RTN_LOCAL
		rt.Encap = r.encap()
	case 3:
		rt.NextHops = []NextHop{{Via: r.addr(is4), Weight: uint16(1 + r.IntN(256))}, {Via: r.addr(is4), Dev: "e1", Weight: 1, OnLink: true, Encap: r.encap()}}
	}
	return rt
}

func (r random) encap() *Encap {
	return []*Encap{
		nil,
		{Type: "mpls", Labels: []uint32{100, r.Uint32N(1 << 20)}, TTL: uint8(r.IntN(256))},
		{Type: "seg6", Mode: "inline", Segs: []netip.Addr{r.addr(false)}},
		{Type: "ip", ID: uint64(r.IntN(2)), Dst: r.addr(true)},
	}[r.IntN(4)]
}

func (r random) rule(priority uint32) Rule {
	is4 := r.bool()
	rule := Rule{
		Family: unix.AF_INET6, Priority: priority, Not: r.bool(), TOS: uint8(r.IntN(64) * 4), IPProto: uint8(r.IntN(256)),
		Action: ActionLookup, Table: 1 + uint32(r.IntN(300)), Protocol: maybe(r, uint8(r.IntN(256))), TunID: r.Uint64() >> uint(r.IntN(64)),
		SuppressPrefixLength: maybe(r, uint32(r.IntN(32))), SuppressIfGroup: maybe(r, uint32(r.IntN(3))), UIDRange: maybe(r, Range{0, r.Uint32()}),
	}
	if is4 {
		rule.Family, rule.Realms = unix.AF_INET, r.Uint32()
	}
	if r.bool() {
		rule.From = r.prefix(is4)
	}
	if r.bool() {
		rule.To = netip.PrefixFrom(r.addr(is4), 9) // host bits stay
		rule.IIF, rule.FwMark, rule.FwMask = "on", r.Uint32(), 1+r.Uint32N(255)
		rule.SPort, rule.DPort = PortRange{5, 5}, PortRange{10, 1000}
	}
	switch r.IntN(4) {
	case 0:
		rule.Action, rule.Table, rule.Goto = ActionGoto, 0, priority+1
	case 1:
		rule.Action, rule.Table = ActionProhibit, 0
	case 2:
		rule.L3MDev, rule.Table = true, 0
	}
	return rule
}
