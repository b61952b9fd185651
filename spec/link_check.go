package spec

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// checkLink looks for mistakes between the keys of a link.
func (d *decoder) checkLink(n ref, l *Link) {
	d.checkKind(n, l)
	for key, name := range map[string]*string{"master": l.Master, "link": l.Parent} {
		if name != nil && *name == d.link {
			d.failKey(n, key, "is the link itself")
		}
	}
	if l.MTU != nil && *l.MTU < 1280 {
		if what := l.needsIPv6(); what != "" {
			d.failKey(n, "mtu", "%d is less than IPv6 needs (1280), and the link has %s", *l.MTU, what)
		}
	}
	d.checkAddresses(n, l.Addresses)
	if l.VLANs != nil {
		d.checkVLANs(n, *l.VLANs)
	}
	if l.FDB != nil {
		d.checkFDB(n, *l.FDB)
	}
	if l.AltNames != nil {
		d.entries(n, "altnames", func(i int, at ref) {
			switch name, first := (*l.AltNames)[i], slices.Index(*l.AltNames, (*l.AltNames)[i]); {
			case name == "": // no name at all
			case first < i:
				d.fail(at, "the same name as altnames[%d]", first)
			case name == d.link:
				d.fail(at, "is the link's own name")
			}
		})
	}
}

// checkKind looks at what depends on the kind.
func (d *decoder) checkKind(n ref, l *Link) {
	kinds := d.vocab.Kinds()
	switch {
	case l.Kind == "":
	case d.link == "lo":
		d.failKey(n, "kind", "lo is made by the kernel and has no kind")
		return
	case !slices.Contains(kinds, l.Kind) && slices.Contains(laterKinds, l.Kind):
		d.failKey(n, "kind", "kind %s is not supported by this version", l.Kind)
		return
	case !slices.Contains(kinds, l.Kind):
		d.failKey(n, "kind", "unknown kind %s%s", quote(l.Kind), didYouMean(l.Kind, kinds))
		return
	}
	for name := range l.Options {
		switch {
		case name == l.Kind || strings.HasSuffix(name, portSuffix):
		case l.Kind == "" && !d.has(n, "kind"):
			d.failKey(n, name, "options of kind %s need kind: %s", name, name)
		case l.Kind != "":
			d.failKey(n, name, "the link is of kind %s", l.Kind)
		}
	}
	if section, ok := d.vocab.Section(l.Kind); ok && !d.has(n, l.Kind) {
		// A kind may need options.
		if err := section.CheckAll(map[string]any{}); err != nil {
			d.failPath(n, d.pathTo(l.Kind), "%v", err)
		}
	}
	d.checkTraits(n, l)
}

// checkTraits looks at the links that a kind needs beside it.
func (d *decoder) checkTraits(n ref, l *Link) {
	t, ok := d.vocab.Traits(l.Kind)
	if !ok || l.Kind == "" && d.has(n, "kind") {
		return
	}
	for _, needs := range []struct {
		key    string
		needed bool
	}{{"link", t.Link}, {"peer", t.Peer}} {
		switch written := d.has(n, needs.key); {
		case needs.needed && !written:
			d.failPath(n, d.pathTo(needs.key), "is required for kind %s", l.Kind)
		case written && !needs.needed && l.Kind == "":
			d.failKey(n, needs.key, "needs kind")
		case written && !needs.needed:
			d.failKey(n, needs.key, "a link of kind %s has none", l.Kind)
		}
	}
}

// entries calls f for each entry of a list of the map being read.
func (d *decoder) entries(m ref, key string, f func(i int, at ref)) {
	n, _, ok := d.t.value(m, key)
	if !ok || d.t.shape(n) != isList {
		return
	}
	d.push(key)
	for i, e := 0, n+1; e < d.t.next(n); i, e = i+1, d.t.next(e) {
		d.pushIndex(i)
		f(i, e)
		d.pop()
	}
	d.pop()
}

// needsIPv6 names what there is only with IPv6, "" for nothing.
func (l *Link) needsIPv6() string {
	for i := range l.Addresses {
		if a := &l.Addresses[i]; a.Local.Is6() {
			return a.Local.String()
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.Sysctl)) {
		if strings.HasPrefix(name, "ipv6.") {
			return "sysctl " + name
		}
	}
	return ""
}

func (d *decoder) checkAddresses(n ref, addresses []Address) {
	type seen struct {
		i  int
		at ref
	}
	have := map[Address]seen{}
	d.entries(n, "addresses", func(i int, at ref) {
		a := &addresses[i]
		if !a.Local.IsValid() {
			return
		}
		if a.Label == d.link {
			a.Label = "" // what the kernel makes of none
		}
		if !strings.HasPrefix(a.Label, d.link) && a.Label != "" {
			d.failKey(at, "label", "%s does not begin with the link's name", quote(a.Label))
		}
		first, twice := have[a.key()]
		switch {
		case !twice:
			have[a.key()] = seen{i, at}
		case a.PrefixLen == addresses[first.i].PrefixLen:
			d.fail(at, "the same address as at %s", d.place(first.at))
		default:
			d.fail(at, "an IPv6 address has one prefix length, this one has another at %s", d.place(first.at))
		}
	})
}

func (d *decoder) checkVLANs(n ref, vlans []VLAN) {
	var pvid ref
	d.entries(n, "vlans", func(i int, at ref) {
		v := vlans[i]
		if v.VID == 0 {
			return
		}
		for k, other := range vlans[:i] {
			if v.VID <= other.End && other.VID <= v.End {
				d.fail(at, "vlan %d stands in vlans[%d] too", max(v.VID, other.VID), k)
				break
			}
		}
		switch {
		case !v.PVID || v.VID != v.End:
		case pvid != 0:
			d.failKey(at, "pvid", "there is one pvid, the other stands at %s", d.place(pvid))
		default:
			pvid = at
		}
	})
}

// fdbKey is what tells forwarding entries of a link apart.
type fdbKey struct {
	lladdr [6]byte
	master bool
	vlan   uint16
	srcVNI uint32

	// Of VXLAN entries whose address may have several remotes.
	dst  netip.Addr
	port uint16
	vni  uint32
	via  string
}

func (d *decoder) checkFDB(n ref, entries []FDBEntry) {
	have := map[fdbKey]int{}
	d.entries(n, "fdb", func(i int, at ref) {
		e := &entries[i]
		if len(e.LLAddr) != 6 {
			return
		}
		key := fdbKey{lladdr: [6]byte(e.LLAddr), vlan: e.VLAN, srcVNI: e.SrcVNI, master: e.Master}
		unicast := e.LLAddr[0]&1 == 0 && key.lladdr != [6]byte{}
		if !e.Master && !unicast {
			key.dst, key.port, key.vni, key.via = e.Dst, e.Port, e.VNI, e.Via
		}
		first, twice := have[key]
		switch {
		case !twice:
			have[key] = i
		case !e.Master && unicast && e.Dst != entries[first].Dst:
			d.fail(at, "a unicast address has one remote, fdb[%d] has another", first)
		default:
			d.fail(at, "the same entry as fdb[%d]", first)
		}
	})
}
