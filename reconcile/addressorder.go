package reconcile

import (
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// subnet is what IPv4 addresses share of which the first is the primary one and
// the others are secondary (net/ipv4/devinet.c, __inet_insert_ifa).
type subnet struct {
	index   int32
	network netip.Prefix
}

// Diff keeps the order of IPv4 addresses within a subnet: the first declared one
// is primary. The kernel decides by the order of insertion, and with a primary
// address it deletes or promotes the secondary ones, so a subnet whose primary
// address has to go is deleted and made anew in order.
func (addressResource) Diff(s *Scope, want, have []address, ops []op[address]) []op[address] {
	if s.deleting() {
		want = nil // what is declared goes, what others have there stays
	}
	members := map[subnet][]int32{}
	var nets []subnet // in the order of the dump
	for i := range have {
		if a := &have[i]; a.Local.Is4() {
			n := subnet{a.Index, a.network()}
			if members[n] == nil {
				nets = append(nets, n)
			}
			members[n] = append(members[n], int32(i))
		}
	}
	for _, n := range nets {
		if rebuilds(want, have, ops, n, members[n]) {
			ops = rebuild(want, have, ops, n, members[n])
		}
	}
	return ops
}

// rebuilds tells whether the primary address of a subnet goes, or is not the
// first of those that are declared, while others are there.
func rebuilds(want, have []address, ops []op[address], net subnet, members []int32) bool {
	if len(members) < 2 && !joined(want, ops, net) {
		return false
	}
	first := slices.IndexFunc(members, func(h int32) bool { return have[h].Flags&unix.IFA_F_SECONDARY == 0 })
	if first < 0 {
		return false
	}
	primary := members[first]
	for _, p := range ops {
		if p.have == primary && (p.action == Delete || p.action == Replace) {
			return true
		}
	}
	for i := range want {
		w := &want[i]
		if !w.Local.Is4() || w.Index != net.index || w.network() != net.network {
			continue
		}
		if (addressResource{}).Key(w) == (addressResource{}).Key(&have[primary]) {
			return false
		}
		// The first declared address of the subnet is not the primary one: that
		// matters only if the primary one is declared further down.
		return declaredAt(want[i+1:], &have[primary])
	}
	return false
}

// joined tells whether an address is added to the subnet.
func joined(want []address, ops []op[address], net subnet) bool {
	return slices.ContainsFunc(ops, func(p op[address]) bool {
		return p.action == Create && p.want >= 0 && inSubnet(&want[p.want], net)
	})
}

func declaredAt(want []address, have *address) bool {
	return slices.ContainsFunc(want, func(w address) bool {
		return (addressResource{}).Key(&w) == (addressResource{}).Key(have)
	})
}

// rebuild replaces the ops of a subnet: secondary addresses are deleted before
// the primary one, then all that are to stay are made in order, other
// programs' last and with lines of their own.
func rebuild(want, have []address, ops []op[address], net subnet, members []int32) []op[address] {
	going := map[int32]bool{}
	ops = slices.DeleteFunc(ops, func(p op[address]) bool {
		if p.have >= 0 && slices.Contains(members, p.have) {
			going[p.have] = p.action == Delete
			return true
		}
		return p.want >= 0 && p.action == Create && inSubnet(&want[p.want], net)
	})
	for _, h := range slices.Backward(members) {
		ops = append(ops, op[address]{action: Delete, want: -1, have: h, now: true, silent: !going[h]})
	}
	made := map[int32]bool{}
	for w := range want {
		if !inSubnet(&want[w], net) {
			continue
		}
		p := op[address]{action: Create, want: int32(w), have: -1}
		for _, h := range members {
			if (addressResource{}).Key(&have[h]) == (addressResource{}).Key(&want[w]) {
				p = op[address]{action: Replace, want: int32(w), have: h, made: true, reason: "made anew: the primary address of its subnet changes"}
				made[h] = true
			}
		}
		ops = append(ops, p)
	}
	for _, h := range members {
		if !made[h] && !going[h] {
			ops = append(ops, op[address]{action: Create, want: -1, have: h})
		}
	}
	return ops
}

func inSubnet(a *address, net subnet) bool {
	return a.Local.Is4() && a.Index == net.index && a.network() == net.network
}
