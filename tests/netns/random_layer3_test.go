package netns_test

import (
	"fmt"
	"maps"
)

// layer3 makes up routes, rules and neighbours.
func (s *space) layer3() {
	used := map[string]bool{}
	for i := range 12 {
		if len(s.homes) == 0 {
			break
		}
		r := s.route(i)
		if key := fmt.Sprint(r["to"], r["metric"], r["table"]); r != nil && !used[key] {
			used[key] = true
			s.routes = append(s.routes, r)
		}
	}
	for _, p := range s.Perm(6)[:s.IntN(6)] {
		r := object{"priority": 100 + p/2, "table": pick(s.world, 254, 2000)}
		r[pick(s.world, "from", "to")] = pick(s.world, "10.0.0.0/8", "fd00::/16", "192.0.2.7", "2001:db8::/32")
		r["fwmark"] = fmt.Sprintf("%#x/0xff", p+1)
		s.rules = append(s.rules, r)
	}
	for _, h := range s.homes {
		if len(h.v4) > 0 && h.hasNeigh && s.IntN(2) == 0 {
			s.neighbors = append(s.neighbors, object{"to": fmt.Sprintf("10.%d.0.50", h.net), "dev": h.name, "lladdr": fmt.Sprintf("02:00:00:00:00:%02x", s.IntN(256))})
		}
		if s.IntN(4) == 0 {
			s.neighbors = append(s.neighbors, object{"to": pick(s.world, fmt.Sprintf("10.%d.0.51", h.net), fmt.Sprintf("fd00:%d::51", h.net)), "dev": h.name, "proxy": true})
		}
	}
}

// route makes up the i-th route, or none.
func (s *space) route(i int) object {
	h, other := pick(s.world, s.homes...), pick(s.world, s.homes...)
	r := object{"metric": 10 + s.IntN(3), "table": pick(s.world, 254, 2000)}
	if h.table != 0 {
		r["table"] = h.table // in no other one its addresses are local
	}
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
	case s.IntN(5) == 0:
		r["type"] = pick(s.world, "blackhole", "unreachable", "prohibit")
	case via == nil:
		return nil
	case second != nil && other.name != h.name && other.table == h.table && s.IntN(3) == 0:
		second["weight"] = 1 + s.IntN(5)
		r["nexthops"] = []object{via, second}
		r["src"] = pick(s.world, src...)
	default:
		maps.Copy(r, via)
		r["src"] = pick(s.world, src...)
		if s.IntN(3) == 0 {
			r["mtu"] = 1300 + s.IntN(100)
		}
	}
	return r
}
