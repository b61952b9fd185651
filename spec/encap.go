package spec

import (
	"net/netip"
	"slices"
)

var (
	encapTypes = []string{"mpls", "seg6", "ip"}
	seg6Modes  = []string{"inline", "encap", "l2encap", "encap.red", "l2encap.red"}

	// encapKeys are the keys of each type; the first is needed.
	encapKeys = map[string][]string{
		"mpls": {"labels", "ttl"},
		"seg6": {"segs", "mode"},
		"ip":   {"id", "dst", "src", "ttl"},
	}
)

var encapObject = define(object[Encap]{
	what:  "an encap",
	check: (*decoder).checkEncap,
	keys: []key[Encap]{
		must(value("type", "mpls, seg6 or ip", enum(encapTypes, encapTypes), func(e *Encap) *string { return &e.Type })),
		list("labels", "mpls: the label stack", listOf(number[uint32](0, 1<<20-1), true), func(e *Encap) *[]uint32 { return &e.Labels }),
		value("ttl", "mpls and ip", number[uint8](1, 255), func(e *Encap) *uint8 { return &e.TTL }),
		value("mode", "seg6: inline, encap, l2encap, …", enum(seg6Modes, seg6Modes), func(e *Encap) *string { return &e.Mode }),
		list("segs", "seg6: the segments, the first to visit first", listOf(address, true), func(e *Encap) *[]netip.Addr { return &e.Segs }),
		encapID,
		value("dst", "ip: the tunnel's remote end", address, func(e *Encap) *netip.Addr { return &e.Dst }),
		value("src", "ip: the tunnel's local end", address, func(e *Encap) *netip.Addr { return &e.Src }),
	},
})

// encapID is written whatever it is: 0 is an id as well.
var encapID = func() key[Encap] {
	f := number[uint64](0, 1<<64-1)
	k := value("id", "ip: the tunnel's id", f, func(e *Encap) *uint64 { return &e.ID })
	k.write = func(w *writer, e *Encap) {
		if e.Type == "ip" {
			w.key("id")
			f.write(w, &e.ID)
		}
	}
	return k
}()

func (d *decoder) checkEncap(n ref, e *Encap) {
	own, known := encapKeys[e.Type]
	if !known {
		return
	}
	for _, key := range []string{"labels", "ttl", "mode", "segs", "id", "dst", "src"} {
		if !slices.Contains(own, key) && d.has(n, key) {
			d.failKey(n, key, "an encap of type %s has no %s", e.Type, key)
		}
	}
	needed := own[0]
	switch list, _, ok := d.t.value(n, needed); {
	case !ok:
		d.failPath(n, d.pathTo(needed), "is required for type %s", e.Type)
	case d.t.shape(list) == isList && d.t.count(list) == 0:
		d.failKey(n, needed, "the list is empty")
	}
	if e.Type == "seg6" && e.Mode == "" {
		e.Mode = "encap"
	}
	for i, s := range e.Segs {
		if s.Is4() {
			d.failKey(n, "segs", "segment %d is %s, want an IPv6 address", i, s)
		}
	}
	if e.Dst.IsValid() && e.Src.IsValid() && e.Dst.Is4() != e.Src.Is4() {
		d.failKey(n, "src", "%s is no %s address", e.Src, familyName(e.Dst))
	}
}
