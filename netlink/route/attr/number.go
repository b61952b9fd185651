package attr

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unsafe"

	"github.com/nlapply/nlapply/netlink"
)

// numeric are the Go types of number rows.
type numeric interface {
	~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int32
}

// A Word is the name that iproute2 gives to a number.
type Word struct {
	Number uint64
	Name   string
}

// number is a number in some width and byte order.
type number[T numeric] struct {
	optional[T]
	name    string
	encode  func(*netlink.Encoder, uint16, T)
	decode  func(*netlink.Attrs) T
	lo      int64
	hi      uint64
	words   []Word
	enum    bool // words are the rule, numbers the exception
	hex     bool
	without uint64                  // bits that no value may have
	equal   func(want, have T) bool // nil for ==
}

func newNumber[T numeric](name string, typ uint16, p **T,
	encode func(*netlink.Encoder, uint16, T), decode func(*netlink.Attrs) T) Field {
	bits := 8 * unsafe.Sizeof(*new(T))
	n := &number[T]{optional: optional[T]{p}, name: name, encode: encode, decode: decode}
	n.hi = math.MaxUint64 >> (64 - bits)
	if ^T(0) < 0 {
		n.lo, n.hi = -1<<(bits-1), n.hi>>1
	}
	return Field{Name: name, Type: typ, Value: n}
}

// Uint8 is a row of one byte.
func Uint8(name string, typ uint16, p **uint8) Field {
	return newNumber(name, typ, p, (*netlink.Encoder).Uint8, (*netlink.Attrs).Uint8)
}

// Uint16 is a row of two bytes in the machine's byte order.
func Uint16(name string, typ uint16, p **uint16) Field {
	return newNumber(name, typ, p, (*netlink.Encoder).Uint16, (*netlink.Attrs).Uint16)
}

// Uint32 is a row of four bytes in the machine's byte order.
func Uint32(name string, typ uint16, p **uint32) Field {
	return newNumber(name, typ, p, (*netlink.Encoder).Uint32, (*netlink.Attrs).Uint32)
}

// Uint64 is a row of eight bytes in the machine's byte order.
func Uint64(name string, typ uint16, p **uint64) Field {
	return newNumber(name, typ, p, (*netlink.Encoder).Uint64, (*netlink.Attrs).Uint64)
}

// Int32 is a signed row of four bytes in the machine's byte order.
func Int32(name string, typ uint16, p **int32) Field {
	encode := func(e *netlink.Encoder, typ uint16, v int32) { e.Uint32(typ, uint32(v)) }
	return newNumber(name, typ, p, encode, (*netlink.Attrs).Int32)
}

// BE16 is a row of two bytes in network byte order.
func BE16(name string, typ uint16, p **uint16) Field {
	return newNumber(name, typ, p, (*netlink.Encoder).BE16, (*netlink.Attrs).BE16)
}

// BE32 is a row of four bytes in network byte order.
func BE32(name string, typ uint16, p **uint32) Field {
	return newNumber(name, typ, p, (*netlink.Encoder).BE32, (*netlink.Attrs).BE32)
}

// BE64 is a row of eight bytes in network byte order.
func BE64(name string, typ uint16, p **uint64) Field {
	return newNumber(name, typ, p, (*netlink.Encoder).BE64, (*netlink.Attrs).BE64)
}

func (n *number[T]) setRange(lo int64, hi uint64)        { n.lo, n.hi = lo, hi }
func (n *number[T]) setHex()                             { n.hex = true }
func (n *number[T]) setWithout(mask uint64)              { n.without = mask }
func (n *number[T]) setWords(w []Word, only bool)        { n.words, n.enum = w, only }
func (n *number[T]) Encode(e *netlink.Encoder, t uint16) { n.encode(e, t, n.get()) }

func (n *number[T]) Decode(a *netlink.Attrs) error {
	if err := atLeast(a, int(unsafe.Sizeof(*new(T)))); err != nil {
		return err
	}
	n.set(n.decode(a))
	return nil
}

func (n *number[T]) Set(v any) error {
	if s, ok := v.(string); ok {
		for _, w := range n.words {
			if strings.EqualFold(w.Name, s) {
				n.set(T(w.Number))
				return nil
			}
		}
	}
	i, err := parseRange(v, n.lo, n.hi)
	if err == nil && n.enum && !n.named(i) {
		err = errNoNumber
	}
	if err != nil {
		return n.reason(v, i, err)
	}
	if i.abs&n.without != 0 {
		return fmt.Errorf("the bits %#x cannot be set", i.abs&n.without)
	}
	if i.neg {
		n.set(-T(i.abs))
	} else {
		n.set(T(i.abs))
	}
	return nil
}

// reason says why v was refused; err is the reason of a plain number.
func (n *number[T]) reason(v any, i integer, err error) error {
	if len(n.words) == 0 || i != (integer{}) && !n.enum {
		return err
	}
	names := make([]string, len(n.words))
	for i, w := range n.words {
		names[i] = w.Name
	}
	list := strings.Join(names, ", ")
	s, ok := v.(string)
	switch {
	case n.enum && ok:
		return fmt.Errorf("unknown %s %q: one of %s", n.name, s, list)
	case n.enum && i != (integer{}):
		return fmt.Errorf("unknown %s %v: one of %s", n.name, i, list)
	case n.enum:
		return fmt.Errorf("want one of %s", list)
	}
	return fmt.Errorf("want %d..%d or %s", n.lo, n.hi, list)
}

// named tells whether a number has a name.
func (n *number[T]) named(i integer) bool {
	return slices.ContainsFunc(n.words, func(w Word) bool { return !i.neg && w.Number == i.abs })
}

// word returns the name of the value.
func (n *number[T]) word() (string, bool) {
	for _, w := range n.words {
		if T(w.Number) == n.get() {
			return w.Name, true
		}
	}
	return "", false
}

func (n *number[T]) Get() any {
	if !n.IsSet() {
		return nil
	}
	if w, ok := n.word(); ok {
		return w
	}
	if n.hex {
		return fmt.Sprintf("%#x", uint64(n.get()))
	}
	if v := n.get(); v < 0 {
		return int64(v)
	}
	return integer{abs: uint64(n.get())}.document()
}

func (n *number[T]) EqualTo(have Value) bool {
	h := n.of(have)
	if !n.IsSet() || !h.IsSet() {
		return n.IsSet() == h.IsSet()
	}
	return n.get() == h.get() || n.equal != nil && n.equal(n.get(), h.get())
}

// readsBack tells whether the number is what the kernel makes of v.
func (n *number[T]) readsBack(v any) bool {
	i, err := parseInteger(v)
	return err == nil && n.equal != nil && n.equal(T(i.abs), n.get())
}

func (n *number[T]) String() string {
	if !n.IsSet() {
		return ""
	}
	return fmt.Sprint(n.Get())
}

func (n *number[T]) Schema() map[string]any {
	s := map[string]any{"type": "integer", "minimum": n.lo, "maximum": n.hi}
	if n.hex {
		return map[string]any{"anyOf": []any{s, map[string]any{"type": "string", "pattern": "^0x[0-9a-fA-F]+$"}}}
	}
	if len(n.words) == 0 {
		return s
	}
	names := make([]any, len(n.words))
	for i, w := range n.words {
		names[i] = w.Name
	}
	if n.enum {
		for _, w := range n.words {
			names = append(names, w.Number)
		}
		return map[string]any{"enum": names}
	}
	return map[string]any{"anyOf": []any{map[string]any{"enum": names}, s}}
}
