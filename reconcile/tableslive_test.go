package reconcile

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlapply/nlapply/internal/testns"
	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/spec"
)

// bench is a namespace that documents are applied to.
type bench struct {
	t  *testing.T
	ns *netns.NS
}

// newBench moves the test into a new namespace, which commands made ready.
func newBench(t *testing.T, commands ...string) *bench {
	b := &bench{t, testns.Enter(t)}
	for _, c := range commands {
		b.run(c)
	}
	return b
}

func (b *bench) run(command string) string {
	b.t.Helper()
	words := strings.Fields(command)
	return testns.Run(b.t, b.ns, words[0], words[1:]...)
}

func (b *bench) load(document string) *spec.Document {
	b.t.Helper()
	doc, err := spec.Load([]string{"-"}, strings.NewReader("version: 1\n"+document), Vocabulary{})
	if err != nil {
		b.t.Fatal(err)
	}
	return doc
}

// apply applies a document, which must lead to this plan, and then to none. Lines
// of other classes than those named are left out.
func (b *bench) apply(document, plan string, classes ...string) {
	b.t.Helper()
	r, err := Open(context.Background(), Config{Document: b.load(document)})
	if err != nil {
		b.t.Fatal(err)
	}
	defer r.Close()
	p, err := r.Plan(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(plan), planText(p, classes)); diff != "" {
		b.t.Errorf("plan (-want +got):\n%s", diff)
	}
	res, err := r.Apply(context.Background(), p)
	if err != nil {
		b.t.Fatalf("%v\nrest: %v", err, res.Rest)
	}
	if res.Rounds > 1 {
		b.t.Errorf("%d rounds", res.Rounds)
	}
	if p, err = r.Plan(context.Background()); err != nil || !p.Empty() {
		b.t.Errorf("second plan:\n%s\n%v", planText(p, nil), err)
	}
}

func planText(p *Plan, classes []string) string {
	var lines []string
	for st := range p.Steps() {
		if len(classes) == 0 || strings.Contains(" "+strings.Join(classes, " ")+" ", " "+st.Class+" ") {
			lines = append(lines, st.String())
		}
	}
	return strings.Join(lines, "\n")
}

// expect compares the output of a command, blanks apart, after the given changes.
func (b *bench) expect(command, want string, changes ...func([]string)) {
	b.t.Helper()
	got := trimLines(b.run(command))
	for _, change := range changes {
		change(got)
	}
	if diff := cmp.Diff(trimLines(want), got); diff != "" {
		b.t.Errorf("%s (-want +got):\n%s", command, diff)
	}
}

// sorted is for what the kernel keeps in a hash table.
func sorted(lines []string) { slices.Sort(lines) }

func trimLines(text string) (lines []string) {
	for line := range strings.Lines(strings.TrimSpace(text)) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return lines
}

func TestRulesLive(t *testing.T) {
	b := newBench(t,
		"ip rule add pref 100 from 10.0.0.0/8 lookup 5",
		"ip rule add pref 110 lookup 6 proto 110",
		"ip rule add pref 120 from 10.1.0.0/16 lookup 7 proto bird")
	b.apply(`rules:
- {priority: 100, table: 5}
- {priority: 100, from: 10.0.0.0/8, table: 5}
- {priority: 130, not: true, iif: eth1, ipproto: tcp, dport: 443, fwmark: 0x10/0xff, suppress_prefixlength: 0}
- {priority: 140, family: inet6, type: blackhole}
`, `
+ rule 100 lookup 5
± rule 100 from 10.0.0.0/8 lookup 5
- rule 110 lookup 6
+ rule 130 not fwmark 0x10/0xff iif eth1 ipproto tcp dport 443 lookup main suppress_prefixlength 0
+ rule 140 family inet6 blackhole`)
	b.expect("ip rule", `
0: from all lookup local
100: from all lookup 5 proto 110
100: from 10.0.0.0/8 lookup 5 proto 110
120: from 10.1.0.0/16 lookup 7 proto bird
130: not from all fwmark 0x10/0xff iif eth1 [detached] ipproto tcp dport 443 lookup main suppress_prefixlength 0 proto 110
32766: from all lookup main
32767: from all lookup default`, func(lines []string) {
		for i := range lines { // without /etc/protocols
			lines[i] = strings.Replace(lines[i], "ipproto-6", "tcp", 1)
		}
	})
	b.apply("prune: all\nrules: []\n", `
- rule 100 lookup 5
- rule 100 from 10.0.0.0/8 lookup 5
- rule 120 from 10.1.0.0/16 lookup 7
- rule 130 not fwmark 0x10/0xff iif eth1 ipproto tcp dport 443 lookup main suppress_prefixlength 0
- rule 140 family inet6 blackhole`)
	b.expect("ip rule", "0: from all lookup local\n32766: from all lookup main\n32767: from all lookup default")
}

