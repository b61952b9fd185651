package watch

import (
	"context"
	"log/slog"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/testns"
	"github.com/nlapply/nlapply/spec"
)

// TestAliveWhileWorking has a round and the reading of files take long: the watcher
// counts as alive while they do, and while it waits.
func TestAliveWhileWorking(t *testing.T) {
	testns.Enter(t)
	doc := load(t, "links: {lo: {}}")
	var beats atomic.Int64
	more := func(what string) {
		from := beats.Load()
		for end := time.Now().Add(20 * time.Second); beats.Load() < from+3; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Errorf("not alive while %s", what)
				return
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	reloaded := make(chan struct{})
	again := make(chan os.Signal, 1)
	rounds, loads := 0, 0
	cfg := Config{
		Load: func() (*spec.Document, error) {
			if loads++; loads > 1 {
				more("files are read")
			}
			return doc, nil
		},
		Reloading: func() { close(reloaded) },
		Heard: func(Round) {
			if rounds++; rounds == 1 {
				more("a round takes long")
				time.AfterFunc(time.Millisecond, func() {
					more("waiting")
					again <- unix.SIGHUP
				})
			} else {
				cancel()
			}
		},
		Alive: func() { beats.Add(1) },
		Pulse: time.Millisecond, Again: again, Log: slog.New(slog.DiscardHandler),
	}
	if err := Run(ctx, cfg); err != nil {
		t.Fatal(err)
	}
	select {
	case <-reloaded:
	default:
		t.Error("not told that files are read again")
	}
	if beats := beats.Load(); beats < 9 {
		t.Errorf("alive %d times, want 9 or more", beats)
	}
}

// TestStuckIsNotAlive has work that never ends: after a while nobody vouches for it.
func TestStuckIsNotAlive(t *testing.T) {
	var beats atomic.Int64
	w := &watcher{cfg: Config{Alive: func() { beats.Add(1) }, Pulse: time.Millisecond}}
	ended := make(chan struct{})
	go func() {
		w.vouch(nil, 50*time.Millisecond)
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("vouches for ever")
	}
	if beats.Load() == 0 {
		t.Error("never vouched for the work")
	}
}
