package spec

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
)

// addressMap is an address while its map is read: what `address`, `peer` and
// `broadcast` mean shows only together.
type addressMap struct {
	Address
	local, peer netip.Prefix
	slash       bool // local is written with a prefix length
	brd         string
}

var addressObject = define(object[addressMap]{
	what:  "an address",
	check: (*decoder).checkAddress,
	keys: []key[addressMap]{
		must(key[addressMap]{
			name: "address", doc: "ADDRESS/LENGTH; with peer, ADDRESS alone", schema: schema{"type": "string"},
			read: func(d *decoder, n ref, a *addressMap) bool {
				ok := prefix.read(d, n, &a.local)
				a.slash = ok && strings.Contains(d.t.string(n), "/")
				return ok
			},
			write: func(w *writer, a *addressMap) {
				w.key("address")
				w.text(a.word())
			},
		}),
		{
			name: "peer", doc: "the other end's ADDRESS/LENGTH", schema: schema{"type": "string"},
			read: func(d *decoder, n ref, a *addressMap) bool { return prefix.read(d, n, &a.peer) },
			write: func(w *writer, a *addressMap) {
				if a.Peer.IsValid() {
					w.key("peer")
					w.text(netip.PrefixFrom(a.Peer, int(a.PrefixLen)).String())
				}
			},
		},
		{
			name: "broadcast", doc: "the broadcast address, + for the last of the prefix; none where absent (IPv4)",
			schema: schema{"type": "string"},
			read: func(d *decoder, n ref, a *addressMap) bool {
				if s := d.t.shape(n); (s == isPlain || s == isText) && d.t.string(n) == "+" {
					a.brd = "+"
					return true
				}
				return address.read(d, n, &a.Broadcast)
			},
			write: func(w *writer, a *addressMap) {
				if a.Broadcast.IsValid() {
					w.key("broadcast")
					w.text(a.Broadcast.String())
				}
			},
		},
		value("label", "begins with the link's name (IPv4)", text("a label", checkLabel), func(a *addressMap) *string { return &a.Label }),
		pointer("scope", "global, link, host, … (IPv4)", scope, func(a *addressMap) **uint8 { return &a.Scope }),
		value("metric", "of the prefix route", number[uint32](1, math.MaxUint32), func(a *addressMap) *uint32 { return &a.Metric }),
		value("valid_lft", "seconds, or forever (default)", lifetime(1), func(a *addressMap) *lft { return (*lft)(&a.ValidLft) }),
		value("preferred_lft", "seconds, or forever (default)", lifetime(0), func(a *addressMap) *lft { return (*lft)(&a.PreferredLft) }),
		value("nodad", "without duplicate address detection (IPv6)", boolean, func(a *addressMap) *bool { return &a.NoDAD }),
		value("home", "a mobile node's home address (IPv6)", boolean, func(a *addressMap) *bool { return &a.Home }),
		value("mngtmpaddr", "the kernel makes temporary addresses of it (IPv6)", boolean, func(a *addressMap) *bool { return &a.MngTmpAddr }),
		value("noprefixroute", "without a route to the prefix", boolean, func(a *addressMap) *bool { return &a.NoPrefixRoute }),
		pointer("protocol", "the address's own mark instead of the document's", protocol, func(a *addressMap) **uint8 { return &a.Protocol }),
	},
})

// addresses are strings where the address is all there is to say, maps otherwise.
var addressFormat = format[Address]{
	read: func(d *decoder, n ref, v *Address) bool {
		var a addressMap
		ok := false
		switch d.t.shape(n) {
		case isMap:
			ok = addressObject.read(d, n, &a)
		case isText, isPlain:
			if ok = prefix.read(d, n, &a.local); ok {
				ok = d.checkLocal(n, &a)
			}
		default:
			d.want(n, "an address or a map")
		}
		*v = a.Address
		return ok
	},
	write: func(w *writer, v *Address) {
		a := addressMap{Address: *v}
		if *v == (Address{Local: v.Local, PrefixLen: v.PrefixLen}) {
			w.text(a.word())
			return
		}
		w.openMap(true)
		addressObject.write(w, &a)
		w.close()
	},
	schema: schema{"anyOf": []any{schema{"type": "string"}, addressObject.schema()}},
}

// word is the value of `address`.
func (a *addressMap) word() string {
	if a.Peer.IsValid() {
		return a.Local.String()
	}
	return a.Prefix().String()
}

// lft is a number of seconds; nil is forever.
type lft *uint32