func TestNeighborsLive(t *testing.T) {
	b := newBench(t,
		"ip link add v0 type veth peer v1", "ip link set v0 up", "ip link set v1 up", "ip addr add 192.0.2.1/24 dev v0",
		"ip neigh add 192.0.2.7 lladdr 02:00:00:00:00:07 dev v0 nud reachable",
		"ip neigh add 192.0.2.8 lladdr 02:00:00:00:00:08 dev v0 nud permanent",
		"ip neigh add 192.0.2.5 lladdr 02:00:00:00:00:05 dev v0 nud permanent proto 110")
	b.apply(`
links: {v0: {}}
neighbors:
- {to: 192.0.2.7, lladdr: "02:00:00:00:00:77", dev: v0}
- {to: 192.0.2.8, lladdr: "02:00:00:00:00:08", dev: v0}
- {to: 2001:db8::9, lladdr: "02:00:00:00:00:09", dev: v0, router: true}
- {to: 192.0.2.99, dev: v0, proxy: true}
- {to: 2001:db8::99, dev: v0, proxy: true}
`, `
- neighbor 192.0.2.5 lladdr 02:00:00:00:00:05 dev v0
~ neighbor 192.0.2.7 lladdr 02:00:00:00:00:77 dev v0 lladdr 02:00:00:00:00:07 → 02:00:00:00:00:77, state learned → permanent
+ neighbor proxy 192.0.2.99 dev v0
+ neighbor 2001:db8::9 lladdr 02:00:00:00:00:09 dev v0 router
+ neighbor proxy 2001:db8::99 dev v0`)
	b.expect("ip neigh show dev v0 nud permanent", `
192.0.2.7 lladdr 02:00:00:00:00:77 PERMANENT proto 110
192.0.2.8 lladdr 02:00:00:00:00:08 PERMANENT
2001:db8::9 lladdr 02:00:00:00:00:09 router PERMANENT proto 110`, sorted)
	b.apply("prune: all\nlinks: {v0: {addresses: [192.0.2.1/24]}, v1: {}}\n", `
- neighbor proxy 2001:db8::99 dev v0
- neighbor 2001:db8::9 lladdr 02:00:00:00:00:09 dev v0 router
- neighbor proxy 192.0.2.99 dev v0
- neighbor 192.0.2.8 lladdr 02:00:00:00:00:08 dev v0
- neighbor 192.0.2.7 lladdr 02:00:00:00:00:77 dev v0`, "neighbor")
}

func TestFDBOfVXLANLive(t *testing.T) {
	b := newBench(t, "ip link add v0 type veth peer v1", "ip link set v0 up", "ip addr add 192.0.2.1/24 dev v0")
	const link = `
links:
  v0: {}
  vx10:
    kind: vxlan
    vxlan: {id: 10, local: 192.0.2.1, remote: 192.0.2.2, dev: v0, dstport: 4789, learning: false}
`
	b.apply(link+`
    fdb:
    - {lladdr: "00:00:00:00:00:00", dst: 192.0.2.2}
    - {lladdr: "00:00:00:00:00:00", dst: 192.0.2.3}
    - {lladdr: "00:00:00:00:00:00", dst: 192.0.2.4, vni: 11, via: v0}
    - {lladdr: "02:00:00:00:00:05", dst: 192.0.2.5, port: 4789, vni: 10}
    - {lladdr: "02:00:00:00:00:06", dst: 192.0.2.6, port: 4790}
`, `
+ fdb 00:00:00:00:00:00 dst 192.0.2.3 dev vx10
+ fdb 00:00:00:00:00:00 dst 192.0.2.4 vni 11 via v0 dev vx10
+ fdb 02:00:00:00:00:05 dst 192.0.2.5 dev vx10
+ fdb 02:00:00:00:00:06 dst 192.0.2.6 port 4790 dev vx10`, "fdb")
	b.run("bridge fdb append 00:00:00:00:00:00 dev vx10 dst 192.0.2.7")
	b.run("bridge fdb del 00:00:00:00:00:00 dev vx10 dst 192.0.2.2 via v0")
	b.run("bridge fdb append 02:00:00:00:00:09 dev vx10 dst 192.0.2.9 dynamic")
	b.apply(link+`
    fdb:
    - {lladdr: "00:00:00:00:00:00", dst: 192.0.2.3}
    - {lladdr: "02:00:00:00:00:05", dst: 192.0.2.55}
`, `
- fdb 02:00:00:00:00:06 dst 192.0.2.6 port 4790 dev vx10
- fdb 00:00:00:00:00:00 dst 192.0.2.4 vni 11 via v0 dev vx10
- fdb 00:00:00:00:00:00 dst 192.0.2.7 dev vx10
+ fdb 00:00:00:00:00:00 dst 192.0.2.2 via v0 dev vx10
~ fdb 02:00:00:00:00:05 dst 192.0.2.55 dev vx10 remote dst 192.0.2.5 → dst 192.0.2.55`)
	b.expect("bridge fdb show dev vx10", `
00:00:00:00:00:00 dst 192.0.2.2 via v0 self permanent
00:00:00:00:00:00 dst 192.0.2.3 self permanent
02:00:00:00:00:05 dst 192.0.2.55 self permanent
02:00:00:00:00:09 dst 192.0.2.9 self`, sorted)
	b.run("bridge fdb append 00:00:00:00:00:00 dev vx10 dst 192.0.2.8")
	b.apply("prune: all\n"+link, "- address 192.0.2.1/24 dev v0")
	b.apply(link+"    fdb: []\n", `
- fdb 02:00:00:00:00:05 dst 192.0.2.55 dev vx10
- fdb 00:00:00:00:00:00 dst 192.0.2.3 dev vx10
- fdb 00:00:00:00:00:00 dst 192.0.2.8 dev vx10`)
	b.expect("bridge fdb show dev vx10", "00:00:00:00:00:00 dst 192.0.2.2 via v0 self permanent\n02:00:00:00:00:09 dst 192.0.2.9 self", sorted)
}

