package monitor

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
)

// writeRoute writes a route in the order of iproute2, ip/iproute.c, print_route.
func writeRoute(v *view, payload []byte) (f Fields, err error) {
	var r route.Route
	if err := r.Decode(payload); err != nil {
		return nil, err
	}
	if r.Type != unix.RTN_UNICAST {
		f.bare("type", route.RouteTypeName(r.Type))
	} else {
		f.hidden("type", "unicast")
	}
	f.bare("dst", prefixText(r.Dst, "default"))
	if r.Src.Bits() > 0 {
		f.put("from", prefixText(r.Src, "all"))
	}
	if r.NHID != 0 {
		f.put("nhid", r.NHID)
	}
	encapField(&f, r.Encap)
	if r.TOS != 0 {
		f.put("tos", dsfield(v, r.TOS))
	}
	viaField(&f, r.Family, r.Gateway)
	if r.OIF != 0 {
		f.put("dev", v.link(r.OIF))
	}
	if table := nameOf(v.names.Tables, r.Table); r.Table != unix.RT_TABLE_MAIN {
		f.put("table", table)
	} else {
		f.hidden("table", table)
	}
	if proto := nameOf(v.names.Protocols, r.Protocol); r.Protocol != unix.RTPROT_BOOT {
		f.named("proto", "protocol", proto)
	} else {
		f.hidden("protocol", proto)
	}
	if r.Scope != unix.RT_SCOPE_UNIVERSE && r.Family == unix.AF_INET {
		f.put("scope", nameOf(v.names.Scopes, r.Scope))
	}
	if r.PrefSrc.IsValid() {
		f.named("src", "prefsrc", r.PrefSrc.String())
	}
	if r.Priority != 0 || r.Family == unix.AF_INET6 {
		f.put("metric", r.Priority)
	}
	f.words("flags", routeFlags(r.Flags))
	realmsField(&f, v, r.Realms)
	if r.Expires != 0 {
		f.as("expires", r.Expires, fmt.Sprintf("expires %dsec", r.Expires))
	}
	metricsField(&f, &r.Metrics)
	if r.Family == unix.AF_INET6 {
		f.put("pref", route.PrefName(r.Pref))
	}
	v.hopsField(&f, &r)
	f.unknownAttrs(r.Extra)
	return f, nil
}

// prefixText writes a prefix as ip does: a single address without its length.
func prefixText(p netip.Prefix, all string) string {
	switch {
	case p.Bits() <= 0:
		return all
	case p.IsSingleIP():
		return p.Addr().String()
	}
	return p.String()
}

// viaField writes a gateway, with its family where that is not the route's.
func viaField(f *Fields, family uint8, gw netip.Addr) {
	if !gw.IsValid() {
		return
	}
	if gw.Is4() == (family == unix.AF_INET) {
		f.named("via", "gateway", gw.String())
		return
	}
	name := familyName(unix.AF_INET6)
	if gw.Is4() {
		name = familyName(unix.AF_INET)
	}
	f.as("via", Fields{{Key: "family", Value: name}, {Key: "host", Value: gw.String()}}, "via "+name+" "+gw.String())
}

// dsfield writes a TOS as ip does: by its name or with two digits.
func dsfield(v *view, tos uint8) string {
	if name, ok := v.names.DSFields.Name(uint32(tos)); ok {
		return name
	}
	return fmt.Sprintf("0x%02x", tos)
}

// encapField writes the type of a light-weight tunnel and the bytes of its
// attributes.
func encapField(f *Fields, c route.Encap) {
	if c.Type == 0 {
		return
	}
	name := route.EncapTypeName(c.Type)
	f.as("encap", name, "encap "+name+" "+hexBytes(c.Data))
	f.hidden("encap_data", hexBytes(c.Data))
}

// routeFlags are ip's words for RTNH_F_* and RTM_F_* (iproute2, ip/iproute.c,
// print_rt_flags).
func routeFlags(flags uint32) (words []string) {
	for _, w := range []struct {
		bit  uint32
		word string
	}{
		{unix.RTNH_F_DEAD, "dead"}, {unix.RTNH_F_ONLINK, "onlink"}, {unix.RTNH_F_PERVASIVE, "pervasive"},
		{unix.RTNH_F_OFFLOAD, "offload"}, {unix.RTNH_F_TRAP, "trap"}, {unix.RTNH_F_LINKDOWN, "linkdown"},
		{unix.RTNH_F_UNRESOLVED, "unresolved"}, {unix.RTM_F_NOTIFY, "notify"}, {unix.RTM_F_OFFLOAD, "rt_offload"},
		{unix.RTM_F_TRAP, "rt_trap"}, {unix.RTM_F_OFFLOAD_FAILED, "rt_offload_failed"},
	} {
		if flags&w.bit != 0 {
			words = append(words, w.word)
		}
	}
	return words
}

// realmsField writes "realm 4", or "realms 3/4" with a source realm.
func realmsField(f *Fields, v *view, realms uint32) {
	if realms == 0 {
		return
	}
	from, to := realms>>16, realms&0xffff
	if from == 0 {
		f.named("realm", "realm_to", nameOf(v.names.Realms, to))
		return
	}
	f.as("realm_from", nameOf(v.names.Realms, from), "realms "+nameOf(v.names.Realms, from)+"/"+nameOf(v.names.Realms, to))
	f.hidden("realm_to", nameOf(v.names.Realms, to))
}

// metricsField writes the metrics by their numbers, those that are locked with
// the word lock.
func metricsField(f *Fields, m *route.Metrics) {
	var list Fields
	for typ := uint16(unix.RTAX_MTU); typ <= unix.RTAX_MAX; typ++ {
		if m.Set&(1<<typ) == 0 {
			continue
		}
		name, lock := route.MetricName(typ), ""
		if m.Lock&(1<<typ) != 0 {
			list.hidden(name+"_lock", true)
			lock = "lock "
		}
		if typ == unix.RTAX_CC_ALGO {
			list.as(name, m.Congestion, name+" "+lock+m.Congestion)
			continue
		}
		value, _ := m.Get(typ)
		list.as(name, value, name+" "+lock+metricText(typ, value))
	}
	if len(list) > 0 {
		f.as("metrics", []Fields{list}, list.String())
	}
}

// metricText writes times in milliseconds: the kernel counts RTT in eighths and
// RTTVAR in quarters of one.
func metricText(typ uint16, v uint32) string {
	switch typ {
	case unix.RTAX_RTT:
		return fmt.Sprintf("%gms", float64(v)/8)
	case unix.RTAX_RTTVAR:
		return fmt.Sprintf("%gms", float64(v)/4)
	case unix.RTAX_RTO_MIN:
		return fmt.Sprintf("%dms", v)
	}
	return fmt.Sprint(v)
}

func (v *view) hopsField(f *Fields, r *route.Route) {
	var hops []Fields
	text := ""
	for i := range r.NextHops {
		h := &r.NextHops[i]
		var hop Fields
		encapField(&hop, h.Encap)
		viaField(&hop, r.Family, h.Gateway)
		if h.OIF != 0 {
			hop.put("dev", v.link(h.OIF))
		}
		hop.put("weight", max(h.Weight, 1))
		realmsField(&hop, v, h.Realms)
		hop.words("flags", routeFlags(uint32(h.Flags)))
		hop.unknownAttrs(h.Extra)
		hops = append(hops, hop)
		text += " nexthop " + hop.String()
	}
	if len(hops) > 0 {
		f.as("nexthops", hops, text[1:])
	}
}
