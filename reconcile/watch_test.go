package reconcile

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nlapply/nlapply/spec"
)

// logUntil is a log that calls a function when it is told something.
type logUntil struct {
	strings.Builder
	message string
	then    func()
}

func (l *logUntil) Write(b []byte) (int, error) {
	if strings.Contains(string(b), l.message) {
		l.then()
	}
	return l.Builder.Write(b)
}

// TestWatchLockedOut keeps the lock from a watcher, which says so once and looks
// again soon after: no event tells it that the lock is free.
func TestWatchLockedOut(t *testing.T) {
	b := newBench(t)
	doc := b.load("links: {lo: {}}")
	other, err := Open(context.Background(), Config{Document: doc})
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(3*firstPause/2, other.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	log := &logUntil{message: "applied and verified", then: cancel}
	err = Watch(ctx, WatchConfig{
		Load: func() (*spec.Document, error) { return doc, nil },
		Log:  slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil || !errors.Is(ctx.Err(), context.Canceled) {
		t.Errorf("not applied: %v, %v", err, ctx.Err())
	}
	if n := strings.Count(log.String(), "another run holds the lock"); n != 1 {
		t.Errorf("the lock is complained of %d times:\n%s", n, log.String())
	}
}
