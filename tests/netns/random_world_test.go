package netns_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// A world is what two random documents have in common: the links that may be
// declared. A link is declared with the same keys in both, because what a
// document does not say stays as it is.
type world struct {
	*rand.Rand
	kinds     []string
	filtering bool // bridges have VLANs
	sweeps    bool // the documents say prune: all
	slots     []slot
}

// slot is a link that may be declared.
type slot struct {
	space   string // its namespace, "" for that of the run
	name    string
	role    string
	kinds   []string // one of them
	sysctls []string // those it is declared with
}

type object = map[string]any

var (
	spaces   = []string{"", "red", "blue"}
	roles    = []string{"ground", "master", "upper", "tunnel", "port"}
	sysctls  = []string{"net.ipv4.ip_forward", "net.ipv4.conf.all.rp_filter", "net.ipv6.conf.all.forwarding", "net.ipv4.fib_multipath_hash_policy"}
	ofALink  = []string{"ipv4.rp_filter", "ipv4.promote_secondaries", "ipv4.arp_ignore", "ipv6.accept_ra", "ipv6.keep_addr_on_down"}
	stations = 6 // hardware addresses that are behind one port or another
)

// invent makes up the links: ground that others stand on, ports, masters and what
// stands on the ground. Those of different namespaces have the same names.
func (w *world) invent() {
	for _, space := range spaces {
		add := func(role string, n, elsewhere int, kinds ...string) {
			if kinds = slices.DeleteFunc(kinds, func(k string) bool { return !slices.Contains(w.kinds, k) }); len(kinds) == 0 {
				return
			}
			if space != "" {
				n = elsewhere
			}
			for i := range n {
				s := slot{space: space, name: fmt.Sprintf("%s%d", role, i), role: role, kinds: kinds}
				if w.IntN(3) == 0 {
					s.sysctls = some(w, ofALink)
				}
				w.slots = append(w.slots, s)
			}
		}
		add("ground", 3, 1, "dummy", "ifb")
		add("port", 4, 2, "veth", "dummy", "vxlan")
		add("master", 3, 1, "bridge", "bond", "vrf")
		add("upper", 4, 1, "vlan", "macvlan")
		add("tunnel", 3, 1, "vxlan", "gre")
	}
}

// pick returns one of a list.
func pick[T any](w *world, list ...T) T { return list[w.IntN(len(list))] }

// some returns a part of a list, in any order.
func some[T any](w *world, list []T) (part []T) {
	for _, i := range w.Perm(len(list))[:w.IntN(len(list)+1)] {
		part = append(part, list[i])
	}
	return part
}

func (w *world) often() bool { return w.IntN(4) > 0 }

// document is one in the making.
type document struct {
	*world
	numbers []int // each is used once: tunnels and VLANs must differ
	spaces  map[string]*space
}

// space is a namespace of a document.
type space struct {
	*document
	name                     string
	links                    object
	routes, rules, neighbors []object
	sysctl                   object
	homes                    []home
	masters, grounds         []string
	stations, queues         []int // that no port has yet
}

// home is a link with addresses that routes may lead through.
type home struct {
	name     string
	net      int
	table    int // that its routes are in, 0 for any
	v4, v6   []string
	hasNeigh bool
}

// document makes up a document.
func (w *world) document() *document {
	d := &document{world: w, numbers: w.Perm(200), spaces: map[string]*space{}}
	for _, name := range spaces {
		if name == "" || w.often() {
			d.spaces[name] = &space{document: d, name: name, links: object{}, sysctl: object{}, stations: w.Perm(stations), queues: w.Perm(5)}
		}
	}
	for _, role := range roles {
		for i, s := range w.slots {
			if in := d.spaces[s.space]; in != nil && s.role == role && w.often() {
				in.declare(i, s)
			}
		}
	}
	for _, name := range spaces {
		if s := d.spaces[name]; s != nil {
			s.layer3()
			for _, key := range sysctls {
				s.sysctl[key] = w.IntN(2)
			}
		}
	}
	return d
}

func (s *space) object() object {
	return object{"links": s.links, "routes": s.routes, "rules": s.rules, "neighbors": s.neighbors, "sysctl": s.sysctl}
}

func (d *document) json() string {
	doc := d.spaces[""].object()
	doc["version"] = 1
	if d.sweeps {
		doc["prune"] = object{"links": "all", "addresses": "all", "routes": "all", "rules": "all", "neighbors": "all", "namespaces": "all"}
	}
	inner := object{}
	for name, s := range d.spaces {
		if name != "" {
			inner[name] = s.object()
		}
	}
	doc["namespaces"] = inner
	text, err := json.MarshalIndent(doc, "", " ")
	if err != nil {
		panic(err)
	}
	return string(text) + "\n"
}

// asks returns commands that fail unless the sysctls are what the document says.
func (d *document) asks() string {
	var b strings.Builder
	for _, name := range spaces {
		s := d.spaces[name]
		if s == nil {
			continue
		}
		in := ""
		if name != "" {
			in = "ip netns exec " + name + " "
		}
		fmt.Fprintf(&b, "%ssh -e <<'.'\n", in)
		ask := func(path string, want any) {
			// sh reads byte by byte, and such a file ends after the first
			fmt.Fprintf(&b, "read v < /proc/sys/%s || :; test $v = %v\n", path, want)
		}
		for _, key := range slices.Sorted(maps.Keys(s.sysctl)) {
			ask(strings.ReplaceAll(key, ".", "/"), s.sysctl[key])
		}
		for _, link := range slices.Sorted(maps.Keys(s.links)) {
			values, _ := s.links[link].(object)["sysctl"].(object)
			for _, key := range slices.Sorted(maps.Keys(values)) {
				family, name, _ := strings.Cut(key, ".")
				ask(fmt.Sprintf("net/%s/conf/%s/%s", family, link, name), values[key])
			}
		}
		fmt.Fprintln(&b, ".")
	}
	return b.String()
}
