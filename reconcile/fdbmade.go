package reconcile

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route/kind"
	"github.com/nlapply/nlapply/spec"
)

// fdbDefaults are what a VXLAN fills in, and what the kernel leaves out of a dump
// when it is the same (drivers/net/vxlan/vxlan_core.c, vxlan_fdb_info).
type fdbDefaults struct {
	remote netip.Addr // the default entry's; zero: there is none
	option string     // that declares the remote
	via    int32
	vni    uint32
	port   uint16
}

// fdbDefaults returns what will hold for a declared link.
func (s *Scope) fdbDefaults(link string) fdbDefaults {
	return readFDBDefaults(s, func(name string) any { return s.option(link, name) })
}

func readFDBDefaults(s *Scope, option func(name string) any) (d fdbDefaults) {
	d.vni, d.port = optionNumber(option("id")), uint16(optionNumber(option("dstport")))
	if dev, ok := option("dev").(string); ok {
		d.via = s.Index(dev)
	}
	for _, d.option = range []string{"remote", "group"} {
		if d.remote = optionAddr(option(d.option)); d.remote.IsValid() {
			break
		}
	}
	return d
}

// isDefault tells whether o is the entry that the kernel makes for the option
// remote or group: all zeros, to the default remote.
func (d *fdbDefaults) isDefault(o *fdbObject) bool {
	return !o.ofBridge() && d.remote.IsValid() && isZero(o.LLAddr) && o.Dst == d.remote &&
		o.Port == 0 && o.VNI == 0 && (o.IfIndex == 0 || o.IfIndex == d.via)
}

// Declare returns the entries of all lists, and for VXLANs that have their
// declared remote already the default entry: who deletes it does not change what
// the kernel reports as remote.
func (r fdbResource) Declare(s *Scope) (all []fdbObject, err error) {
	if s.deleting() {
		return nil, nil // they bear no mark of ours
	}
	var errs []error
	for _, name := range sortedKeys(s.Spec.Links) {
		l := s.Spec.Links[name]
		if l.FDB == nil && !hasDefaultFDB(l) || s.mustWait(name) {
			continue
		}
		if all, err = declareFDB(s, all, name, l); err != nil {
			errs = append(errs, err)
		}
	}
	return all, errors.Join(errs...)
}

// hasDefaultFDB tells whether the kernel makes an entry for an option of l.
func hasDefaultFDB(l *spec.Link) bool {
	k, ok := kind.New(l.Kind)
	options := l.Options[l.Kind]
	return ok && kind.HasFDB(k) && (options["remote"] != nil || options["group"] != nil)
}

func declareFDB(s *Scope, all []fdbObject, name string, l *spec.Link) ([]fdbObject, error) {
	def := s.fdbDefaults(name)
	var list []spec.FDBEntry
	if l.FDB != nil {
		list = *l.FDB
	}
	listed := false
	for i := range list {
		if s.mustWait(list[i].Via) || list[i].Master && s.mustJoin(name, l) {
			continue
		}
		o := fdbObject{Neighbor: declaredFDB(s, name, &list[i]), link: name, decl: int32(i)}
		if err := o.complete(s, l, &list[i], def); err != nil {
			return nil, err
		}
		if def.isDefault(&o) {
			listed = true
			if o.Index < 0 {
				continue // the kernel makes it together with the link
			}
		}
		all = append(all, o)
	}
	if o, ok := defaultEntry(s, name, l, def); ok && !listed {
		all = append(all, o)
	}
	return all, nil
}

// complete fills in what depends on the link, and leaves out what is its
// default.
func (o *fdbObject) complete(s *Scope, l *spec.Link, d *spec.FDBEntry, def fdbDefaults) error {
	path := func(key string) string { return spec.Path(s.Name, "links", o.link, "fdb", int(o.decl), key) }
	if d.Master {
		if o.Master = s.masterOf(o.link, l); o.Master == 0 && !s.deleting() {
			return s.run.doc.Errorf(path("master"), "%s is a port of no bridge", o.link)
		}
		return nil
	}
	if !s.sendsByFDB(o.link, l) && !s.deleting() {
		return s.run.doc.Errorf(path("dst"), "%s is no VXLAN", o.link)
	}
	if d.Via != "" && o.IfIndex == 0 {
		return s.missing(path("via"), d.Via)
	}
	if o.Port == def.port {
		o.Port = 0
	}
	if o.VNI == def.vni {
		o.VNI = 0
	}
	if o.IfIndex == 0 && def.isDefault(o) {
		o.IfIndex = def.via
	}
	return nil
}

// sendsByFDB tells whether a declared link has forwarding entries with remotes.
func (s *Scope) sendsByFDB(name string, l *spec.Link) bool {
	word := l.Kind
	if have := s.links.byName[name]; word == "" && have != nil {
		word = have.Kind
	}
	k, ok := kind.New(word)
	return ok && kind.HasFDB(k)
}

