package audit

import (
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/testaudit"
)

// fakeKernel has the rules of a kernel, which it changes as the kernel does
// (kernel/auditfilter.c): equal rules are refused behind the others and taken before
// them, and a deletion takes the first.
type fakeKernel []Rule

func (k *fakeKernel) change(c Change) error {
	r := *c.Rule.Clone()
	at := slices.IndexFunc(*k, func(o Rule) bool { return r.IsSame(&o) })
	switch {
	case c.Delete && at < 0:
		return fmt.Errorf("ENOENT: %s", &r)
	case c.Delete:
		*k = slices.Delete(*k, at, at+1)
		return nil
	case at >= 0 && !r.Prepend:
		return fmt.Errorf("EEXIST: %s", &r)
	}
	where := len(*k)
	if r.Prepend {
		where = 0
	}
	r.Prepend = false
	*k = slices.Insert(*k, where, r)
	return nil
}

const ownKey = "nlapply:test"

func isOwn(r *Rule) bool { return slices.Contains(r.Keys(), ownKey) }

// sameButOwnKey is the meaning without the mark.
func sameButOwnKey(r *Rule) Meaning {
	c := r.Clone()
	c.SetKeys(slices.DeleteFunc(r.Keys(), func(k string) bool { return k == ownKey }))
	return c.Meaning()
}

// randomRule is one of few rules, half of them `never`.
func randomRule(n int, own bool) Rule {
	r := Rule{List: Exit, Action: Always, Syscalls: AllSyscalls(), Fields: []Field{
		{Type: FieldArch, Op: Equal, Value: uint32(Native())}, {Type: fieldUID, Op: Equal, Value: uint32(n)},
	}}
	if n%2 == 0 {
		r.Action = Never
	}
	if n%3 == 0 {
		r.Fields[1].Op = GreaterEqual // else it excludes all others
	}
	if n%5 == 0 {
		r.List, r.Syscalls = User, AllSyscalls()
	}
	if own {
		r.SetKeys([]string{ownKey})
	}
	return r
}

func pick(r *rand.Rand, from []int, max int) []int {
	r.Shuffle(len(from), func(i, j int) { from[i], from[j] = from[j], from[i] })
	return slices.Clone(from[:r.IntN(max+1)])
}

// TestDiff plans between random lists: the plan works, ends in the wanted order, takes
// nothing away that is wanted, deletes no more than it has to, and nothing foreign.
func TestDiff(t *testing.T) {
	pairs := uint64(4000)
	if testing.Short() || testaudit.Allowed() { // emulated
		pairs = 400
	}
	for seed := range pairs {
		have, want, first := randomPair(rand.New(rand.NewPCG(seed, 1)))
		policy := Policy{Own: isOwn, Same: sameButOwnKey, First: first}
		n, err := tryDiff(have, want, policy)
		if least := leastDeletions(have, want, policy); err == nil && n > least {
			err = fmt.Errorf("%d deletions instead of %d", n, least)
		}
		if err != nil {
			t.Fatalf("seed %d, first %v\nhave %s\nwant %s\n%v", seed, first, texts(have), texts(want), err)
		}
	}
}

// TestDiffRelaxed is TestDiff for plans that leave rules alone which commute: these never
// delete more than the others, and in sum hardly more than the fewest that is possible.
func TestDiffRelaxed(t *testing.T) {
	pairs := uint64(2000)
	if testing.Short() || testaudit.Allowed() {
		pairs = 200
	}
	deleted, strictly, least := 0, 0, 0
	for seed := range pairs {
		have, want, first := randomPair(rand.New(rand.NewPCG(seed, 3)))
		policy := Policy{Own: isOwn, Same: sameButOwnKey, First: first, Relaxed: true}
		n, err := tryDiff(have, want, policy)
		least += leastDeletions(have, want, policy)
		policy.Relaxed = false
		strict := countDeletions(Diff(have, want, policy))
		if err == nil && n > strict {
			err = fmt.Errorf("%d deletions, and %d in strict order", n, strict)
		}
		if err != nil {
			t.Fatalf("seed %d, first %v\nhave %s\nwant %s\n%v", seed, first, texts(have), texts(want), err)
		}
		deleted, strictly = deleted+n, strictly+strict
	}
	t.Logf("%d deletions, %d in strict order, %d where everything is tried", deleted, strictly, least)
	if deleted*100 > least*101 || deleted == strictly {
		t.Errorf("%d deletions, %d in strict order, %d where everything is tried", deleted, strictly, least)
	}
}

