package attr

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/nlapply/nlapply/netlink"
)

// order is the machine's byte order, in which netlink writes structures.
var order = binary.NativeEndian

// A PortRange is a range of ports, both ends included. 0-0 is the kernel's choice.
type PortRange struct{ Low, High uint16 }

// String returns r as LOW-HIGH.
func (r PortRange) String() string { return fmt.Sprintf("%d-%d", r.Low, r.High) }

// portRange is a row of type PortRange.
type portRange struct{ optional[PortRange] }

// Ports is a row for struct { __be16 low, high; }.
func Ports(name string, typ uint16, p **PortRange) Field {
	return Field{Name: name, Type: typ, Value: &portRange{optional[PortRange]{p}}}
}

func (v *portRange) Encode(e *netlink.Encoder, typ uint16) {
	r := v.get()
	e.BE32(typ, uint32(r.Low)<<16|uint32(r.High))
}

func (v *portRange) Decode(a *netlink.Attrs) error {
	if err := atLeast(a, 4); err != nil {
		return err
	}
	v.set(PortRange{uint16(a.BE32() >> 16), uint16(a.BE32())})
	return nil
}

// Set takes LOW-HIGH, or one port.
func (v *portRange) Set(x any) error {
	s, ok := x.(string)
	if !ok {
		n, err := parseRange(x, 0, 0xffff)
		if errors.Is(err, errNoNumber) {
			return errors.New("want a range of ports such as 5000-6000")
		}
		if err == nil {
			v.set(PortRange{uint16(n.abs), uint16(n.abs)})
		}
		return err
	}
	low, high, ranged := strings.Cut(s, "-")
	if !ranged {
		high = low
	}
	lo, err := parseRange(low, 0, 0xffff)
	if err != nil {
		return err
	}
	hi, err := parseRange(high, 0, 0xffff)
	if err != nil {
		return err
	}
	if lo.abs > hi.abs {
		return fmt.Errorf("%s ends before it begins", s)
	}
	v.set(PortRange{uint16(lo.abs), uint16(hi.abs)})
	return nil
}

func (v *portRange) Get() any {
	if !v.IsSet() {
		return nil
	}
	return v.get().String()
}

func (v *portRange) EqualTo(have Value) bool {
	h := v.of(have)
	return h.IsSet() == v.IsSet() && h.get() == v.get()
}

func (v *portRange) String() string {
	if !v.IsSet() {
		return ""
	}
	return v.get().String()
}

func (v *portRange) Schema() map[string]any {
	return map[string]any{"anyOf": []any{
		map[string]any{"type": "string", "pattern": "^[0-9]+(-[0-9]+)?$"},
		map[string]any{"type": "integer", "minimum": 0, "maximum": 0xffff},
	}}
}
