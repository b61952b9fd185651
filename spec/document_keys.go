package spec

import (
	"errors"
	"maps"
	"regexp"
	"slices"
)

// CurrentVersion is the version of the document that this package reads.
const CurrentVersion = 1

var documentObject = define(object[Document]{
	what:  "the document",
	later: []string{"nexthops"},
	keys:  append(slices.Concat(headerKeys, lift(namespaceKeys)), namespacesKey, auditKey),
})

var headerKeys = []key[Document]{
	header("version", "the document's version: 1", version, func(d *Document) *int { return &d.Version }),
	header("owner", "whose objects these are: letters, digits and -", text("an owner", CheckOwner), func(d *Document) *string { return &d.Owner }),
	header("protocol", "the number 5..255 or the name that marks the owner's objects in the kernel",
		named("protocol", uint8(5), 255, func(n *Names) *NameTable { return &n.Protocols }), func(d *Document) *uint8 { return &d.Protocol }),
}

var version = format[int]{
	read: func(d *decoder, n ref, v *int) bool {
		var x uint32
		if !anyNumber.read(d, n, &x) {
			return false
		}
		if x != CurrentVersion {
			return d.fail(n, "version %d is not supported, want %d", x, CurrentVersion)
		}
		*v = CurrentVersion
		return true
	},
	write:  func(w *writer, v *int) { w.number(uint64(*v)) },
	schema: schema{"const": CurrentVersion},
}

var ownerWord = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,31}$`)

// CheckOwner tells why a text cannot be an owner.
func CheckOwner(s string) error {
	if !ownerWord.MatchString(s) {
		return errors.New(quote(s) + " is no owner: want letters, digits and '-', at most 32")
	}
	return nil
}

// header is a key that says the same in every file that has it.
func header[V comparable](name, doc string, f format[V], at func(*Document) *V) key[Document] {
	k := value(name, doc, f, at)
	k.read = func(d *decoder, n ref, doc *Document) bool {
		var v V
		if !f.read(d, n, &v) {
			return false
		}
		o, again := d.layout.header[name]
		if again && *at(doc) != v {
			return d.fail(n, "%s contradicts %s: %s at %s", d.describe(n), name, o.src.tree.string(o.n), o.place())
		}
		if !again {
			d.layout.header[name] = origin{d.src, n}
			*at(doc) = v
		}
		return true
	}
	return k
}

// lift makes keys of a namespace keys of the document, whose own namespace has them.
func lift(keys []key[Namespace]) []key[Document] {
	lifted := make([]key[Document], len(keys))
	for i, k := range keys {
		lifted[i] = key[Document]{
			name: k.name, doc: k.doc, schema: k.schema,
			read:  func(d *decoder, n ref, doc *Document) bool { return k.read(d, n, &doc.Namespace) },
			write: func(w *writer, doc *Document) { k.write(w, &doc.Namespace) },
		}
	}
	return lifted
}

var namespacesKey = key[Document]{
	name: "namespaces", doc: "named network namespaces, made if absent",
	schema: orNull(schema{"additionalProperties": schema{"$ref": "#/$defs/namespace"}}),
	read:   func(d *decoder, n ref, doc *Document) bool { return d.namespaces(n, doc) },
	write: func(w *writer, doc *Document) {
		if len(doc.Namespaces) == 0 {
			return
		}
		w.key("namespaces")
		w.openMap(false)
		w.parent = &doc.Namespace
		for _, name := range slices.Sorted(maps.Keys(doc.Namespaces)) {
			w.key(name)
			namespaceFormat.write(w, doc.Namespaces[name])
		}
		w.parent = nil
		w.close()
	},
}

var namespaceFormat = namespaceObject.format(false)

// namespaces reads the named namespaces, to each of which every file may add.
func (d *decoder) namespaces(n ref, doc *Document) bool {
	if d.t.shape(n) == isNull {
		return true
	}
	if d.t.shape(n) != isMap {
		return d.want(n, "a map of namespaces")
	}
	if doc.Namespaces == nil && d.t.next(n) > n+1 {
		doc.Namespaces = map[string]*Namespace{}
	}
	own, ok := d.found, true
	seen := map[string]origin{}
	for k, end := n+1, d.t.next(n); k < end; k = d.t.next(k + 1) {
		name := d.t.string(k)
		d.push(name)
		if err := checkNamespaceName(name); err != nil {
			ok = d.fail(k, "%v", err)
		} else if d.first(seen, name, k, "the namespace is written twice") {
			ns := doc.Namespaces[name]
			if ns == nil {
				ns = &Namespace{}
				doc.Namespaces[name] = ns
			}
			d.found = d.layout.namespace(name)
			if d.t.shape(k+1) != isNull {
				ok = namespaceObject.read(d, k+1, ns) && ok
			}
		} else {
			ok = false
		}
		d.pop()
	}
	d.found = own
	return ok
}
