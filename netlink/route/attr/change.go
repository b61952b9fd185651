package attr

import (
	"slices"

	"github.com/nlapply/nlapply/netlink"
)

// A Change is a row whose wanted value differs from the present one.
type Change struct {
	Name       string
	Have, Want string // in iproute2's words
	When       When
	NoPorts    bool // possible only while the link has no ports
}

// Diff compares the rows that are set in want with those of have, which is of
// the same kind, and returns the changes in the order of the rows.
func Diff(want, have Fields) []Change {
	var changes []Change
	var covered []string
	for i := range want {
		w := &want[i]
		if !w.Value.IsSet() || slices.Contains(covered, w.Name) {
			continue
		}
		covered = append(covered, w.covers...)
		h, ok := have.twin(i, w.Name)
		if !ok || w.Value.EqualTo(h.Value) {
			continue
		}
		changes = append(changes, Change{
			Name: w.Name, Have: h.Value.String(), Want: w.Value.String(),
			When: w.When, NoPorts: w.NoPorts,
		})
	}
	return changes
}

// twin returns the row of that name, which is normally the i-th.
func (f Fields) twin(i int, name string) (*Field, bool) {
	if i < len(f) && f[i].Name == name {
		return &f[i], true
	}
	return f.Lookup(name)
}

// EncodeChange appends what turns the rows of have named in changes into those
// of want, and what the kernel wants to see along with them.
func EncodeChange(e *netlink.Encoder, want, have Fields, changes []Change) {
	only := func(f *Field) bool {
		return slices.ContainsFunc(changes, func(c Change) bool { return c.Name == f.Name })
	}
	sent := make([]bool, len(want))
	for i := range want {
		w := &want[i]
		if h, ok := have.twin(i, w.Name); ok && w.Value.IsSet() && want.selected(w, only) {
			w.encodeFrom(e, h)
			sent[i] = true
		}
	}
	want.encodeWords(e, have, only)
	want.encodeResends(e, only, sent)
}

// encodeFrom appends the change from have to f.
func (f *Field) encodeFrom(e *netlink.Encoder, have *Field) {
	if c, ok := f.Value.(changer); ok {
		c.encodeChange(e, f.Type, have.Value)
		return
	}
	f.encode(e)
}

// encodeResends appends the rows that the kernel would recompute, as wanted.
func (f Fields) encodeResends(e *netlink.Encoder, only func(*Field) bool, sent []bool) {
	for i := range f {
		if !f[i].Value.IsSet() || !only(&f[i]) {
			continue
		}
		for j := range f {
			if !sent[j] && f[j].Value.IsSet() && slices.Contains(f[i].resends, f[j].Name) {
				sent[j] = true
				f[j].encode(e)
			}
		}
	}
}

// Inherit copies from have the rows that f does not set, for kinds that reset
// whatever a change leaves out.
func (f Fields) Inherit(have Fields) {
	for i := range f {
		h, ok := have.twin(i, f[i].Name)
		if !ok || f[i].Value.IsSet() || !h.Value.IsSet() || f[i].covers != nil {
			continue
		}
		f[i].Value.(interface{ copyFrom(Value) }).copyFrom(h.Value)
	}
}
