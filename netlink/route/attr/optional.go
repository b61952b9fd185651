package attr

import (
	"fmt"

	"github.com/nlapply/nlapply/netlink"
	"golang.org/x/sys/unix"
)

// optional is the pointer field to which a value is bound, and what all values
// do with it in the same way.
type optional[T any] struct{ p **T }

func (o optional[T]) IsSet() bool { return *o.p != nil }
func (o optional[T]) Clear()      { *o.p = nil }

// get returns the field, or the zero T when it is not set.
func (o optional[T]) get() (v T) {
	if *o.p != nil {
		v = **o.p
	}
	return v
}

func (o optional[T]) set(v T)    { *o.p = &v }
func (o optional[T]) field() **T { return o.p }

// of returns the same field of another struct, to which v is bound.
func (o optional[T]) of(v Value) optional[T] {
	if other, ok := v.(interface{ field() **T }); ok {
		return optional[T]{other.field()}
	}
	return optional[T]{new(*T)}
}

// copyFrom makes the field what it is in another struct, to which v is bound.
func (o optional[T]) copyFrom(v Value) {
	if h := o.of(v); h.IsSet() {
		o.set(h.get())
	}
}

// atLeast checks the length of the attribute at which a stands.
func atLeast(a *netlink.Attrs, n int) error {
	if len(a.Bytes()) < n {
		return fmt.Errorf("%d bytes instead of %d: %w", len(a.Bytes()), n, unix.EBADMSG)
	}
	return nil
}
