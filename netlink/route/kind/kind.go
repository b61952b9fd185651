// Package kind says what a link of each kind consists of: one file and one table
// of rows per kind, and nothing outside that file knows the kind by name.
//
//	vx := &kind.VXLAN{ID: new(uint32(10)), DstPort: new(uint16(4789))}
//	var e netlink.Encoder
//	kind.Encode(&e, vx) // the content of IFLA_INFO_DATA for RTM_NEWLINK
//
// A nil field is not managed. What a field means, its unit, its default and when
// it can be changed stands in its row, which bears iproute2's keyword as name:
//
//	for _, row := range vx.Fields() {
//		fmt.Println(row.Name, row.Default, row.When, row.Text)
//	}
//
// What a kind has beside its rows is an optional interface: see the functions of
// this package, which ask for them. Values are encoded as they are; the limits of
// a row hold for what its Value is Set to. An attribute over 64 KiB is an error
// of the Encoder (Err).
package kind

import (
	"sync"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route/attr"
)

// A Kind holds the attributes of a link of one kind, or of a port of a master of
// one kind. It is a pointer to a struct of optional fields.
type Kind interface {
	// Name is the kernel's name, IFLA_INFO_KIND or IFLA_INFO_SLAVE_KIND.
	Name() string
	// Fields returns the rows, bound to this struct.
	Fields() attr.Fields
}

// All lists the kinds of links.
var All = []func() Kind{
	func() Kind { return new(Bond) },
	func() Kind { return new(Bridge) },
	func() Kind { return new(Dummy) },
	func() Kind { return new(GRE) },
	func() Kind { return new(GRETap) },
	func() Kind { return new(IFB) },
	func() Kind { return new(MACVLAN) },
	func() Kind { return new(Veth) },
	func() Kind { return new(VLAN) },
	func() Kind { return new(VRF) },
	func() Kind { return new(VXLAN) },
}

// Ports lists what a port has by its master's kind. The document's key is the
// name with _slave.
var Ports = []func() Kind{
	func() Kind { return new(BondPort) },
	func() Kind { return new(BridgePort) },
}

// New returns an empty Kind of that name, and false for a kind not in All.
func New(name string) (Kind, bool) { return makeOne(kinds(), name) }

// NewPort returns an empty Kind for ports of masters of the named kind, and
// false for one not in Ports.
func NewPort(name string) (Kind, bool) { return makeOne(ports(), name) }

var (
	kinds = sync.OnceValue(func() map[string]func() Kind { return byName(All) })
	ports = sync.OnceValue(func() map[string]func() Kind { return byName(Ports) })
)

func byName(list []func() Kind) map[string]func() Kind {
	m := map[string]func() Kind{}
	for _, make := range list {
		m[make().Name()] = make
	}
	return m
}

func makeOne(from map[string]func() Kind, name string) (Kind, bool) {
	make, ok := from[name]
	if !ok {
		return nil, false
	}
	return make(), true
}

// Encode appends what makes a link with the attributes that k sets: the content
// of IFLA_INFO_DATA or IFLA_INFO_SLAVE_DATA. It leaves Late rows out, which go
// through EncodeChange once the ports have joined.
func Encode(e *netlink.Encoder, k Kind) {
	k.Fields().Encode(e, func(f *attr.Field) bool { return !f.Late })
	if c, ok := as[creator](k); ok {
		c.encodeCreate(e)
	}
}

// Decode reads such content into k. It returns the attributes that k does not
// know; counters and timers, which nobody can set, are not among them.
func Decode(k Kind, data []byte) (unknown []byte, err error) {
	unknown, err = k.Fields().Decode(data)
	r, ok := as[reporter](k)
	if !ok || len(unknown) == 0 {
		return unknown, err
	}
	var e netlink.Encoder
	for a := netlink.ReadAttrs(unknown); a.Next(); {
		if !r.reports(a.Type()) {
			e.Raw(a.Raw())
		}
	}
	return e.Bytes(), err
}

// Diff returns the changes from have to want, which are of the same kind, in the
// order of the rows. Before, it rounds want to what the kernel will make of it.
func Diff(want, have Kind) []attr.Change {
	if n, ok := as[normalizer](want); ok {
		n.normalize(unbound(have))
	}
	changes := attr.Diff(want.Fields(), have.Fields())
	if r, ok := as[rater](want); ok {
		for i := range changes {
			changes[i].When = r.changeWhen(unbound(have), changes[i])
		}
	}
	return changes
}

// Minimal returns what a document has to say to get a link like k, key by key.
func Minimal(k Kind) map[string]any {
	doc := k.Fields().Minimal()
	if m, ok := as[minimizer](k); ok {
		m.minimal(doc)
	}
	return doc
}

// EncodeChange appends what makes the changes between have and want: the changed
// attributes only, or all of them for kinds that reset what is left out.
func EncodeChange(e *netlink.Encoder, want, have Kind, changes []attr.Change) {
	if ResetsAbsent(want) {
		all, ok := New(want.Name())
		if ok {
			all.Fields().Inherit(want.Fields())
			all.Fields().Inherit(have.Fields())
			all.Fields().Encode(e, nil)
			return
		}
	}
	attr.EncodeChange(e, want.Fields(), have.Fields(), changes)
}
