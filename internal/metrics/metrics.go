// Package metrics tells Prometheus, and whoever checks its health, how a watcher is
// doing.
package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"

	"github.com/nlapply/nlapply/spec"
	"github.com/nlapply/nlapply/watch"
)

// healBuckets are those of the time to heal: from the first event to the look that
// finds all in order. Half a millisecond is what the kernel needs alone.
var healBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// digestDigits is how much of a document's digest tells it apart.
const digestDigits = 12

// A Watcher keeps what is to be told of one watcher.
type Watcher struct {
	interval time.Duration        // between looks at everything
	registry *prometheus.Registry // guarded by mu
	process  *prometheus.Registry // what is told of every Go process

	reconciles    *prometheus.CounterVec
	changes       prometheus.Counter
	found, healed *prometheus.CounterVec
	timeToHeal    prometheus.Histogram
	overruns      prometheus.Counter
	held          *prometheus.GaugeVec
	drift         *prometheus.GaugeVec
	waiting       prometheus.Gauge
	last, success prometheus.Gauge
	info          *prometheus.GaugeVec
	declared      *prometheus.GaugeVec
	documents     prometheus.Counter
	invalid       prometheus.Gauge

	mu       sync.Mutex // guards all following fields, and that metrics are of one round
	document *spec.Document
	digest   string // of document
	health   health
}

// New returns a Watcher of a watcher that looks at everything every interval.
func New(interval time.Duration) *Watcher {
	w := &Watcher{interval: interval, registry: prometheus.NewRegistry(), process: prometheus.NewRegistry()}
	f := factory{w.registry}
	w.reconciles = f.counters("reconciles_total", "Looks at the kernel, by what caused them and what came of them.", "cause", "result")
	w.changes = f.counter("changes_total", "Steps that were carried out.")
	w.found = f.counters("drift_found_total", "Objects that were found to be other than declared while the document was in force, by class. One that cannot be put right counts again whenever that is tried.", "class")
	w.healed = f.counters("drift_healed_total", "Those of them that were put right and verified, by class.", "class")
	w.timeToHeal = prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: "nlapply", Name: "heal_duration_seconds", Buckets: healBuckets,
		Help: "Time from the first event of a drift to its verified repair.",
	})
	w.registry.MustRegister(w.timeToHeal)
	w.overruns = f.counter("event_overruns_total", "How often events of the kernel were lost, and everything in the namespace looked at instead.")
	w.held = f.gauges("held_objects", "Objects that are left alone for a while, by reason (contested, refused, ignored) and class.", "why", "class")
	w.drift = f.gauges("drift_objects", "Objects that the last look found to be other than declared and that are still so, without the held ones, by class.", "class")
	w.waiting = f.gauge("waiting_links", "Declared links that do not exist yet.")
	w.last = f.gauge("last_reconcile_timestamp_seconds", "When the last look ended.")
	w.success = f.gauge("last_success_timestamp_seconds", "When the last look ended that found or made everything right, but for held objects.")
	w.info = f.gauges("document_info", "The document in force: its owner, and the beginning of the SHA-256 of its files.", "owner", "sha256")
	w.declared = f.gauges("document_objects", "Objects that the document in force declares, by class.", "class")
	w.documents = f.counter("document_changes_total", "Documents that were taken up and differ from the one before, the first one included.")
	w.invalid = f.gauge("document_invalid", "1 when the files as they are now are not in force, because they are not valid.")
	w.process.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector(),
	)
	return w
}

// gather returns all metrics: those of one round, never of two.
func (w *Watcher) gather() ([]*dto.MetricFamily, error) {
	own := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.registry.Gather()
	})
	return prometheus.Gatherers{own, w.process}.Gather()
}

// factory makes metrics that are registered.
type factory struct{ registry *prometheus.Registry }

func (f factory) counters(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "nlapply", Name: name, Help: help}, labels)
	f.registry.MustRegister(c)
	return c
}

func (f factory) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "nlapply", Name: name, Help: help}, labels)
	f.registry.MustRegister(g)
	return g
}

func (f factory) counter(name, help string) prometheus.Counter {
	return f.counters(name, help).WithLabelValues()
}

func (f factory) gauge(name, help string) prometheus.Gauge {
	return f.gauges(name, help).WithLabelValues()
}

// Heard takes up a round.
func (w *Watcher) Heard(r watch.Round) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	isSame := w.isInForce(r.Document)
	if !isSame {
		w.takeUp(&r)
	}
	w.reconciles.WithLabelValues(r.Cause, r.Result()).Inc()
	w.changes.Add(float64(r.Changes))
	w.overruns.Add(float64(r.Overruns))
	w.last.Set(seconds(now))
	if r.Result() == watch.Verified {
		w.success.Set(seconds(now))
	}
	if isSame {
		w.drifted(&r)
	}
	w.present(&r)
	w.health = healthOf(&r, now)
}

// isInForce tells whether a document says what the last one said: files are read again
// also when they have not changed.
func (w *Watcher) isInForce(doc *spec.Document) bool {
	if w.document == doc {
		return true
	}
	before, digest := w.document, doc.Digest()
	isSame := before != nil && before.Owner == doc.Owner && w.digest == digest
	w.document, w.digest = doc, digest
	return isSame
}

// takeUp notes a document that came into force.
func (w *Watcher) takeUp(r *watch.Round) {
	w.documents.Inc()
	w.info.Reset()
	w.info.WithLabelValues(r.Document.Owner, w.digest[:min(len(w.digest), digestDigits)]).Set(1)
	setByClass(w.declared, r.Objects)
}

// drifted counts what differed from a document that was in force before.
func (w *Watcher) drifted(r *watch.Round) {
	isHealed := r.Result() == watch.Verified
	for _, st := range r.Steps {
		w.found.WithLabelValues(st.Class).Inc()
		if isHealed {
			w.healed.WithLabelValues(st.Class).Inc()
		}
	}
	if isHealed && r.Changes > 0 && (r.Cause == watch.Drift || r.Cause == watch.Namespaces) {
		w.timeToHeal.Observe(r.Took.Seconds())
	}
}

// present sets what is so now.
func (w *Watcher) present(r *watch.Round) {
	w.held.Reset()
	for _, h := range r.Held {
		w.held.WithLabelValues(h.Why, h.Object.Class).Inc()
	}
	drift := map[string]int{}
	for _, st := range r.Rest {
		drift[st.Class]++
	}
	setByClass(w.drift, drift)
	w.waiting.Set(float64(len(r.Waiting)))
	w.invalid.Set(0)
	if len(r.Invalid) > 0 {
		w.invalid.Set(1)
	}
}

func setByClass(g *prometheus.GaugeVec, n map[string]int) {
	g.Reset()
	for class, n := range n {
		g.WithLabelValues(class).Set(float64(n))
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }
