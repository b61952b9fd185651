package attr

import (
	"errors"
	"fmt"
	"math"
	"net/netip"

	"github.com/nlapply/nlapply/netlink"
)

// A Key is the key of a GRE tunnel in one direction. The zero Key is none, which
// is not the same as key 0.
type Key struct {
	Number uint32
	Valid  bool
}

// String returns the number, or none.
func (k Key) String() string {
	if !k.Valid {
		return "none"
	}
	return fmt.Sprint(k.Number)
}

// key is a row of type Key: the number in an attribute of its own, its presence
// in a flag that other rows' flags surround.
type key struct {
	optional[Key]
	word   word
	mask   uint32
	number Key   // Valid once the number was decoded
	flag   *bool // nil until the flag was decoded
}

// TunnelKey is a row for a key in network byte order whose presence is the bit
// mask of the attribute flags.
func TunnelKey(name string, typ, flags uint16, layout Layout, mask uint32, p **Key) Field {
	w := word{flags, layout}
	return Field{Name: name, Type: typ, Value: &key{optional: optional[Key]{p}, word: w, mask: mask}, word: &w}
}

func (v *key) Clear() {
	v.optional.Clear()
	v.number, v.flag = Key{}, nil
}

func (v *key) Encode(e *netlink.Encoder, typ uint16) { e.BE32(typ, v.get().Number) }

// Decode sees the number and the flag one after the other, in any order.
func (v *key) Decode(a *netlink.Attrs) error {
	if a.Type() != v.word.typ {
		if err := atLeast(a, 4); err != nil {
			return err
		}
		v.number = Key{a.BE32(), true}
	} else {
		bits, _, err := v.word.decode(a)
		if err != nil {
			return err
		}
		v.flag = new(bits&v.mask != 0)
	}
	switch {
	case v.flag != nil && !*v.flag:
		v.set(Key{})
	case v.flag != nil && v.number.Valid:
		v.set(v.number)
	}
	return nil
}

func (v *key) bits() (value, mask uint32) {
	if !v.IsSet() {
		return 0, 0
	}
	return bit(v.get().Valid) * v.mask, v.mask
}

// Set takes a number, a dotted quad as iproute2 does, or none.
func (v *key) Set(x any) error {
	if s, ok := x.(string); ok {
		if s == "none" {
			v.set(Key{})
			return nil
		}
		if ip, err := netip.ParseAddr(s); err == nil && ip.Is4() {
			b := ip.As4()
			v.set(Key{uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]), true})
			return nil
		}
	}
	n, err := parseRange(x, 0, 1<<32-1)
	if errors.Is(err, errNoNumber) {
		return errors.New("want a number or none")
	}
	if err == nil {
		v.set(Key{uint32(n.abs), true})
	}
	return err
}

func (v *key) Get() any {
	switch k := v.get(); {
	case !v.IsSet():
		return nil
	case !k.Valid:
		return "none"
	default:
		return int64(k.Number)
	}
}

func (v *key) EqualTo(have Value) bool { return v.get() == v.of(have).get() }
func (v *key) String() string          { return v.get().String() }

func (v *key) Schema() map[string]any {
	return map[string]any{"anyOf": []any{
		map[string]any{"type": "integer", "minimum": 0, "maximum": int64(math.MaxUint32)},
		map[string]any{"type": "string"},
	}}
}
