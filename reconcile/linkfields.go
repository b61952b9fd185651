package reconcile

import (
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

const iffUp = unix.IFF_UP

// linkField is one attribute that links of every kind have. Want and have are
// in the document's words.
type linkField struct {
	name string
	// want returns what is declared, false for a field that is not managed.
	want func(l *spec.Link) (string, bool)
	have func(l *route.Link) string
	set  func(c *route.LinkChange, l *spec.Link)
	// event is the side effect of a change; nil for none.
	event *EventKind
	// late fields cannot be set by the message that makes the link.
	late bool
}

// linkFields are the generic attributes, in the order in which plans print them.
var linkFields = []linkField{
	{
		name: "address", event: new(LinkAddress), // net/ipv4/arp.c, arp_netdev_event
		want: func(l *spec.Link) (string, bool) { return l.Address.String(), l.Address != nil },
		have: func(l *route.Link) string { return spec.HardwareAddr(l.Address).String() },
		set:  func(c *route.LinkChange, l *spec.Link) { c.Address = route.HardwareAddr(l.Address) },
	},
	uintField("mtu",
		func(l *spec.Link) *uint32 { return l.MTU },
		func(l *route.Link) uint32 { return l.MTU },
		func(c *route.LinkChange, v *uint32) { c.MTU = v }),
	uintField("txqueuelen",
		func(l *spec.Link) *uint32 { return l.TxQueueLen },
		func(l *route.Link) uint32 { return l.TxQueueLen },
		func(c *route.LinkChange, v *uint32) { c.TxQueueLen = v }),
	uintField("group",
		func(l *spec.Link) *uint32 { return l.Group },
		func(l *route.Link) uint32 { return l.Group },
		func(c *route.LinkChange, v *uint32) { c.Group = v }),
	{
		name: "alias", late: true,
		want: func(l *spec.Link) (string, bool) { return deref(l.Alias), l.Alias != nil },
		have: func(l *route.Link) string { return l.Alias },
		set:  func(c *route.LinkChange, l *spec.Link) { c.Alias = l.Alias },
	},
	flagField("arp", unix.IFF_NOARP, true, func(l *spec.Link) *bool { return l.ARP }),
	flagField("multicast", unix.IFF_MULTICAST, false, func(l *spec.Link) *bool { return l.Multicast }),
	flagField("allmulticast", unix.IFF_ALLMULTI, false, func(l *spec.Link) *bool { return l.AllMulticast }),
	flagField("promisc", unix.IFF_PROMISC, false, func(l *spec.Link) *bool { return l.Promisc }),
	{
		name: "addrgenmode", late: true,
		want: func(l *spec.Link) (string, bool) { return deref(l.AddrGenMode), l.AddrGenMode != nil },
		have: func(l *route.Link) string { return route.AddrGenModeName(l.AddrGenMode) },
		set: func(c *route.LinkChange, l *spec.Link) {
			if m, ok := route.AddrGenModeByName(deref(l.AddrGenMode)); ok {
				c.AddrGenMode = &m
			}
		},
	},
}

func uintField(name string, want func(*spec.Link) *uint32, have func(*route.Link) uint32, set func(*route.LinkChange, *uint32)) linkField {
	return linkField{
		name: name,
		want: func(l *spec.Link) (string, bool) {
			v := want(l)
			return strconv.FormatUint(uint64(deref(v)), 10), v != nil
		},
		have: func(l *route.Link) string { return strconv.FormatUint(uint64(have(l)), 10) },
		set:  func(c *route.LinkChange, l *spec.Link) { set(c, want(l)) },
	}
}

// flagField is a flag of the interface (IFF_*). Inverted flags are those that
// the kernel has as "no".
func flagField(name string, flag uint32, inverted bool, want func(*spec.Link) *bool) linkField {
	return linkField{
		name: name, late: true,
		want: func(l *spec.Link) (string, bool) {
			v := want(l)
			return strconv.FormatBool(deref(v)), v != nil
		},
		have: func(l *route.Link) string {
			return strconv.FormatBool((l.Flags&flag != 0) != inverted)
		},
		set: func(c *route.LinkChange, l *spec.Link) {
			c.Change |= flag
			if deref(want(l)) != inverted {
				c.Flags |= flag
			}
		},
	}
}

// deref returns what p points to, the zero value for nil.
func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
