package attr

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/nlapply/nlapply/netlink"
)

// addresses is a list of IP addresses of one family: a nest whose attribute
// types count from 0.
type addresses struct {
	optional[[]netip.Addr]
	max  int
	is   func(netip.Addr) bool
	want string
}

// Addrs4 is a row for a nested list of at most max IPv4 addresses. The list that
// is sent replaces the one that is there.
func Addrs4(name string, typ uint16, max int, p **[]netip.Addr) Field {
	v := &addresses{optional[[]netip.Addr]{p}, max, netip.Addr.Is4, "an IPv4 address"}
	return Field{Name: name, Type: typ, Value: v}
}

// Addrs6 is Addrs4 for IPv6 addresses.
func Addrs6(name string, typ uint16, max int, p **[]netip.Addr) Field {
	v := &addresses{optional[[]netip.Addr]{p}, max, netip.Addr.Is6, "an IPv6 address"}
	return Field{Name: name, Type: typ, Value: v}
}

func (v *addresses) Encode(e *netlink.Encoder, typ uint16) {
	nest := e.Begin(typ)
	for i, a := range v.get() {
		e.Addr(uint16(i), a)
	}
	e.End(nest)
}

// Decode keeps the kernel's order: bond uses the addresses in it.
func (v *addresses) Decode(a *netlink.Attrs) error {
	var list []netip.Addr
	n := a.Nested()
	for n.Next() {
		ip := n.Addr()
		if !v.is(ip) {
			return fmt.Errorf("%d bytes are not %s", len(n.Bytes()), v.want)
		}
		list = append(list, ip)
	}
	v.set(list)
	return n.Err()
}

// Set takes a list, or the comma-separated string of iproute2.
func (v *addresses) Set(x any) error {
	items, ok := x.([]any)
	if s, isText := x.(string); isText {
		ok = true
		for part := range strings.SplitSeq(s, ",") {
			items = append(items, strings.TrimSpace(part))
		}
	}
	if !ok {
		return errors.New("want a list of IP addresses")
	}
	var list []netip.Addr
	for _, item := range items {
		s, _ := item.(string)
		ip, err := netip.ParseAddr(s)
		if err != nil || !v.is(ip) || ip.Zone() != "" {
			return fmt.Errorf("%q is not %s", fmt.Sprint(item), v.want)
		}
		if slices.Contains(list, ip) {
			return fmt.Errorf("%s stands there twice", ip)
		}
		list = append(list, ip)
	}
	if len(list) > v.max {
		return fmt.Errorf("%d addresses: at most %d are possible", len(list), v.max)
	}
	v.set(list)
	return nil
}

func (v *addresses) Get() any {
	if !v.IsSet() {
		return nil
	}
	list := make([]any, len(v.get()))
	for i, a := range v.get() {
		list[i] = a.String()
	}
	return list
}

// EqualTo takes what the kernel does not report for an empty list.
func (v *addresses) EqualTo(have Value) bool { return slices.Equal(v.get(), v.of(have).get()) }

// String returns the list with commas, as iproute2 takes it.
func (v *addresses) String() string {
	words := make([]string, len(v.get()))
	for i, a := range v.get() {
		words[i] = a.String()
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ",")
}

func (v *addresses) Schema() map[string]any {
	return map[string]any{"type": "array", "items": map[string]any{"type": "string"}, "maxItems": v.max}
}
