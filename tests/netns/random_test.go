package netns_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nlapply/nlapply/tests/scenario"
)

var (
	seed  = flag.Uint64("seed", 1, "the first of the seeds of random tests")
	seeds = flag.Uint64("seeds", 1, "how many seeds random tests try with each set of kinds")
)

// wander goes from one document to another and back. What a document declares is
// there, whatever was there before it, and what others made stays.
const wander = `
%s
exec nlapply --full -f a.json
exec sh -e strangers.sh
exec nlapply --full -f a.json
writes 0 nlapply -f a.json
exec sh -e a.sh
state a.txt
exec nlapply --full -f b.json
writes 0 nlapply -f b.json
exec sh -e b.sh
state b.txt
exec nlapply --full -f a.json
writes 0 nlapply -f a.json
exec sh -e a.sh
state back.txt
cmp back.txt a.txt
exec nlapply --full -f b.json
state again.txt
cmp again.txt b.txt
exec nlapply --full --allow-loss -f empty.json
exec ip -j link show
! stdout nlapply:
`

// sweep does the same with documents that leave nothing of what others made.
const sweep = `
%s
exec nlapply --full -f a.json
state a.txt
exec sh -e strangers.sh
exec nlapply --full -f b.json
writes 0 nlapply -f b.json
exec sh -e b.sh
state b.txt
exec sh -e strangers.sh
exec nlapply --full -f a.json
writes 0 nlapply -f a.json
exec sh -e a.sh
state back.txt
cmp back.txt a.txt
exec sh -e strangers.sh
exec nlapply --full -f a.json
state same.txt
cmp same.txt a.txt
exec nlapply --full -f b.json
state again.txt
cmp again.txt b.txt
exec nlapply --full delete -f b.json
exec ip -j link show
! stdout nlapply:
`

// drift damages what a watcher keeps. The periodic look at everything does not
// come before the test is over: all that heals is what events tell.
const drift = `
%s
env NLAPPLY_UNTOLD=1
exec nlapply -q -f a.json
state a.txt
exec nlapply watch -f a.json &watch&
exec sleep 0.5
damage %d 12 red blue
eventually nlapply plan -f a.json
state back.txt
cmp back.txt a.txt
kill -INT watch
wait watch
`

// sets are the kinds that are tried together. Every other kernel has only the
// first set, and no VLANs of bridges.
var sets = [][]string{
	{"ifb", "veth", "bridge", "vxlan", "macvlan"},
	{"dummy", "veth", "bridge", "vxlan", "macvlan", "vlan", "bond", "vrf", "gre"},
}

// TestRandom applies random documents one after the other.
func TestRandom(t *testing.T) {
	if testing.Short() {
		t.Skip("random documents take longer than make unit allows")
	}
	runSeeds(t, journey)
}

// TestRandomDrift damages random documents that are watched.
func TestRandomDrift(t *testing.T) {
	if testing.Short() {
		t.Skip("random documents take longer than make unit allows")
	}
	runSeeds(t, vandalism)
}

// runSeeds runs the scenarios that are made up of the seeds, one with each set of
// kinds.
func runSeeds(t *testing.T, invent func(n uint64, set int) *txtar.Archive) {
	dir := t.TempDir()
	var files []string
	for n := *seed; n < *seed+*seeds; n++ {
		for set := range sets {
			file := filepath.Join(dir, fmt.Sprintf("seed_%d_%s.txtar", n, sets[set][0]))
			if err := os.WriteFile(file, txtar.Format(invent(n, set)), 0o644); err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
	}
	scenario.Run(t, "", files...)
}

// newWorld makes up a world, and says what the kernel must have for it.
func newWorld(n uint64, set int) (w *world, needs string) {
	w = &world{Rand: rand.New(rand.NewPCG(n, uint64(set))), kinds: sets[set], filtering: set == 1}
	w.invent()
	needs = "needs kind:" + strings.Join(w.kinds, " kind:")
	if w.filtering {
		needs += " 'try:ip link add br0 type bridge vlan_filtering 1'"
	}
	return w, needs
}

// vandalism makes up a scenario of TestRandomDrift.
func vandalism(n uint64, set int) *txtar.Archive {
	w, needs := newWorld(n, set)
	return &txtar.Archive{
		Comment: fmt.Appendf(nil, drift, needs, n),
		Files:   []txtar.File{{Name: "a.json", Data: []byte(w.document().json())}},
	}
}

// journey makes up a scenario of TestRandom.
func journey(n uint64, set int) *txtar.Archive {
	w, needs := newWorld(n, set)
	script := wander
	if w.sweeps = w.IntN(3) == 0; w.sweeps {
		script = sweep
	}
	x, y := w.document(), w.document()
	a := &txtar.Archive{Comment: fmt.Appendf(nil, script, needs)}
	for _, f := range []struct{ name, text string }{
		{"a.json", x.json()}, {"b.json", y.json()}, {"a.sh", x.asks()}, {"b.sh", y.asks()},
		{"strangers.sh", w.strangers(x, y)}, {"empty.json", `{"version": 1}` + "\n"},
	} {
		a.Files = append(a.Files, txtar.File{Name: f.name, Data: []byte(f.text)})
	}
	return a
}
