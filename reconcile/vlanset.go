package reconcile

import "github.com/nlapply/nlapply/netlink/route"

// maxVLAN is VLAN_N_VID-2: 4095 is reserved.
const maxVLAN = 4094

// defaultVLANFlags are those of the VLAN that a bridge gives to every port
// (net/bridge/br_vlan.c, nbp_vlan_init).
const defaultVLANFlags = route.BRIDGE_VLAN_INFO_PVID | route.BRIDGE_VLAN_INFO_UNTAGGED

// vlanSet are the VLANs of one link by id.
type vlanSet [maxVLAN + 2]vlanState

// vlanState is 0 for a VLAN that is not there.
type vlanState uint8

const vlanPresent vlanState = 1

func (v vlanState) flags() uint16 { return uint16(v &^ vlanPresent) }

func (set *vlanSet) add(r route.BridgeVLAN) {
	if r.VID == 0 {
		return
	}
	for vid := r.VID; vid <= min(max(r.End, r.VID), maxVLAN); vid++ {
		set[vid] = vlanPresent | vlanState(r.Flags)
	}
}

// rebase does what the kernel does when a bridge's default VLAN changes
// (net/bridge/br_vlan.c, __br_vlan_set_default_pvid): it takes the place of the
// old one where that is as it was given.
func (set *vlanSet) rebase(old, neu uint16) {
	if old == neu {
		return
	}
	untouched := old == 0 || set[old] == vlanPresent|defaultVLANFlags
	if !untouched || neu != 0 && set[neu] != 0 {
		return
	}
	if old != 0 {
		set[old] = 0
	}
	if neu == 0 {
		return
	}
	for vid := range set { // there is one PVID
		set[vid] &^= vlanState(route.BRIDGE_VLAN_INFO_PVID)
	}
	set[neu] = vlanPresent | defaultVLANFlags
}

// vlanChange is what happens to consecutive VLANs.
type vlanChange struct {
	from, to uint16
	action   Action
}

// diffVLANs returns the changes from have to want in the order of the ids. All
// VLANs of a change have the same flags before, and the same after it.
func diffVLANs(want, have *vlanSet) (changes []vlanChange) {
	for vid := 1; vid <= maxVLAN; vid++ {
		w, h := want[vid], have[vid]
		if w == h {
			continue
		}
		action := Change
		switch {
		case h == 0:
			action = Create
		case w == 0:
			action = Delete
		}
		if n := len(changes); n > 0 && w.flags()&route.BRIDGE_VLAN_INFO_PVID == 0 {
			last := &changes[n-1]
			if int(last.to) == vid-1 && want[last.to] == w && have[last.to] == h {
				last.to = uint16(vid)
				continue
			}
		}
		changes = append(changes, vlanChange{uint16(vid), uint16(vid), action})
	}
	return changes
}