func TestFDBOfBridgeLive(t *testing.T) {
	b := newBench(t)
	const links = `
links:
  br0: {kind: bridge}
  p1: {kind: veth, peer: {name: q1}, master: br0, vlans: []}
  p2: {kind: veth, peer: {name: q2}, master: br0, vlans: [], fdb: %s}
`
	list := func(fdb string) string { return strings.Replace(links, "%s", fdb, 1) }
	b.apply(list(`[{lladdr: "02:00:00:00:00:01", master: true, static: true}, {lladdr: "02:00:00:00:00:02", master: true}]`), `
+ fdb 02:00:00:00:00:01 dev p2 master static
+ fdb 02:00:00:00:00:02 dev p2 master local`, "fdb")
	b.run("bridge fdb replace 02:00:00:00:00:01 dev p1 master static")
	b.run("bridge fdb add 02:00:00:00:00:03 dev p2 master static")
	b.apply(list(`[{lladdr: "02:00:00:00:00:01", master: true, static: true}, {lladdr: "02:00:00:00:00:02", master: true, static: true}]`), `
- fdb 02:00:00:00:00:03 dev p2 master static
~ fdb 02:00:00:00:00:01 dev p2 master static dev p1 → p2
~ fdb 02:00:00:00:00:02 dev p2 master static state local → static`)
	b.apply(list("[]"), `
- fdb 02:00:00:00:00:02 dev p2 master static
- fdb 02:00:00:00:00:01 dev p2 master static`)
}

// needVLANs skips a test on kernels without VLAN filtering: their bridges do not
// report a default PVID.
func (b *bench) needVLANs() {
	b.run("ip link add probe type bridge")
	out := b.run("ip -d link show probe")
	b.run("ip link del probe")
	if !strings.Contains(out, "vlan_default_pvid") {
		b.t.Skip("the kernel has no BRIDGE_VLAN_FILTERING")
	}
}

func TestVLANsLive(t *testing.T) {
	b := newBench(t)
	b.needVLANs()
	const links = `
links:
  br0: {kind: bridge, bridge: {vlan_filtering: true}, vlans: %1}
  p1: {kind: veth, peer: {name: q1}, master: br0, vlans: %2}
`
	doc := func(br0, p1 string) string { return strings.NewReplacer("%1", br0, "%2", p1).Replace(links) }
	b.apply(doc("[{vid: 10}]", "[{vid: 10, pvid: true, untagged: true}, {vid: 20-29}]"), `
+ vlan 10 dev br0 self
- vlan 1 dev br0 pvid untagged self
+ vlan 20-29 dev p1
+ vlan 10 dev p1 pvid untagged
- vlan 1 dev p1 pvid untagged`, "vlan")
	b.expect("bridge -compressvlans vlan show", `
port vlan-id
br0 10
p1 10 PVID Egress Untagged
20-29`)
	b.run("bridge vlan add vid 40-45 dev p1")
	b.apply(doc("[{vid: 10}]", "[{vid: 10, untagged: true}, {vid: 22, pvid: true}, {vid: 25-30}]"), `
~ vlan 10 dev p1 untagged flags pvid untagged → untagged
+ vlan 30 dev p1
~ vlan 22 dev p1 pvid flags none → pvid
- vlan 20-21 dev p1
- vlan 23-24 dev p1
- vlan 40-45 dev p1`)
	b.expect("bridge -compressvlans vlan show dev p1", `
port vlan-id
p1 10 Egress Untagged
22 PVID
25-30`)
	b.apply(doc("[]", "[{vid: 30}]"), `
- vlan 10 dev br0 self
- vlan 10 dev p1 untagged
- vlan 22 dev p1 pvid
- vlan 25-29 dev p1`)
	b.expect("bridge vlan show", "port vlan-id\np1 30")
}

