package audit

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// A Change is one request of a plan.
type Change struct {
	// Delete deletes the rule. Otherwise it is added: behind the others of its list, or,
	// if it says so, before them.
	Delete bool
	Rule   Rule
	// Early tells that a deletion comes before what is added: of a rule that is dead, or of a
	// copy of one in front of it, so that it never decides. Plans that were cut off leave
	// such copies.
	Early bool
	// Moved tells that the rule only gets another place: what is added is there already
	// and is deleted there, or the other way round.
	Moved bool
	// Copy tells that what is deleted is there twice, and stays at its other place.
	Copy bool
}

// String returns the change as arguments of auditctl(8).
func (c Change) String() string {
	if c.Delete {
		return "-d" + strings.TrimPrefix(c.Rule.String(), "-a")
	}
	return c.Rule.String()
}

// A Policy says whose rules are changed, and where new ones go.
type Policy struct {
	// Own tells which rules may be deleted; the others are foreign, and stay.
	Own func(*Rule) bool
	// Same returns what two rules have to agree in so that one stands for the other; nil
	// is Meaning.
	Same func(*Rule) Meaning
	// First puts new rules before foreign ones of their list, not behind them.
	First bool
	// Dead tells which of the rules that may be deleted do nothing of what they are meant
	// for, so that they go before anything is added; nil for none.
	Dead func(*Rule) bool
	// Relaxed lets rules that commute (Rule.Commutes) be in any order, so that a rule
	// that changes in the middle of many is one addition and one deletion.
	Relaxed bool
}

// Diff returns the changes that make of the rules that a kernel lists those that are
// wanted, in their order. A foreign rule that is the same as a wanted one stands for it.
//
// The kernel can put a rule before or behind all others of its list, nowhere else. So a
// part of the wanted rules that is in the right order already stays, and the rest is
// made anew: the part is chosen so that the fewest rules are deleted. All additions
// come before the first deletion of a rule that can decide, so that what is wanted and
// was there is there at every moment; and none of them, nor a deletion, puts a `never` in
// front of an `always` that is to come first, unless new rules can only go before foreign
// ones. The rules that are wanted are to differ in what Same returns.
func Diff(have, want []Rule, p Policy) (changes []Change) {
	if p.Same == nil {
		p.Same = (*Rule).Meaning
	}
	var early, gone []Change
	for _, l := range []List{User, Task, Exit, Exclude, Filesystem, IOURing} {
		d := newDiff(onList(have, l), onList(want, l), p)
		a := d.arranged(d.choose())
		if p.Relaxed {
			a = d.relax(a)
		}
		d.keep(a)
		early = append(early, d.early...)
		changes = append(changes, d.added...)
		gone = append(gone, d.deleted...)
	}
	slices.SortStableFunc(gone, func(a, b Change) int { return int(a.Rule.Action) - int(b.Rule.Action) })
	return slices.Concat(early, changes, gone)
}

func onList(rules []Rule, l List) (some []*Rule) {
	for i := range rules {
		if rules[i].List == l {
			some = append(some, &rules[i])
		}
	}
	return some
}

// differ makes the changes of one list.
type differ struct {
	policy    Policy
	have      []present
	want      []*Rule
	all       []int             // the numbers of want
	meanings  []Meaning         // of want
	wanted    map[Meaning]bool  // meanings
	places    map[Meaning][]int // in have, of those that may stay
	strangers bool              // foreign rules that stand for none that is wanted
	twice     bool              // a rule that may stay is there twice

	early, added, deleted []Change
}

// present is a rule that a kernel lists.
type present struct {
	*Rule
	meaning   Meaning
	id        string // Rule.identity
	own, dead bool
	idle      bool // see findIdle
}

// A stretch is a part of the wanted rules that stays, and where each of it is.
type stretch struct {
	from int
	at   []int // in have
}

func (s stretch) to() int { return s.from + len(s.at) }

func newDiff(have, want []*Rule, p Policy) *differ {
	d := &differ{policy: p, want: want, wanted: map[Meaning]bool{}, places: map[Meaning][]int{}}
	for w, r := range want {
		m := p.Same(r)
		d.all = append(d.all, w)
		d.meanings = append(d.meanings, m)
		d.wanted[m] = true
	}
	last := map[string]int{} // by identity
	for i, r := range have {
		h := present{Rule: r, meaning: p.Same(r), id: r.identity(), own: p.Own(r)}
		h.dead = h.own && p.Dead != nil && p.Dead(r)
		d.have = append(d.have, h)
		last[h.id] = i
	}
	d.findIdle()
	for i := range d.have {
		h := &d.have[i]
		m := h.meaning
		switch {
		case !d.wanted[m]:
			d.strangers = d.strangers || !h.own
		case h.own && last[h.id] > i:
			// Deleting this rule deletes the first of them: the last one may stay.
		default:
			d.places[m] = append(d.places[m], i)
			d.twice = d.twice || len(d.places[m]) > 1
		}
	}
	return d
}

// findIdle finds rules of ours that can go at once: another one of the same meaning is in
// front, and the kernel, which deletes the first that is the same, takes this one.
func (d *differ) findIdle() {
	meanings, ids := map[Meaning]bool{}, map[string]bool{}
	for i := range d.have {
		h := &d.have[i]
		h.idle = h.own && !ids[h.id] && meanings[h.meaning]
		meanings[h.meaning], ids[h.id] = true, true
	}
}

