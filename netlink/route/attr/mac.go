package attr

import (
	"errors"
	"fmt"
	"net"

	"github.com/nlapply/nlapply/netlink"
)

// A MAC is an Ethernet address.
type MAC [6]byte

// String returns a in the usual form with colons.
func (a MAC) String() string { return net.HardwareAddr(a[:]).String() }

// parseMAC takes the forms of an Ethernet address that net.ParseMAC takes.
func parseMAC(v any) (MAC, error) {
	s, ok := v.(string)
	if !ok {
		return MAC{}, errors.New("want a hardware address")
	}
	hw, err := net.ParseMAC(s)
	if err != nil || len(hw) != len(MAC{}) {
		return MAC{}, fmt.Errorf("%q is not an Ethernet address", s)
	}
	return MAC(hw), nil
}

// hardware is a row of type MAC.
type hardware struct{ optional[MAC] }

// HardwareAddr is a row for an Ethernet address.
func HardwareAddr(name string, typ uint16, p **MAC) Field {
	return Field{Name: name, Type: typ, Value: &hardware{optional[MAC]{p}}}
}

func (v *hardware) Encode(e *netlink.Encoder, typ uint16) {
	a := v.get()
	e.Attr(typ, a[:])
}

func (v *hardware) Decode(a *netlink.Attrs) error {
	if err := atLeast(a, len(MAC{})); err != nil {
		return err
	}
	v.set(MAC(a.Bytes()[:len(MAC{})]))
	return nil
}

func (v *hardware) Set(x any) error {
	a, err := parseMAC(x)
	if err == nil {
		v.set(a)
	}
	return err
}

func (v *hardware) Get() any {
	if !v.IsSet() {
		return nil
	}
	return v.get().String()
}

func (v *hardware) EqualTo(have Value) bool {
	h := v.of(have)
	return h.IsSet() == v.IsSet() && h.get() == v.get()
}

func (v *hardware) String() string {
	if !v.IsSet() {
		return ""
	}
	return v.get().String()
}

func (v *hardware) Schema() map[string]any {
	return map[string]any{"type": "string", "pattern": "^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$"}
}