// TestDefaultVLANLive changes the VLAN that ports get by themselves, and moves a
// port to another bridge: the kernel's part of it is no part of the plan.
func TestDefaultVLANLive(t *testing.T) {
	b := newBench(t)
	b.needVLANs()
	const links = `
links:
  br0: {kind: bridge, bridge: {vlan_default_pvid: %1}}
  br1: {kind: bridge, bridge: {vlan_default_pvid: 7}}
  p1: {kind: veth, peer: {name: q1}, master: %2, vlans: [{vid: 7, pvid: true, untagged: true}]}
  p2: {kind: veth, peer: {name: q2}, master: %2}
`
	doc := func(pvid, master string) string { return strings.NewReplacer("%1", pvid, "%2", master).Replace(links) }
	b.apply(doc("1", "br0"), "+ vlan 7 dev p1 pvid untagged\n- vlan 1 dev p1 pvid untagged", "vlan")
	b.apply(doc("7", "br0"), "", "vlan")
	b.apply(doc("8", "br0"), "+ vlan 7 dev p1 pvid untagged\n- vlan 8 dev p1 pvid untagged", "vlan")
	b.apply(doc("8", "br1"), "", "vlan")
	b.expect("bridge vlan show", `
port vlan-id
br0 8 PVID Egress Untagged
br1 7 PVID Egress Untagged
p1 7 PVID Egress Untagged
p2 7 PVID Egress Untagged`, func(lines []string) { slices.Sort(lines[1:]) })
}

// TestFDBInVLANsLive: to a bridge, an entry without a VLAN is one in each of the
// port's VLANs.
func TestFDBInVLANsLive(t *testing.T) {
	b := newBench(t)
	b.needVLANs()
	const links = `
links:
  br0: {kind: bridge}
  p1: {kind: veth, peer: {name: q1}, master: br0, vlans: [{vid: 10-11}], fdb: %s}
`
	list := func(fdb string) string { return strings.Replace(links, "%s", fdb, 1) }
	b.apply(list(`[{lladdr: "02:00:00:00:00:01", master: true, static: true}]`),
		"+ fdb 02:00:00:00:00:01 dev p1 master static", "fdb")
	b.expect("bridge fdb show dev p1 state static", `
02:00:00:00:00:01 master br0 static
02:00:00:00:00:01 vlan 10 master br0 static
02:00:00:00:00:01 vlan 11 master br0 static`, sorted)
	b.apply(list(`[{lladdr: "02:00:00:00:00:01", master: true, static: true, vlan: 10}]`), `
- fdb 02:00:00:00:00:01 dev p1 vlan 11 master static
- fdb 02:00:00:00:00:01 dev p1 master static`, "fdb")
	b.expect("bridge fdb show dev p1 state static", "02:00:00:00:00:01 vlan 10 master br0 static")
	b.run("bridge vlan add vid 12 dev p1")
	b.run("bridge fdb add 02:00:00:00:00:02 dev p1 master static vlan 12")
	b.run("bridge vlan del vid 12 dev p1")
	b.apply(list("[]"), `
- fdb 02:00:00:00:00:02 dev p1 vlan 12 master static
- fdb 02:00:00:00:00:01 dev p1 vlan 10 master static`)
	b.expect("bridge vlan show dev p1", "port vlan-id\np1 10\n11")
	b.run("bridge fdb add 02:00:00:00:00:02 dev p1 master static vlan 11")
	b.run("bridge vlan del vid 11 dev p1") // this run gives it back
	b.apply(list("[]"), "+ vlan 11 dev p1\n- fdb 02:00:00:00:00:02 dev p1 vlan 11 master static")
	b.expect("bridge vlan show dev p1", "port vlan-id\np1 10\n11")
}

