package reconcile

import (
	"context"
	"iter"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

// vlanRun are consecutive VLANs with the same flags, of a bridge's port or of a
// bridge itself.
type vlanRun struct {
	route.BridgeVLAN        // with End set
	index            int32  // of the link
	self             bool   // the bridge's own
	link             string // declared under that link
	decl             int32  // first one of the list there; -1 for what was observed
}

type vlanKey struct {
	index int32
	vid   uint16
}

// vlanResource is about runs that vlanTable has cut so that each is added,
// changed or deleted as a whole.
type vlanResource struct{}

func (vlanResource) Class() string { return "vlan" }

func (vlanResource) Groups() []uint32 { return []uint32{unix.RTNLGRP_LINK, unix.RTNLGRP_BRVLAN} }

// Declare leaves it to vlanTable to compare lists.
func (vlanResource) Declare(*Scope) ([]vlanRun, error) { return nil, nil }

func (vlanResource) Dump(ctx context.Context, s *Scope, _ bool) iter.Seq2[*vlanRun, error] {
	return func(yield func(*vlanRun, error) bool) {
		c, err := s.Conn()
		if err != nil {
			yield(nil, err)
			return
		}
		for port, err := range c.BridgeVLANs(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, v := range port.VLANs {
				v.End = max(v.End, v.VID)
				// br_netlink.c, br_fill_ifinfo: a bridge is its own master.
				run := vlanRun{BridgeVLAN: v, index: port.Index, self: port.Master == 0 || port.Master == port.Index, decl: -1}
				if !yield(&run, nil) {
					return
				}
			}
		}
	}
}

func (vlanResource) Own(r *vlanRun) vlanRun { return *r }

func (vlanResource) Key(r *vlanRun) vlanKey { return vlanKey{r.index, r.VID} }

// Maker: VLANs bear no mark, they belong to the list of their link.
func (vlanResource) Maker(s *Scope, r *vlanRun) Maker {
	switch l := s.declaredLink(r.index); {
	case l != nil && l.VLANs != nil:
		return Listed
	case s.run.keepAll && s.isOurs(r.index):
		return Ours
	}
	return Foreign
}

func (vlanResource) Compare(_ *Scope, want, have *vlanRun) Verdict {
	if want.Flags == have.Flags {
		return Verdict{}
	}
	return Verdict{Action: Change, Fields: []FieldChange{{"flags", vlanFlags(have.Flags), vlanFlags(want.Flags)}}}
}

func vlanFlags(flags uint16) string {
	switch flags {
	case route.BRIDGE_VLAN_INFO_PVID:
		return "pvid"
	case route.BRIDGE_VLAN_INFO_UNTAGGED:
		return "untagged"
	case route.BRIDGE_VLAN_INFO_PVID | route.BRIDGE_VLAN_INFO_UNTAGGED:
		return "pvid untagged"
	}
	return ""
}

// Name writes a run in the words of `bridge vlan`.
func (vlanResource) Name(s *Scope, r *vlanRun) string {
	name := number(uint32(r.VID))
	if r.End > r.VID {
		name += "-" + number(uint32(r.End))
	}
	name += " dev " + s.LinkName(r.index)
	if flags := vlanFlags(r.Flags); flags != "" {
		name += " " + flags
	}
	if r.self {
		name += " self"
	}
	return name
}

func (vlanResource) Path(s *Scope, r *vlanRun) string {
	return spec.Path(s.Name, "links", r.link, "vlans", int(r.decl))
}

func (vlanResource) Relocate(r *vlanRun, index func(int32) int32) { r.index = index(r.index) }

func (vlanResource) Create(_ *Scope, b *netlink.Batch, r *vlanRun) {
	b.Add(unix.RTM_SETLINK, 0, r.message(r.Flags))
}

// Change adds the VLANs again: that sets their flags, and clears those that are
// not given (net/bridge/br_vlan.c, __vlan_flags_update).
func (r vlanResource) Change(s *Scope, b *netlink.Batch, want, _ *vlanRun) { r.Create(s, b, want) }

// Delete gives no flags: a range with one of them being the PVID is refused.
func (vlanResource) Delete(s *Scope, b *netlink.Batch, r *vlanRun) {
	r.deleteSpread(s, b)
	b.Add(unix.RTM_DELLINK, 0, r.message(0))
}

// deleteSpread deletes what the kernel made in the VLANs of forwarding entries
// that are declared without one: later it would refuse to.
func (r *vlanRun) deleteSpread(s *Scope, b *netlink.Batch) {
	if s == nil || s.declaredLink(r.index) == nil || s.declaredLink(r.index).FDB == nil {
		return
	}
	name := s.LinkName(r.index)
	for _, d := range *s.declaredLink(r.index).FDB {
		if !d.Master || d.VLAN != 0 {
			continue
		}
		for vid := r.VID; vid <= r.End; vid++ {
			o := fdbObject{Neighbor: declaredFDB(s, name, &d)}
			o.Master, o.VLAN = -1, vid // some bridge: the message does not name it
			b.Add(unix.RTM_DELNEIGH, 0, o.message())
		}
	}
}

func (r *vlanRun) message(flags uint16) *route.BridgeVLANs {
	return &route.BridgeVLANs{
		Index: r.index, Self: r.self, VLANs: []route.BridgeVLAN{{VID: r.VID, End: r.End, Flags: flags}},
	}
}

func (vlanResource) Describe(s *Scope, r *vlanRun, doc *spec.Namespace) {
	l := doc.Links[s.LinkName(r.index)]
	if l == nil {
		return
	}
	if l.VLANs == nil {
		l.VLANs = new([]spec.VLAN)
	}
	*l.VLANs = append(*l.VLANs, r.document())
}

// document returns the run as a document would declare it.
func (r *vlanRun) document() spec.VLAN {
	return spec.VLAN{
		VID: r.VID, End: r.End,
		PVID:     r.Flags&route.BRIDGE_VLAN_INFO_PVID != 0,
		Untagged: r.Flags&route.BRIDGE_VLAN_INFO_UNTAGGED != 0,
	}
}
