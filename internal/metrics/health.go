package metrics

import (
	"errors"
	"fmt"
	"time"

	"github.com/nlapply/nlapply/watch"
)

// missedLooks is how many looks may be missed by a watcher that is healthy.
const missedLooks = 3

// health is what is kept of a round for those who check.
type health struct {
	at     time.Time // the end of the last round; zero before the first
	failed string    // why it failed as a whole
	lacks  string    // what is not as the files declare, though the watcher works
}

func healthOf(r *watch.Round, now time.Time) health {
	h := health{at: now}
	switch {
	case r.Failed:
		h.failed = r.Err.Error()
	case len(r.Invalid) > 0, len(r.Held) > 0, len(r.Waiting) > 0, len(r.Rest) > 0, r.Err != nil:
		h.lacks = r.Summary()
	}
	return h
}

// Healthy tells whether the watcher does its work: its last look went well, but for
// objects that are left alone, and is not long ago. The error says why not.
func (w *Watcher) Healthy() error { return w.healthyAt(time.Now()) }

func (w *Watcher) healthyAt(now time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := &w.health
	switch age := now.Sub(h.at); {
	case h.at.IsZero():
		return errors.New("the first look is not over")
	case h.failed != "":
		return fmt.Errorf("the last look failed: %s", h.failed)
	case age > missedLooks*w.interval:
		return fmt.Errorf("the last look was %s ago", age.Round(time.Second))
	}
	return nil
}

// Ready tells whether everything is as the files declare. The error says what is not.
func (w *Watcher) Ready() error {
	if err := w.Healthy(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.health.lacks != "" {
		return errors.New(w.health.lacks)
	}
	return nil
}