// masterOf returns the master that a declared link will have, 0 for none.
func (s *Scope) masterOf(name string, l *spec.Link) int32 {
	if l.Master != nil {
		if *l.Master == spec.None {
			return 0
		}
		return s.Index(*l.Master)
	}
	if k := s.links.byName[name]; k != nil {
		return s.successor(k.Master)
	}
	return 0
}

// defaultEntry returns the default entry of a VXLAN of which the kernel reports
// the declared remote.
func defaultEntry(s *Scope, name string, l *spec.Link, def fdbDefaults) (fdbObject, bool) {
	k := s.Link(s.Index(name))
	if k == nil || !def.remote.IsValid() || l.Options[l.Kind][def.option] == nil {
		return fdbObject{}, false
	}
	if optionAddr(s.observedOption(k, def.option)) != def.remote {
		return fdbObject{}, false // the kernel rewrites the entry with the option
	}
	o := fdbObject{link: name, decl: -1, field: []any{l.Kind, def.option}}
	o.Neighbor = declaredFDB(s, name, &spec.FDBEntry{LLAddr: make(spec.HardwareAddr, 6), Dst: def.remote})
	o.IfIndex = def.via
	return o, true
}

// fdbMakers tells what the kernel made of a scope's entries.
type fdbMakers struct {
	s *Scope
	// defaults of the VXLANs that were met, by index.
	defaults map[int32]fdbDefaults
	// spread are addresses declared without a VLAN.
	spread map[fdbKey]bool
	// vlans of the ports; nil until asked for.
	vlans map[int32]*vlanSet
}

func newFDBMakers(s *Scope) *fdbMakers {
	k := &fdbMakers{s: s, defaults: map[int32]fdbDefaults{}, spread: map[fdbKey]bool{}}
	if s.Spec == nil {
		return k
	}
	for name, l := range s.Spec.Links {
		if l.FDB == nil {
			continue
		}
		for i := range *l.FDB {
			if d := &(*l.FDB)[i]; d.Master && d.VLAN == 0 {
				o := fdbObject{Neighbor: declaredFDB(s, name, d)}
				k.spread[fdbResource{}.Key(&o)] = true
			}
		}
	}
	return k
}

// made tells whether the kernel made o, or learned it and will forget it.
func (k *fdbMakers) made(o *fdbObject) bool {
	switch {
	case o.State&fdbState == 0, o.Flags&unix.NTF_EXT_LEARNED != 0:
		return true
	case o.ofBridge():
		return k.ofPort(o) || k.isSpread(o)
	case o.Dst.IsValid(), o.NHID != 0:
		d := k.defaultsOf(o)
		return d.isDefault(o)
	}
	return true // addresses that a device listens to (net/core/rtnetlink.c, ndo_dflt_fdb_dump)
}

// ofPort tells whether o is the entry that a bridge has for the address of each
// port, and of itself, in each VLAN.
func (k *fdbMakers) ofPort(o *fdbObject) bool {
	if o.State&unix.NUD_PERMANENT == 0 {
		return false
	}
	for _, i := range [2]int32{o.Index, o.Master} {
		if l := k.s.Link(i); l != nil && bytes.Equal(l.Address, o.LLAddr) {
			return true
		}
	}
	return false
}

// isSpread tells whether o comes from an entry declared without VLAN: the kernel
// makes one for each VLAN of the port (net/bridge/br_fdb.c, br_fdb_add).
func (k *fdbMakers) isSpread(o *fdbObject) bool {
	if o.VLAN == 0 {
		return false
	}
	without := fdbObject{Neighbor: o.Neighbor}
	without.VLAN, without.Master = 0, 0
	return k.spread[fdbResource{}.Key(&without)]
}

// orphan tells whether o, which belongs to a list, is in a VLAN that its port has
// left and is not to join again.
func (k *fdbMakers) orphan(ctx context.Context, o *fdbObject) (bool, error) {
	if !o.ofBridge() || o.VLAN == 0 || (fdbResource{}).Maker(k.s, o) != Listed {
		return false, nil
	}
	if k.vlans == nil {
		k.vlans = map[int32]*vlanSet{}
		for r, err := range (vlanResource{}).Dump(ctx, k.s, true) {
			if err != nil {
				return false, err
			}
			if k.vlans[r.index] == nil {
				k.vlans[r.index] = new(vlanSet)
			}
			k.vlans[r.index].add(r.BridgeVLAN)
		}
	}
	if set := k.vlans[o.Index]; set != nil && set[min(o.VLAN, maxVLAN)] != 0 {
		return false, nil
	}
	joins := func(v spec.VLAN) bool { return v.VID <= o.VLAN && o.VLAN <= v.End }
	l := k.s.declaredLink(o.Index)
	return l.VLANs == nil || !slices.ContainsFunc(*l.VLANs, joins), nil
}

func (k *fdbMakers) defaultsOf(o *fdbObject) fdbDefaults {
	if !isZero(o.LLAddr) {
		return fdbDefaults{}
	}
	d, known := k.defaults[o.Index]
	if l := k.s.Link(o.Index); !known && l != nil {
		d = readFDBDefaults(k.s, func(name string) any { return k.s.observedOption(l, name) })
		k.defaults[o.Index] = d
	}
	return d
}