// TestVLANsComeBackLive: a port that left its bridge has lost its VLANs, and
// gets the default one when it is back.
func TestVLANsComeBackLive(t *testing.T) {
	b := newBench(t)
	b.needVLANs()
	const doc = `
links:
  br0: {kind: bridge}
  p1: {kind: veth, peer: {name: q1}, master: br0, vlans: [{vid: 10, pvid: true}]}
`
	b.apply(doc, "+ vlan 10 dev p1 pvid\n- vlan 1 dev p1 pvid untagged", "vlan")
	b.run("ip link set p1 nomaster")
	b.apply(doc, "+ vlan 10 dev p1 pvid\n- vlan 1 dev p1 pvid untagged", "vlan")
	b.run("ip link del br0")
	b.apply(doc, "+ vlan 10 dev p1 pvid\n- vlan 1 dev p1 pvid untagged", "vlan")
}

// TestDescribeLive dumps what the tables have, and applies it where it is and in
// another namespace.
func TestDescribeLive(t *testing.T) {
	setup := []string{"ip link set lo up", "ip link add v0 type veth peer v1", "ip link set v0 up", "ip link set v1 up"}
	b := newBench(t, append(setup,
		"ip addr add 192.0.2.1/24 dev v0",
		"ip link add br0 type bridge", "ip link set br0 up", "ip link set v1 master br0",
		"bridge fdb add 02:00:00:00:00:01 dev v1 master static",
		"ip link add vx10 type vxlan id 10 local 192.0.2.1 remote 192.0.2.2 dstport 4789", "ip link set vx10 up",
		"bridge fdb append 00:00:00:00:00:00 dev vx10 dst 192.0.2.3 port 4790",
		"ip neigh add 192.0.2.8 lladdr 02:00:00:00:00:08 dev v0",
		"ip neigh add 192.0.2.7 lladdr 02:00:00:00:00:07 dev v0 nud reachable",
		"ip neigh add proxy 2001:db8::1 dev v0",
		"ip rule add pref 100 from 10.0.0.0/8 lookup 5 proto bird", "ip rule add pref 100 fwmark 7 lookup 6", "ip rule add pref 50 goto 100")...)
	doc, err := Dump(context.Background(), DumpConfig{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := doc.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"02:00:00:00:00:01", "192.0.2.3", "4790", "02:00:00:00:00:08", "2001:db8::1", "fwmark"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in the dump", want)
		}
	}
	for _, not := range []string{"02:00:00:00:00:07", "32766", "dst: 192.0.2.2"} {
		if strings.Contains(string(text), not) {
			t.Errorf("%s in the dump", not)
		}
	}
	again := strings.TrimPrefix(string(text), "version: 1\n")
	b.apply("prune: all\n"+again, "")
	if t.Failed() {
		t.Log(string(text))
	}
}

// TestSysctlLive reads and writes where the test's namespace is.
func TestSysctlLive(t *testing.T) {
	b := newBench(t, "ip link add v0 type veth peer v1", "ip link set v0 up")
	if err := os.WriteFile("/proc/sys/net/ipv4/conf/v0/rp_filter", []byte("0"), 0); err != nil {
		t.Skip(err)
	}
	const doc = `
sysctl: {net.ipv4.ip_forward: 1, net.ipv4.ip_local_port_range: "32768  60999"}
links:
  v0: {sysctl: {ipv4.rp_filter: 2, ipv4.forwarding: 0}}
  vx10: {kind: vxlan, vxlan: {id: 10, dstport: 4789}, sysctl: {ipv4.arp_ignore: 1}}
`
	b.apply(doc, `
+ link vx10 kind vxlan id 10 dstport 4789
~ sysctl net.ipv4.ip_forward 0 → 1
~ sysctl net.ipv4.conf.v0.forwarding 0   net.ipv4.ip_forward changes it, set again
~ sysctl net.ipv4.conf.v0.rp_filter 0 → 2
+ sysctl net.ipv4.conf.vx10.arp_ignore 1`)
	for file, want := range map[string]string{
		"ip_forward": "1", "conf/v0/rp_filter": "2", "conf/v0/forwarding": "0", "conf/vx10/arp_ignore": "1", "conf/vx10/forwarding": "1",
	} {
		have, err := os.ReadFile("/proc/sys/net/ipv4/" + file)
		if err != nil || strings.TrimSpace(string(have)) != want {
			t.Errorf("%s: have %s, want %s, %v", file, have, want, err)
		}
	}
	b.apply(doc, "")
}
