package attr

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nlapply/nlapply/netlink"
	"golang.org/x/sys/unix"
)

// macs is the list of source addresses of a macvlan, in no order.
type macs struct{ optional[[]MAC] }

// macvlanSet is MACVLAN_MACADDR_SET: the list replaces the one that is there.
const macvlanSet = 3 // include/uapi/linux/if_link.h, enum macvlan_macaddr_mode

// SourceMACs is a row for the addresses of a macvlan in mode source. The kernel
// has a command and a list for it, and reports the list in an order of its own.
func SourceMACs(name string, p **[]MAC) Field {
	return Field{Name: name, Type: unix.IFLA_MACVLAN_MACADDR_DATA, Value: &macs{optional[[]MAC]{p}}}
}

func (v *macs) Encode(e *netlink.Encoder, typ uint16) {
	e.Uint32(unix.IFLA_MACVLAN_MACADDR_MODE, macvlanSet)
	nest := e.Begin(typ)
	for _, a := range v.get() {
		e.Attr(unix.IFLA_MACVLAN_MACADDR, a[:])
	}
	e.End(nest)
}

func (v *macs) Decode(a *netlink.Attrs) error {
	var list []MAC
	n := a.Nested()
	for n.Next() {
		if err := atLeast(&n, len(MAC{})); err != nil {
			return err
		}
		list = append(list, MAC(n.Bytes()[:len(MAC{})]))
	}
	v.set(sorted(list))
	return n.Err()
}

func sorted(list []MAC) []MAC {
	slices.SortFunc(list, func(a, b MAC) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(list)
}

func (v *macs) Set(x any) error {
	items, ok := x.([]any)
	if !ok {
		return errors.New("want a list of hardware addresses")
	}
	var list []MAC
	for _, item := range items {
		a, err := parseMAC(item)
		if err != nil {
			return err
		}
		if a[0]&1 != 0 || a == (MAC{}) {
			return fmt.Errorf("%s is not the address of one station", a)
		}
		list = append(list, a)
	}
	v.set(sorted(list))
	return nil
}

func (v *macs) Get() any {
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
func (v *macs) EqualTo(have Value) bool { return slices.Equal(v.get(), v.of(have).get()) }

func (v *macs) String() string {
	words := make([]string, len(v.get()))
	for i, a := range v.get() {
		words[i] = a.String()
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, " ")
}

func (v *macs) Schema() map[string]any {
	return map[string]any{"type": "array", "items": (&hardware{}).Schema()}
}
