package route

import (
	"sync/atomic"

	"github.com/nlapply/nlapply/netlink"
)

// split cuts a payload into its fixed part of n bytes (n is a multiple of four)
// and the attributes behind it. A shorter payload is filled up with zeros.
func split(b []byte, n int) (fixed, attrs []byte) {
	if len(b) >= n {
		return b[:n:n], b[n:]
	}
	fixed = make([]byte, n)
	copy(fixed, b)
	return fixed, nil
}

// keep appends the current attribute as it is, padded, to those that a decoder
// does not know.
func keep(extra []byte, a *netlink.Attrs) []byte {
	extra = append(extra, a.Raw()...)
	for len(extra)%4 != 0 {
		extra = append(extra, 0)
	}
	return extra
}

// clone copies b; nil and empty stay what they are.
func clone(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append(make([]byte, 0, len(b)), b...)
}

// again returns string(b), which is last itself for the objects of a dump that
// come in a row with the same name.
func again(last string, b []byte) string {
	if last == string(b) {
		return last
	}
	return string(b)
}

// words holds strings that come again and again (kinds, qdiscs, congestion
// control), so that decoding one allocates only the first time. It is bounded:
// the kernel's vocabulary is small, and a hostile one shall not grow it.
type words struct {
	m atomic.Pointer[map[string]string]
}

const maxWords = 256

// interned serves all decoders.
var interned words

// get returns string(b), the same one every time.
func (w *words) get(b []byte) string {
	old := w.m.Load()
	if old != nil {
		if s, ok := (*old)[string(b)]; ok {
			return s
		}
	}
	s := string(b)
	next := map[string]string{s: s}
	if old != nil {
		if len(*old) >= maxWords {
			return s
		}
		for k := range *old {
			next[k] = k
		}
	}
	w.m.CompareAndSwap(old, &next) // another goroutine's word wins: ours is stored next time
	return s
}
