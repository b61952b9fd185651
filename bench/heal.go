package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"
)

// A healTest measures how long `nlapply watch` takes to put right what another
// program damages. A listener of its own takes the times: from the kernel's event of
// the damage to that of the repair.
type healTest struct {
	*Bench
	w       io.Writer
	damages int           // of each kind
	idle    time.Duration // how long an idle watcher is looked at
	small   bool
}

// A healCondition is what else happens meanwhile.
type healCondition struct {
	name    string
	foreign int // routes of another program in another table
	pace    int // routes a second that come and go; 0: none
	table   uint32
	// p50 and p99 are goals; 0: none
	p50, p99 time.Duration
}

// run prints the tables.
func (h *healTest) run() error {
	foreign := 500_000
	if h.small {
		foreign = 50_000
	}
	fmt.Fprintf(h.w, "\nFrom the event of a damage to the event of its repair; %d damages of each kind, in random order.\n\n", h.damages)
	fmt.Fprintln(h.w, "| meanwhile | who heals | damage | n | p50 | p99 | max | goal | met? |")
	fmt.Fprintln(h.w, "|---|---|---|---|---|---|---|---|---|")
	for _, c := range []healCondition{
		{name: "idle", p50: 3 * time.Millisecond, p99: 20 * time.Millisecond},
		{name: fmt.Sprintf("%d foreign routes in another table", foreign), foreign: foreign},
		{name: "50,000 routes a second in another table", pace: 50_000, table: 1000},
		{name: "50,000 routes a second in the main table", pace: 50_000, table: 254},
	} {
		if err := h.measure(c); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return h.footprint(foreign)
}

// measure measures one condition: the watcher, and the floor beside it.
func (h *healTest) measure(c healCondition) error {
	for _, who := range []string{"floor", "nlapply watch"} {
		fmt.Fprintf(os.Stderr, "heal: %s: %s\n", c.name, who)
		if err := h.measureOne(c, who); err != nil {
			return fmt.Errorf("%s: %w", who, err)
		}
	}
	return nil
}

func (h *healTest) measureOne(c healCondition, who string) error {
	s, err := h.stage()
	if err != nil {
		return err
	}
	defer s.close()
	w, err := h.watch(s, newHealBed())
	if err != nil {
		return err
	}
	defer func() { w.stop() }()
	kinds := healKinds
	if who == "floor" { // it knows one kind of damage
		w.stop()
		kinds = kinds[:1]
		if w, err = h.poll(s); err != nil {
			return err
		}
	}
	if err := s.addForeign(c.foreign); err != nil {
		return err
	}
	var f *process
	if c.pace > 0 {
		if f, err = s.startWorker("heal-flood", fmt.Sprint(c.table), fmt.Sprint(c.pace)); err != nil {
			return err
		}
		defer f.stop()
	}
	d, err := newDamager(s)
	if err != nil {
		return err
	}
	defer d.close()
	results, err := d.damageAll(kinds, h.damages)
	if err != nil {
		return err
	}
	name := c.name
	if f != nil {
		f.stop()
		name += fmt.Sprintf(" (reached: %s)", strings.TrimSpace(f.output.String()))
	}
	for _, k := range kinds {
		h.printRow(name, who, k.name, results[k.name], c)
		name = ""
	}
	w.complaints()
	return nil
}

func (h *healTest) printRow(name, who, damage string, times []time.Duration, c healCondition) {
	slices.Sort(times)
	p50, p99, worst := quantile(times, 0.5), quantile(times, 0.99), quantile(times, 1)
	goal, verdict := "", ""
	if who != "floor" && c.p50 > 0 && damage != wholeLink && damage != routeOfLink {
		goal = fmt.Sprintf("p50 ≤ %v, p99 ≤ %v", c.p50, c.p99)
		verdict = fmt.Sprint(min(judge(float64(p50), float64(c.p50)), judge(float64(p99), float64(c.p99))))
	}
	fmt.Fprintf(h.w, "| %s | %s | %s | %d | %s | %s | %s | %s | %s |\n", name, who, damage, len(times),
		duration(float64(p50)), duration(float64(p99)), duration(float64(worst)), goal, verdict)
}

// quantile returns a quantile of sorted times.
func quantile(times []time.Duration, q float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	return times[max(0, int(math.Ceil(q*float64(len(times))))-1)]
}

// footprint prints what watchers cost: one that has little to watch, and one that has
// much.
func (h *healTest) footprint(foreign int) error {
	own := 100_000
	if h.small {
		own = 10_000
	}
	if err := h.footprintOf(healObjects, 0); err != nil {
		return err
	}
	return h.footprintOf(own, foreign)
}

func (h *healTest) footprintOf(own, foreign int) error {
	fmt.Fprintf(os.Stderr, "heal: a watcher of %d routes\n", own)
	s, err := h.stage()
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.addForeign(foreign); err != nil {
		return err
	}
	w, err := h.watch(s, healBed{routes: own})
	if err != nil {
		return err
	}
	defer w.stop()
	d, err := newDamager(s)
	if err != nil {
		return err
	}
	defer d.close()
	time.Sleep(3 * time.Second)
	fmt.Fprintf(h.w, "\nA watcher of %d routes beside %d foreign ones:\n\n| what | measured | goal | met? |\n|---|---|---|---|\n", own, foreign)
	fmt.Fprintf(h.w, "| VmRSS, VmHWM | %s, %s | | |\n", w.status("VmRSS"), w.status("VmHWM"))
	files, threads := w.files(), w.status("Threads")
	h.idleTime(w, d)
	if _, err := d.damageAll(healKinds[:4], h.damages); err != nil {
		return err
	}
	time.Sleep(time.Second)
	fmt.Fprintf(h.w, "| descriptors before and after %d damages | %d, %d | equal | %s |\n", 4*h.damages, files, w.files(), judge(float64(w.files()), float64(files)))
	fmt.Fprintf(h.w, "| threads before and after | %s, %s | | |\n", threads, w.status("Threads"))
	fmt.Fprintf(h.w, "| VmRSS, VmHWM after | %s, %s | | |\n", w.status("VmRSS"), w.status("VmHWM"))
	return nil
}

// idleTime prints what a watcher does to which nothing happens, but for its looks at
// everything once a minute.
func (h *healTest) idleTime(w *process, d *damager) {
	before, changes := w.cpu(), d.changed()
	time.Sleep(h.idle)
	used, writes := w.cpu()-before, d.changed()-changes
	goal, verdict := "", ""
	if h.idle >= 10*time.Minute {
		goal, verdict = "< 50 ms", judge(float64(used), float64(50*time.Millisecond)).String()
	}
	fmt.Fprintf(h.w, "| CPU time of %v without events | %v | %s | %s |\n", h.idle, used, goal, verdict)
	fmt.Fprintf(h.w, "| changes of the watcher meanwhile | %d | 0 | %s |\n", writes, judge(float64(writes), 0))
}

// healObjects is how many objects of each kind can be damaged, healLinks how many
// links.
const healObjects, healLinks = 100, 50

// A healBed is what the watcher keeps true.
type healBed struct {
	routes int // healObjects of them are damaged
}

func newHealBed() healBed { return healBed{healObjects} }

// document is the bed as a document.
func (b healBed) document() any {
	type object = map[string]any
	links := object{"h": object{"kind": "bridge", "addresses": []string{"10.0.0.1/24"}}}
	var routes, rules, neighbors []object
	address := links["h"].(object)["addresses"].([]string)
	for i := range healObjects {
		address = append(address, fmt.Sprintf("%v/32", healAddress(i)))
		rules = append(rules, object{"priority": healRule(i), "table": 5000})
		neighbors = append(neighbors, object{"to": healNeighbor(i).String(), "lladdr": "02:00:00:00:00:01", "dev": "h"})
	}
	links["h"].(object)["addresses"] = address
	for i := range b.routes {
		routes = append(routes, object{"to": fmt.Sprintf("%v/32", destination(i)), "via": "10.0.0.2", "dev": "h"})
	}
	for i := range 2 * healLinks {
		links[healLink(i)] = object{"kind": "bridge", "mtu": 1500, "addresses": []string{fmt.Sprintf("10.8.%d.1/24", i)}}
		routes = append(routes, object{"to": fmt.Sprintf("10.9.%d.0/24", i), "via": fmt.Sprintf("10.8.%d.2", i)})
	}
	var many []string
	for i := range 10 {
		many = append(many, fmt.Sprintf("10.10.%d.1/24", i))
	}
	links["x"] = object{"kind": "veth", "peer": object{"name": "y"}, "addresses": many}
	links["y"] = object{}
	for i := range 100 {
		routes = append(routes, object{"to": fmt.Sprintf("10.11.%d.0/24", i), "via": fmt.Sprintf("10.10.%d.2", i%10), "dev": "x"})
	}
	return object{"version": 1, "links": links, "routes": routes, "rules": rules, "neighbors": neighbors}
}

// watch starts `nlapply watch` in a stage and returns when it has applied the bed.
func (h *healTest) watch(s *Stage, bed healBed) (*process, error) {
	file, err := h.file(fmt.Sprintf("heal-%d.json", bed.routes), func(w *bufio.Writer) { json.NewEncoder(w).Encode(bed.document()) })
	if err != nil {
		return nil, err
	}
	p, err := s.startProcess(h.nlapply(), "watch", "-f", file)
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(time.Minute); p.count("applied and verified") == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			p.stop()
			return nil, fmt.Errorf("nlapply watch does not apply its document:\n%s", p.output.String())
		}
	}
	return p, nil
}

