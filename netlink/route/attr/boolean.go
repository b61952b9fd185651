package attr

import (
	"errors"
	"strings"

	"github.com/nlapply/nlapply/netlink"
)

// boolean is a bool in one of the kernel's forms.
type boolean struct {
	optional[bool]
	encode func(e *netlink.Encoder, typ uint16, v bool)
}

// Bool is a row of one byte, 0 or 1.
func Bool(name string, typ uint16, p **bool) Field {
	return newBool(name, typ, p, func(e *netlink.Encoder, typ uint16, v bool) { e.Uint8(typ, uint8(bit(v))) })
}

// BoolU32 is a row of four bytes, 0 or 1.
func BoolU32(name string, typ uint16, p **bool) Field {
	return newBool(name, typ, p, func(e *netlink.Encoder, typ uint16, v bool) { e.Uint32(typ, bit(v)) })
}

// BoolFlag is a row without a value (NLA_FLAG): it is there or it is not.
func BoolFlag(name string, typ uint16, p **bool) Field {
	return newBool(name, typ, p, func(e *netlink.Encoder, typ uint16, v bool) {
		if v {
			e.Flag(typ)
		}
	})
}

func newBool(name string, typ uint16, p **bool, encode func(*netlink.Encoder, uint16, bool)) Field {
	return Field{Name: name, Type: typ, Value: &boolean{optional[bool]{p}, encode}}
}

func bit(v bool) uint32 {
	if v {
		return 1
	}
	return 0
}

func (b *boolean) Encode(e *netlink.Encoder, typ uint16) { b.encode(e, typ, b.get()) }

func (b *boolean) Decode(a *netlink.Attrs) error {
	b.set(isOn(a))
	return nil
}

// isOn takes any width; no byte at all is a flag. Values above 1 are on:
// stp_state 2 means that a program in user space runs it.
func isOn(a *netlink.Attrs) bool {
	on := len(a.Bytes()) == 0
	for _, c := range a.Bytes() {
		on = on || c != 0
	}
	return on
}

func (b *boolean) Set(v any) error {
	on, err := parseBool(v)
	if err == nil {
		b.set(on)
	}
	return err
}

// parseBool takes true and false, on and off, 1 and 0.
func parseBool(v any) (bool, error) {
	if b, ok := v.(bool); ok {
		return b, nil
	}
	if s, ok := v.(string); ok {
		on := strings.EqualFold(s, "on")
		if on || strings.EqualFold(s, "off") {
			return on, nil
		}
	} else if n, err := parseInteger(v); err == nil && n.within(0, 1) {
		return n.abs == 1, nil
	}
	return false, errors.New("want true or false")
}

func (b *boolean) Get() any {
	if !b.IsSet() {
		return nil
	}
	return b.get()
}

// EqualTo takes what the kernel does not report for off, as it is with flags.
func (b *boolean) EqualTo(have Value) bool { return b.get() == b.of(have).get() }

func (b *boolean) String() string {
	if b.get() {
		return "on"
	}
	return "off"
}

func (b *boolean) Schema() map[string]any {
	return map[string]any{"enum": []any{true, false, "on", "off", 0, 1}}
}
