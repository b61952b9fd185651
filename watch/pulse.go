package watch

import "time"

// maxWork is how long the watcher may be at work and count as alive: far longer than
// a round over a million objects takes on a slow machine.
const maxWork = 10 * time.Minute

// beat ticks while the watcher waits.
func (w *watcher) beat() *time.Ticker {
	if w.cfg.Alive == nil || w.cfg.Pulse <= 0 {
		return &time.Ticker{} // never ticks
	}
	return time.NewTicker(w.cfg.Pulse)
}

// working has Alive called also while the watcher's goroutine does something that
// may take long, until done.
func (w *watcher) working() (done func()) {
	if w.cfg.Alive == nil || w.cfg.Pulse <= 0 {
		return func() {}
	}
	stop := make(chan struct{})
	go w.vouch(stop, maxWork)
	return func() { close(stop) }
}

// vouch calls Alive until it is stopped, but not for ever: work that does not end is
// no sign of life.
func (w *watcher) vouch(stop <-chan struct{}, most time.Duration) {
	beat, end := time.NewTicker(w.cfg.Pulse), time.NewTimer(most)
	defer beat.Stop()
	defer end.Stop()
	for {
		select {
		case <-stop:
			return
		case <-end.C:
			return
		case <-beat.C:
			w.cfg.Alive()
		}
	}
}
