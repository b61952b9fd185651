package reconcile

import (
	"context"
	"iter"
	"net/netip"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

// fdbObject is one entry of a forwarding database: one remote of a VXLAN for a
// hardware address, or an entry of a bridge.
type fdbObject struct {
	route.Neighbor
	link  string // declared under that link
	decl  int32  // at that place; -1 for what was observed or follows from field
	field []any  // the declared option of link that the entry follows from
	made  bool   // observed, and the kernel made it or will take it away
	// orphan says that the port is no longer in the entry's VLAN: the entry
	// stays, but the kernel refuses to touch it.
	orphan bool
}

// fdbKey is the kernel's. To a bridge the port is no part of it: an address is
// behind one port. A VXLAN has one remote for an ordinary address, and many for
// a multicast address and for all zeros, which stands for unknown addresses
// (drivers/net/vxlan/vxlan_core.c, vxlan_fdb_update_existing).
type fdbKey struct {
	master int32 // the bridge
	dev    int32 // the VXLAN
	mac    [6]byte
	vlan   uint16
	srcVNI uint32
	remote fdbRemote
}

type fdbRemote struct {
	dst  netip.Addr
	via  int32
	vni  uint32
	nhid uint32
	port uint16
}

type fdbResource struct{}

func (fdbResource) Class() string { return "fdb" }

func (fdbResource) Groups() []uint32 { return []uint32{unix.RTNLGRP_NEIGH} }

func (fdbResource) Own(o *fdbObject) fdbObject {
	c := *o
	c.Neighbor = *o.Clone()
	return c
}

// ofBridge tells whether the entry is a bridge's. The database of a VXLAN that
// is a bridge's port is its own.
func (o *fdbObject) ofBridge() bool { return o.Master != 0 }

// ofMany tells whether a VXLAN has a list of remotes for the address.
func (o *fdbObject) ofMany() bool {
	return !o.ofBridge() && (isZero(o.LLAddr) || len(o.LLAddr) > 0 && o.LLAddr[0]&1 != 0)
}

func isZero(a route.HardwareAddr) bool {
	return !slices.ContainsFunc(a, func(b byte) bool { return b != 0 })
}

func (o *fdbObject) remote() fdbRemote {
	return fdbRemote{dst: o.Dst, via: o.IfIndex, vni: o.VNI, nhid: o.NHID, port: o.Port}
}

func (fdbResource) Key(o *fdbObject) fdbKey {
	k := fdbKey{vlan: o.VLAN, srcVNI: o.SrcVNI}
	copy(k.mac[:], o.LLAddr)
	if o.ofBridge() {
		k.master = o.Master
		return k
	}
	k.dev = o.Index
	if o.ofMany() {
		k.remote = o.remote()
	}
	return k
}

// Maker: entries bear no mark, they belong to the list of their link.
func (fdbResource) Maker(s *Scope, o *fdbObject) Maker {
	switch l := s.declaredLink(o.Index); {
	case o.made:
		return Kernel
	case l != nil && l.FDB != nil:
		return Listed
	case s.run.keepAll && s.isOurs(o.Index):
		return Ours
	}
	return Foreign
}

// Ignored keeps `prune: all` away from links without a list.
func (fdbResource) Ignored(*Scope, *fdbObject) bool { return true }

// fdbState is what makes a bridge's entry stay: permanent is the bridge's own
// address, noarp is static.
const fdbState = unix.NUD_PERMANENT | unix.NUD_NOARP

func (fdbResource) Compare(s *Scope, want, have *fdbObject) Verdict {
	var v Verdict
	differ := func(name, have, want string) {
		if have != want {
			v.Fields = append(v.Fields, FieldChange{name, have, want})
			v.Action = Change
		}
	}
	if !want.ofBridge() {
		differ("remote", fdbRemoteText(s, have), fdbRemoteText(s, want))
		if have.State&fdbState == 0 {
			differ("state", "learned", "permanent")
		}
		return v
	}
	differ("dev", s.LinkName(have.Index), s.LinkName(want.Index))
	differ("state", fdbStateName(have.State), fdbStateName(want.State))
	h, w := have.Flags&route.NTF_STICKY != 0, want.Flags&route.NTF_STICKY != 0
	differ("sticky", strconv.FormatBool(h), strconv.FormatBool(w))
	return v
}

func fdbStateName(state uint16) string {
	switch {
	case state&unix.NUD_PERMANENT != 0:
		return "local"
	case state&unix.NUD_NOARP != 0:
		return "static"
	}
	return "learned"
}

// Name writes an entry in the words of `bridge fdb`.
func (fdbResource) Name(s *Scope, o *fdbObject) string {
	name := o.LLAddr.String()
	if !o.ofBridge() {
		name += " " + fdbRemoteText(s, o)
	}
	name += " dev " + s.LinkName(o.Index)
	if o.VLAN != 0 {
		name += " vlan " + number(uint32(o.VLAN))
	}
	if o.ofBridge() {
		name += " master " + fdbStateName(o.State)
	}
	if o.Flags&route.NTF_STICKY != 0 {
		name += " sticky"
	}
	return name
}

func fdbRemoteText(s *Scope, o *fdbObject) string {
	text := "dst " + addr(o.Dst)
	if o.NHID != 0 {
		text = "nhid " + number(o.NHID)
	}
	if o.Port != 0 {
		text += " port " + number(uint32(o.Port))
	}
	if o.VNI != 0 {
		text += " vni " + number(o.VNI)
	}
	if o.SrcVNI != 0 {
		text += " src_vni " + number(o.SrcVNI)
	}
	if o.IfIndex != 0 {
		text += " via " + s.LinkName(o.IfIndex)
	}
	return text
}

func (fdbResource) Path(s *Scope, o *fdbObject) string {
	if o.decl < 0 {
		return spec.Path(s.Name, append([]any{"links", o.link}, o.field...)...)
	}
	return spec.Path(s.Name, "links", o.link, "fdb", int(o.decl))
}

func (fdbResource) Relocate(o *fdbObject, index func(int32) int32) {
	o.Index, o.Master, o.IfIndex = index(o.Index), index(o.Master), index(o.IfIndex)
}

// Create takes the place of an entry that was learned meanwhile. A list of
// remotes is only ever appended to: "Cannot replace non-unicast fdb entries".
func (fdbResource) Create(_ *Scope, b *netlink.Batch, o *fdbObject) {
	flags := netlink.Create | netlink.Replace
	if o.ofMany() {
		flags = netlink.Create | netlink.Append
	}
	b.Add(unix.RTM_NEWNEIGH, flags, o.message())
}

func (r fdbResource) Change(s *Scope, b *netlink.Batch, want, _ *fdbObject) { r.Create(s, b, want) }

// Delete names the remote: without it a VXLAN forgets all remotes of the
// address. To a bridge, no VLAN means all of them (net/bridge/br_fdb.c,
// br_fdb_delete), so the declared entries in VLANs are made again.
func (r fdbResource) Delete(s *Scope, b *netlink.Batch, o *fdbObject) {
	if o.orphan {
		o.deleteOrphan(b)
		return
	}
	b.Add(unix.RTM_DELNEIGH, 0, o.message())
	if !o.ofBridge() || o.VLAN != 0 || s.Spec == nil || s.deleting() {
		return
	}
	l := s.declaredLink(o.Index)
	if l == nil || l.FDB == nil {
		return
	}
	for i := range *l.FDB {
		if d := &(*l.FDB)[i]; d.Master && d.VLAN != 0 && slices.Equal(d.LLAddr, spec.HardwareAddr(o.LLAddr)) {
			again := fdbObject{Neighbor: declaredFDB(s, s.LinkName(o.Index), d)}
			again.Master = o.Master
			r.Create(s, b, &again)
		}
	}
}

// deleteOrphan lends the port the VLAN for as long as it takes: "RTM_DELNEIGH
// with unconfigured vlan" (net/bridge/br_fdb.c, br_fdb_delete).
func (o *fdbObject) deleteOrphan(b *netlink.Batch) {
	lent := vlanRun{index: o.Index, self: o.Index == o.Master}
	lent.VID, lent.End = o.VLAN, o.VLAN
	vlanResource{}.Create(nil, b, &lent)
	b.Add(unix.RTM_DELNEIGH, 0, o.message())
	vlanResource{}.Delete(nil, b, &lent)
}

// message returns the payload of a request about the entry.
func (o *fdbObject) message() *route.Neighbor {
	n := o.Neighbor
	n.Master, n.Extra, n.Type, n.HasNetNS = 0, nil, 0, false
	n.Flags &^= unix.NTF_SELF | unix.NTF_MASTER
	switch {
	case o.ofBridge() && o.Index != o.Master:
		n.Flags |= unix.NTF_MASTER
	default:
		n.Flags |= unix.NTF_SELF
	}
	if !o.ofBridge() && n.State&(unix.NUD_PERMANENT|unix.NUD_REACHABLE) == 0 {
		n.State |= unix.NUD_REACHABLE // vxlan_fdb_add takes no other state
	}
	return &n
}

// Rank sorts entries by their hardware address: the kernel has them in a hash
// table.
func (fdbResource) Rank(_ *Scope, o *fdbObject) int64 {
	rank := int64(0)
	for _, b := range o.LLAddr {
		rank = rank<<8 | int64(b)
	}
	return rank + 1
}

// Survives: a bridge forgets what is behind a port that leaves it; what is not
// declared there goes with the port's place in the bridge. What the port itself
// has stays.
func (r fdbResource) Survives(s *Scope, o *fdbObject, e LinkEvent) bool {
	switch e.Kind {
	case LinkRemoved:
		return o.Index != e.Index && (o.Master != e.Index || !o.ofBridge())
	case LinkLeft:
		return o.Index != e.Index || !o.ofBridge() || r.Maker(s, o) != Listed
	}
	return true
}

// Restorable: whatever is learned is the kernel's and not asked for.
func (fdbResource) Restorable(*Scope, *fdbObject) bool { return true }

// Describe leaves out what the document has no words for: entries through
// nexthop objects and those of a bridge without a port.
func (r fdbResource) Describe(s *Scope, o *fdbObject, doc *spec.Namespace) {
	l := doc.Links[s.LinkName(o.Index)]
	if l == nil || r.Maker(s, o) == Kernel || o.NHID != 0 || o.Index == o.Master {
		return
	}
	d := spec.FDBEntry{LLAddr: spec.HardwareAddr(slices.Clone(o.LLAddr))}
	if o.ofBridge() {
		d.Master, d.VLAN = true, o.VLAN
		d.Static = o.State&unix.NUD_PERMANENT == 0
		d.Sticky = o.Flags&route.NTF_STICKY != 0
	} else {
		d.Dst, d.Port, d.VNI, d.SrcVNI, d.Via = o.Dst, o.Port, o.VNI, o.SrcVNI, s.LinkName(o.IfIndex)
	}
	if l.FDB == nil {
		l.FDB = new([]spec.FDBEntry)
	}
	*l.FDB = append(*l.FDB, d)
}

// declaredFDB returns a declared entry as the kernel will show it, apart from
// what is the default of its link.
func declaredFDB(s *Scope, link string, d *spec.FDBEntry) route.Neighbor {
	n := route.Neighbor{
		Family: unix.AF_BRIDGE, Index: s.Index(link), LLAddr: route.HardwareAddr(d.LLAddr), VLAN: d.VLAN,
		State: unix.NUD_PERMANENT, Dst: d.Dst, Port: d.Port, VNI: d.VNI, SrcVNI: d.SrcVNI, IfIndex: s.Index(d.Via),
	}
	if d.Static {
		n.State = unix.NUD_NOARP
	}
	if d.Sticky {
		n.Flags = route.NTF_STICKY
	}
	return n
}

func (fdbResource) Dump(ctx context.Context, s *Scope, _ bool) iter.Seq2[*fdbObject, error] {
	return func(yield func(*fdbObject, error) bool) {
		c, err := s.Conn()
		if err != nil {
			yield(nil, err)
			return
		}
		k := newFDBMakers(s)
		o := fdbObject{decl: -1}
		for n, err := range c.FDB(ctx, route.FDBFilter{}) {
			if err != nil {
				yield(nil, err)
				return
			}
			o.Neighbor = *n
			o.made = k.made(&o)
			if o.orphan, err = k.orphan(ctx, &o); !yield(&o, err) || err != nil {
				return
			}
		}
	}
}
