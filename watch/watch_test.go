package watch

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nlapply/nlapply/internal/testns"
	"github.com/nlapply/nlapply/reconcile"
	"github.com/nlapply/nlapply/spec"
)

func TestMain(m *testing.M) { testns.Main(m) }

// load writes a document and reads it.
func load(t *testing.T, text string) *spec.Document {
	t.Helper()
	file := filepath.Join(t.TempDir(), "net.yaml")
	if err := os.WriteFile(file, []byte("version: 1\n"+text), 0o666); err != nil {
		t.Fatal(err)
	}
	doc, err := spec.Load([]string{file}, nil, reconcile.Vocabulary{})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

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
	testns.Enter(t)
	doc := load(t, "links: {lo: {}}")
	other, err := reconcile.Open(context.Background(), reconcile.Config{Document: doc})
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(3*firstPause/2, other.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	log := &logUntil{message: "applied and verified", then: cancel}
	err = Run(ctx, Config{
		Load: func() (*spec.Document, error) { return doc, nil },
		Log:  slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil || !errors.Is(ctx.Err(), context.Canceled) {
		t.Errorf("not applied: %v, %v\n%s", err, ctx.Err(), log.String())
	}
	if n := strings.Count(log.String(), "another run holds the lock"); n != 1 {
		t.Errorf("the lock is complained of %d times:\n%s", n, log.String())
	}
}
