package spec

// schema is a JSON Schema.
type schema = map[string]any

// format is how values of a type are read from a file, written back and described.
type format[V any] struct {
	read   func(d *decoder, n ref, v *V) bool // false: a mistake has been reported
	write  func(w *writer, v *V)
	schema schema
}

// key is one key of the objects of type T.
type key[T any] struct {
	name, doc string
	read      func(d *decoder, n ref, v *T) bool
	write     func(w *writer, v *T) // writes nothing for the default
	schema    schema
	required  bool
}

// must marks a key without which an object means nothing.
func must[T any](k key[T]) key[T] {
	k.required = true
	return k
}

// value is a key whose absence is the zero value.
func value[T any, V comparable](name, doc string, f format[V], at func(*T) *V) key[T] {
	return key[T]{
		name: name, doc: doc, schema: f.schema,
		read: func(d *decoder, n ref, v *T) bool { return f.read(d, n, at(v)) },
		write: func(w *writer, v *T) {
			var zero V
			if p := at(v); *p != zero {
				w.key(name)
				f.write(w, p)
			}
		},
	}
}

// pointer is a key whose absence is nil.
func pointer[T, V any](name, doc string, f format[V], at func(*T) **V) key[T] {
	return key[T]{
		name: name, doc: doc, schema: f.schema,
		read: func(d *decoder, n ref, v *T) bool {
			x := new(V)
			*at(v) = x
			return f.read(d, n, x)
		},
		write: func(w *writer, v *T) {
			if p := *at(v); p != nil {
				w.key(name)
				f.write(w, p)
			}
		},
	}
}

// list is a key whose absence is the empty list.
func list[T, V any](name, doc string, f format[[]V], at func(*T) *[]V) key[T] {
	return key[T]{
		name: name, doc: doc, schema: f.schema,
		read: func(d *decoder, n ref, v *T) bool {
			p := at(v)
			ok := f.read(d, n, p)
			if len(*p) == 0 {
				*p = nil
			}
			return ok
		},
		write: func(w *writer, v *T) {
			if p := at(v); len(*p) > 0 {
				w.key(name)
				f.write(w, p)
			}
		},
	}
}

// listOf is the format of a list of values; each stands on a line of its own
// unless flow is set.
func listOf[V any](f format[V], flow bool) format[[]V] {
	return format[[]V]{
		read: func(d *decoder, n ref, v *[]V) bool {
			if d.t.shape(n) != isList {
				return d.want(n, "a list")
			}
			ok := true
			values := make([]V, d.t.count(n))
			for i, e := 0, n+1; i < len(values); i, e = i+1, d.t.next(e) {
				d.pushIndex(i)
				ok = f.read(d, e, &values[i]) && ok
				d.pop()
			}
			*v = values
			return ok
		},
		write: func(w *writer, v *[]V) {
			w.openList(flow)
			for i := range *v {
				w.item()
				f.write(w, &(*v)[i])
			}
			w.close()
		},
		schema: schema{"type": "array", "items": f.schema},
	}
}