// TestDiffRelaxedInTheMiddle changes one of many rules as people have them: one addition
// and one deletion, at any place.
func TestDiffRelaxedInTheMiddle(t *testing.T) {
	var have []Rule
	for i := range 1000 {
		rules, err := ParseRule(fmt.Sprintf([]string{
			"-w /etc/file%d -p wa -k file",
			"-a always,exit -F arch=b64 -S setuid -F auid=%d -k id",
			"-a always,exit -F arch=b64 -S execve -F auid=%d -k run",
			"-a always,exit -F arch=b32 -S adjtimex -F a0=%d -k time",
		}[i%4], i), &Syntax{Arch: unix.AUDIT_ARCH_X86_64})
		if err != nil {
			t.Fatal(err)
		}
		have = append(have, rules...)
	}
	for _, at := range []int{0, 1, 250, 499, 502, 999} {
		want := slices.Clone(have)
		want[at] = *have[at].Clone()
		want[at].SetKeys([]string{"changed"})
		changes := Diff(have, want, Policy{Own: func(*Rule) bool { return true }, Relaxed: true})
		if len(changes) != 2 || !changes[1].Delete || !changes[1].Rule.IsSame(&have[at]) {
			t.Errorf("%d: %d changes: %v", at, len(changes), changes)
		}
	}
}

