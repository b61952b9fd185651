package reconcile

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
)

// routeText writes what a route is apart from its destination, in the words of
// `ip route`.
func routeText(s *Scope, r *route.Route) string {
	t := strings.TrimSpace(routeHops(s, r) + routeAttributes(r))
	if r.Type != unix.RTN_UNICAST {
		t = strings.TrimSpace(route.RouteTypeName(r.Type) + " " + t)
	}
	return t
}

func routeDst(r *route.Route) string {
	dst := "default"
	if r.Dst.Bits() > 0 {
		dst = r.Dst.String()
	} else if r.Family == unix.AF_INET6 {
		dst = "::/0"
	}
	if r.Type != unix.RTN_UNICAST {
		dst = route.RouteTypeName(r.Type) + " " + dst
	}
	return dst
}

func routeHops(s *Scope, r *route.Route) string {
	if len(r.NextHops) == 0 {
		if r.Type != unix.RTN_UNICAST {
			return ""
		}
		return hopText(s, r.Gateway.IsValid(), addr(r.Gateway), r.OIF)
	}
	var b strings.Builder
	for _, h := range r.NextHops {
		b.WriteString(" nexthop" + hopText(s, h.Gateway.IsValid(), addr(h.Gateway), h.OIF))
		fmt.Fprintf(&b, " weight %d", max(h.Weight, 1))
	}
	return b.String()
}

func hopText(s *Scope, via bool, gateway string, oif int32) (t string) {
	if via {
		t = " via " + gateway
	}
	if oif != 0 {
		t += " dev " + s.LinkName(oif)
	}
	return t
}

// routeRest names the parts of the key that are not the default.
func routeRest(r *route.Route) (t string) {
	if r.Table != unix.RT_TABLE_MAIN {
		t += " table " + tableName(r.Table)
	}
	if r.Priority != 0 && (r.Family == unix.AF_INET || r.Priority != 1024) {
		t += " metric " + number(r.Priority)
	}
	if r.TOS != 0 {
		t += fmt.Sprintf(" tos %#x", r.TOS)
	}
	return t
}

func routeAttributes(r *route.Route) (t string) {
	if r.PrefSrc.IsValid() {
		t += " src " + r.PrefSrc.String()
	}
	if r.Flags&unix.RTNH_F_ONLINK != 0 {
		t += " onlink"
	}
	if r.Family == unix.AF_INET {
		t += " scope " + route.ScopeName(r.Scope)
	}
	for _, m := range routeMetrics {
		if v, ok := r.Metrics.Get(m.typ); ok {
			t += " " + m.name + " " + number(v)
		}
	}
	if r.Metrics.Congestion != "" {
		t += " congctl " + r.Metrics.Congestion
	}
	if r.Encap.Type != 0 {
		t += " encap " + route.EncapTypeName(r.Encap.Type)
	}
	if r.Pref != 0 {
		t += " pref " + route.PrefName(r.Pref)
	}
	if r.Realms != 0 {
		t += fmt.Sprintf(" realms %d/%d", r.Realms>>16, r.Realms&0xffff)
	}
	return t
}

// routeMetrics are the metrics of a document by iproute2's names.
var routeMetrics = []struct {
	typ  uint16
	name string
}{
	{unix.RTAX_MTU, "mtu"}, {unix.RTAX_ADVMSS, "advmss"}, {unix.RTAX_WINDOW, "window"},
	{unix.RTAX_CWND, "cwnd"}, {unix.RTAX_INITCWND, "initcwnd"}, {unix.RTAX_INITRWND, "initrwnd"},
	{unix.RTAX_HOPLIMIT, "hoplimit"}, {unix.RTAX_QUICKACK, "quickack"},
}

func tableName(t uint32) string {
	if name, ok := names().Tables.Name(t); ok {
		return name
	}
	return number(t)
}
