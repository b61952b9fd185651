package netns_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nlapply/nlapply/tests/scenario"
)

var (
	seed  = flag.Uint64("seed", 1, "the first of the seeds of TestRandom")
	seeds = flag.Uint64("seeds", 3, "how many seeds TestRandom tries with each set of kinds")
)

// wander goes from one document to another and back. What a document declares is
// there, whatever was there before it.
const wander = `
%s
exec nlapply -f a.json
writes 0 nlapply -f a.json
state a.txt
exec nlapply -f b.json
writes 0 nlapply -f b.json
state b.txt
exec nlapply -f a.json
writes 0 nlapply -f a.json
state back.txt
cmp back.txt a.txt
exec nlapply -f b.json
state again.txt
cmp again.txt b.txt
exec nlapply -f empty.json
exec ip -j link show
! stdout nlapply:
`

// TestRandom applies random documents one after the other. Every other kernel
// has only the first set of kinds.
func TestRandom(t *testing.T) {
	if testing.Short() {
		t.Skip("random documents take longer than make unit allows")
	}
	dir := t.TempDir()
	var files []string
	for i := range *seeds {
		for set, kinds := range [][]string{{"ifb", "veth", "bridge", "vxlan", "macvlan"}, {"dummy", "veth", "bridge", "vxlan", "macvlan", "vlan", "bond", "vrf", "gre"}} {
			n := *seed + i
			w := &world{Rand: rand.New(rand.NewPCG(n, uint64(set))), kinds: kinds}
			needs := ""
			for _, k := range kinds {
				needs += " kind:" + k
			}
			a := &txtar.Archive{Comment: fmt.Appendf(nil, wander, "needs"+needs)}
			w.invent()
			for _, name := range []string{"a.json", "b.json"} {
				a.Files = append(a.Files, txtar.File{Name: name, Data: w.document()})
			}
			a.Files = append(a.Files, txtar.File{Name: "empty.json", Data: []byte(`{"version": 1}` + "\n")})
			file := filepath.Join(dir, fmt.Sprintf("seed_%d_%s.txtar", n, kinds[0]))
			if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
	}
	scenario.Run(t, "", files...)
}

// A world is what two random documents have in common: the links that may be
// declared. A link is declared with the same keys in both, because what a
// document does not say stays as it is.
type world struct {
	*rand.Rand
	kinds []string
	slots []slot
}

// slot is a link that may be declared.
type slot struct {
	name  string
	role  string
	kinds []string // one of them
}

type object = map[string]any

// invent makes up the links: ground that others stand on, ports, masters and what
// stands on the ground.
func (w *world) invent() {
	w.slots = nil
	add := func(role string, n int, kinds ...string) {
		kinds = slices.DeleteFunc(kinds, func(k string) bool { return !slices.Contains(w.kinds, k) })
		if len(kinds) == 0 {
			return
		}
		for i := range n {
			w.slots = append(w.slots, slot{fmt.Sprintf("%s%d", role, i), role, kinds})
		}
	}
	add("ground", 3, "dummy", "ifb")
	add("port", 4, "veth", "dummy", "vxlan")
	add("master", 3, "bridge", "bond", "vrf")
	add("upper", 4, "vlan", "macvlan")
	add("tunnel", 3, "vxlan", "gre")
}

// pick returns one of a list.
func pick[T any](w *world, list ...T) T { return list[w.IntN(len(list))] }

func (w *world) often() bool { return w.IntN(4) > 0 }

// document makes up a document.
func (w *world) document() []byte {
	d := &draft{world: w, links: object{}, numbers: w.Perm(200)}
	for _, role := range []string{"ground", "master", "upper", "tunnel", "port"} {
		for i, s := range w.slots {
			if s.role == role && w.often() {
				d.declare(i, s)
			}
		}
	}
	d.layer3()
	doc := object{"version": 1, "links": d.links, "routes": d.routes, "rules": d.rules, "neighbors": d.neighbors}
	text, err := json.MarshalIndent(doc, "", " ")
	if err != nil {
		panic(err)
	}
	return append(text, '\n')
}

// draft is a document in the making.
type draft struct {
	*world
	links                    object
	routes, rules, neighbors []object
	numbers                  []int // each is used once: tunnels and VLANs must differ
	homes                    []home
	masters                  []string
	grounds                  []string
}

// home is a link with addresses that routes may lead through.
type home struct {
	name     string
	net      int
	v4, v6   []string
	hasNeigh bool
}

func (d *draft) number() int {
	n := d.numbers[0]
	d.numbers = d.numbers[1:]
	return n + 1
}

func (d *draft) declare(i int, s slot) {
	kind := pick(d.world, s.kinds...)
	l := object{"kind": kind}
	switch kind {
	case "veth":
		l["peer"] = object{"name": s.name + "-far"}
		d.links[s.name+"-far"] = object{}
	case "bridge":
		l["bridge"] = object{"ageing_time": 100 * (1 + d.IntN(900)), "mcast_snooping": d.IntN(2) == 0, "priority": d.IntN(65536)}
		// what a bridge would take from its ports
		l["mtu"], l["address"], l["addrgenmode"] = pick(d.world, 1400, 1500), fmt.Sprintf("02:00:00:00:01:%02x", i), "none"
	case "bond":
		l["bond"] = object{"mode": pick(d.world, "balance-rr", "active-backup", "802.3ad"), "miimon": 100 * d.IntN(4), "min_links": d.IntN(3)}
	case "vrf":
		l["vrf"] = object{"table": 1000 + i}
	case "vlan":
		l["vlan"] = object{"id": d.number(), "protocol": pick(d.world, "802.1Q", "802.1ad"), "egress_qos_map": object{"1": d.IntN(8), "2": d.IntN(8)}}
	case "macvlan":
		l["macvlan"] = object{"mode": pick(d.world, "private", "vepa", "bridge")}
	case "vxlan":
		l["vxlan"] = object{"id": d.number(), "dstport": pick(d.world, 4789, 8472), "local": fmt.Sprintf("192.0.2.%d", 1+d.IntN(3)), "learning": d.IntN(2) == 0, "ttl": d.IntN(64)}
	case "gre":
		l["gre"] = object{"local": fmt.Sprintf("192.0.2.%d", 1+d.IntN(3)), "remote": fmt.Sprintf("198.51.100.%d", 1+d.IntN(3)), "key": d.number(), "ttl": d.IntN(64), "pmtudisc": true}
	}
	if s.role == "upper" {
		if len(d.grounds) == 0 {
			return
		}
		l["link"], l["mtu"] = pick(d.world, d.grounds...), 1400
	}
	switch s.role {
	case "ground":
		l["mtu"] = pick(d.world, 1500, 2000, 9000) // never less than what stands on it
		d.grounds = append(d.grounds, s.name)
		d.inhabit(i, s.name, l)
	case "master":
		d.masters = append(d.masters, s.name)
		if kind != "vrf" {
			d.inhabit(i, s.name, l)
		}
	case "port":
		l["master"] = pick(d.world, append(d.masters, "none")...)
	case "upper", "tunnel":
		d.inhabit(i, s.name, l)
		if kind != "gre" {
			l["alias"] = pick(d.world, "", "one", "another one")
		}
	}
	d.links[s.name] = l
}

// inhabit gives a link addresses.
func (d *draft) inhabit(i int, name string, l object) {
	h := home{name: name, net: i + 1, hasNeigh: l["kind"] != "gre"}
	addresses := []any{}
	for _, n := range d.Perm(4)[:d.IntN(4)] {
		a := fmt.Sprintf("10.%d.%d.%d", h.net, n/3, n+1)
		h.v4 = append(h.v4, a)
		addresses = append(addresses, fmt.Sprintf("%s/%d", a, pick(d.world, 24, 24, 25)))
	}
	for _, n := range d.Perm(3)[:d.IntN(3)] {
		a := fmt.Sprintf("fd00:%d::%d", h.net, n+1)
		h.v6 = append(h.v6, a)
		addresses = append(addresses, object{"address": a + "/64", "nodad": true})
	}
	l["addresses"] = addresses
	if len(addresses) > 0 {
		d.homes = append(d.homes, h)
	} else if l["kind"] != "bond" && !slices.Contains(d.grounds, name) && d.IntN(4) == 0 {
		l["up"] = false
	}
}

// layer3 makes up routes, rules and neighbours.
func (d *draft) layer3() {
	used := map[string]bool{}
	for i := range 12 {
		if len(d.homes) == 0 {
			break
		}
		h, other := pick(d.world, d.homes...), pick(d.world, d.homes...)
		r := object{"metric": 10 + d.IntN(3), "table": pick(d.world, 254, 2000)}
		hop := func(h home, list []string, gateway string) object {
			if len(list) == 0 {
				return nil
			}
			return object{"via": gateway, "dev": h.name, "onlink": true}
		}
		r["to"] = fmt.Sprintf("10.200.%d.0/24", i/2)
		via := hop(h, h.v4, fmt.Sprintf("10.%d.0.99", h.net))
		second := hop(other, other.v4, fmt.Sprintf("10.%d.0.98", other.net))
		src := h.v4
		if i%3 == 0 {
			r["to"] = fmt.Sprintf("fd99:%d::/48", i/2)
			via, second, src = hop(h, h.v6, fmt.Sprintf("fd00:%d::99", h.net)), hop(other, other.v6, fmt.Sprintf("fd00:%d::98", other.net)), h.v6
		}
		switch {
		case d.IntN(5) == 0:
			r["type"] = pick(d.world, "blackhole", "unreachable", "prohibit")
		case via == nil:
			continue
		case second != nil && other.name != h.name && d.IntN(3) == 0:
			second["weight"] = 1 + d.IntN(5)
			r["nexthops"] = []object{via, second}
			r["src"] = pick(d.world, src...)
		default:
			for k, v := range via {
				r[k] = v
			}
			r["src"] = pick(d.world, src...)
			if d.IntN(3) == 0 {
				r["mtu"] = 1300 + d.IntN(100)
			}
		}
		key := fmt.Sprint(r["to"], r["metric"], r["table"])
		if !used[key] {
			used[key] = true
			d.routes = append(d.routes, r)
		}
	}
	for _, p := range d.Perm(6)[:d.IntN(6)] {
		r := object{"priority": 100 + p/2, "table": pick(d.world, 254, 2000)}
		r[pick(d.world, "from", "to")] = pick(d.world, "10.0.0.0/8", "fd00::/16", "192.0.2.7", "2001:db8::/32")
		r["fwmark"] = fmt.Sprintf("%#x/0xff", p+1)
		d.rules = append(d.rules, r)
	}
	for _, h := range d.homes {
		if len(h.v4) > 0 && h.hasNeigh && d.IntN(2) == 0 {
			d.neighbors = append(d.neighbors, object{"to": fmt.Sprintf("10.%d.0.50", h.net), "dev": h.name, "lladdr": fmt.Sprintf("02:00:00:00:00:%02x", d.IntN(256))})
		}
	}
}
