package watch

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/reconcile"
	"github.com/nlapply/nlapply/spec"
)

// Config says what to keep true.
type Config struct {
	// Files are watched for changes, and so is what the document names in
	// Audit.RulesFiles. What Load returns is asked for that also beside an error.
	Files []string
	Load  func() (*spec.Document, error)
	// Observe only reports what differs, and changes nothing.
	Observe     bool
	AllowLoss   bool
	LockTimeout time.Duration
	// Interval is the time between looks at everything, for what the kernel does
	// not announce; 0 means a minute. It is varied by a tenth.
	Interval time.Duration
	Again    <-chan os.Signal // a signal makes it read the files and look; nil for none
	Log      *slog.Logger
	// Heard is called after every round; nil for nobody.
	Heard func(Round)
	// Reloading is called before the files are read again, which a round follows;
	// nil for nobody.
	Reloading func()
	// Alive is called every Pulse as long as the watcher goes on: while it waits,
	// and while it works, but for no longer than a round can take. Nil for nobody.
	Alive func()
	Pulse time.Duration
}

// Causes of a round.
const (
	Started     = "started"
	FileChanged = "file changed"
	Asked       = "asked to"
	Drift       = "drift"
	TimePassed  = "time passed"
	Retried     = "tried again"
	Namespaces  = "namespace event"
)

// Times of a watch.
const (
	settleTime      = time.Millisecond // of quiet before it looks, so that bursts are one
	settleMax       = 10 * time.Millisecond
	defaultInterval = time.Minute
)

// Run applies the document, and again on every change of its files and every
// event of its namespaces that matters to it. It returns nil when ctx ends.
func Run(ctx context.Context, cfg Config) error {
	if cfg.Interval == 0 {
		cfg.Interval = defaultInterval
	}
	// Watched before they are read, no later change of the files is missed.
	files, watchErr := watchFiles(cfg.Files)
	doc, err := files.first(cfg.Load)
	if err = cmp.Or(err, watchErr); err != nil {
		if files != nil {
			files.close()
		}
		return err
	}
	w := &watcher{cfg: cfg, log: cfg.Log, files: files, heard: make(chan struct{}, 1), ears: map[string]*ear{}, holds: newHolds(), culprits: map[reconcile.ObjectID]culprit{}, said: said{}, turned: map[reconcile.ObjectID]bool{}}
	defer w.close()
	if !cfg.Observe {
		if err := reconcile.CheckCapabilities(doc); err != nil {
			return err // no event brings one
		}
		if w.presence, err = announce(doc.Owner, w.answer); err != nil {
			return err
		}
	}
	w.spaces = namedSpaces()
	w.use(doc)
	w.wantAll(Started)
	w.log.Info("watching", "owner", doc.Owner, "files", strings.Join(doc.Files, " "), "observe", cfg.Observe)
	for {
		w.round(ctx)
		if err := w.wait(ctx); err != nil {
			w.log.Info("ended")
			return nil
		}
	}
}

// watcher is one Run. Everything but heard and files belongs to its goroutine.
type watcher struct {
	cfg        Config
	log        *slog.Logger
	doc        *spec.Document
	run        *reconcile.Run
	presence   presence
	files      *files
	ears       map[string]*ear
	audit      *auditEar   // nil without one
	auditDeaf  bool        // there can be none
	auditPaths *auditPaths // nil without any
	// auditPathsFailed is why some of them cannot be followed, as it was said last.
	auditPathsFailed string
	spaces           map[string]netns.ID // the named namespaces
	heard            chan struct{}       // an ear has something; one is enough
	spare            []byte              // a buffer for ears

	pending reconcile.Look // what to look at in the next round
	roused  bool           // there is a reason to look
	cause   string
	since   time.Time // the first reason for the next round
	lastAll time.Time // the last look at everything
	jitter  time.Duration
	failure failure
	holds   holds
	// culprits are those of the events since the last round.
	culprits map[reconcile.ObjectID]culprit
	notes    []string // that were logged last
	said     said
	waiting  []string // links that are waited for
	drift    string   // that was reported last, when it only observes
	overruns int
	lost     lost
	// disturbed tells that others changed something that matters since the last plan
	// was begun to be carried out.
	disturbed bool
	turned    map[reconcile.ObjectID]bool // links that were seen to differ since then
	invalid   spec.Errors                 // why the files as they are now are not in force
	objects   map[string]int
	status    statusBoard
}

// failure puts off the next round after one that failed as a whole.
type failure struct {
	pause   time.Duration
	until   time.Time
	message string
}

// use takes up a document.
func (w *watcher) use(doc *spec.Document) {
	if w.run != nil {
		w.run.Close()
	}
	w.doc, w.invalid, w.objects = doc, nil, doc.Count()
	w.status.inForce(doc)
	w.holds, w.said = newHolds(), said{}
	w.auditDeaf = false
	w.run = reconcile.OpenReadOnly(reconcile.Config{
		Document: doc, AllowLoss: w.cfg.AllowLoss, LockTimeout: w.cfg.LockTimeout,
		Await: true, Held: w.holds.has, Meanwhile: w.meanwhile,
	})
}

