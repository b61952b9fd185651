package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
)

// routeChanges names what differs between two routes of one key, in the words of
// `ip route`.
func routeChanges(s *Scope, have, want *route.Route) (changes []FieldChange) {
	old, neu := routeWords(s, have), routeWords(s, want)
	for i := range old {
		if old[i].text != neu[i].text {
			changes = append(changes, FieldChange{old[i].name, old[i].text, neu[i].text})
		}
	}
	return changes
}

type namedText struct{ name, text string }

// routeWords writes the fields of a route that are no part of its key. There are
// equally many for every route.
func routeWords(s *Scope, r *route.Route) []namedText {
	words := []namedText{
		{"type", route.RouteTypeName(r.Type)}, {"via", addr(r.Gateway)}, {"dev", s.LinkName(r.OIF)}, {"nexthops", ""},
		{"src", addr(r.PrefSrc)}, {"scope", ""}, {"onlink", flag(r.Flags&unix.RTNH_F_ONLINK != 0, "true")},
		{"encap", ""}, {"congctl", r.Metrics.Congestion}, {"pref", route.PrefName(r.Pref)},
		{"realms", realmsText(r)}, {"lock", number(r.Metrics.Lock)},
	}
	if len(r.NextHops) > 0 {
		words[3].text = strings.TrimSpace(routeHops(s, r))
	}
	if r.Family == unix.AF_INET {
		words[5].text = route.ScopeName(r.Scope)
	}
	if r.Encap.Type != 0 {
		words[7].text = fmt.Sprintf("%s %x", route.EncapTypeName(r.Encap.Type), r.Encap.Data)
	}
	for _, typ := range routeMetrics {
		v, _ := r.Metrics.Get(typ)
		words = append(words, namedText{route.MetricName(typ), number(v)})
	}
	return words
}

// realmsText writes the realms, of a route with several hops those of each.
func realmsText(r *route.Route) string {
	text := func(realms uint32) string { return fmt.Sprintf("%d/%d", realms>>16, realms&0xffff) }
	if realms, same := commonRealms(r); same {
		return text(realms)
	}
	var all []string
	for i := range r.NextHops {
		all = append(all, text(r.NextHops[i].Realms))
	}
	return strings.Join(all, ",")
}

// commonRealms returns the realms of a route, or of all its hops if they have the
// same.
func commonRealms(r *route.Route) (realms uint32, same bool) {
	if len(r.NextHops) == 0 {
		return r.Realms, true
	}
	realms = r.NextHops[0].Realms
	return realms, !slices.ContainsFunc(r.NextHops, func(h route.NextHop) bool { return h.Realms != realms })
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
		if rejects(r.Type) {
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

// routeMetrics are the metrics of a document.
var routeMetrics = []uint16{
	unix.RTAX_MTU, unix.RTAX_ADVMSS, unix.RTAX_WINDOW, unix.RTAX_CWND, unix.RTAX_INITCWND, unix.RTAX_INITRWND,
	unix.RTAX_HOPLIMIT, unix.RTAX_QUICKACK,
}

func tableName(t uint32) string {
	if name, ok := names().Tables.Name(t); ok {
		return name
	}
	return number(t)
}
