package audit

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestDiffAgainstKernel plans between random lists, carries that out, and compares the
// kernel's list with the model's after every request.
func TestDiffAgainstKernel(t *testing.T) {
	c := dialMachine(t)
	ctx := context.Background()
	changes := 0
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2))
		have, want, first := randomPair(r)
		flush(t, c)
		model := fakeKernel{}
		for i := range have {
			if err := c.Add(ctx, &have[i]); err != nil {
				t.Fatalf("seed %d: %s: %v", seed, &have[i], err)
			}
			model.change(Change{Rule: have[i]})
		}
		for _, change := range Diff(listed(t, c), want, Policy{Own: isOwn, Same: sameButOwnKey, First: first}) {
			send := c.Add
			if change.Delete {
				send = c.Delete
			}
			if err := send(ctx, &change.Rule); err != nil {
				t.Fatalf("seed %d: %s: %v", seed, change, err)
			}
			if err := model.change(change); err != nil {
				t.Fatalf("seed %d: the model says %v", seed, err)
			}
			if got := listed(t, c); !sameRules(got, model.listing()) {
				t.Fatalf("seed %d: after %s\nkernel %s\nmodel  %s", seed, change, texts(got), texts(model.listing()))
			}
			changes++
		}
		for _, l := range []List{User, Exit} {
			if got := meaningsOf(listed(t, c), l, want); !slices.Equal(got, meaningsOf(want, l, want)) {
				t.Fatalf("seed %d: list %s ends as %s", seed, l, texts(listed(t, c)))
			}
		}
	}
	t.Logf("%d changes", changes)
}

// listing is the order in which a kernel lists rules: by list.
func (k fakeKernel) listing() []Rule {
	sorted := slices.Clone(k)
	slices.SortStableFunc(sorted, func(a, b Rule) int { return int(a.List) - int(b.List) })
	return sorted
}
