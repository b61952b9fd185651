// Package notify tells the service manager how a watcher is doing, by the protocol
// of sd_notify(3). Without one, which is without $NOTIFY_SOCKET, it does nothing.
package notify

import (
	"fmt"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/nlapply/nlapply/watch"
)

// A Service is the process as the service manager sees it. The zero value is one that
// is starting.
type Service struct {
	mu        sync.Mutex // guards all fields
	ready     bool
	reloading bool
	stopping  bool
	status    string // that was sent last
}

// Watchdog is how often Alive has to be called, twice as often as the service manager
// wants to hear of it; 0 when it does not.
func Watchdog() (time.Duration, error) {
	d, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return 0, fmt.Errorf("WATCHDOG_USEC: %w", err)
	}
	return d / 2, nil
}

// Alive tells that the watcher goes on.
func (s *Service) Alive() { s.send(daemon.SdNotifyWatchdog) }

// Heard tells what came of a round. The service is ready when what the document
// declares was verified to be there for the first time, but for what is left alone or
// waited for; and again after the round that took up other files, however that ended.
func (s *Service) Heard(r watch.Round) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var state string
	if !s.ready && r.Err == nil || s.reloading {
		s.ready, s.reloading = true, false
		state = daemon.SdNotifyReady + "\n"
	}
	if text := r.Summary(); text != s.status || state != "" {
		s.status = text
		s.send(state + "STATUS=" + text)
	}
}

// Reloading tells that the files are read again.
func (s *Service) Reloading() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready && !s.stopping {
		s.reloading = true
		s.send(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
	}
}

// Stopping tells that the watcher ends.
func (s *Service) Stopping() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	s.send(daemon.SdNotifyStopping + "\nSTATUS=stopping")
}

// send sends a message. There is nobody to tell when it does not arrive.
func (*Service) send(state string) { _, _ = daemon.SdNotify(false, state) }
