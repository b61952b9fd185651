package attr

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/nlapply/nlapply/netlink"
)

// address is an IP address, in attributes of their own for the two families.
type address struct {
	optional[netip.Addr]
	typ6  uint16                // attribute of IPv6 addresses
	is    func(netip.Addr) bool // which addresses the row takes, nil for all
	want  string                // and how they are called
	orAny bool                  // Set takes any, too
	omit  bool                  // any is not sent: its absence means the same
}

// Addr is a row for an address of either family: attribute typ4 holds it in 4
// bytes, or typ6 in 16. One of them may be 0 where the kernel has only the other.
func Addr(name string, typ4, typ6 uint16, p **netip.Addr) Field {
	v := &address{optional: optional[netip.Addr]{p}, typ6: typ6}
	switch {
	case typ6 == 0:
		v.is, v.want = netip.Addr.Is4, "an IPv4 address"
	case typ4 == 0:
		v.is, v.want = netip.Addr.Is6, "an IPv6 address"
	}
	return Field{Name: name, Type: typ4, also: typ6, Value: v}
}

// MulticastOrAny limits an address row to multicast addresses and any, which it
// does not claim in what is decoded.
func (f Field) MulticastOrAny() Field {
	f = f.only(netip.Addr.IsMulticast, "a multicast address")
	f.Value.(*address).orAny = true
	return f
}

// Unicast limits an address row to addresses that are not multicast.
func (f Field) Unicast() Field {
	return f.only(func(a netip.Addr) bool { return !a.IsMulticast() }, "a unicast address")
}

// OmitAny leaves the attribute out where the address is any. It is for kinds
// that take absence for it.
func (f Field) OmitAny() Field {
	f.Value.(*address).omit = true
	return f
}

func (f Field) only(is func(netip.Addr) bool, want string) Field {
	v := f.Value.(*address)
	v.is, v.want = is, want
	return f
}

func (v *address) takes(a netip.Addr) bool { return v.is == nil || v.is(a) }

func (v *address) Encode(e *netlink.Encoder, typ uint16) {
	switch a := v.get(); {
	case v.omit && a.IsUnspecified():
	case a.Is6():
		e.Addr(v.typ6, a)
	default:
		e.Addr(typ, a)
	}
}

// encodeChange clears an address in the family in which it is set.
func (v *address) encodeChange(e *netlink.Encoder, typ uint16, have Value) {
	if v.get().IsUnspecified() && v.of(have).get().Is6() && v.typ6 != 0 {
		e.Addr(v.typ6, netip.IPv6Unspecified())
		return
	}
	v.Encode(e, typ)
}

// Decode leaves addresses alone that another row of the same attribute takes.
func (v *address) Decode(a *netlink.Attrs) error {
	ip := a.Addr()
	if !ip.IsValid() {
		return fmt.Errorf("an address of %d bytes", len(a.Bytes()))
	}
	if v.takes(ip) {
		v.set(ip)
	}
	return nil
}

func (v *address) Set(x any) error {
	s, ok := x.(string)
	if !ok {
		return errors.New("want an IP address")
	}
	a, err := parseAddr(s, v.typ6)
	if err != nil {
		return err
	}
	if !v.takes(a) && !(v.orAny && a.IsUnspecified()) {
		return fmt.Errorf("%s is not %s", s, v.want)
	}
	v.set(a)
	return nil
}

// parseAddr takes an address without zone, or any.
func parseAddr(s string, typ6 uint16) (netip.Addr, error) {
	if s == "any" {
		return netip.IPv4Unspecified(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return a, fmt.Errorf("%q is not an IP address", s)
	}
	return a, nil
}

func (v *address) Get() any {
	if !v.IsSet() {
		return nil
	}
	return v.String()
}

// EqualTo takes no address at all for any: the kernel leaves some out.
func (v *address) EqualTo(have Value) bool {
	w, h := v.get(), v.of(have).get()
	unset := func(a netip.Addr) bool { return !a.IsValid() || a.IsUnspecified() }
	return w == h || unset(w) && unset(h)
}

func (v *address) String() string {
	if a := v.get(); a.IsValid() && !a.IsUnspecified() {
		return a.String()
	}
	return "any"
}

func (v *address) Schema() map[string]any { return map[string]any{"type": "string"} }
