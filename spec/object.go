package spec

import "slices"

// object is the keys of the objects of type T, in the order in which they are
// written. Loading, writing and the schema all come from it.
type object[T any] struct {
	what  string // "a route", for messages
	keys  []key[T]
	later []string // keys that iproute2 or later versions have and this one refuses as such

	// other reads a key that is not among keys, and tells whether it knows it. nil: none.
	other func(d *decoder, name string, n ref, v *T) bool
	// others names the keys that other knows, for suggestions.
	others func(d *decoder) []string
	// check looks for mistakes that take more than one key to see. nil: none.
	check func(d *decoder, n ref, v *T)

	index map[string]int // into keys; a key without read is only written
}

// define completes an object.
func define[T any](o object[T]) *object[T] {
	o.index = make(map[string]int, len(o.keys))
	for i, k := range o.keys {
		if k.read != nil {
			o.index[k.name] = i
		}
	}
	if len(o.keys) > 64 {
		panic("spec: " + o.what + " has more keys than read has bits")
	}
	return &o
}

// read reads a map into v and tells whether all of it is right.
func (o *object[T]) read(d *decoder, n ref, v *T) bool {
	if d.t.shape(n) != isMap {
		return d.want(n, o.what+" as a map")
	}
	errs := len(d.errs)
	var seen uint64
	var names map[string]ref // of keys beyond o.keys
	for k, end := n+1, d.t.next(n); k < end; k = d.t.next(k + 1) {
		name := d.t.string(k)
		d.push(name)
		i, known := o.index[name]
		switch {
		case known && seen&(1<<i) != 0:
			first, _, _ := d.t.value(n, name)
			d.fail(k, "the key is written twice, first at %s", d.place(first-1))
		case known:
			seen |= 1 << i
			o.keys[i].read(d, k+1, v)
		case names[name] != 0:
			d.fail(k, "the key is written twice, first at %s", d.place(names[name]))
		default:
			if names == nil {
				names = map[string]ref{}
			}
			names[name] = k
			if o.other == nil || !o.other(d, name, k+1, v) {
				o.unknown(d, k, name)
			}
		}
		d.pop()
	}
	for i, k := range o.keys {
		if k.required && seen&(1<<i) == 0 {
			d.failPath(n, d.pathTo(k.name), "is required")
		}
	}
	if o.check != nil {
		o.check(d, n, v)
	}
	return len(d.errs) == errs
}

func (o *object[T]) unknown(d *decoder, k ref, name string) {
	if slices.Contains(o.later, name) {
		d.fail(k, "not supported by this version")
		return
	}
	var names []string
	for name := range o.index {
		names = append(names, name)
	}
	slices.Sort(names)
	if o.others != nil {
		names = append(names, o.others(d)...)
	}
	d.fail(k, "unknown key%s", didYouMean(name, names))
}

// write writes what is not the default, within a map that the caller opens.
func (o *object[T]) write(w *writer, v *T) {
	for i := range o.keys {
		o.keys[i].write(w, v)
	}
}

// format returns the object as the value of a key, or as an entry of a list.
func (o *object[T]) format(flow bool) format[T] {
	return format[T]{
		read: o.read,
		write: func(w *writer, v *T) {
			w.openMap(flow)
			o.write(w, v)
			w.close()
		},
		schema: o.schema(),
	}
}

func (o *object[T]) schema() schema {
	properties := schema{}
	var required []string
	for _, k := range o.keys {
		if k.read == nil {
			continue
		}
		s := schema{"description": k.doc}
		for name, v := range k.schema {
			s[name] = v
		}
		properties[k.name] = s
		if k.required {
			required = append(required, k.name)
		}
	}
	s := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if required != nil {
		s["required"] = required
	}
	return s
}
