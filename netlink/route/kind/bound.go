package kind

import "github.com/nlapply/nlapply/netlink/route/attr"

// Bound returns k with its rows made once, for planners that ask for them again
// and again: making the rows of a kind takes microseconds. It holds the same
// values as k, and all functions of this package take it for k, but it is no
// longer a pointer to k's struct.
func Bound(k Kind) Kind { return &bound{k, k.Fields()} }

type bound struct {
	Kind
	rows attr.Fields
}

func (b *bound) Fields() attr.Fields { return b.rows }

// unbound returns what Bound was called with.
func unbound(k Kind) Kind {
	if b, ok := k.(*bound); ok {
		return b.Kind
	}
	return k
}

// as returns k as a T, an optional interface.
func as[T any](k Kind) (T, bool) {
	t, ok := unbound(k).(T)
	return t, ok
}
