package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/nlapply/nlapply/spec"
)

// WatchConfig says what to keep true.
type WatchConfig struct {
	Files       []string // to be watched for changes
	Load        func() (*spec.Document, error)
	AllowLoss   bool
	LockTimeout time.Duration
	Again       <-chan os.Signal // a signal makes it read the files and look; nil for none
	Log         *slog.Logger
}

// Reasons to look.
const (
	netlinkEvent = "netlink event"
	timePassed   = "time passed"
	fileChanged  = "file changed"
	askedTo      = "asked to"
)

// Intervals of a watch.
const (
	settleTime = 20 * time.Millisecond // of quiet before it looks, so that bursts are one
	settleMax  = 500 * time.Millisecond
	slowLook   = 60 * time.Second // for what the kernel does not announce
	firstPause = time.Second      // before a plan that failed is tried again
)

// Watch applies the document, and again on every change of its files and every
// event of its namespaces. Events only wake it: what is to be done is decided by
// a fresh look. It returns nil when ctx ends.
func Watch(ctx context.Context, cfg WatchConfig) error {
	doc, err := cfg.Load()
	if err != nil {
		return err
	}
	if err := (&Run{doc: doc}).checkCapabilities(); err != nil {
		return err // no event brings one
	}
	presence, err := announce(doc.Owner)
	if err != nil {
		return err
	}
	defer func() { presence.Close() }()
	w := &watcher{cfg: cfg, wake: make(chan string, 1), subs: map[string]*nsWatch{}, failed: map[uint64]failure{}}
	defer w.stop()
	if err := w.watchFiles(); err != nil {
		return err
	}
	cause := "started"
	for {
		if cause != netlinkEvent {
			if fresh, err := cfg.Load(); err != nil {
				w.complain("the document is not valid, the last one stays in force", err)
			} else if presence, err = presence.become(fresh.Owner); err != nil {
				w.complain("the document has an owner that is watched already, the last one stays in force", err)
			} else {
				doc = fresh
			}
		}
		w.reconcile(ctx, doc, cause)
		if cause, err = w.wait(ctx); err != nil {
			return nil
		}
	}
}

type watcher struct {
	cfg  WatchConfig
	wake chan string // why to look; one is enough
	subs map[string]*nsWatch
	fs   *fsnotify.Watcher

	// failed are plans that could not be carried out, by their hash. The events
	// of trying one are no reason to try it again.
	failed map[uint64]failure
	locked bool // out, at the last look; no event tells when that is over
}

// failure is when a plan that failed is tried again.
type failure struct {
	pause time.Duration
	retry time.Time
}

// nsWatch is the subscription to one namespace.
type nsWatch struct {
	inode  uint64
	cancel context.CancelFunc
	done   chan struct{}
}

func (w *watcher) rouse(cause string) {
	select {
	case w.wake <- cause:
	default:
		if cause == fileChanged { // it says more than a netlink event
			select {
			case <-w.wake:
			default:
			}
			select {
			case w.wake <- cause:
			default:
			}
		}
	}
}

// reconcile applies the document once.
func (w *watcher) reconcile(ctx context.Context, doc *spec.Document, cause string) {
	run, err := Open(ctx, Config{Document: doc, AllowLoss: w.cfg.AllowLoss, LockTimeout: w.cfg.LockTimeout})
	waited := w.locked
	w.locked = errors.Is(err, ErrLocked)
	if err != nil {
		if !waited || !w.locked {
			w.complain("cannot look", err)
		}
		return
	}
	defer run.Close()
	// Subscribe first, so that nothing between the look and the wait is lost.
	w.subscribe(ctx, run)
	plan, err := run.Plan(ctx)
	if err != nil {
		w.complain("cannot plan", err)
		return
	}
	if plan.Empty() {
		return
	}
	hash := plan.hash()
	if (cause == netlinkEvent || cause == timePassed) && time.Now().Before(w.failed[hash].retry) {
		return
	}
	for st := range plan.Steps() {
		w.cfg.Log.Info(st.String(), "cause", cause)
	}
	res, err := run.Apply(ctx, plan)
	w.subscribe(ctx, run)
	if err != nil {
		w.putOff(hash)
		w.complain("not applied", err)
		return
	}
	delete(w.failed, hash)
	w.cfg.Log.Info("applied and verified", "changes", res.Changes, "cause", cause)
}

// putOff notes that a plan failed. Each time it does so again, it is tried less
// often.
func (w *watcher) putOff(hash uint64) {
	now := time.Now()
	maps.DeleteFunc(w.failed, func(_ uint64, f failure) bool { return now.Sub(f.retry) > slowLook })
	pause := max(firstPause, min(2*w.failed[hash].pause, slowLook))
	w.failed[hash] = failure{pause, now.Add(pause)}
}

func (w *watcher) complain(what string, err error) {
	if !errors.Is(err, context.Canceled) {
		w.cfg.Log.Error(what, "error", err)
	}
}

// wait blocks until there is a reason to look, and then until it is quiet.
func (w *watcher) wait(ctx context.Context) (cause string, err error) {
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case cause = <-w.wake:
	case <-w.cfg.Again:
		return askedTo, nil
	case <-time.After(w.patience()):
		return timePassed, nil
	}
	for end := time.Now().Add(settleMax); time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case c := <-w.wake:
			if c == fileChanged {
				cause = c
			}
		case <-time.After(settleTime):
			return cause, nil
		}
	}
	return cause, nil
}

// patience is how long no event is waited for.
func (w *watcher) patience() time.Duration {
	patience := slowLook
	if w.locked {
		patience = firstPause
	}
	for _, f := range w.failed {
		if left := time.Until(f.retry); left > 0 {
			patience = min(patience, left)
		}
	}
	return patience
}

// subscribe joins the groups of every namespace of the run that it has not
// joined yet, or that was replaced.
func (w *watcher) subscribe(ctx context.Context, run *Run) {
	seen := map[string]bool{}
	for _, s := range run.scopes {
		if !s.Exists {
			continue
		}
		seen[s.Name] = true
		if err := w.subscribeTo(ctx, s); err != nil {
			w.complain("cannot watch namespace "+s.Name, err)
		}
	}
	for name, sub := range w.subs {
		if !seen[name] {
			sub.end()
			delete(w.subs, name)
		}
	}
}

func (w *watcher) subscribeTo(ctx context.Context, s *Scope) error {
	ns, err := s.handle()
	if err != nil {
		return err
	}
	defer ns.Close()
	inode, err := ns.Inode()
	if err != nil {
		return err
	}
	if old := w.subs[s.Name]; old != nil {
		if old.inode == inode {
			return nil
		}
		old.end()
		delete(w.subs, s.Name)
	}
	sub, err := s.subscribe()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	n := &nsWatch{inode: inode, cancel: cancel, done: make(chan struct{})}
	w.subs[s.Name] = n
	go func() {
		defer close(n.done)
		defer sub.Close()
		for range sub.Messages(ctx) { // an overrun is a reason to look like any other
			if ctx.Err() != nil {
				return
			}
			w.rouse(netlinkEvent)
		}
	}()
	return nil
}

func (n *nsWatch) end() {
	n.cancel()
	<-n.done
}

func (w *watcher) stop() {
	for _, s := range w.subs {
		s.end()
	}
	if w.fs != nil {
		w.fs.Close()
	}
}