// TestDiffDead shows that a rule that does nothing goes before it is made anew, as it is
// wanted, and that no other rule goes early.
func TestDiffDead(t *testing.T) {
	have := []Rule{randomRule(1, true), randomRule(7, true), randomRule(11, true)}
	dead := &have[2]
	same := func(r *Rule) Meaning {
		if r == dead {
			return "dead " + r.Meaning()
		}
		return r.Meaning()
	}
	want := []Rule{*have[0].Clone(), *have[2].Clone(), randomRule(3, true)}
	changes := Diff(have, want, Policy{Own: isOwn, Same: same, Dead: func(r *Rule) bool { return r == dead }})
	var got []string
	for _, c := range changes {
		got = append(got, fmt.Sprintf("early %v: %s", c.Early, c))
	}
	if want := []string{
		"early true: -d" + have[2].String()[2:], "early false: " + want[1].String(), "early false: " + want[2].String(), "early false: -d" + have[1].String()[2:],
	}; !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func countDeletions(changes []Change) (n int) {
	for _, c := range changes {
		if c.Delete {
			n++
		}
	}
	return n
}

// randomPair makes up the rules of a kernel, half of the time with foreign ones among
// them, at times with some that are there twice, and those that are wanted.
func randomPair(r *rand.Rand) (have, want []Rule, first bool) {
	numbers := make([]int, 12)
	for i := range numbers {
		numbers[i] = i
	}
	foreign, killed := r.IntN(2) == 0, r.IntN(3) == 0
	for _, n := range pick(r, numbers, 8) {
		have = append(have, randomRule(n, !foreign || r.IntN(3) > 0))
	}
	for i := range have {
		if killed && isOwn(&have[i]) { // plans that moved it were cut off
			have = slices.AppendSeq(have, copies(&have[i], r.IntN(6)))
		}
	}
	for _, n := range pick(r, numbers, 8) {
		want = append(want, randomRule(n, true))
	}
	return have, want, r.IntN(2) == 0
}

// copies yields up to n variants of a rule.
func copies(r *Rule, n int) iter.Seq[Rule] {
	return func(yield func(Rule) bool) {
		i := 0
		for v := range variants(r) {
			if i++; i > n+1 || i > 1 && !yield(*v) {
				return
			}
		}
	}
}

func tryDiff(have, want []Rule, policy Policy) (deletions int, err error) {
	kernel := fakeKernel(slices.Clone(have))
	changes := Diff(have, want, policy)
	for _, c := range changes {
		if c.Delete && !isOwn(&c.Rule) {
			return 0, fmt.Errorf("deletes a foreign rule: %s", &c.Rule)
		}
		if c.Delete {
			deletions++
		}
		if err := kernel.change(c); err != nil {
			return 0, fmt.Errorf("%v of %v", err, changes)
		}
		for i := range want {
			if holds(have, &want[i]) && !holds(kernel, &want[i]) {
				return 0, fmt.Errorf("for a moment there is no %s: %v", &want[i], changes)
			}
		}
		if err := shadowed(have, want, kernel, policy); err != nil {
			return 0, fmt.Errorf("%v by %v", err, changes)
		}
	}
	for _, l := range []List{User, Exit} {
		if got := meaningsOf(kernel, l, want); !isOrderOf(got, meaningsOf(want, l, want), want, policy.Relaxed) {
			return 0, fmt.Errorf("list %s: %s", l, texts(kernel))
		}
	}
	for i := range have {
		if !isOwn(&have[i]) && !slices.ContainsFunc(kernel, func(o Rule) bool { return have[i].IsSame(&o) }) {
			return 0, fmt.Errorf("lost %s", &have[i])
		}
	}
	if again := Diff(kernel, want, policy); len(again) > 0 {
		return 0, fmt.Errorf("not converged: %v", again)
	}
	return deletions, nil
}

// isOrderOf tells whether rules, by their meanings, are in the order of others; when that
// is relaxed, as far as they do not commute.
func isOrderOf(got, order []Meaning, want []Rule, relaxed bool) bool {
	if !relaxed {
		return slices.Equal(got, order)
	}
	if len(got) != len(order) {
		return false
	}
	rule := map[Meaning]*Rule{}
	for i := range want {
		rule[sameButOwnKey(&want[i])] = &want[i]
	}
	for i, m := range got {
		for _, later := range got[i+1:] {
			if a, b := slices.Index(order, m), slices.Index(order, later); a < 0 || b < 0 || b < a && !rule[m].Commutes(rule[later]) {
				return false
			}
		}
		if !slices.Contains(order, m) {
			return false
		}
	}
	return true
}

func holds(rules []Rule, r *Rule) bool {
	return slices.ContainsFunc(rules, func(o Rule) bool { return sameButOwnKey(&o) == sameButOwnKey(r) })
}

// meaningsOf are the rules of a list that are own, or wanted. Of foreign ones and own ones
// that are the same the own one counts.
func meaningsOf(rules []Rule, l List, want []Rule) (list []Meaning) {
	for i := range rules {
		r := &rules[i]
		twin := !isOwn(r) && slices.ContainsFunc(rules, func(o Rule) bool { return isOwn(&o) && sameButOwnKey(&o) == sameButOwnKey(r) })
		if r.List == l && !twin && (isOwn(r) || holds(want, r)) {
			list = append(list, sameButOwnKey(r))
		}
	}
	return list
}

// shadowed tells which `always` that is in both lists has a `never` of ours in front of it
// that is not in front of it in either.
func shadowed(have, want, now []Rule, p Policy) error {
	if p.First && slices.ContainsFunc(have, func(r Rule) bool { return !isOwn(&r) }) {
		return nil // there is no other way then
	}
	place := func(rules []Rule, r *Rule) int {
		return slices.IndexFunc(rules, func(o Rule) bool { return sameButOwnKey(&o) == sameButOwnKey(r) })
	}
	precedes := func(rules []Rule, a, b *Rule) bool {
		i, j := place(rules, a), place(rules, b)
		return i >= 0 && j >= 0 && i < j
	}
	for i := range want {
		a := &want[i]
		if a.Action != Always || !holds(have, a) {
			continue
		}
		for j := range now {
			n := &now[j]
			if n.Action == Never && n.List == a.List && isOwn(n) && j < place(now, a) && !precedes(have, n, a) && !precedes(want, n, a) && !(p.Relaxed && n.Commutes(a)) {
				return fmt.Errorf("%s is in front of %s", n, a)
			}
		}
	}
	return nil
}

// leastDeletions tries everything that could stay.
func leastDeletions(have, want []Rule, p Policy) (sum int) {
	for _, l := range []List{User, Exit} {
		d := newDiff(onList(have, l), onList(want, l), p)
		own, best := 0, -1
		for _, r := range d.have {
			if r.own {
				own++
			}
		}
		all := d.arrangements
		if p.Relaxed {
			all = d.relaxedArrangements
		}
		for a := range all {
			possible := !d.strangers || len(a.front) == 0 && !p.First || len(a.back) == 0 && p.First
			if possible && (d.isSafe(a.front) || d.strangers) {
				deleted := own - d.own(slices.Collect(maps.Values(a.at)))
				if best < 0 || deleted < best {
					best = deleted
				}
			}
		}
		sum += max(best, 0)
	}
	return sum
}

// arrangements yields all in which the order is that of the wanted rules.
func (d *differ) arrangements(yield func(arrangement) bool) {
	for from := 0; from <= len(d.want); from++ {
		s := d.stretchFrom(from)
		for n := range len(s.at) + 1 {
			if !yield(d.arranged(stretch{from, s.at[:n]})) {
				return
			}
		}
	}
}

// relaxedArrangements yields all in which rules that do not commute are in order.
func (d *differ) relaxedArrangements(yield func(arrangement) bool) {
	where := make([]int, len(d.want)) // 0: in front, 1: stays, 2: behind
	for {
		a := arrangement{at: map[int]int{}}
		for w, p := range where {
			switch p {
			case 0:
				a.front = append(a.front, w)
			case 1:
				if place, ok := d.place(w); ok {
					a.at[w] = place
				}
			case 2:
				a.back = append(a.back, w)
			}
		}
		if len(a.front)+len(a.at)+len(a.back) == len(d.want) && d.inTurn(where, a) && !yield(a) {
			return
		}
		i := 0
		for ; i < len(where) && where[i] == 2; i++ {
			where[i] = 0
		}
		if i == len(where) {
			return
		}
		where[i]++
	}
}

func (d *differ) inTurn(where []int, a arrangement) bool {
	for w := range where {
		for o := range w {
			if (where[o] > where[w] || where[o] == 1 && where[w] == 1 && a.at[o] > a.at[w]) && !d.commute(o, w) {
				return false
			}
		}
	}
	return true
}