func lifetime(lowest uint32) format[lft] {
	seconds := number(lowest, math.MaxUint32-1)
	return format[lft]{
		read: func(d *decoder, n ref, v *lft) bool {
			if s := d.t.shape(n); (s == isPlain || s == isText) && d.t.string(n) == "forever" {
				return true
			}
			*v = new(uint32)
			return seconds.read(d, n, *v)
		},
		write:  func(w *writer, v *lft) { w.number(uint64(**v)) },
		schema: schema{"anyOf": []any{seconds.schema, schema{"const": "forever"}}},
	}
}

func checkLabel(s string) error {
	// IFNAMSIZ holds for labels too.
	if s == "" || len(s) > 15 || hasControl(s) {
		return fmt.Errorf("%s is no label: it has 1 to 15 bytes", quote(s))
	}
	return nil
}

// checkAddress completes an address that was written as a map.
func (d *decoder) checkAddress(n ref, a *addressMap) {
	at, _, ok := d.t.value(n, "address")
	if !ok || !a.local.IsValid() {
		return
	}
	d.push("address")
	ok = d.checkLocal(at, a)
	d.pop()
	if !ok {
		return
	}
	d.checkPeer(n, a)
	d.checkBroadcast(n, a)
	d.checkLifetimes(n, a)
	if a.Local.Is4() {
		d.onlyFor(n, "IPv6", "nodad", "home", "mngtmpaddr")
		return
	}
	d.onlyFor(n, "IPv4", "broadcast", "label", "scope")
	if a.MngTmpAddr && a.PrefixLen != 64 {
		d.failKey(n, "mngtmpaddr", "needs a prefix length of 64")
	}
}

// checkLocal sets the address itself.
func (d *decoder) checkLocal(n ref, a *addressMap) bool {
	a.Local, a.PrefixLen = a.local.Addr(), uint8(a.local.Bits())
	switch {
	case a.Local.Is6() && a.Local.IsMulticast():
		return d.fail(n, "%s is a multicast address", a.Local)
	case a.Local.IsUnspecified():
		return d.fail(n, "%s is no link's address", a.Local)
	}
	return true
}

// checkLifetimes makes a preferred lifetime that is not written as long as the
// valid one: iproute2 would make it endless, which the kernel refuses.
func (d *decoder) checkLifetimes(n ref, a *addressMap) {
	switch {
	case a.ValidLft == nil && a.Local.Is4() && a.PreferredLft != nil && *a.PreferredLft != 0:
		d.failKey(n, "preferred_lft", "needs valid_lft: an IPv4 address without end is preferred for ever, or with 0 not at all")
	case a.ValidLft == nil:
	case a.PreferredLft == nil && !d.has(n, "preferred_lft"):
		a.PreferredLft = new(*a.ValidLft)
	case a.PreferredLft == nil || *a.PreferredLft > *a.ValidLft:
		d.failKey(n, "preferred_lft", "is longer than valid_lft")
	}
}

func (d *decoder) checkPeer(n ref, a *addressMap) {
	switch {
	case !a.peer.IsValid():
		return
	case a.slash:
		d.failKey(n, "address", "with peer, the prefix length is written on the peer")
	case a.peer.Addr().Is4() != a.Local.Is4():
		d.failKey(n, "peer", "%s is no %s address", a.peer.Addr(), familyName(a.Local))
	default:
		a.Peer, a.PrefixLen = a.peer.Addr(), uint8(a.peer.Bits())
	}
}

func (d *decoder) checkBroadcast(n ref, a *addressMap) {
	switch {
	case !a.Local.Is4():
	case a.Broadcast.IsValid() && !a.Broadcast.Is4():
		d.failKey(n, "broadcast", "%s is no IPv4 address", a.Broadcast)
	case a.brd == "+" && a.PrefixLen > 30:
		d.failKey(n, "broadcast", "a prefix of length %d has none", a.PrefixLen)
	case a.brd == "+":
		b := a.Local.As4()
		for i := range b {
			b[i] |= byte(uint32(math.MaxUint32) >> a.PrefixLen >> (24 - 8*i))
		}
		a.Broadcast = netip.AddrFrom4(b)
	}
}

// key returns what tells addresses of a link apart in the kernel: an IPv6 address
// exists once, an IPv4 address once for each prefix of its peer.
func (a *Address) key() Address {
	if a.Local.Is6() {
		return Address{Local: a.Local}
	}
	net := a.Prefix()
	if a.Peer.IsValid() {
		net = netip.PrefixFrom(a.Peer, int(a.PrefixLen))
	}
	return Address{Local: a.Local, Peer: net.Masked().Addr(), PrefixLen: a.PrefixLen}
}
