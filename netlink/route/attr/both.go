package attr

import (
	"reflect"

	"github.com/nlapply/nlapply/netlink"
)

// both is a word for two rows that have the same value.
type both struct{ in, out Value }

// Both is a row without an attribute: it stands for two other rows, of the same
// kind of value, that it sets together. It counts as set while they are equal,
// and then they are neither compared nor dumped on their own.
func Both(name string, in, out Field) Field {
	return Field{
		Name: name, When: in.When, Default: in.Default,
		Value: &both{in.Value, out.Value}, covers: []string{in.Name, out.Name},
	}
}

func (b *both) IsSet() bool {
	return b.in.IsSet() && b.out.IsSet() && reflect.DeepEqual(b.in.Get(), b.out.Get())
}

// Clear leaves its rows to themselves.
func (b *both) Clear() {}

// Encode appends nothing: the rows do.
func (b *both) Encode(*netlink.Encoder, uint16) {}

// Decode is never called: the row has no attribute.
func (b *both) Decode(*netlink.Attrs) error { return nil }

func (b *both) Set(v any) error {
	if err := b.in.Set(v); err != nil {
		return err
	}
	return b.out.Set(v)
}

func (b *both) Get() any {
	if !b.IsSet() {
		return nil
	}
	return b.in.Get()
}

func (b *both) EqualTo(have Value) bool {
	h, ok := have.(*both)
	return ok && b.in.EqualTo(h.in) && b.out.EqualTo(h.out)
}

// String returns one value, or both with a slash where they differ.
func (b *both) String() string {
	in, out := b.in.String(), b.out.String()
	if in == out {
		return in
	}
	return in + "/" + out
}

func (b *both) Schema() map[string]any { return b.in.Schema() }
