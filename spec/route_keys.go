package spec

import (
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

var (
	routeTypes      = []string{"unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable", "prohibit", "throw"}
	routeTypeValues = []uint8{
		unix.RTN_UNICAST, unix.RTN_LOCAL, unix.RTN_BROADCAST, unix.RTN_ANYCAST, unix.RTN_MULTICAST,
		unix.RTN_BLACKHOLE, unix.RTN_UNREACHABLE, unix.RTN_PROHIBIT, unix.RTN_THROW,
	}
	routeType  = enum(routeTypes, routeTypeValues)
	routerPref = enum([]string{"low", "medium", "high"}, []RouterPref{PrefLow, PrefMedium, PrefHigh})

	anyNumber = number[uint32](0, 1<<32-1)
	// Table 0 is "unspecified": the kernel takes another one in its place.
	table    = named("table", uint32(1), 1<<32-1, func(n *Names) *NameTable { return &n.Tables })
	protocol = named("protocol", uint8(0), 255, func(n *Names) *NameTable { return &n.Protocols })
	scope    = named("scope", uint8(0), 255, func(n *Names) *NameTable { return &n.Scopes })
	dsfield  = named("tos", uint8(0), 255, func(n *Names) *NameTable { return &n.DSFields })
)

var routeObject = define(object[Route]{
	what:  "a route",
	later: []string{"nhid"},
	check: (*decoder).checkRoute,
	keys: []key[Route]{
		withDefault(value("type", "unicast (default), local, blackhole, unreachable, prohibit, throw, …", routeType,
			func(r *Route) *uint8 { return &r.Type }), func(r *Route) bool { return r.Type == unix.RTN_UNICAST }),
		must(destination),
		value("via", "the gateway; of the other address family too", address, func(r *Route) *netip.Addr { return &r.Via }),
		value("dev", "the link to send through", linkName, func(r *Route) *string { return &r.Dev }),
		value("onlink", "the gateway is on the link whatever the addresses say", boolean, func(r *Route) *bool { return &r.OnLink }),
		value("src", "the source address for packets of this host", address, func(r *Route) *netip.Addr { return &r.Src }),
		withDefault(value("metric", "0 for IPv4 and 1024 for IPv6 where absent", anyNumber, func(r *Route) *uint32 { return &r.Metric }),
			func(r *Route) bool { return r.Metric == defaultMetric(r.To.Addr()) }),
		withDefault(value("table", "the table's number or name, main where absent", table, func(r *Route) *uint32 { return &r.Table }),
			func(r *Route) bool { return r.Table == unix.RT_TABLE_MAIN }),
		pointer("protocol", "the route's own mark instead of the document's", protocol, func(r *Route) **uint8 { return &r.Protocol }),
		pointer("scope", "global, link, host, …; accepts what is there where absent", scope, func(r *Route) **uint8 { return &r.Scope }),
		value("tos", "the type of service that the route is for (IPv4)", dsfield, func(r *Route) *uint8 { return &r.TOS }),
		value("realms", "FROM/TO or TO (IPv4)", realms, func(r *Route) *uint32 { return &r.Realms }),
		value("pref", "low, medium (default) or high (IPv6)", routerPref, func(r *Route) *RouterPref { return &r.Pref }),
		list("nexthops", "the hops of a multipath route", listOf(hopObject.format(true), true), func(r *Route) *[]NextHop { return &r.NextHops }),
		pointer("encap", "a light-weight tunnel", encapObject.format(true), func(r *Route) **Encap { return &r.Encap }),
		// The limits are where the kernel cuts larger values without a word (net/ipv4/metrics.c).
		metric("mtu", "the path MTU", 65520, unix.RTAX_MTU, func(m *Metrics) *uint32 { return &m.MTU }),
		metric("advmss", "the segment size to advertise", 65495, unix.RTAX_ADVMSS, func(m *Metrics) *uint32 { return &m.AdvMSS }),
		metric("window", "the largest window to advertise", 1<<32-1, unix.RTAX_WINDOW, func(m *Metrics) *uint32 { return &m.Window }),
		metric("cwnd", "the clamp of the congestion window", 1<<32-1, unix.RTAX_CWND, func(m *Metrics) *uint32 { return &m.Cwnd }),
		metric("initcwnd", "the initial congestion window", 1<<32-1, unix.RTAX_INITCWND, func(m *Metrics) *uint32 { return &m.InitCwnd }),
		metric("initrwnd", "the initial receive window", 1<<32-1, unix.RTAX_INITRWND, func(m *Metrics) *uint32 { return &m.InitRwnd }),
		metric("hoplimit", "the hop limit of packets of this host", 255, unix.RTAX_HOPLIMIT, func(m *Metrics) *uint32 { return &m.HopLimit }),
		quickAck,
		congestion,
	},
})

var hopObject = define(object[NextHop]{
	what:  "a hop",
	later: []string{"nhid"},
	check: (*decoder).checkHop,
	keys: []key[NextHop]{
		value("via", "the gateway", address, func(h *NextHop) *netip.Addr { return &h.Via }),
		value("dev", "the link to send through", linkName, func(h *NextHop) *string { return &h.Dev }),
		withDefault(value("weight", "1 (default) to 256", number[uint16](1, 256), func(h *NextHop) *uint16 { return &h.Weight }),
			func(h *NextHop) bool { return h.Weight == 1 }),
		value("onlink", "the gateway is on the link whatever the addresses say", boolean, func(h *NextHop) *bool { return &h.OnLink }),
		pointer("encap", "a light-weight tunnel", encapObject.format(true), func(h *NextHop) **Encap { return &h.Encap }),
	},
})

// withDefault changes when a key is left out of what is written.
func withDefault[T any](k key[T], isDefault func(*T) bool) key[T] {
	write := k.write
	k.write = func(w *writer, v *T) {
		if !isDefault(v) {
			write(w, v)
		}
	}
	return k
}

// destination is a prefix or `default`, whose family shows in other keys. While a
// route is read, an invalid prefix stands for it.
var destination = key[Route]{
	name: "to", doc: "a prefix, an address, or default",
	schema: schema{"type": "string"},
	read: func(d *decoder, n ref, r *Route) bool {
		if d.t.shape(n) == isPlain || d.t.shape(n) == isText {
			if d.t.string(n) == "default" {
				return true
			}
		}
		return network.read(d, n, &r.To)
	},
	write: func(w *writer, r *Route) {
		w.key("to")
		if r.To.Bits() == 0 && r.To.Addr().Is4() == r.defaultIs4() {
			w.raw("default")
			return
		}
		w.text(formatPrefix(r.To))
	},
}

// metric is a key of Metrics; the string "lock N" keeps path MTU discovery and the
// like from changing it. Zero is what an unset metric reads as, so it cannot be written.
func metric(name, doc string, highest uint32, attribute uint, at func(*Metrics) *uint32) key[Route] {
	return key[Route]{
		name: name, doc: doc,
		schema: schema{"anyOf": []any{
			schema{"type": "integer", "minimum": 1, "maximum": highest},
			schema{"type": "string", "pattern": "^lock [0-9]+$"},
		}},
		read: func(d *decoder, n ref, r *Route) bool {
			m := r.metrics()
			number, lock := "", false
			switch s := d.t.shape(n); s {
			case isPlain, isText:
				number, lock = strings.CutPrefix(d.t.string(n), "lock ")
				if s == isText && !lock {
					return d.want(n, "a number or \"lock NUMBER\"")
				}
			default:
				return d.want(n, "a number")
			}
			x, ok := d.number(n, number, 1, uint64(highest))
			*at(m) = uint32(x)
			if lock {
				m.Lock |= 1 << attribute
			}
			return ok
		},
		write: func(w *writer, r *Route) {
			switch m := r.Metrics; {
			case m == nil || *at(m) == 0:
			case m.Lock&(1<<attribute) != 0:
				w.key(name)
				w.quoted("lock " + strconv.FormatUint(uint64(*at(m)), 10))
			default:
				w.key(name)
				w.number(uint64(*at(m)))
			}
		},
	}
}

func (r *Route) metrics() *Metrics {
	if r.Metrics == nil {
		r.Metrics = &Metrics{}
	}
	return r.Metrics
}

// quickAck is a flag that iproute2 writes as a number.
var quickAck = key[Route]{
	name: "quickack", doc: "send acknowledgements at once; 1 and 0 mean true and false",
	schema: schema{"enum": []any{true, false, "on", "off", 1, 0}},
	read: func(d *decoder, n ref, r *Route) bool {
		on, ok := false, true
		if d.t.shape(n) == isPlain && (d.t.string(n) == "0" || d.t.string(n) == "1") {
			on = d.t.string(n) == "1"
		} else {
			ok = boolean.read(d, n, &on)
		}
		if on {
			r.metrics().QuickAck = 1
		}
		return ok
	},
	write: func(w *writer, r *Route) {
		if r.Metrics != nil && r.Metrics.QuickAck != 0 {
			w.key("quickack")
			w.bool(true)
		}
	},
}

var congestion = key[Route]{
	name: "congctl", doc: "the congestion control algorithm", schema: schema{"type": "string"},
	read: func(d *decoder, n ref, r *Route) bool {
		return text("an algorithm's name", checkAlgorithm).read(d, n, &r.metrics().CongCtl)
	},
	write: func(w *writer, r *Route) {
		if r.Metrics != nil && r.Metrics.CongCtl != "" {
			w.key("congctl")
			w.text(r.Metrics.CongCtl)
		}
	},
}

// realms is FROM/TO, or TO alone.
var realms = format[uint32]{
	read: func(d *decoder, n ref, v *uint32) bool {
		if s := d.t.shape(n); s != isPlain && s != isText {
			return d.want(n, "FROM/TO")
		}
		from, to, both := strings.Cut(d.t.string(n), "/")
		if !both {
			from, to = "0", from
		}
		f, ok := d.realm(n, from)
		if !ok {
			return false
		}
		t, ok := d.realm(n, to)
		*v = f<<16 | t
		return ok
	},
	write: func(w *writer, v *uint32) {
		s := w.realm(*v & 0xffff)
		if from := *v >> 16; from != 0 {
			s = w.realm(from) + "/" + s
		}
		if isDecimal(s) {
			w.raw(s)
			return
		}
		w.text(s)
	},
	schema: schema{"type": []string{"string", "integer"}},
}

func (d *decoder) realm(n ref, s string) (uint32, bool) {
	if x, ok := d.names.Realms.Number(s); ok {
		return x, true
	}
	x, ok := d.number(n, s, 0, 0xffff)
	return uint32(x), ok
}

func (w *writer) realm(n uint32) string {
	if name, ok := w.names.Realms.Name(n); ok && !strings.Contains(name, "/") {
		return name
	}
	return strconv.FormatUint(uint64(n), 10)
}
