package metrics

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/nlapply/nlapply/reconcile"
	"github.com/nlapply/nlapply/spec"
	"github.com/nlapply/nlapply/watch"
)

// get asks a Watcher, as Prometheus does.
func get(t *testing.T, w *Watcher, path string) (status int, body string) {
	t.Helper()
	answer := httptest.NewRecorder()
	w.handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.Code, string(b)
}

// hasLines tells which lines a text of metrics lacks.
func hasLines(t *testing.T, w *Watcher, lines ...string) {
	t.Helper()
	_, text := get(t, w, "/metrics")
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("no line %q", line)
		}
	}
	if t.Failed() {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "nlapply_") {
				t.Log(line)
			}
		}
	}
}

func TestMetrics(t *testing.T) {
	w := New(time.Minute)
	doc := &spec.Document{Owner: "edge"}
	step := func(class string) reconcile.Step { return reconcile.Step{Class: class} }
	objects := map[string]int{"link": 2, "route": 7}

	// what a new document changes is no drift
	w.Heard(watch.Round{Document: doc, Objects: objects, Cause: watch.Started, Steps: []reconcile.Step{step("link")}, Changes: 1, Waiting: []string{"eth1"}})
	hasLines(t, w,
		`nlapply_reconciles_total{cause="started",result="verified"} 1`,
		`nlapply_changes_total 1`,
		`nlapply_document_objects{class="link"} 2`,
		`nlapply_document_objects{class="route"} 7`,
		`nlapply_document_info{owner="edge",sha256=""} 1`,
		`nlapply_document_changes_total 1`,
		`nlapply_document_invalid 0`,
		`nlapply_waiting_links 1`,
		`nlapply_heal_duration_seconds_count 0`,
		`nlapply_event_overruns_total 0`,
	)
	if _, text := get(t, w, "/metrics"); strings.Contains(text, "nlapply_drift_found_total{") {
		t.Error("the first round counts as drift")
	}

	// drift that is healed in 7 ms, after events were lost twice
	w.Heard(watch.Round{
		Document: doc, Objects: objects, Cause: watch.Drift, Took: 7 * time.Millisecond, Overruns: 2, Changes: 3,
		Steps: []reconcile.Step{step("route"), step("route"), step("rule")},
	})
	hasLines(t, w,
		`nlapply_drift_found_total{class="route"} 2`,
		`nlapply_drift_healed_total{class="route"} 2`,
		`nlapply_drift_healed_total{class="rule"} 1`,
		`nlapply_heal_duration_seconds_bucket{le="0.0005"} 0`,
		`nlapply_heal_duration_seconds_bucket{le="0.005"} 0`,
		`nlapply_heal_duration_seconds_bucket{le="0.01"} 1`,
		`nlapply_heal_duration_seconds_bucket{le="60"} 1`,
		`nlapply_heal_duration_seconds_sum 0.007`,
		`nlapply_event_overruns_total 2`,
		`nlapply_changes_total 4`,
		`nlapply_waiting_links 0`,
	)

	// the same files read again are no other document
	w.Heard(watch.Round{Document: &spec.Document{Owner: "edge"}, Objects: objects, Cause: watch.Asked})
	hasLines(t, w, `nlapply_document_changes_total 1`)
	doc = w.document

	// a round that fails heals nothing
	w.Heard(watch.Round{
		Document: doc, Objects: objects, Cause: watch.TimePassed, Err: errors.New("locked"), Failed: true,
		Steps: []reconcile.Step{step("rule")}, Rest: []reconcile.Step{step("rule")}, Invalid: spec.Errors{{Reason: "no"}},
		Held: []watch.Held{
			{Object: reconcile.Object{Class: "route"}, Why: "contested"}, {Object: reconcile.Object{Class: "route"}, Why: "contested"},
			{Object: reconcile.Object{Class: "sysctl"}, Why: "refused"},
		},
	})
	hasLines(t, w,
		`nlapply_reconciles_total{cause="time passed",result="failed"} 1`,
		`nlapply_drift_found_total{class="rule"} 2`,
		`nlapply_drift_healed_total{class="rule"} 1`,
		`nlapply_drift_objects{class="rule"} 1`,
		`nlapply_held_objects{class="route",why="contested"} 2`,
		`nlapply_held_objects{class="sysctl",why="refused"} 1`,
		`nlapply_document_invalid 1`,
	)

	// another document, and nothing is held any more
	w.Heard(watch.Round{Document: &spec.Document{Owner: "core"}, Objects: map[string]int{"link": 1}, Cause: watch.FileChanged})
	hasLines(t, w,
		`nlapply_document_info{owner="core",sha256=""} 1`,
		`nlapply_document_changes_total 2`,
		`nlapply_document_invalid 0`,
		`nlapply_document_objects{class="link"} 1`,
	)
	_, text := get(t, w, "/metrics")
	for _, gone := range []string{`owner="edge"`, `nlapply_document_objects{class="route"}`, "nlapply_held_objects{", "nlapply_drift_objects{"} {
		if strings.Contains(text, gone) {
			t.Errorf("there is still %s", gone)
		}
	}
}

