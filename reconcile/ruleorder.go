package reconcile

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
)

// ruleGroup are the rules of one family and priority. The kernel applies them in
// the order in which they were added, adds at the end, and deletes the first one
// that fits. So an order is made by adding rules once more and by deleting the
// ones in front.
type ruleGroup struct {
	want []int32 // declared, in order
	have []int32 // the kernel's, in order

	at    []int  // by declared rule: which of have it is, -1 for none
	owner []int  // by rule of have: which declared rule it is, -1 for none
	drop  []bool // by rule of have: goes
	fixed []bool // by rule of have: stays where it is, whatever happens

	// kept declared rules stay where they are. Those behind are in the wrong
	// order or missing, and are added (again) in order.
	kept int
	// From this place on everything is added again, in the same order.
	from int
}

type rulePlace struct {
	family   uint8
	priority uint32
}

// Diff brings the declared rules of each priority into the declared order, and
// makes sure that each deletion hits the rule that is meant.
func (r ruleResource) Diff(s *Scope, want, have []ruleObject, ops []op[ruleObject]) []op[ruleObject] {
	if len(ops) == 0 && (len(want) < 2 || s.deleting()) {
		return ops
	}
	drop := make([]bool, len(have))
	for _, p := range ops {
		if p.action == Delete {
			drop[p.have] = true
		}
	}
	if s.deleting() {
		r.dropEqual(s, want, have, drop)
		want = nil
	}
	groups := r.groups(s, want, have, drop)
	places := slices.SortedFunc(maps.Keys(groups), func(a, b rulePlace) int {
		return cmp.Or(cmp.Compare(a.family, b.family), cmp.Compare(a.priority, b.priority))
	})
	ops = ops[:0]
	for _, p := range places {
		g := groups[p]
		g.arrange(func(v, u int) bool { return deletes(&have[g.have[v]].Rule, &have[g.have[u]].Rule) })
		ops = g.ops(ops, want, have)
	}
	return ops
}

// dropEqual drops ours of the declared rules also where an equal one of another
// program stands in front.
func (r ruleResource) dropEqual(s *Scope, want, have []ruleObject, drop []bool) {
	declared := make(map[ruleKey]bool, len(want))
	for i := range want {
		k := r.Key(&want[i])
		k.nth = 0
		declared[k] = true
	}
	for h := range have {
		k := r.Key(&have[h])
		k.nth = 0
		drop[h] = declared[k] && r.Maker(s, &have[h]) == Ours
	}
}

// groups sorts rules by family and priority and finds the kernel's rule for each
// declared one: the first that is not to be deleted.
func (r ruleResource) groups(s *Scope, want, have []ruleObject, drop []bool) map[rulePlace]*ruleGroup {
	groups := map[rulePlace]*ruleGroup{}
	group := func(t *ruleObject) *ruleGroup {
		p := rulePlace{t.Family, t.Priority}
		if groups[p] == nil {
			groups[p] = &ruleGroup{}
		}
		return groups[p]
	}
	declared := make(map[ruleKey]int, len(want)) // place in the group
	for i := range want {
		g := group(&want[i])
		declared[r.Key(&want[i])] = len(g.want)
		g.want, g.at = append(g.want, int32(i)), append(g.at, -1)
	}
	for h := range have {
		g := group(&have[h])
		owner := -1
		if w, ok := declared[r.Key(&have[h])]; ok && !drop[h] && g.at[w] < 0 {
			owner, g.at[w] = w, len(g.have)
		}
		g.have, g.owner = append(g.have, int32(h)), append(g.owner, owner)
		g.drop = append(g.drop, drop[h])
		g.fixed = append(g.fixed, r.Maker(s, &have[h]) == Kernel)
	}
	return groups
}

// arrange decides what is added again. hits tells whether the deletion of rule v
// of have would take rule u.
func (g *ruleGroup) arrange(hits func(v, u int) bool) {
	g.reset()
	for g.protect(hits) {
	}
}

// reset keeps declared rules up to the first that is missing or stands before
// its predecessor.
func (g *ruleGroup) reset() {
	g.from, g.kept = len(g.have), len(g.at)
	last := -1
	for w, p := range g.at {
		switch {
		case p >= 0 && g.fixed[p]:
		case p <= last:
			g.kept = w
			return
		default:
			last = p
		}
	}
}

// goes tells whether rule p of have is deleted, for good or to be added again.
func (g *ruleGroup) goes(p int) bool {
	return !g.fixed[p] && (g.drop[p] || p >= g.from || g.owner[p] >= g.kept)
}

// protect looks for a rule that stays and that would be hit by a deletion of one
// behind it. It must be added again, too, and with it what must not come before
// it. It is false when there is none.
func (g *ruleGroup) protect(hits func(v, u int) bool) bool {
	for v := range g.have {
		if !g.goes(v) {
			continue
		}
		for u := range v {
			if g.goes(u) || !hits(v, u) {
				continue
			}
			switch {
			case g.fixed[u]: // the kernel's own: then v cannot be deleted
				g.fixed[v], g.drop[v] = true, false
				g.reset()
			case g.owner[u] >= 0:
				g.kept = g.owner[u]
			default:
				g.from = u
			}
			return true
		}
	}
	return false
}

