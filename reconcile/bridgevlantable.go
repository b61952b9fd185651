package reconcile

import (
	"context"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

// bridgeKind is the kind of links whose VLANs these are: a bridge's own are
// addressed in another way than its ports'.
const bridgeKind = "bridge"

// vlanTable compares whole lists of VLANs, as sets: a line of the document may
// be a range, and what differs of it another one. It foresees what the kernel
// makes of the VLANs of links that join a bridge; what they lose with a link, or
// with its place in a bridge, is part of that link's line.
type vlanTable struct{ objects[vlanKey, vlanRun] }

// vlanList is what the VLANs of one link are to be.
type vlanList struct {
	index int32
	self  bool
	link  string
	vlans []spec.VLAN
}

func newVLANTable() table {
	return &vlanTable{objects[vlanKey, vlanRun]{res: vlanResource{}}}
}

func (t *vlanTable) reset(bool) { t.want, t.have, t.ops, t.declared = nil, nil, nil, 0 }

func (t *vlanTable) observe(ctx context.Context, s *Scope, _ []LinkEvent) error {
	t.reset(false)
	have, err := t.read(ctx, s)
	if err != nil || s.run.keepAll || s.deleting() {
		return err
	}
	t.have = nil
	if s.Spec != nil {
		for _, name := range sortedKeys(s.Spec.Links) {
			if err := t.compareDeclared(s, name, have); err != nil {
				return err
			}
		}
	}
	t.declared = len(t.want)
	t.hold(s)
	return nil
}

// read returns the kernel's lists by link; they are in t.have, too.
func (t *vlanTable) read(ctx context.Context, s *Scope) (map[int32][]vlanRun, error) {
	have := map[int32][]vlanRun{}
	if !s.Exists || !s.run.keepAll && !s.declaresVLANs() {
		return have, nil
	}
	err := untilUndisturbed(ctx, func() error {
		clear(have)
		t.have = t.have[:0]
		for r, err := range t.res.Dump(ctx, s, true) {
			if err != nil {
				return err
			}
			have[r.index] = append(have[r.index], *r)
			if s.run.keepAll {
				t.have = append(t.have, *r)
			}
		}
		return nil
	})
	return have, err
}

func (s *Scope) declaresVLANs() bool {
	if s.Spec == nil {
		return false
	}
	for _, l := range s.Spec.Links {
		if l.VLANs != nil {
			return true
		}
	}
	return false
}

func (t *vlanTable) compareDeclared(s *Scope, name string, have map[int32][]vlanRun) error {
	l := s.Spec.Links[name]
	if l.VLANs == nil || s.mustWait(name) || !s.isBridge(name) && s.mustJoin(name, l) {
		return nil
	}
	list := vlanList{index: s.Index(name), link: name, vlans: *l.VLANs, self: s.isBridge(name)}
	master := list.index
	if !list.self {
		if master = s.masterOf(name, l); master == 0 {
			return s.run.doc.Errorf(spec.Path(s.Name, "links", name, "vlans"), "%s is neither a bridge nor a port of one", name)
		}
	}
	t.compare(list, t.foresee(s, list.index, master, have))
	return nil
}

// isBridge tells whether a declared link is a bridge.
func (s *Scope) isBridge(name string) bool {
	if k := s.Link(s.Index(name)); k != nil {
		return k.Kind == bridgeKind
	}
	l := s.Spec.Links[name]
	return l != nil && l.Kind == bridgeKind
}

// foresee returns the VLANs that a link will have when it is a port of master,
// or is master itself, before any of ours are added: a port that joins gets the
// bridge's default, and a new default takes the place of the old one.
func (t *vlanTable) foresee(s *Scope, index, master int32, have map[int32][]vlanRun) *vlanSet {
	name := s.LinkName(master)
	pvid := uint16(optionNumber(s.option(name, "vlan_default_pvid")))
	set := new(vlanSet)
	k := s.Link(index)
	if k == nil || index != master && k.Master != master {
		set.add(route.BridgeVLAN{VID: pvid, End: pvid, Flags: defaultVLANFlags})
		return set
	}
	for _, r := range have[index] {
		set.add(r.BridgeVLAN)
	}
	if m := s.Link(master); m != nil {
		set.rebase(uint16(optionNumber(s.observedOption(m, "vlan_default_pvid"))), pvid)
	}
	return set
}

// compare plans one list. The PVID comes last: until another VLAN has taken it
// over, untagged frames have a place to go.
func (t *vlanTable) compare(l vlanList, have *vlanSet) {
	want, decl := new(vlanSet), make([]int32, len(have))
	for i, v := range l.vlans {
		r := route.BridgeVLAN{VID: v.VID, End: max(v.End, v.VID)}
		if v.PVID {
			r.Flags |= route.BRIDGE_VLAN_INFO_PVID
		}
		if v.Untagged {
			r.Flags |= route.BRIDGE_VLAN_INFO_UNTAGGED
		}
		want.add(r)
		for vid := r.VID; vid <= r.End; vid++ {
			decl[vid] = int32(i)
		}
	}
	var pvid, gone []op[vlanRun]
	for _, c := range diffVLANs(want, have) {
		p := op[vlanRun]{action: c.action, want: -1, have: -1}
		r := vlanRun{index: l.index, self: l.self, link: l.link, decl: decl[c.from]}
		r.VID, r.End = c.from, c.to
		if c.action != Create {
			r.Flags = have[c.from].flags()
			p.have = int32(len(t.have))
			t.have = append(t.have, r)
		}
		if c.action != Delete {
			r.Flags = want[c.from].flags()
			p.want = int32(len(t.want))
			t.want = append(t.want, r)
		}
		switch {
		case c.action == Delete:
			gone = append(gone, p)
		case r.Flags&route.BRIDGE_VLAN_INFO_PVID != 0:
			pvid = append(pvid, p)
		default:
			t.ops = append(t.ops, p)
		}
	}
	t.ops = append(append(t.ops, pvid...), gone...)
}

// relocate also moves what is to be deleted: a port that is made anew has the
// bridge's default VLAN.
func (t *vlanTable) relocate(index func(int32) int32) {
	t.objects.relocate(index)
	for i := range t.have {
		t.have[i].index = index(t.have[i].index)
	}
}

// describe implements table. It leaves out lists that are what the bridge gives
// to every port, and writes an empty one for ports without any VLAN.
func (t *vlanTable) describe(s *Scope, n *spec.Namespace, owned bool) {
	t.objects.describe(s, n, owned)
	for name, l := range n.Links {
		bridge := s.links.byName[name]
		if bridge != nil && bridge.Kind != bridgeKind {
			bridge = s.Link(bridge.Master)
		}
		if bridge == nil || bridge.Kind != bridgeKind {
			continue
		}
		pvid := uint16(optionNumber(s.observedOption(bridge, "vlan_default_pvid")))
		switch {
		case pvid == 0:
		case l.VLANs == nil:
			l.VLANs = new([]spec.VLAN)
		case len(*l.VLANs) == 1 && (*l.VLANs)[0] == spec.VLAN{VID: pvid, End: pvid, PVID: true, Untagged: true}:
			l.VLANs = nil
		}
	}
}
