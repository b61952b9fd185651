package spec

import (
	"errors"
	"math"
	"net/netip"
	"path"
	"slices"
)

var ignoreObject = define(object[Ignore]{
	what: "ignore",
	keys: []key[Ignore]{
		list("namespaces", "shell patterns of names", listOf(pattern, true), func(i *Ignore) *[]string { return &i.Namespaces }),
		list("links", "shell patterns of names", listOf(pattern, true), func(i *Ignore) *[]string { return &i.Links }),
		list("addresses", "prefixes in which they lie, or maps", listOf(addressMatch, true), func(i *Ignore) *[]AddressMatch { return &i.Addresses }),
		list("routes", "what the routes have", listOf(routeMatchObject.format(true), true), func(i *Ignore) *[]RouteMatch { return &i.Routes }),
		list("rules", "what the rules have", listOf(ruleMatchObject.format(true), true), func(i *Ignore) *[]RuleMatch { return &i.Rules }),
	},
})

var pattern = text("a shell pattern", func(s string) error {
	if _, err := path.Match(s, ""); s == "" || err != nil {
		return errors.New(quote(s) + " is no shell pattern")
	}
	return nil
})

var addressMatchObject = define(object[AddressMatch]{
	what:  "an entry of ignore",
	check: func(d *decoder, n ref, _ *AddressMatch) { d.notEmpty(n) },
	keys: []key[AddressMatch]{
		value("address", "the prefix in which it lies", network, func(m *AddressMatch) *netip.Prefix { return &m.Within }),
		value("dev", "a shell pattern of links", pattern, func(m *AddressMatch) *string { return &m.Dev }),
		pointer("protocol", "its mark", protocol, func(m *AddressMatch) **uint8 { return &m.Protocol }),
	},
})

var addressMatch = format[AddressMatch]{
	read: func(d *decoder, n ref, m *AddressMatch) bool {
		if s := d.t.shape(n); s == isPlain || s == isText {
			return network.read(d, n, &m.Within)
		}
		return addressMatchObject.read(d, n, m)
	},
	write: func(w *writer, m *AddressMatch) {
		if *m == (AddressMatch{Within: m.Within}) {
			network.write(w, &m.Within)
			return
		}
		w.openMap(true)
		addressMatchObject.write(w, m)
		w.close()
	},
	schema: schema{"anyOf": []any{schema{"type": "string"}, addressMatchObject.schema()}},
}

var routeMatchObject = define(object[RouteMatch]{
	what:  "an entry of ignore",
	check: func(d *decoder, n ref, _ *RouteMatch) { d.notEmpty(n) },
	keys: []key[RouteMatch]{
		value("to", "the prefix in which the destination lies", network, func(m *RouteMatch) *netip.Prefix { return &m.Within }),
		value("dev", "a shell pattern of links", pattern, func(m *RouteMatch) *string { return &m.Dev }),
		pointer("table", "the table's number or name", table, func(m *RouteMatch) **uint32 { return &m.Table }),
		pointer("protocol", "its mark", protocol, func(m *RouteMatch) **uint8 { return &m.Protocol }),
		pointer("type", "unicast, blackhole, …", routeType, func(m *RouteMatch) **uint8 { return &m.Type }),
		pointer("metric", "the metric", anyNumber, func(m *RouteMatch) **uint32 { return &m.Metric }),
	},
})

var ruleMatchObject = define(object[RuleMatch]{
	what:  "an entry of ignore",
	check: func(d *decoder, n ref, _ *RuleMatch) { d.notEmpty(n) },
	keys: []key[RuleMatch]{
		pointer("priority", "a priority or a range A-B", priorities, func(m *RuleMatch) **Range { return &m.Priority }),
		pointer("table", "the table's number or name", table, func(m *RuleMatch) **uint32 { return &m.Table }),
		pointer("protocol", "its mark", protocol, func(m *RuleMatch) **uint8 { return &m.Protocol }),
	},
})

var priorities = format[Range]{
	read:   uids.read,
	write:  uids.write,
	schema: spanSchema(0, math.MaxUint32),
}

// notEmpty reports an entry that would match everything.
func (d *decoder) notEmpty(n ref) {
	if d.t.next(n) == n+1 {
		d.fail(n, "an empty entry would ignore everything")
	}
}

// ignoreKey adds to what other files say. It is about namespaces only in the
// document's own part.
var ignoreKey = key[Namespace]{
	name: "ignore", doc: "what prune: all leaves alone; in a namespace, besides what the document says", schema: orNull(ignoreObject.schema()),
	read: func(d *decoder, n ref, ns *Namespace) bool {
		if d.t.shape(n) == isNull {
			return true
		}
		var more Ignore
		if !ignoreObject.read(d, n, &more) {
			return false
		}
		if len(d.path) > 1 && d.has(n, "namespaces") {
			return d.failKey(n, "namespaces", "can be said only for the whole document")
		}
		ns.Ignore.add(more)
		return true
	},
	write: func(w *writer, ns *Namespace) {
		own := ns.Ignore
		if w.parent != nil {
			own = own.without(w.parent.Ignore)
		}
		if own.empty() {
			return
		}
		w.key("ignore")
		ignoreObject.format(false).write(w, &own)
	},
}

func (i *Ignore) add(more Ignore) {
	i.Namespaces = append(i.Namespaces, more.Namespaces...)
	i.Links = append(i.Links, more.Links...)
	i.Addresses = append(i.Addresses, more.Addresses...)
	i.Routes = append(i.Routes, more.Routes...)
	i.Rules = append(i.Rules, more.Rules...)
}

// inherit puts the document's part before a namespace's own.
func (i *Ignore) inherit(doc Ignore) {
	all := Ignore{
		Links:     slices.Clone(doc.Links),
		Addresses: slices.Clone(doc.Addresses),
		Routes:    slices.Clone(doc.Routes),
		Rules:     slices.Clone(doc.Rules),
	}
	all.add(*i)
	*i = all
}

// without takes the document's part away again.
func (i Ignore) without(doc Ignore) Ignore {
	return Ignore{
		Links:     i.Links[min(len(doc.Links), len(i.Links)):],
		Addresses: i.Addresses[min(len(doc.Addresses), len(i.Addresses)):],
		Routes:    i.Routes[min(len(doc.Routes), len(i.Routes)):],
		Rules:     i.Rules[min(len(doc.Rules), len(i.Rules)):],
	}
}

func (i *Ignore) empty() bool {
	return len(i.Namespaces)+len(i.Links)+len(i.Addresses)+len(i.Routes)+len(i.Rules) == 0
}
