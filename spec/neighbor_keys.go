package spec

import "net/netip"

var neighborObject = define(object[Neighbor]{
	what:  "a neighbor",
	check: (*decoder).checkNeighbor,
	keys: []key[Neighbor]{
		must(value("to", "the IP address", address, func(n *Neighbor) *netip.Addr { return &n.To })),
		must(value("dev", "the link", linkName, func(n *Neighbor) *string { return &n.Dev })),
		hardwareKey("lladdr", "the link-layer address", func(n *Neighbor) *HardwareAddr { return &n.LLAddr }),
		value("router", "the neighbor is a router", boolean, func(n *Neighbor) *bool { return &n.Router }),
		value("proxy", "answer for the address instead", boolean, func(n *Neighbor) *bool { return &n.Proxy }),
		pointer("protocol", "the entry's own mark instead of the document's", protocol, func(n *Neighbor) **uint8 { return &n.Protocol }),
	},
})

// hardwareKey is a key whose value is a hardware address, nil where absent.
func hardwareKey[T any](name, doc string, at func(*T) *HardwareAddr) key[T] {
	return key[T]{
		name: name, doc: doc, schema: hardware.schema,
		read: func(d *decoder, n ref, v *T) bool { return hardware.read(d, n, at(v)) },
		write: func(w *writer, v *T) {
			if a := at(v); *a != nil {
				w.key(name)
				hardware.write(w, a)
			}
		},
	}
}

func (d *decoder) checkNeighbor(n ref, b *Neighbor) {
	switch {
	case b.Proxy && d.has(n, "lladdr"):
		d.failKey(n, "lladdr", "a proxy entry has none, the link's own address is the answer")
	case !b.Proxy && !d.has(n, "lladdr"):
		d.failKey(n, "lladdr", "is required without proxy: true")
	}
}
