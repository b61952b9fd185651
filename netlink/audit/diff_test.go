package audit

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"

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
		if err := tryDiff(have, want, first); err != nil {
			t.Fatalf("seed %d, first %v\nhave %s\nwant %s\n%v", seed, first, texts(have), texts(want), err)
		}
	}
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

func tryDiff(have, want []Rule, first bool) error {
	kernel := fakeKernel(slices.Clone(have))
	policy := Policy{Own: isOwn, Same: sameButOwnKey, First: first}
	changes := Diff(have, want, policy)
	deletions := 0
	for _, c := range changes {
		if c.Delete && !isOwn(&c.Rule) {
			return fmt.Errorf("deletes a foreign rule: %s", &c.Rule)
		}
		if c.Delete {
			deletions++
		}
		if err := kernel.change(c); err != nil {
			return fmt.Errorf("%v of %v", err, changes)
		}
		for i := range want {
			if holds(have, &want[i]) && !holds(kernel, &want[i]) {
				return fmt.Errorf("for a moment there is no %s: %v", &want[i], changes)
			}
		}
		if err := shadowed(have, want, kernel, first); err != nil {
			return fmt.Errorf("%v by %v", err, changes)
		}
	}
	for _, l := range []List{User, Exit} {
		if got := meaningsOf(kernel, l, want); !slices.Equal(got, meaningsOf(want, l, want)) {
			return fmt.Errorf("list %s: %s", l, texts(kernel))
		}
	}
	for i := range have {
		if !isOwn(&have[i]) && !slices.ContainsFunc(kernel, func(o Rule) bool { return have[i].IsSame(&o) }) {
			return fmt.Errorf("lost %s", &have[i])
		}
	}
	if again := Diff(kernel, want, policy); len(again) > 0 {
		return fmt.Errorf("not converged: %v", again)
	}
	if least := leastDeletions(have, want, first); deletions > least {
		return fmt.Errorf("%d deletions instead of %d: %v", deletions, least, changes)
	}
	return nil
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
func shadowed(have, want, now []Rule, first bool) error {
	if first && slices.ContainsFunc(have, func(r Rule) bool { return !isOwn(&r) }) {
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
			if n.Action == Never && n.List == a.List && isOwn(n) && j < place(now, a) && !precedes(have, n, a) && !precedes(want, n, a) {
				return fmt.Errorf("%s is in front of %s", n, a)
			}
		}
	}
	return nil
}

// leastDeletions tries every part of the wanted rules that could stay.
func leastDeletions(have, want []Rule, first bool) (sum int) {
	for _, l := range []List{User, Exit} {
		own, best := 0, -1
		for _, r := range onList(have, l) {
			if isOwn(r) {
				own++
			}
		}
		d := newDiff(onList(have, l), onList(want, l), Policy{Own: isOwn, Same: sameButOwnKey, First: first})
		for from := 0; from <= len(d.want); from++ {
			for to := from; to <= len(d.want); to++ {
				s, ok := d.stays(from, to)
				possible := !d.strangers || !first && from == 0 || first && to == len(d.want)
				if !ok || !possible || from > 0 && !d.isSafe(s) && !(d.strangers && first) {
					continue
				}
				if deleted := own - d.own(s); best < 0 || deleted < best {
					best = deleted
				}
			}
		}
		sum += max(best, 0)
	}
	return sum
}

// stays returns the wanted rules from..to as a stretch, if they are there in order.
func (d *differ) stays(from, to int) (stretch, bool) {
	s := d.stretchFrom(from)
	if s.to() < to {
		return s, false
	}
	s.at = s.at[:to-from]
	return s, true
}
