package attr

import (
	"errors"
	"fmt"
	"slices"

	"github.com/nlapply/nlapply/netlink"
)

// Fields are the rows of one kind, bound to one struct.
type Fields []Field

// Lookup returns the row of that name.
func (f Fields) Lookup(name string) (*Field, bool) {
	for i := range f {
		if f[i].Name == name {
			return &f[i], true
		}
	}
	return nil, false
}

// Encode appends the rows that are set and for which only is true; a nil only
// means all. It is what makes a link: a change goes through EncodeChange.
func (f Fields) Encode(e *netlink.Encoder, only func(*Field) bool) {
	for i := range f {
		if row := &f[i]; row.Value.IsSet() && f.selected(row, only) {
			row.encode(e)
		}
	}
	f.encodeWords(e, nil, only)
}

// encode appends the row's own attribute; the bits in a shared one come later.
func (f *Field) encode(e *netlink.Encoder) {
	if f.Type != 0 && (f.word == nil || f.word.typ != f.Type) {
		f.Value.Encode(e, f.Type)
	}
}

// selected tells whether row is wanted, itself or by a row that stands for it.
func (f Fields) selected(row *Field, only func(*Field) bool) bool {
	if only == nil || only(row) {
		return true
	}
	return slices.ContainsFunc(f, func(o Field) bool {
		return slices.Contains(o.covers, row.Name) && o.Value.IsSet() && only(&o)
	})
}

// Decode reads the attributes in data into the rows and clears those that are
// not there. Attributes without a row are returned as they are, in the form
// that netlink.Encoder.Raw takes.
func (f Fields) Decode(data []byte) (unknown []byte, err error) {
	for i := range f {
		f[i].Value.Clear()
	}
	a := netlink.ReadAttrs(data)
	for a.Next() {
		known, e := f.decode(&a)
		if e != nil && err == nil {
			err = e
		}
		if !known {
			unknown = append(unknown, a.Raw()...)
			for len(unknown)%4 != 0 { // the last attribute may lack its padding
				unknown = append(unknown, 0)
			}
		}
	}
	if a.Err() != nil {
		err = a.Err()
	}
	for i := range f {
		if f[i].absent != nil && !f[i].Value.IsSet() {
			err = errors.Join(err, f[i].Value.Set(f[i].absent))
		}
	}
	return unknown, err
}

// decode reads the attribute at which a stands into all rows that it carries.
func (f Fields) decode(a *netlink.Attrs) (known bool, err error) {
	for i := range f {
		if !f[i].isOf(a.Type()) {
			continue
		}
		known = true
		if e := f[i].Value.Decode(a); e != nil && err == nil {
			err = fmt.Errorf("%s: %w", f[i].Name, e)
		}
	}
	return known, err
}

// Refs returns the references to other links that are set. Their Index is to be
// filled in before Encode, their Name after Decode. Those of Late rows need not
// exist before the link.
func (f Fields) Refs() []*Ref {
	var refs []*Ref
	for i := range f {
		if l, ok := f[i].Value.(*linkRef); ok && l.IsSet() {
			refs = append(refs, *l.p)
		}
	}
	return refs
}

// Minimal returns what a document has to say to get the rows as they are: those
// that are set and differ from their default, key by key.
func (f Fields) Minimal() map[string]any {
	m := make(map[string]any)
	var covered []string
	for i := range f {
		row := &f[i]
		if !row.Value.IsSet() || slices.Contains(covered, row.Name) {
			continue
		}
		covered = append(covered, row.covers...)
		if !row.IsDefault() && !row.Volatile {
			m[row.Name] = row.Value.Get()
		}
	}
	return m
}
