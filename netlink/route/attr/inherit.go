package attr

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// A NumberOrInherit is a field of an encapsulating header: a number, or what the
// inner packet has in that place.
type NumberOrInherit struct {
	Number  uint32
	Inherit bool
}

// String returns the number, or inherit.
func (n NumberOrInherit) String() string {
	if n.Inherit {
		return "inherit"
	}
	return fmt.Sprint(n.Number)
}

// orInherit is a row of type NumberOrInherit: the number in one attribute, a
// flag for inherit in another.
type orInherit struct {
	optional[NumberOrInherit]
	hi      uint64
	auto    bool // number 0 is called auto
	live    bool // inherit can be taken back
	inherit uint16
	encode  func(e *netlink.Encoder, typ uint16, v uint32)
	flag    func(e *netlink.Encoder, typ uint16, v bool)
	decode  func(a *netlink.Attrs) uint32
}

// HopsOrInherit is a row for a number of hops in one byte, for auto, which is 0,
// or for inherit, which is the flag attribute inherit.
func HopsOrInherit(name string, typ, inherit uint16, p **NumberOrInherit) Field {
	v := &orInherit{
		optional: optional[NumberOrInherit]{p}, hi: 255, auto: true, inherit: inherit,
		encode: func(e *netlink.Encoder, typ uint16, v uint32) { e.Uint8(typ, uint8(v)) },
		decode: func(a *netlink.Attrs) uint32 { return uint32(a.Uint8()) },
		flag: func(e *netlink.Encoder, typ uint16, v bool) {
			if v {
				e.Flag(typ)
			}
		},
	}
	return Field{Name: name, Type: typ, also: inherit, Value: v}
}

// LabelOrInherit is a row for an IPv6 flow label in network byte order, or for
// inherit, which is 1 in the four bytes of attribute inherit.
func LabelOrInherit(name string, typ, inherit uint16, p **NumberOrInherit) Field {
	v := &orInherit{
		optional: optional[NumberOrInherit]{p}, hi: 1<<20 - 1, live: true, inherit: inherit,
		encode: (*netlink.Encoder).BE32,
		decode: (*netlink.Attrs).BE32,
		flag: func(e *netlink.Encoder, typ uint16, v bool) {
			if v { // older kernels refuse what they do not know, so off is not sent
				e.Uint32(typ, 1)
			}
		},
	}
	return Field{Name: name, Type: typ, also: inherit, Value: v}
}

func (v *orInherit) Encode(e *netlink.Encoder, typ uint16) {
	if n := v.get(); !n.Inherit && uint64(n.Number) > v.hi {
		e.Fail(fmt.Errorf("%d is over %d: %w", n.Number, v.hi, unix.EINVAL))
	}
	if !v.get().Inherit {
		v.encode(e, typ, v.get().Number)
	}
	v.flag(e, v.inherit, v.get().Inherit)
}

// encodeChange says explicitly that inherit is over.
func (v *orInherit) encodeChange(e *netlink.Encoder, typ uint16, have Value) {
	v.Encode(e, typ)
	if v.live && v.of(have).get().Inherit && !v.get().Inherit {
		e.Uint32(v.inherit, 0)
	}
}

// Decode sees the number and the flag one after the other, in any order. The
// flag may come as one without value, or as 0 or 1 in any width.
func (v *orInherit) Decode(a *netlink.Attrs) error {
	n := v.get()
	if a.Type() == v.inherit {
		n.Inherit = isOn(a)
	} else if len(a.Bytes()) == 0 {
		return atLeast(a, 1)
	} else {
		n.Number = v.decode(a)
	}
	v.set(n)
	return nil
}

func (v *orInherit) Set(x any) error {
	switch {
	case x == "inherit":
		v.set(NumberOrInherit{Inherit: true})
		return nil
	case x == "auto" && v.auto:
		v.set(NumberOrInherit{})
		return nil
	}
	n, err := parseRange(x, 0, v.hi)
	if err != nil {
		if n == (integer{}) {
			err = fmt.Errorf("want 0..%d or inherit", v.hi)
		}
		return err
	}
	v.set(NumberOrInherit{Number: uint32(n.abs)})
	return nil
}

func (v *orInherit) Get() any {
	switch n := v.get(); {
	case !v.IsSet():
		return nil
	case n.Inherit:
		return "inherit"
	case n.Number == 0 && v.auto:
		return "auto"
	default:
		return int64(n.Number)
	}
}

func (v *orInherit) EqualTo(have Value) bool {
	w, h := v.get(), v.of(have)
	return v.IsSet() == h.IsSet() && (w == h.get() || w.Inherit && h.get().Inherit)
}

func (v *orInherit) String() string {
	if !v.IsSet() {
		return ""
	}
	return fmt.Sprint(v.Get())
}

func (v *orInherit) Schema() map[string]any {
	words := []any{"inherit"}
	if v.auto {
		words = append(words, "auto")
	}
	return map[string]any{"anyOf": []any{
		map[string]any{"enum": words},
		map[string]any{"type": "integer", "minimum": 0, "maximum": v.hi},
	}}
}
