package faults_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestMeddling lets others change things at random while nlapply runs. The next run
// repairs everything.
func TestMeddling(t *testing.T) {
	beside(t, 1, func(p *passage, n uint64) error {
		r := rand.New(rand.NewPCG(*seed, n))
		wait := p.start(nil, append([]string{"nlapply"}, p.command...)...)
		done := make(chan result)
		go func() { done <- wait() }()
		for {
			select {
			case got := <-done:
				p.shell("sh", "calm.sh")
				if !slices.Contains([]int{0, 1, 4}, got.status) {
					return fmt.Errorf("while others change things: %s", got)
				}
				return p.converges()
			default:
				p.shell("sh", "-c", p.meddle[r.IntN(len(p.meddle))]) // many of them fail
			}
		}
	})
}

// TestTwoAtOnce runs nlapply twice at the same time: one of the same owner keeps the
// other out, or comes after it.
func TestTwoAtOnce(t *testing.T) {
	beside(t, 1, func(p *passage, _ uint64) error {
		first := p.start(nil, append([]string{"nlapply"}, p.command...)...)
		second := p.nlapply(nil, p.command...)
		for _, r := range []result{first(), second} {
			locked := r.status == 1 && strings.Contains(r.stderr, "another run holds the lock")
			if r.status != 0 && !locked {
				return fmt.Errorf("beside another run: %s", r)
			}
		}
		return p.converges()
	})
}

// TestTwoOwners runs nlapply beside one of another owner: neither minds the other.
func TestTwoOwners(t *testing.T) {
	beside(t, 1, func(p *passage, _ uint64) error {
		other := p.start(nil, "nlapply", "-f", "beside.yaml")
		mine := p.nlapply(nil, p.command...)
		for _, r := range []result{other(), mine} {
			if r.status != 0 {
				return fmt.Errorf("beside another owner: %s", r)
			}
		}
		for _, args := range [][]string{p.command, {"-f", "beside.yaml"}} {
			if r := p.nlapply(nil, append([]string{"plan"}, args...)...); r.status != 0 {
				return fmt.Errorf("after another owner: %s", r)
			}
		}
		if r := p.nlapply(nil, "delete", "-f", "beside.yaml"); r.status != 0 {
			return fmt.Errorf("the other owner's end: %s", r)
		}
		return p.converges()
	})
}

// beside tries f with the changes of all documents, few times or, with -faults=all,
// often.
func beside(t *testing.T, times int, f func(p *passage, n uint64) error) {
	if testing.Short() {
		t.Skip("faults take longer than make unit allows")
	}
	if *which == "all" {
		times *= 20
		if !strings.HasPrefix(*part, "1/") {
			t.Skip("this goes with the first part")
		}
	}
	t.Logf("-faultseed=%d", *seed)
	for _, p := range passages(t) {
		if !strings.HasSuffix(p.name, "/change") {
			continue
		}
		if err := p.learn(); err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		for n := range uint64(times) {
			err := alone(func() error {
				if err := p.begin(true); err != nil {
					return err
				}
				return f(p, n)
			})
			if err != nil {
				t.Errorf("%s, number %d: %v", p.name, n, err)
			}
		}
	}
}

// converges shows that the plain command repairs everything, but for what others had
// on links that went.
func (p *passage) converges() error {
	plain, check := p.again(p.command)
	if rest, err := check.read(); plain.status != 0 || check.status != 0 || err != nil || len(rest.plan) > 0 {
		return fmt.Errorf("the next run: %s\nafter it: %s", plain, check)
	}
	state, err := settled(p.norm, p.goal, "")
	if err != nil {
		return err
	}
	d := slices.DeleteFunc(difference(p.goal, state, ""), func(o string) bool { return o[0] == '-' && p.others[o[1:]] })
	if len(d) > 0 {
		return fmt.Errorf("after the next run the state is not the goal:\n%s", short(strings.Join(d, "\n")))
	}
	return nil
}
