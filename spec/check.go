package spec

import (
	"net/netip"
	"slices"
	"strings"
)

// checkDocument looks for mistakes between objects. Each object is right by itself,
// or has been reported.
func (d *decoder) checkDocument(doc *Document) {
	d.checkHeader(doc)
	d.checkNamespace("", &doc.Namespace, doc)
	for _, name := range sortedKeys(doc.Namespaces) {
		d.checkNamespace(name, doc.Namespaces[name], doc)
	}
	d.checkPeers(doc)
	d.checkAuditFiles(doc)
}

// at makes a node of any file the one being read, under the path of a part of a
// namespace.
func (d *decoder) at(o origin, namespace string, parts ...any) ref {
	d.src, d.t = o.src, o.src.tree
	d.path = steps(d.path[:0], namespace, parts...)
	return o.n
}

// checkHeader completes the header.
func (d *decoder) checkHeader(doc *Document) {
	header := d.layout.header
	if _, ok := header["version"]; !ok && !d.reported("version") && !d.reported("") {
		d.errs = append(d.errs, placed{d.layout.sources[0], 0, "version", "is required, write version: 1"})
	}
	owner, owned := header["owner"]
	switch _, marked := header["protocol"]; {
	case !owned && !d.reported("owner"):
		doc.Owner = DefaultOwner
		fallthrough
	case doc.Owner == DefaultOwner:
		if !marked {
			doc.Protocol = DefaultProtocol
		}
	case owned && !marked && !d.reported("protocol"):
		d.fail(d.at(owner, "", "owner"), "an owner other than %s needs a protocol of its own, 5..255", DefaultOwner)
	}
}

// reported tells whether a mistake of a path is known.
func (d *decoder) reported(path string) bool {
	return slices.ContainsFunc(d.errs, func(e placed) bool { return e.path == path })
}

func (d *decoder) checkNamespace(name string, ns *Namespace, doc *Document) {
	f := d.layout.namespace(name)
	if name != "" {
		ns.Prune = doc.Prune
		ns.Ignore.inherit(doc.Ignore)
	}
	for _, apply := range f.modes {
		apply(&ns.Prune)
	}
	d.checkNames(name, f, ns)
	for _, link := range sortedKeys(ns.Links) {
		d.checkPort(name, link, f, ns)
	}
	twice(d, name, "routes", &f.routes, "the same route (table, destination, tos and metric)", func(i int) (routeKey, bool) {
		return ns.Routes[i].key()
	})
	twice(d, name, "rules", &f.rules, "the same rule", func(i int) (ruleKey, bool) { return ns.Rules[i].key() })
	twice(d, name, "neighbors", &f.neighbors, "the same neighbor", func(i int) (neighborKey, bool) {
		b := &ns.Neighbors[i]
		return neighborKey{b.To, b.Dev, b.Proxy}, b.To.IsValid() && b.Dev != ""
	})
}

// twice reports entries of a list that have the same key. An entry whose key
// cannot be told has been reported already.
func twice[K comparable](d *decoder, namespace, list string, found *items, what string, key func(i int) (K, bool)) {
	if len(found.at) < 2 {
		return
	}
	have := make(map[K]int, len(found.at))
	for i, at := range found.at {
		k, ok := key(i)
		if !ok {
			continue
		}
		first, again := have[k]
		if !again {
			have[k] = i
			continue
		}
		p, _ := found.of(i)
		other, _ := found.of(first)
		n := d.at(origin{p.src, at}, namespace, list, i-p.first)
		d.fail(n, "%s as at %s", what, origin{other.src, found.at[first]}.place())
	}
}

// routeKey is what tells routes apart in the kernel (facts: fib_table_insert and
// fib6_add_rt2node).
type routeKey struct {
	to     netip.Prefix
	table  uint32
	metric uint32
	tos    uint8
}

func (r *Route) key() (routeKey, bool) {
	return routeKey{r.To, r.Table, r.Metric, r.TOS}, r.To.IsValid() && r.Table != 0
}

// ruleKey is what tells rules apart, with the values behind Rule's pointers. The
// kernel does not compare `not` (net/core/fib_rules.c, rule_exists), so that an
// equal rule with and without it cannot stand side by side.
type ruleKey struct {
	rule              Rule
	uids              Range
	suppress, ifgroup int64
	protocol          int
}

func (r *Rule) key() (ruleKey, bool) {
	k := ruleKey{rule: *r, suppress: -1, ifgroup: -1, protocol: -1}
	k.rule.Not, k.rule.UIDRange, k.rule.SuppressPrefixLength, k.rule.SuppressIfGroup, k.rule.Protocol = false, nil, nil, nil, nil
	if r.UIDRange != nil {
		k.uids = Range{r.UIDRange.From, r.UIDRange.To + 1}
	}
	if r.SuppressPrefixLength != nil {
		k.suppress = int64(*r.SuppressPrefixLength)
	}
	if r.SuppressIfGroup != nil {
		k.ifgroup = int64(*r.SuppressIfGroup)
	}
	if r.Protocol != nil {
		k.protocol = int(*r.Protocol)
	}
	return k, r.Priority != 0
}

type neighborKey struct {
	to    netip.Addr
	dev   string
	proxy bool
}

// checkNames looks for names that links share: alternative names and the names are
// of one space in the kernel.
func (d *decoder) checkNames(namespace string, f *found, ns *Namespace) {
	taken := make(map[string]origin, len(f.links))
	for name, o := range f.links {
		taken[name] = o
	}
	for _, name := range sortedKeys(ns.Links) {
		l := ns.Links[name]
		if l.AltNames == nil {
			continue
		}
		n := d.at(f.links[name], namespace, "links", name) + 1
		own := map[string]bool{name: true}
		d.entries(n, "altnames", func(i int, at ref) {
			alt := (*l.AltNames)[i]
			if alt != "" && !own[alt] {
				d.first(taken, alt, at, "the name is taken")
			}
			own[alt] = true
		})
	}
}

// checkPort looks at a port's options, which are those of its master's kind.
func (d *decoder) checkPort(namespace, name string, f *found, ns *Namespace) {
	l := ns.Links[name]
	if l.Master == nil {
		return
	}
	n := d.at(f.links[name], namespace, "links", name) + 1
	master := ns.Links[*l.Master]
	for _, section := range sortedKeys(l.Options) {
		kind, port := strings.CutSuffix(section, portSuffix)
		switch {
		case !port:
		case *l.Master == None:
			d.failKey(n, section, "the link has no master")
		case master != nil && master.Kind != "" && master.Kind != kind:
			d.failKey(n, section, "the master %s is of kind %s", *l.Master, master.Kind)
		}
	}
}
