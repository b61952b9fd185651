package watch

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nlapply/nlapply/internal/testns"
	"github.com/nlapply/nlapply/reconcile"
	"github.com/nlapply/nlapply/spec"
)

// TestAskAndDoNotRead has many connect that never read: others are answered, and
// rounds are noted. What is answered is the whole status.
func TestAskAndDoNotRead(t *testing.T) {
	testns.Enter(t)
	w := &watcher{}
	doc := load(t, "links: {lo: {}}")
	w.status.inForce(doc)
	w.status.note(manySteps(doc, 5_000)) // more than a socket takes
	p, err := announce("lazy", w.answer)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for range maxAsking / 2 {
		c, err := net.DialUnix("unix", nil, address("lazy"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	got, err := Ask(context.Background(), "lazy")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w.status.s.Drift, got.Drift); diff != "" || got.Well() {
		t.Errorf("well %v, drift:\n%s", got.Well(), diff)
	}
	if _, err := Ask(context.Background(), "nobody"); !errors.Is(err, ErrNotWatched) {
		t.Errorf("without a watcher: %v", err)
	}
}

// TestNoteBesideReader notes rounds while somebody asks and does not read.
func TestNoteBesideReader(t *testing.T) {
	doc := load(t, "links: {lo: {}}")
	w := &watcher{}
	w.status.note(manySteps(doc, 5_000))
	ours, theirs := net.Pipe() // a write waits for its reader
	defer theirs.Close()
	go w.answer(ours)
	noted := make(chan struct{})
	go func() {
		w.status.note(manySteps(doc, 1))
		close(noted)
	}()
	select {
	case <-noted:
	case <-time.After(20 * time.Second):
		t.Fatal("held up by somebody who does not read")
	}
}

func manySteps(doc *spec.Document, n int) *Round {
	r := &Round{Document: doc, Observe: true}
	for range n {
		r.Rest = append(r.Rest, reconcile.Step{
			Action: reconcile.Replace, Namespace: "red", Class: "link", Object: "vx10", Path: "namespaces.red.links.vx10",
			Fields: []reconcile.FieldChange{{Name: "vxlan.id", Have: "10", Want: "20"}}, Note: "recreate",
		})
	}
	return r
}

// TestStatusJSON pins the keys that programs may rely on.
func TestStatusJSON(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := Status{
		Owner: "edge", PID: 7, Summary: "fine", Files: []string{"/etc/n.yaml"}, Digest: "ab", Objects: map[string]int{"link": 1},
		Since: at, Document: 2, Rounds: 3, Changes: 4, Overruns: 5, Last: at, LastSuccess: at, Error: "bad",
		Drift:   []reconcile.Step{{Action: reconcile.Create, Class: "rule", Object: "5 lookup 9", Path: "rules[0]"}},
		Held:    []HeldStatus{{reconcile.Object{Class: "link", Name: "eth0", Path: "links.eth0"}, contested, "dhclient", at, at}},
		Waiting: []string{"eth1"}, Invalid: spec.Errors{{File: "n.yaml", Line: 1, Column: 2, Path: "links", Reason: "no"}},
	}
	want := `{"owner":"edge","pid":7,"summary":"fine","files":["/etc/n.yaml"],"digest":"ab","objects":{"link":1},` +
		`"since":"2026-01-02T03:04:05Z","generation":2,"rounds":3,"changes":4,"overruns":5,` +
		`"last":"2026-01-02T03:04:05Z","last_success":"2026-01-02T03:04:05Z","error":"bad",` +
		`"drift":[{"action":"+","class":"rule","object":"5 lookup 9","path":"rules[0]"}],` +
		`"held":[{"class":"link","path":"links.eth0","object":"eth0","why":"contested","detail":"dhclient",` +
		`"since":"2026-01-02T03:04:05Z","until":"2026-01-02T03:04:05Z"}],"waiting":["eth1"],` +
		`"invalid":[{"file":"n.yaml","line":1,"column":2,"path":"links","reason":"no"}]}`
	text, err := json.Marshal(&s)
	if diff := cmp.Diff(want, string(text)); diff != "" || err != nil {
		t.Fatal(err, diff)
	}
	var back Status
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, back); diff != "" {
		t.Error(diff)
	}
}

// TestSummary says what is in force in one line.
func TestSummary(t *testing.T) {
	doc := &spec.Document{Files: []string{"a.yaml", "b.yaml", "c.yaml"}}
	objects := map[string]int{"link": 4, "route": 8}
	link := func(why string) Held { return Held{Object: reconcile.Object{Class: "link"}, Why: why} }
	for _, tt := range []struct {
		name, want, result string
		r                  Round
		well               bool
	}{
		{"all well", "12 objects of 3 files in force", Verified, Round{}, true},
		{"observed", "12 objects of 3 files observed, 1 difference", Differs, Round{Observe: true, Rest: make([]reconcile.Step, 1)}, false},
		{
			"held and waiting", "12 objects of 3 files in force, 1 contested, 2 refused, waiting for link eth1", Verified,
			Round{Held: []Held{link(refused), link(contested), link(refused)}, Waiting: []string{"eth1"}}, false,
		},
		{
			"many links", "12 objects of 3 files in force, waiting for link a, b, c and 2 more", Verified,
			Round{Waiting: []string{"a", "b", "c", "d", "e"}}, false,
		},
		{
			"failed", "12 objects of 3 files in force, failed: one", NotWorked,
			Round{Err: errors.New("one\ntwo"), Failed: true}, false,
		},
		{"put off", "12 objects of 3 files in force, 1 ignored", PutOff, Round{Err: errors.New("x"), Held: []Held{link(ignored)}}, false},
		{
			"invalid", "12 objects of 3 files in force, edited files refused: a.yaml:1:2: no", Verified,
			Round{Invalid: spec.Errors{{File: "a.yaml", Line: 1, Column: 2, Reason: "no"}, {Reason: "more"}}}, false,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.r.Document, tt.r.Objects = doc, objects
			if got := tt.r.Summary(); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			if got := tt.r.Result(); got != tt.result {
				t.Errorf("result %q, want %q", got, tt.result)
			}
			var b statusBoard
			b.note(&tt.r)
			if got := b.s.Well(); got != tt.well {
				t.Errorf("well %v, want %v", got, tt.well)
			}
		})
	}
}