func (w *watcher) close() {
	for _, e := range w.ears {
		e.close()
	}
	if w.audit != nil {
		w.audit.close()
	}
	if w.auditPaths != nil {
		w.auditPaths.close()
	}
	w.files.close()
	if w.run != nil {
		w.run.Close()
	}
	if w.presence.UnixListener != nil {
		w.presence.Close()
	}
}

// want makes the next round look.
func (w *watcher) want(cause string, look reconcile.Look) {
	if !w.roused {
		w.roused, w.since = true, time.Now()
	}
	if w.cause == "" || cause != Drift {
		w.cause = cause
	}
	w.pending.Add(look)
}

func (w *watcher) wantAll(cause string) { w.want(cause, reconcile.Look{All: true}) }

// reload reads the files. A document that is not valid changes nothing.
func (w *watcher) reload(asked bool) {
	if w.cfg.Reloading != nil {
		w.cfg.Reloading()
	}
	defer w.working()()
	doc, whole, err := w.files.read(w.cfg.Load, asked)
	if !whole {
		return
	}
	if err != nil {
		w.complain("the document is not valid, the last one stays in force", err)
		w.invalid = mistakes(err)
		return
	}
	if !w.cfg.Observe {
		p, err := w.presence.become(doc.Owner)
		if err != nil {
			w.complain("the document has an owner that is watched already, the last one stays in force", err)
			w.invalid = mistakes(err)
			return
		}
		w.presence = p
	}
	w.use(doc)
	w.failure = failure{}
}

// wait blocks until there is a reason to look, and then until it is quiet.
func (w *watcher) wait(ctx context.Context) error {
	beat := w.beat()
	defer beat.Stop()
	for {
		timer := time.NewTimer(w.patience())
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-beat.C:
			w.cfg.Alive()
		case <-w.heard:
			w.hear()
			if w.ready() {
				w.rest(ctx)
			}
		case <-w.files.changed:
			w.reload(false)
			w.wantAll(FileChanged)
		case <-w.files.namespaces:
			if w.newSpaces() {
				w.wantAll(Namespaces)
			}
		case <-w.auditMoved():
			w.want(Drift, reconcile.AuditLook())
			w.rest(ctx)
		case <-w.cfg.Again:
			w.reload(true)
			w.failure = failure{}
			w.wantAll(Asked)
		case <-timer.C:
			w.timePassed()
		}
		timer.Stop()
		if w.ready() {
			return nil
		}
	}
}

// ready tells whether the next round may begin.
func (w *watcher) ready() bool { return w.roused && !time.Now().Before(w.failure.until) }

// rest waits until no more reasons come, but not for long.
func (w *watcher) rest(ctx context.Context) {
	for end := time.Now().Add(settleMax); time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return
		case <-w.heard:
			if !w.hear() { // what does not matter is no reason to wait
				return
			}
		case <-time.After(settleTime):
			return
		}
	}
}

// patience is how long no event is waited for.
func (w *watcher) patience() time.Duration {
	if w.roused {
		return max(0, time.Until(w.failure.until))
	}
	next := w.lastAll.Add(w.cfg.Interval + w.jitter)
	for _, t := range []time.Time{w.holds.next(), w.lost.due()} {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	return max(0, time.Until(next))
}

// timePassed finds out what for.
func (w *watcher) timePassed() {
	if w.roused {
		return
	}
	if !time.Now().Before(w.lastAll.Add(w.cfg.Interval + w.jitter)) {
		w.wantAll(TimePassed)
	}
	if t := w.holds.next(); !t.IsZero() && !time.Now().Before(t) {
		w.want(Retried, reconcile.Look{})
	}
	if t := w.lost.due(); !t.IsZero() && !time.Now().Before(t) {
		w.want(Drift, w.lost.look)
		w.lost = lost{}
	}
}

// lookAt is the look that finds an object.
func lookAt(o reconcile.Object) (look reconcile.Look) {
	switch o.Class {
	case "namespace":
		look.All = true
	case "link":
		look.At(o.Namespace).Links = true
	default:
		part := look.At(o.Namespace)
		part.AddClass(o.Class, nil)
		part.Wide = o.Path == ""
	}
	return look
}

// hear reads what the ears have collected, and tells whether any of it is a
// reason to look.
func (w *watcher) hear() (reason bool) {
	for _, e := range w.ears {
		if w.hearOf(e) {
			reason = true
		}
	}
	return w.hearAudit() || reason
}

// round looks, and does what has to be done.
func (w *watcher) round(ctx context.Context) {
	defer w.working()()
	r := Round{Cause: w.cause, Began: w.since, Document: w.doc, Objects: w.objects, Observe: w.cfg.Observe, Invalid: w.invalid}
	w.roused, w.cause = false, ""
	clear(w.turned)
	w.reconcile(ctx, &r)
	if r.Err == nil {
		w.failure = failure{}
	}
	r.Took = time.Since(r.Began)
	r.Overruns, w.overruns = w.overruns, 0
	if !w.roused {
		clear(w.culprits)
	}
	r.Held = w.holds.all()
	r.Waiting = w.waiting
	w.status.note(&r)
	if w.cfg.Heard != nil && ctx.Err() == nil {
		w.cfg.Heard(r)
	}
}

// answer tells who asks how the watcher is. Who does not read what it asked for does
// not hold it up.
func (w *watcher) answer(c net.Conn) {
	c.SetWriteDeadline(time.Now().Add(askPatience))
	c.Write(w.status.text())
}
