package netns_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// strangers returns commands by which others make things of their own beside what
// both documents declare.
func (w *world) strangers(x, y *document) string {
	b := &strings.Builder{}
	for n, name := range spaces {
		if s, t := x.spaces[name], y.spaces[name]; s != nil && t != nil {
			in := ""
			if name != "" {
				in = "-n " + name + " "
			}
			fmt.Fprintf(b, "ip %s-batch - <<.\n", in) // the start of a process takes long in a machine
			(&stranger{world: w, b: b, net: 50 * n, x: s, y: t}).settle()
			fmt.Fprintln(b, ".")
		}
	}
	if w.IntN(2) == 0 {
		fmt.Fprintln(b, "ip netns add green\nip -n green link add stranger type bridge")
	}
	return b.String()
}

// stranger is somebody else in a namespace.
type stranger struct {
	*world
	b    *strings.Builder
	net  int
	last string // link that something was made of
	x, y *space // what both documents say of it
}

func (s *stranger) run(format string, args ...any) {
	fmt.Fprintf(s.b, format+"\n", args...)
}

// settle makes things beside what the documents have in common.
func (s *stranger) settle() {
	x, y := s.x, s.y
	for _, name := range slices.Sorted(maps.Keys(x.links)) {
		one, _ := x.links[name].(object)
		two, both := y.links[name].(object)
		if !both || one["up"] == false || two["up"] == false || one["kind"] == "vrf" || two["kind"] == "vrf" {
			continue
		}
		s.net++
		switch {
		case strings.HasPrefix(name, "master"):
			s.join(name, one["kind"] == "bridge" && two["kind"] == "bridge")
			s.live(name)
		case strings.HasPrefix(name, "ground"):
			s.stand(name)
			s.live(name)
		case one["addresses"] != nil && two["addresses"] != nil:
			s.live(name)
		}
		if s.v4(name) && one["kind"] != "gre" && two["kind"] != "gre" && s.IntN(3) == 0 {
			s.run("neigh add 10.222.%d.60 lladdr 02:00:00:00:04:01 dev %s nud permanent", s.net, name)
		}
	}
	for _, p := range s.Perm(6)[:s.IntN(3)] {
		s.run("rule add pref %d fwmark 0x%x/0xff lookup 2000 protocol bird", 99+5*(p%2), 16+p) // order among equals is the document's
	}
	s.run("link add lonely type bridge")
	if s.IntN(2) == 0 {
		s.run("link add pair0 type veth peer name pair1")
		s.run("link set pair1 master lonely up")
		s.run("addr add 172.19.0.1/24 dev pair0")
	}
}

// join puts a port into a bridge or bond, with options where they last.
func (s *stranger) join(master string, options bool) {
	if s.IntN(2) == 0 {
		s.run("link add stray%d type %s", s.net, s.kinds[0])
		s.run("link set stray%d master %s", s.net, master)
		s.run("link set stray%d up", s.net)
		if options {
			s.run("link set stray%d type bridge_slave hairpin on learning off", s.net)
			s.run("link set stray%d addrgenmode none alias ours", s.net)
		}
	}
}

// stand puts a link on another one.
func (s *stranger) stand(ground string) {
	if s.IntN(2) == 0 {
		s.run("link add above%d link %s mtu 1400 type macvlan mode bridge", s.net, ground)
		s.run("link set above%d up", s.net)
		s.run("addr add 172.17.%d.1/24 dev above%d", s.net, s.net)
	}
}

// live makes addresses of a link and routes through it.
func (s *stranger) live(link string) {
	if s.IntN(3) == 0 {
		s.run("addr add 172.16.%d.1/24 dev %s", s.net, link)
		if !strings.HasPrefix(link, "port") { // a VRF may have it
			s.run("route add 10.211.%d.0/24 dev %s src 172.16.%d.1 table %d proto bird", s.net, link, s.net, pick(s.world, 254, 2000))
		}
		s.run("route add unreachable 10.212.%d.0/24 proto bird", s.net)
	}
	if s.IntN(3) == 0 {
		s.run("addr add fd77:%d::1/64 dev %s nodad", s.net, link)
		s.run("route add fd76:%d::/48 proto bird nexthop via fd79::8 dev %s onlink nexthop via fd79::9 dev %s onlink", s.net, link, cmp.Or(s.last, link))
		s.last = link
	}
	if s.v4(link) && s.IntN(3) == 0 {
		s.run("route add 10.210.%d.0/24 via 172.18.%d.9 dev %s onlink table %d metric 7 proto bird", s.net, s.net, link, pick(s.world, 254, 2000))
	}
	if s.IntN(3) == 0 {
		s.run("route add fd78:%d::/48 via fd79::9 dev %s onlink table %d proto bird", s.net, link, pick(s.world, 254, 2000))
	}
}

// v4 tells whether a link can have IPv4 routes: it has an address in both documents.
func (s *stranger) v4(link string) bool {
	has := func(h home) bool { return h.name == link && len(h.v4) > 0 }
	return slices.ContainsFunc(s.x.homes, has) && slices.ContainsFunc(s.y.homes, has)
}
