package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nlapply/nlapply/reconcile"
	"github.com/nlapply/nlapply/spec"
)

// Status is what a watcher says about itself. Its JSON is stable: keys may be added.
type Status struct {
	Owner    string         `json:"owner"`
	PID      int            `json:"pid"` // in the watcher's own process namespace
	Summary  string         `json:"summary"`
	Files    []string       `json:"files"`      // that are in force
	Digest   string         `json:"digest"`     // of these files, as `cat FILES | sha256sum` prints it
	Objects  map[string]int `json:"objects"`    // how many of each class they declare
	Since    time.Time      `json:"since"`      // when they were taken up
	Document int            `json:"generation"` // counts the documents that were in force, this one included; the same again is none

	Rounds   int `json:"rounds"`   // looks at the kernel
	Changes  int `json:"changes"`  // steps that were carried out in all
	Overruns int `json:"overruns"` // how often events were lost

	Last        time.Time        `json:"last,omitzero"`         // the last look
	LastSuccess time.Time        `json:"last_success,omitzero"` // the last one that found or made everything right, but for what is held
	Error       string           `json:"error,omitempty"`       // why the last one did not
	Drift       []reconcile.Step `json:"drift,omitempty"`       // what it found and could not put right
	Held        []HeldStatus     `json:"held,omitempty"`        // what is left alone for a while
	Waiting     []string         `json:"waiting,omitempty"`     // links that are waited for
	Invalid     spec.Errors      `json:"invalid,omitempty"`     // why the files as they are now are not in force
}

// HeldStatus is a Held in a Status.
type HeldStatus struct {
	reconcile.Object
	Why    string    `json:"why"`
	Detail string    `json:"detail"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until,omitzero"` // when it is tried again; absent when it is put right each time
}

// Well tells that everything that the files declare is so.
func (s *Status) Well() bool {
	return s.Error == "" && !s.Last.IsZero() &&
		len(s.Drift) == 0 && len(s.Held) == 0 && len(s.Waiting) == 0 && len(s.Invalid) == 0
}

// mistakes takes an error of a document apart.
func mistakes(err error) spec.Errors {
	var all spec.Errors
	if errors.As(err, &all) {
		return all
	}
	return spec.Errors{{Reason: err.Error()}}
}

// statusBoard keeps the Status for those who ask.
type statusBoard struct {
	mu sync.Mutex
	s  Status // guarded by mu
}

// inForce notes which document is in force from now on.
func (b *statusBoard) inForce(doc *spec.Document) {
	files := make([]string, len(doc.Files))
	for i, name := range doc.Files {
		if abs, err := filepath.Abs(name); err == nil {
			name = abs
		}
		files[i] = name
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &b.s
	before := s.Digest
	s.Owner, s.PID, s.Files, s.Digest, s.Objects, s.Invalid = doc.Owner, os.Getpid(), files, doc.Digest(), doc.Count(), nil
	if s.Digest == before {
		return
	}
	s.Since = time.Now()
	s.Document++
	s.Summary = "looking for the first time"
	if s.Document > 1 {
		s.Summary = "taking up the files"
	}
}

func (b *statusBoard) note(r *Round) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &b.s
	s.Summary = r.Summary()
	s.Rounds++
	s.Changes += r.Changes
	s.Overruns += r.Overruns
	s.Last, s.Error = time.Now(), ""
	s.Drift, s.Waiting, s.Invalid, s.Held = r.Rest, r.Waiting, r.Invalid, nil
	if r.Err != nil {
		s.Error = r.Err.Error()
	}
	if r.Result() == Verified {
		s.LastSuccess = s.Last
	}
	for _, h := range r.Held {
		s.Held = append(s.Held, HeldStatus{h.Object, h.Why, h.Detail, h.Since, h.Until})
	}
}

// text returns the Status as a line of JSON.
func (b *statusBoard) text() []byte {
	b.mu.Lock()
	s := b.s // what it refers to is replaced, never changed
	b.mu.Unlock()
	text, err := json.Marshal(&s)
	if err != nil {
		return nil // it holds nothing that cannot be written
	}
	return append(text, '\n')
}

// askPatience is how long either side of a question waits for the other.
const askPatience = 5 * time.Second

// ErrNotWatched is matched when nobody watches a document of the owner.
var ErrNotWatched = errors.New("nobody watches")

// Ask asks the watcher of an owner's document in this network namespace how it is.
// Without one, the error matches ErrNotWatched.
func Ask(ctx context.Context, owner string) (*Status, error) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	c, err := net.DialUnix("unix", nil, address(owner))
	if err != nil {
		return nil, fmt.Errorf("%w a document of owner %s in this network namespace", ErrNotWatched, owner)
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Now()) })
	defer stop()
	var s Status
	if err := json.NewDecoder(c).Decode(&s); err != nil {
		return nil, fmt.Errorf("the watcher of owner %s does not answer: %w", owner, err)
	}
	return &s, nil
}