// ops appends what brings the group into order: everything is added before
// anything is deleted, and the deletions go from front to back, so that each
// hits the rule that it is meant for.
func (g *ruleGroup) ops(ops []op[ruleObject], want, have []ruleObject) []op[ruleObject] {
	list := make([]*route.Rule, len(g.have), len(g.have)+len(g.want)) // the kernel's, as it grows
	for i, h := range g.have {
		list[i] = &have[h].Rule
	}
	add := func(p op[ruleObject]) {
		var t *ruleObject
		if p.want >= 0 {
			t = &want[p.want]
		} else {
			t = &have[p.have]
		}
		t.twin = slices.ContainsFunc(list, func(r *route.Rule) bool { return exists(&t.Rule, r) })
		list = append(list, &t.Rule)
		ops = append(ops, p)
	}
	for p := g.from; p < len(g.have); p++ {
		switch w := g.owner[p]; {
		case !g.goes(p) || g.drop[p] || w >= g.kept:
		case w >= 0:
			add(op[ruleObject]{action: Replace, want: g.want[w], have: g.have[p], made: true})
		default:
			add(op[ruleObject]{action: Replace, want: -1, have: g.have[p], made: true})
		}
	}
	for w := g.kept; w < len(g.want); w++ {
		switch p := g.at[w]; {
		case p < 0:
			add(op[ruleObject]{action: Create, want: g.want[w], have: -1})
		case !g.fixed[p]:
			add(op[ruleObject]{action: Replace, want: g.want[w], have: g.have[p], made: true})
		}
	}
	for p, h := range g.have {
		if g.goes(p) {
			ops = append(ops, op[ruleObject]{action: Delete, want: -1, have: h, silent: !g.drop[p]})
		}
	}
	return ops
}

// deletes tells whether a request to delete v, with all that v is, takes u. To
// the kernel zero is a wildcard in it, and neither `not` nor the target of a
// goto counts (net/core/fib_rules.c, rule_find; net/ipv4/fib_rules.c,
// fib4_rule_compare). Both have the same family and priority.
func deletes(v, u *route.Rule) bool {
	return wild(v.Action, u.Action) && wild(v.Table, u.Table) && wild(v.IIF, u.IIF) && wild(v.OIF, u.OIF) &&
		wild(v.FwMark, u.FwMark) && wild(v.FwMask, u.FwMask) && wild(v.TunID, u.TunID) &&
		wild(v.Protocol, u.Protocol) && wild(v.IPProto, u.IPProto) && (!v.L3MDev || u.L3MDev) &&
		(!v.HasUIDRange || u.HasUIDRange && v.UIDRange == u.UIDRange) &&
		(!v.HasSuppressPrefixLen || suppressLen(v) == suppressLen(u)) &&
		(!v.HasSuppressIfGroup || suppressGroup(v) == suppressGroup(u)) &&
		(v.SPort == route.PortRange{} || v.SPort == u.SPort && v.SPortMask == u.SPortMask) &&
		(v.DPort == route.PortRange{} || v.DPort == u.DPort && v.DPortMask == u.DPortMask) &&
		(len(v.Extra) == 0 || slices.Equal(v.Extra, u.Extra)) && compares(v, u)
}

// exists tells whether the kernel refuses to add x with NLM_F_EXCL because of r:
// here selectors without an address, without a type of service or realms match
// all (net/core/fib_rules.c, rule_exists), so that not only equal rules do.
func exists(x, r *route.Rule) bool {
	return x.Action == r.Action && x.Table == r.Table && x.IIF == r.IIF && x.OIF == r.OIF &&
		x.FwMark == r.FwMark && x.FwMask == r.FwMask && x.TunID == r.TunID &&
		x.Protocol == r.Protocol && x.IPProto == r.IPProto && x.L3MDev == r.L3MDev &&
		x.HasUIDRange == r.HasUIDRange && x.UIDRange == r.UIDRange &&
		suppressLen(x) == suppressLen(r) && suppressGroup(x) == suppressGroup(r) &&
		x.SPort == r.SPort && x.DPort == r.DPort && x.SPortMask == r.SPortMask && x.DPortMask == r.DPortMask &&
		compares(x, r)
}

// compares is the part that belongs to the family: fib4_rule_compare and
// fib6_rule_compare, which compare addresses as they were given, host bits
// included.
func compares(x, r *route.Rule) bool {
	return (x.From.Bits() <= 0 || x.From == r.From) && (x.To.Bits() <= 0 || x.To == r.To) && wild(x.TOS, r.TOS) &&
		(x.Family != unix.AF_INET || wild(x.Realms, r.Realms))
}

// wild tells whether v is zero, which matches everything, or u.
func wild[T comparable](v, u T) bool {
	var zero T
	return v == zero || v == u
}

func suppressLen(r *route.Rule) uint32 {
	if !r.HasSuppressPrefixLen {
		return math.MaxUint32
	}
	return r.SuppressPrefixLen
}

func suppressGroup(r *route.Rule) uint32 {
	if !r.HasSuppressIfGroup {
		return math.MaxUint32
	}
	return r.SuppressIfGroup
}
