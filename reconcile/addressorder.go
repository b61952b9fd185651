package reconcile

import (
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/spec"
)

// subnet is what IPv4 addresses share of which the first is the primary one and
// the others are secondary (net/ipv4/devinet.c, __inet_insert_ifa).
type subnet struct {
	index   int32
	network netip.Prefix
}

// Diff keeps the order of IPv4 addresses within a subnet: the first declared one
// is primary. The kernel decides by the order of insertion, and with a primary
// address it deletes the secondary ones, so a subnet whose primary address has to
// go is deleted and made anew in order, unless the kernel promotes the right one.
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
	acts := make([]Action, len(have))
	for _, p := range ops {
		if p.have >= 0 {
			acts[p.have] = p.action
		}
	}
	for _, n := range nets {
		switch m := members[n]; {
		case !rebuilds(want, have, ops, acts, n, m):
		case promotesRightly(s, want, have, ops, acts, n, m):
			ops = backwards(ops, m)
		default:
			ops = rebuild(want, have, ops, n, m)
		}
	}
	return ops
}

// rebuilds tells whether the primary address of a subnet goes, or is not the
// first of those that are declared, while others are there.
func rebuilds(want, have []address, ops []op[address], acts []Action, net subnet, members []int32) bool {
	first := slices.IndexFunc(members, func(h int32) bool { return have[h].Flags&unix.IFA_F_SECONDARY == 0 })
	if first < 0 {
		return false
	}
	primary := members[first]
	switch acts[primary] {
	case Replace:
		return len(members) > 1 || joined(want, ops, net)
	case Delete:
		return joined(want, ops, net) || slices.ContainsFunc(members, func(h int32) bool { return acts[h] != Delete })
	}
	// The first declared address of the subnet is not the primary one: that
	// matters only if the primary one is declared further down.
	w := firstDeclared(want, net)
	return w >= 0 && !isSame(&want[w], &have[primary]) && declaredAt(want[w+1:], &have[primary])
}

func firstDeclared(want []address, net subnet) int {
	return slices.IndexFunc(want, func(w address) bool { return inSubnet(&w, net) })
}

func isSame(a, b *address) bool { return addressResource{}.Key(a) == addressResource{}.Key(b) }

// promotesRightly tells whether the kernel makes the right address the primary one
// when that goes: the first of those that stay or come.
func promotesRightly(s *Scope, want, have []address, ops []op[address], acts []Action, net subnet, members []int32) bool {
	if acts[members[0]] != Delete || slices.ContainsFunc(members, func(h int32) bool { return acts[h] == Replace }) {
		return false // what is replaced goes behind the others
	}
	if have[members[0]].Flags&unix.IFA_F_NOPREFIXROUTE != 0 {
		return false // until it goes there is no route to the subnet
	}
	if slices.ContainsFunc(ops, func(p op[address]) bool {
		return joins(want, p, net) && want[p.want].Scope != have[members[0]].Scope
	}) {
		return false // a subnet has one scope
	}
	var heir *address
	if i := slices.IndexFunc(members, func(h int32) bool { return acts[h] != Delete }); i >= 0 {
		heir = &have[members[i]]
	} else if i := slices.IndexFunc(ops, func(p op[address]) bool { return joins(want, p, net) }); i >= 0 {
		heir = &want[ops[i].want]
	}
	w := firstDeclared(want, net)
	return heir != nil && (w < 0 || isSame(&want[w], heir) || !declaredAt(want[w+1:], heir)) && s.promotesSecondaries(net.index)
}

// promotesSecondaries tells what will be set when addresses are deleted. Either
// sysctl is enough (include/linux/inetdevice.h, IN_DEV_PROMOTE_SECONDARIES).
func (s *Scope) promotesSecondaries(index int32) bool {
	const key = "ipv4.promote_secondaries"
	l := s.Link(index)
	if l == nil {
		return false
	}
	t := sysctlTable{root: "/proc/sys"}
	set := func(name string, declared map[string]string, declaredName string) bool {
		v, ok := declared[declaredName]
		if !ok {
			v, _ = t.read(name)
		}
		return v != "" && !equalSysctl(v, "0")
	}
	var all, own map[string]string
	if s.Spec != nil && !s.deleting() {
		all = s.Spec.Sysctl
		if d := s.declaredLink(index); d != nil {
			own = d.Sysctl
		}
	}
	promotes := false
	err := s.do(func() error {
		name := spec.LinkSysctl("all", key)
		promotes = set(name, all, name) || set(spec.LinkSysctl(l.Name, key), own, key)
		return nil
	})
	return err == nil && promotes
}

// backwards puts the deletions of some addresses into the reverse order, so that
// none becomes the primary one that goes as well.
func backwards(ops []op[address], members []int32) []op[address] {
	var gone []op[address]
	ops = slices.DeleteFunc(ops, func(p op[address]) bool {
		if p.action != Delete || !slices.Contains(members, p.have) {
			return false
		}
		gone = append(gone, p)
		return true
	})
	slices.SortFunc(gone, func(a, b op[address]) int { return int(b.have - a.have) })
	return append(ops, gone...)
}

// joined tells whether an address is added to the subnet.
func joined(want []address, ops []op[address], net subnet) bool {
	return slices.ContainsFunc(ops, func(p op[address]) bool { return joins(want, p, net) })
}

func joins(want []address, p op[address], net subnet) bool {
	return p.action == Create && p.want >= 0 && inSubnet(&want[p.want], net)
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
		return joins(want, p, net)
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
