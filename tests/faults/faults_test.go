// Package faults_test lets every message that nlapply sends go wrong in every way,
// one at a time, and shows that its report is true and that the next run repairs
// everything (promise P6).
package faults_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nlapply/nlapply/tests/fault"
	"github.com/nlapply/nlapply/tests/scenario"
)

var (
	which = flag.String("faults", "sample", "which faults TestFaults tries: sample, all, or those that contain a text")
	seed  = flag.Uint64("faultseed", uint64(time.Now().UnixNano()), "what the sample is drawn with")
	count = flag.Int("faultcount", 20, "how many faults the sample has")
	part  = flag.String("faultpart", "1/1", "try only the I-th of N parts, the same ones each time")
	tell  = flag.Bool("faulttell", false, "print what every run printed")
	side  = flag.Int("faultworkers", 8, "how many faults are tried side by side")
)

func TestMain(m *testing.M) { scenario.Main(m) }

// TestFaults tries a sample of the faults, or all.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("faults take longer than make unit allows")
	}
	all := ofPart(t, everything(t))
	tried := all
	switch *which {
	case "all":
		t.Logf("%d faults", len(all))
	case "sample":
		r := rand.New(rand.NewPCG(*seed, 0))
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		tried = append(kept(t, all), all[:min(*count, len(all))]...)
		t.Logf("%d of %d faults, -faultseed=%d", len(tried), len(all), *seed)
	default:
		tried = slices.DeleteFunc(all, func(tr trial) bool { return !strings.Contains(tr.String(), *which) })
	}
	c := newCounts()
	began := time.Now()
	work(tried, func(tr trial) { c.count(t, tr, tr.run()) })
	t.Log(time.Since(began).Round(time.Second))
	c.report(t)
	if *which == "all" {
		keep(c.failed)
	}
}

// everything returns all trials of all passages.
func everything(t *testing.T) (all []trial) {
	list := passages(t)
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	for i, p := range list {
		wg.Go(func() { errs[i] = p.learn() })
	}
	wg.Wait()
	for i, p := range list {
		if errs[i] != nil {
			t.Fatalf("%s: %v", p.name, errs[i])
		}
		all = append(all, p.trials()...)
	}
	return all
}

// ofPart returns the trials of the part that -faultpart asks for.
func ofPart(t *testing.T, all []trial) []trial {
	var i, n uint64
	if _, err := fmt.Sscanf(*part, "%d/%d", &i, &n); err != nil || i < 1 || i > n {
		t.Fatalf("-faultpart=%s: want I/N", *part)
	}
	return slices.DeleteFunc(all, func(tr trial) bool { return tr.hash()%n != i-1 })
}

// kept returns the trials that found mistakes before.
func kept(t *testing.T, all []trial) (list []trial) {
	text, err := os.ReadFile("testdata/kept.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range all {
		if slices.Contains(lines(string(text)), tr.String()) {
			list = append(list, tr)
		}
	}
	return list
}

// work makes trials side by side.
func work(list []trial, f func(trial)) {
	next := make(chan trial)
	var wg sync.WaitGroup
	for range *side {
		wg.Go(func() {
			for tr := range next {
				f(tr)
			}
		})
	}
	for _, tr := range list {
		next <- tr
	}
	close(next)
	wg.Wait()
}

// counts are how many trials there were of each kind, and how they ended.
type counts struct {
	mu     sync.Mutex // guards all following fields
	by     map[string]*count1
	failed []string
}

type count1 struct {
	tried, missed, lost, wrong int
	status                     map[int]int
}

func newCounts() *counts { return &counts{by: map[string]*count1{}} }

func (c *counts) count(t *testing.T, tr trial, v verdict) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.by[tr.f.Kind]
	if k == nil {
		k = &count1{status: map[int]int{}}
		c.by[tr.f.Kind] = k
	}
	k.tried++
	k.status[v.result.status]++
	if v.missed {
		k.missed++
	}
	if len(v.lost) > 0 {
		k.lost++
	}
	if *tell {
		t.Logf("%s: %s", tr, short(v.result.String()))
	}
	if len(v.wrong) == 0 {
		return
	}
	k.wrong++
	if tr.f.Kind == fault.Miss { // a lie without a trace
		t.Logf("%s: %s", tr, short(strings.Join(v.wrong, "\n")))
		return
	}
	c.failed = append(c.failed, tr.String())
	t.Errorf("-faults '%s'\n%s\n%s", tr, short(strings.Join(v.wrong, "\n")), short(v.result.String()))
}

// report prints the counts as attributes of the test, which are printed also when it
// passes.
func (c *counts) report(t *testing.T) {
	for _, kind := range slices.Sorted(maps.Keys(c.by)) {
		k := c.by[kind]
		text := fmt.Sprintf("%d tried, %d missed, %d lost others' interrupted objects, %d wrong; exit statuses", k.tried, k.missed, k.lost, k.wrong)
		for _, s := range slices.Sorted(maps.Keys(k.status)) {
			text += fmt.Sprintf(" %d: %d", s, k.status[s])
		}
		t.Attr(kind, text)
	}
}