// poll starts the floor.
func (h *healTest) poll(s *Stage) (*process, error) {
	p, err := s.startWorker("heal-poller")
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(time.Minute); p.count("ready") == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			p.stop()
			return nil, fmt.Errorf("the floor does not start:\n%s", p.output.String())
		}
	}
	return p, nil
}

// damageAll makes so many damages of each kind, one after the other, and waits for
// the repair of each.
func (d *damager) damageAll(kinds []healKind, n int) (map[string][]time.Duration, error) {
	var turns []healKind
	for _, k := range kinds {
		for range cmp.Or(k.times, n) {
			turns = append(turns, k)
		}
	}
	rand.Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
	done, last := map[string]int{}, map[string]time.Time{}
	times := map[string][]time.Duration{}
	for _, k := range turns {
		// What is damaged again and again is contested, and left alone by the watcher:
		// each object is damaged three times in a row, and then left in peace.
		i := done[k.name] / 3 % k.objects
		object := fmt.Sprint(k.name, i)
		if done[k.name]++; done[k.name]%3 == 1 {
			time.Sleep(time.Until(last[object].Add(11 * time.Second)))
		}
		t, err := d.damage(k, i)
		if err != nil {
			return nil, fmt.Errorf("%s %d: %w", k.name, i, err)
		}
		last[object] = time.Now()
		times[k.name] = append(times[k.name], t)
		time.Sleep(10*time.Millisecond + rand.N(10*time.Millisecond))
	}
	return times, nil
}
