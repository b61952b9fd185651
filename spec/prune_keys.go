package spec

import (
	"maps"
	"slices"
)

var pruneMode = enum(pruneWords, []PruneMode{PruneOwned, PruneAll, PruneNone})

// pruneKey is a mode, or modes of classes. What it says is kept as functions until
// it is known what the namespace inherits.
var pruneKey = key[Namespace]{
	name: "prune", doc: "what is deleted although no file asks for it: owned (default), all or none; or a map from classes to modes",
	schema: schema{"anyOf": []any{pruneMode.schema, schema{
		"type": "object", "propertyNames": schema{"enum": PruneClasses}, "additionalProperties": pruneMode.schema,
	}}},
	read: func(d *decoder, n ref, _ *Namespace) bool {
		if o := d.found.prune; o.src != nil {
			return d.fail(n, "prune is set twice, first at %s", o.place())
		}
		d.found.prune = origin{d.src, n}
		if d.t.shape(n) == isMap {
			return d.pruneClasses(n)
		}
		if s := d.t.shape(n); s != isPlain && s != isText {
			return d.want(n, oneOf(pruneWords)+", or a map of classes")
		}
		var mode PruneMode
		ok := pruneMode.read(d, n, &mode)
		d.found.modes = append(d.found.modes, func(p *Prune) { *p = Prune{Default: mode} })
		return ok
	},
	write: writePrune,
}

func (d *decoder) pruneClasses(n ref) bool {
	ok, seen := true, map[string]origin{}
	for k, end := n+1, d.t.next(n); k < end; k = d.t.next(k + 1) {
		class := d.t.string(k)
		d.push(class)
		var mode PruneMode
		switch {
		case !slices.Contains(PruneClasses, class):
			ok = d.fail(k, "unknown class%s", didYouMean(class, PruneClasses))
		case !d.first(seen, class, k, "the class is written twice") || !pruneMode.read(d, k+1, &mode):
			ok = false
		default:
			d.found.modes = append(d.found.modes, func(p *Prune) { p.set(class, mode) })
		}
		d.pop()
	}
	return ok
}

// set changes the mode of a class and keeps Classes to what differs from Default.
func (p *Prune) set(class string, mode PruneMode) {
	classes := maps.Clone(p.Classes)
	delete(classes, class)
	if mode != p.Default {
		if classes == nil {
			classes = map[string]PruneMode{}
		}
		classes[class] = mode
	}
	if len(classes) == 0 {
		classes = nil
	}
	p.Classes = classes
}

// writePrune writes what differs from what is inherited.
func writePrune(w *writer, ns *Namespace) {
	var inherited Prune
	if w.parent != nil {
		inherited = w.parent.Prune
	}
	if len(ns.Prune.Classes) == 0 && ns.Prune.Default != inherited.Default {
		w.key("prune")
		pruneMode.write(w, &ns.Prune.Default)
		return
	}
	var differ []string
	for _, class := range PruneClasses {
		if ns.Prune.For(class) != inherited.For(class) {
			differ = append(differ, class)
		}
	}
	if differ == nil {
		return
	}
	w.key("prune")
	w.openMap(true)
	for _, class := range differ {
		w.key(class)
		mode := ns.Prune.For(class)
		pruneMode.write(w, &mode)
	}
	w.close()
}
