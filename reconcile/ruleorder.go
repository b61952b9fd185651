package reconcile

import (
	"cmp"
	"maps"
	"slices"
)

// ruleGroup are the rules of one family and priority. The kernel applies them in
// the order in which they were added, adds at the end, and deletes the first one
// that fits. So an order is made by adding rules once more and by deleting the
// ones in front.
type ruleGroup struct {
	want  []int32 // declared, in order
	have  []int32 // the kernel's, in order
	equal [][]int // by declared rule: the places in have of equal ones

	drop  []bool // by place in have: goes unless it is declared
	fixed []bool // by place in have: stays there, whatever happens

	at    []int // by declared rule: its place in have, -1 for none
	owner []int // by place in have: which declared rule it is, -1 for none
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
func (r ruleResource) Diff(s *Scope, want, have []ruleObject, _ []op[ruleObject]) (ops []op[ruleObject]) {
	drop := make([]bool, len(have))
	if s.deleting() {
		r.dropDeclared(s, want, have, drop)
		want = nil
	} else {
		for h := range have {
			drop[h] = r.prunable(s, &have[h])
		}
	}
	groups := r.groups(s, want, have, drop)
	places := slices.SortedFunc(maps.Keys(groups), func(a, b rulePlace) int {
		return cmp.Or(cmp.Compare(a.family, b.family), cmp.Compare(a.priority, b.priority))
	})
	for _, p := range places {
		g := groups[p]
		g.arrange(func(v, u int) bool { return deletes(&have[g.have[v]].Rule, &have[g.have[u]].Rule) })
		ops = g.ops(ops, want, have)
	}
	return ops
}

func (r ruleResource) prunable(s *Scope, t *ruleObject) bool {
	m := r.Maker(s, t)
	return m != Kernel && s.prunes(r.Class(), m) && !(m == Foreign && r.Ignored(s, t))
}

// dropDeclared drops ours of the declared rules.
func (r ruleResource) dropDeclared(s *Scope, want, have []ruleObject, drop []bool) {
	declared := make(map[ruleKey]bool, len(want))
	for i := range want {
		declared[want[i].key()] = true
	}
	for h := range have {
		drop[h] = declared[have[h].key()] && r.Maker(s, &have[h]) == Ours
	}
}

// groups sorts rules by family and priority.
func (r ruleResource) groups(s *Scope, want, have []ruleObject, drop []bool) map[rulePlace]*ruleGroup {
	groups := map[rulePlace]*ruleGroup{}
	group := func(t *ruleObject) *ruleGroup {
		p := rulePlace{t.Family, t.Priority}
		if groups[p] == nil {
			groups[p] = &ruleGroup{}
		}
		return groups[p]
	}
	equal, copies := make(map[ruleKey][]int, len(want)), make(map[ruleKey]int, len(want))
	for i := range want {
		k := want[i].key()
		equal[k] = nil
		copies[k]++
	}
	for h := range have {
		g := group(&have[h])
		k := have[h].key()
		if places, declared := equal[k]; declared {
			equal[k] = append(places, len(g.have))
		}
		g.have, g.drop = append(g.have, int32(h)), append(g.drop, drop[h])
		g.fixed = append(g.fixed, r.Maker(s, &have[h]) == Kernel)
	}
	for i := range want {
		g, k := group(&want[i]), want[i].key()
		g.want, g.equal = append(g.want, int32(i)), append(g.equal, g.candidates(equal[k], copies[k]))
	}
	return groups
}

// candidates returns those of equal rules that may be taken for the declared
// ones: rather those that would go otherwise, if there are enough of them. When
// there are more, the ones in front go: they are what deletions take.
func (g *ruleGroup) candidates(places []int, copies int) []int {
	var going []int
	for _, p := range places {
		if g.drop[p] {
			going = append(going, p)
		}
	}
	if len(going) < copies {
		return places
	}
	return going[len(going)-copies:]
}

// arrange decides what is added again. hits tells whether the deletion of rule v
// of have would take rule u.
func (g *ruleGroup) arrange(hits func(v, u int) bool) {
	g.reset()
	for g.protect(hits) {
	}
}

// reset finds the kernel's rule for each declared one, and keeps them up to the
// first that is missing or stands only in front of its predecessor.
func (g *ruleGroup) reset() {
	g.from, g.kept = len(g.have), len(g.want)
	g.at, g.owner = make([]int, len(g.want)), make([]int, len(g.have))
	for p := range g.owner {
		g.owner[p] = -1
	}
	last := -1
	for w, places := range g.equal {
		p := g.choose(places, last, g.kept == len(g.want))
		switch {
		case p >= 0 && g.fixed[p], g.kept < len(g.want):
		case p > last:
			last = p
		default:
			g.kept = w
		}
		if g.at[w] = p; p >= 0 {
			g.owner[p] = w
		}
	}
}

// choose takes one of equal rules: one that is fixed, else the first one behind
// last as long as the order is right, else any.
func (g *ruleGroup) choose(places []int, last int, ordered bool) int {
	free := func(p int) bool { return g.owner[p] < 0 }
	for _, fits := range []func(p int) bool{
		func(p int) bool { return free(p) && g.fixed[p] },
		func(p int) bool { return free(p) && ordered && p > last },
		free,
	} {
		if i := slices.IndexFunc(places, fits); i >= 0 {
			return places[i]
		}
	}
	return -1
}

// goes tells whether the rule at p is deleted, for good or to be added again.
func (g *ruleGroup) goes(p int) bool {
	return !g.fixed[p] && (g.dropped(p) || p >= g.from || g.owner[p] >= g.kept)
}

func (g *ruleGroup) dropped(p int) bool { return g.drop[p] && g.owner[p] < 0 && !g.fixed[p] }

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
				g.fixed[v] = true
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
	first := len(ops)
	again := func(p, w int) { // rule p of have, which is the declared rule w or none
		o := op[ruleObject]{action: Replace, want: -1, have: g.have[p], made: true}
		if w >= 0 {
			o.want = g.want[w]
		}
		ops = append(ops, o)
	}
	for p := g.from; p < len(g.have); p++ {
		if g.goes(p) && !g.dropped(p) && g.owner[p] < g.kept {
			again(p, g.owner[p])
		}
	}
	for w := g.kept; w < len(g.want); w++ {
		switch p := g.at[w]; {
		case p < 0:
			ops = append(ops, op[ruleObject]{action: Create, want: g.want[w], have: -1})
		case !g.fixed[p]:
			again(p, w)
		}
	}
	g.markTwins(ops[first:], want, have)
	for p, h := range g.have {
		if g.goes(p) {
			ops = append(ops, op[ruleObject]{action: Delete, want: -1, have: h, silent: !g.dropped(p)})
		}
	}
	return ops
}

// markTwins finds the additions that the kernel would refuse.
func (g *ruleGroup) markTwins(added []op[ruleObject], want, have []ruleObject) {
	if len(added) == 0 {
		return
	}
	list := make(twins, len(g.have)+len(added))
	for _, h := range g.have {
		list.add(&have[h].Rule)
	}
	for _, o := range added {
		var t *ruleObject
		if o.want >= 0 {
			t = &want[o.want]
		} else {
			t = &have[o.have]
		}
		t.twin = list.has(&t.Rule)
		list.add(&t.Rule)
	}
}
