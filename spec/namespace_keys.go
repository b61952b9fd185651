package spec

import (
	"maps"
	"slices"
)

var namespaceObject = define(object[Namespace]{
	what:  "a namespace",
	later: []string{"nexthops"},
	keys:  namespaceKeys,
	other: func(d *decoder, name string, n ref, _ *Namespace) bool {
		if name == "audit" {
			d.fail(n-1, "a machine has one audit system: it is declared at the top of the document")
		}
		return name == "audit"
	},
})

var namespaceKeys = []key[Namespace]{
	pruneKey,
	ignoreKey,
	{
		name: "links", doc: "network devices by name", schema: orNull(schema{"additionalProperties": schema{"$ref": "#/$defs/link"}}),
		read: func(d *decoder, n ref, ns *Namespace) bool { return d.links(n, ns) },
		write: func(w *writer, ns *Namespace) {
			if len(ns.Links) == 0 {
				return
			}
			w.key("links")
			w.openMap(false)
			for _, name := range slices.Sorted(maps.Keys(ns.Links)) {
				w.key(name)
				linkFormat.write(w, ns.Links[name])
			}
			w.close()
		},
	},
	collected("routes", "routes", routeObject, func(ns *Namespace) *[]Route { return &ns.Routes }, func(f *found) *items { return &f.routes }),
	collected("rules", "policy routing rules; the order is that of rules of one priority", ruleObject,
		func(ns *Namespace) *[]Rule { return &ns.Rules }, func(f *found) *items { return &f.rules }),
	collected("neighbors", "permanent neighbors and proxy entries", neighborObject,
		func(ns *Namespace) *[]Neighbor { return &ns.Neighbors }, func(f *found) *items { return &f.neighbors }),
	{
		name: "sysctl", doc: "net.* by name", schema: orNull(schema{"additionalProperties": sysctlValue.schema}),
		read: func(d *decoder, n ref, ns *Namespace) bool {
			return d.readSysctls(n, &ns.Sysctl, checkSysctl, func(name string, at ref) bool {
				return d.first(d.found.sysctls, name, at, "the sysctl is set twice")
			})
		},
		write: func(w *writer, ns *Namespace) { writeSysctls(w, ns.Sysctl) },
	},
}

var linkFormat = linkObject.format(false)

// links reads the links of a namespace, of which other files may hold more.
func (d *decoder) links(n ref, ns *Namespace) bool {
	if d.t.shape(n) == isNull {
		return true
	}
	if d.t.shape(n) != isMap {
		return d.want(n, "a map of links")
	}
	if ns.Links == nil && d.t.next(n) > n+1 {
		ns.Links = map[string]*Link{}
	}
	ok := true
	for k, end := n+1, d.t.next(n); k < end; k = d.t.next(k + 1) {
		name := d.t.string(k)
		d.push(name)
		d.link = name
		if err := checkLinkName(name); err != nil {
			ok = d.fail(k, "%v", err)
		} else if d.first(d.found.links, name, k, "the link is declared twice") {
			l := &Link{Up: true}
			ns.Links[name] = l
			if d.t.shape(k+1) != isNull {
				ok = linkObject.read(d, k+1, l) && ok
			}
		} else {
			ok = false
		}
		d.pop()
	}
	return ok
}

// collected is a list of objects to which every file may add.
func collected[V any](name, doc string, o *object[V], at func(*Namespace) *[]V, where func(*found) *items) key[Namespace] {
	f := o.format(true)
	return key[Namespace]{
		name: name, doc: doc, schema: schema{"type": []string{"array", "null"}, "items": f.schema},
		read: func(d *decoder, n ref, ns *Namespace) bool {
			switch d.t.shape(n) {
			case isNull:
				return true
			case isList:
			default:
				return d.want(n, "a list")
			}
			all, found := at(ns), where(d.found)
			first, more := len(*all), d.t.count(n)
			found.parts = append(found.parts, part{d.src, d.root, first})
			found.at = slices.Grow(found.at, more)
			*all = slices.Grow(*all, more)[:first+more]
			ok := true
			for i, e := 0, n+1; i < more; i, e = i+1, d.t.next(e) {
				d.pushIndex(i)
				ok = o.read(d, e, &(*all)[first+i]) && ok
				d.pop()
				found.at = append(found.at, e)
			}
			return ok
		},
		write: func(w *writer, ns *Namespace) {
			all := *at(ns)
			if len(all) == 0 {
				return
			}
			w.key(name)
			w.openList(false)
			for i := range all {
				w.item()
				f.write(w, &all[i])
			}
			w.close()
		},
	}
}