// choose returns, of the stretches that can stay, the one that leaves the fewest rules to
// delete, and then the fewest to add.
func (d *differ) choose() (best stretch) {
	best.from = -1
	consider := func(s stretch) {
		if best.from < 0 || d.isBetter(s.at, best.at) {
			best = s
		}
	}
	if !d.strangers || !d.policy.First {
		consider(d.stretchFrom(0)) // what is new goes behind it
	}
	if !d.strangers {
		for s := range d.stretches() {
			if d.isSafe(d.all[:s.from]) {
				consider(s)
			}
		}
	}
	if d.strangers && d.policy.First {
		consider(d.lastStretch())
	}
	return best
}

// isBetter compares what stays, by its places in have.
func (d *differ) isBetter(a, b []int) bool { return cmp.Or(d.own(a)-d.own(b), len(a)-len(b)) > 0 }

// own counts those of the rules at some places in have that would otherwise be deleted.
func (d *differ) own(at []int) (n int) {
	for _, i := range at {
		if d.have[i].own {
			n++
		}
	}
	return n
}

// stretchFrom returns the longest stretch that begins with a wanted rule.
func (d *differ) stretchFrom(from int) stretch {
	s := stretch{from: from}
	last := -1
	for _, m := range d.meanings[from:] {
		i := slices.IndexFunc(d.places[m], func(at int) bool { return at > last })
		if i < 0 {
			break
		}
		last = d.places[m][i]
		s.at = append(s.at, last)
	}
	return s
}

// stretches yields those that no other one holds. Where a rule is there twice, as after a
// plan that was cut off, one that begins later may reach further.
func (d *differ) stretches() iter.Seq[stretch] {
	return func(yield func(stretch) bool) {
		for from := 0; from < len(d.want); {
			s := d.stretchFrom(from)
			if !yield(s) {
				return
			}
			if from++; !d.twice {
				from = max(s.to(), from)
			}
		}
	}
}

// lastStretch returns the longest stretch that ends with the last wanted rule.
func (d *differ) lastStretch() stretch {
	s := stretch{from: len(d.want)}
	next := len(d.have)
	for s.from > 0 {
		before := d.places[d.meanings[s.from-1]]
		i := len(before) - 1
		for i >= 0 && before[i] >= next {
			i--
		}
		if i < 0 {
			break
		}
		next = before[i]
		s.from--
		s.at = append(s.at, next)
	}
	slices.Reverse(s.at)
	return s
}

// isSafe tells whether rules can be put in front one before the other: not where a
// `never` would be in front of an `always` that is there already for as long as it takes
// to add that before it once more.
func (d *differ) isSafe(front []int) bool {
	moved := false
	for _, w := range front {
		r := d.want[w]
		if r.Action == Never && moved {
			return false
		}
		moved = moved || r.Action == Always && len(d.places[d.meanings[w]]) > 0
	}
	return true
}

// keep makes the changes around the rules that stay.
func (d *differ) keep(a arrangement) {
	stays := map[int]bool{}
	for _, at := range a.at {
		stays[at] = true
	}
	anew := map[Meaning]bool{}
	for _, w := range slices.Concat(a.front, a.back) {
		anew[d.meanings[w]] = true
	}
	deletion := func(h *present, early bool) Change {
		moved := anew[h.meaning]
		return Change{Delete: true, Early: early, Rule: *h.Rule, Moved: moved, Copy: !moved && d.wanted[h.meaning]}
	}
	there, ours := map[string]bool{}, map[Meaning]bool{}
	for i := range d.have {
		h := &d.have[i]
		ours[h.meaning] = ours[h.meaning] || h.own
		if !stays[i] && (h.idle || h.dead) {
			d.early = append(d.early, deletion(h, true))
			stays[i] = true // not to be deleted once more
			continue
		}
		there[h.id] = true
	}
	add := func(w int, prepend bool) {
		r := unlike(d.want[w], there)
		there[r.identity()] = true
		r.Prepend = prepend
		d.added = append(d.added, Change{Rule: *r, Moved: ours[d.meanings[w]]})
	}
	for _, w := range slices.Backward(a.front) {
		add(w, true)
	}
	for _, w := range a.back {
		add(w, false)
	}
	for i := range d.have {
		if h := &d.have[i]; !stays[i] && h.own {
			d.deleted = append(d.deleted, deletion(h, false))
		}
	}
}

// unlike returns r, or a rule of the same meaning, so that the kernel takes it for
// another one than those that are there: the order of the fields matters to it.
func unlike(r *Rule, there map[string]bool) *Rule {
	for v := range variants(r) {
		if !there[v.identity()] {
			return v
		}
	}
	return r.Clone()
}

// variants yields the rule with its fields in several orders, its own first; the keys
// come last for as long as that is possible.
func variants(r *Rule) iter.Seq[*Rule] {
	return func(yield func(*Rule) bool) {
		if !yield(r.Clone()) {
			return
		}
		keys := slices.IndexFunc(r.Fields, func(f Field) bool { return f.Type == FieldKey })
		swap := func(i, j int) bool {
			v := r.Clone()
			v.Fields[i], v.Fields[j] = v.Fields[j], v.Fields[i]
			return yield(v)
		}
		for _, withKeys := range []bool{false, true} {
			for j := range r.Fields {
				for i := range j {
					if (i == keys || j == keys) == withKeys && !swap(i, j) {
						return
					}
				}
			}
		}
	}
}