// The names follow Prometheus' conventions, by its own linter.
func TestNames(t *testing.T) {
	w := New(time.Minute)
	w.Heard(watch.Round{
		Document: new(spec.Document), Objects: map[string]int{"link": 1}, Rest: []reconcile.Step{{Class: "link"}},
		Held: []watch.Held{{Why: "refused"}},
	})
	all, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(all).Lint()
	if err != nil || len(problems) > 0 || len(all) < 12 {
		t.Errorf("%d metrics, problems: %v, %v", len(all), problems, err)
	}
	for _, m := range all {
		if !strings.HasPrefix(m.GetName(), "nlapply_") {
			t.Errorf("%s has not our prefix", m.GetName())
		}
	}
}

func TestHealth(t *testing.T) {
	doc := &spec.Document{Files: []string{"net.yaml"}}
	held := []watch.Held{{Object: reconcile.Object{Class: "route"}, Why: "contested"}}
	for _, tt := range []struct {
		name           string
		rounds         []watch.Round
		healthy, ready string // the error, empty for none
	}{
		{"before the first round", nil, "the first look is not over", "the first look is not over"},
		{"all well", []watch.Round{{}}, "", ""},
		{"something is held", []watch.Round{{Held: held}}, "", "0 objects of 1 file in force, 1 contested"},
		{"put off just now", []watch.Round{{Err: errors.New("x"), Held: held}}, "", "0 objects of 1 file in force, 1 contested"},
		{"a link is waited for", []watch.Round{{Waiting: []string{"eth1"}}}, "", "0 objects of 1 file in force, waiting for link eth1"},
		{
			"the files are not valid", []watch.Round{{Invalid: spec.Errors{{Reason: "no"}}}}, "",
			"0 objects of 1 file in force, edited files refused: no",
		},
		{"failed", []watch.Round{{}, {Err: errors.New("locked"), Failed: true}}, "the last look failed: locked", "the last look failed: locked"},
		{"well again", []watch.Round{{Err: errors.New("locked"), Failed: true}, {}}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := New(time.Hour)
			for _, r := range tt.rounds {
				r.Document = doc
				w.Heard(r)
			}
			for path, want := range map[string]string{"/healthz": tt.healthy, "/readyz": tt.ready} {
				wantStatus := http.StatusOK
				if want != "" {
					wantStatus = http.StatusServiceUnavailable
				} else {
					want = "ok"
				}
				if status, body := get(t, w, path); status != wantStatus || body != want+"\n" {
					t.Errorf("%s: %d %q, want %d %q", path, status, body, wantStatus, want)
				}
			}
		})
	}
}

// A watcher that has not looked for three intervals is not healthy.
func TestStale(t *testing.T) {
	w := New(time.Minute)
	w.Heard(watch.Round{Document: new(spec.Document)})
	if err := w.healthyAt(w.health.at.Add(3 * time.Minute)); err != nil {
		t.Error(err)
	}
	if err := w.healthyAt(w.health.at.Add(3*time.Minute + time.Second)); err == nil || err.Error() != "the last look was 3m1s ago" {
		t.Errorf("got %v", err)
	}
}
