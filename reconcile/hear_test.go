package reconcile

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
)

// listener hears what a run would hear.
type listener struct {
	run *Run
	sub *netlink.Subscription
}

func newListener(t *testing.T, run *Run) *listener {
	t.Helper()
	places, err := run.Places()
	if err != nil || len(places) != 1 {
		t.Fatalf("%d places, %v", len(places), err)
	}
	defer places[0].Handle.Close()
	c, err := route.Dial(netlink.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sub, err := c.Subscribe(places[0].Groups...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sub.Close() })
	return &listener{run, sub}
}

// heard returns what to look at because of what was announced, "" for no reason to
// look, and the declared objects that it is about.
func (l *listener) heard(t *testing.T) (look, objects string) {
	t.Helper()
	var all Look
	rouses, about := false, map[string]bool{}
	for m, err := range l.sub.Queued(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		h := l.run.Hear("", m.Type, m.Data)
		if !h.Rouses {
			continue
		}
		rouses = true
		all.Add(h.Look)
		if h.Object.Path != "" {
			about[h.Object.Path] = true
		}
	}
	if !rouses {
		return "", ""
	}
	part := all.At("")
	words := slices.Sorted(maps.Keys(part.Classes))
	for word, is := range map[string]bool{"links": part.Links, "link": len(part.SomeLinks) > 0, "tables": part.Tables, "fallen": part.Fallen, "wide": part.Wide} {
		if is {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	return strings.Join(words, " "), strings.Join(slices.Sorted(maps.Keys(about)), " ")
}

// TestHear tells events that are a reason to look from those that are none.
func TestHear(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	run, err := Open(ctx, Config{Document: b.load(`
links:
  br1: {kind: bridge, addresses: [10.1.0.1/16, 2001:db8::1/64], mtu: 1400}
routes: [{to: 10.3.0.0/16, via: 10.1.0.9, metric: 7}]
rules: [{priority: 5, table: 9}]
neighbors: [{to: 10.1.0.9, lladdr: "02:00:00:00:00:09", dev: br1}]
`)})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	plan, err := run.Plan(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Apply(ctx, plan); err != nil {
		t.Fatal(err)
	}
	l := newListener(t, run)
	l.heard(t)
	for _, c := range []struct{ command, look, objects string }{
		// what others do beside us
		{"ip route add 10.4.0.0/16 dev br1 proto bird", "", ""},
		{"ip route del 10.4.0.0/16", "", ""},
		{"ip route add 10.3.0.0/16 dev br1 metric 8", "", ""}, // another metric, another route
		{"ip route add 10.3.0.0/16 dev br1 metric 7 table 77", "", ""},
		{"ip rule add pref 6 table 9", "", ""},
		{"ip neigh add 10.1.0.8 lladdr 02:00:00:00:00:08 dev br1", "", ""},
		{"ip addr add 10.2.0.1/16 dev br1", "", ""},
		{"ip link add other type bridge", "", ""},
		{"ip link set other mtu 1300", "", ""}, // it was not there at the last look

		// what is right already
		{"ip route replace 10.3.0.0/16 via 10.1.0.9 metric 7 proto 110", "", ""},
		{"ip neigh replace 10.1.0.9 lladdr 02:00:00:00:00:09 dev br1 nud permanent", "", ""},
		{"ip link set br1 mtu 1400", "", ""},

		// what is ours, and not declared
		{"ip route add 10.5.0.0/16 dev br1 proto 110 table 77", "route wide", ""},
		{"ip rule add pref 7 table 9 protocol 110", "rule wide", ""},

		// what is declared
		{"ip route del 10.3.0.0/16 metric 7", "route", "routes[0]"},
		{"ip route add 10.3.0.0/16 via 10.1.0.7 metric 7", "route", "routes[0]"},
		{"ip rule del pref 5", "rule", "rules[0]"},
		{"ip neigh del 10.1.0.9 dev br1", "neighbor", "neighbors[0]"},
		{"ip addr del 2001:db8::1/64 dev br1", "address route", "links.br1.addresses[1]"},
		{"ip addr del 10.2.0.1/16 dev br1", "route", ""}, // the last one takes routes along
		{"ip link set br1 mtu 1500", "link", "links.br1"},
		{"ip addr add 2001:db8::1/64 dev br1", "", ""},
		{"ip link set br1 down", "address fallen link route", "links.br1"},
		{"ip link del br1", "address links route tables", "links.br1"},
	} {
		b.run(c.command)
		look, objects := l.heard(t)
		if look != c.look || c.objects != "" && !strings.Contains(objects, c.objects) {
			t.Errorf("%s: look %q at %q, want %q at %q", c.command, look, objects, c.look, c.objects)
		}
	}
}

// TestPlanAt looks at a part, finds what is wrong there, and nothing elsewhere.
func TestPlanAt(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	run, err := Open(ctx, Config{Document: b.load(`
links: {br1: {kind: bridge, addresses: [10.1.0.1/16]}}
routes: [{to: 10.3.0.0/16, via: 10.1.0.9}]
rules: [{priority: 5, table: 9}]
`), Meanwhile: func() Look { return Look{} }})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	plan, err := run.PlanAt(ctx, Look{}) // the first one looks at everything, whatever it is asked for
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Apply(ctx, plan); err != nil {
		t.Fatal(err)
	}
	b.run("ip route del 10.3.0.0/16")
	b.run("ip rule del pref 5")
	for _, c := range []struct{ class, want string }{
		{"address", ""},
		{"rule", "+ rule 5 lookup 9"},
		{"route", "+ route 10.3.0.0/16 via 10.1.0.9"},
	} {
		var look Look
		look.At("").AddClass(c.class, nil)
		plan, err := run.PlanAt(ctx, look)
		if err != nil {
			t.Fatal(err)
		}
		if got := planText(plan, nil); got != c.want {
			t.Errorf("%s: %q, want %q", c.class, got, c.want)
		}
		res, err := run.Apply(ctx, plan)
		if err != nil || !res.Verified {
			t.Errorf("%s: %v", c.class, err)
		}
	}
	if whole, err := run.Plan(ctx); err != nil || !whole.Empty() {
		t.Errorf("not everything is done: %v", err)
	}
}
