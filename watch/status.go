package watch

import (
	"encoding/json"
	"io"
	"sync"
	"time"
)

// Status is what a watcher says about itself.
type Status struct {
	Owner     string    `json:"owner"`
	Files     []string  `json:"files,omitempty"`
	Since     time.Time `json:"since"`             // when the document in force was taken up
	Invalid   string    `json:"invalid,omitempty"` // why the files as they are now are not in force
	Rounds    int       `json:"rounds"`
	Changes   int       `json:"changes"` // steps that were carried out in all
	Overruns  int       `json:"overruns"`
	Last      time.Time `json:"last"`                  // the last look
	Succeeded time.Time `json:"last_success,omitzero"` // the last look that ended well
	Error     string    `json:"error,omitempty"`       // why the last one did not
	Drift     []string  `json:"drift,omitempty"`       // what the last look found to do and did not do
	Held      []HeldRow `json:"held,omitempty"`        // what is left alone for a while
}

// HeldRow is a Held in a Status.
type HeldRow struct {
	Object string    `json:"object"`
	Why    string    `json:"why"`
	Detail string    `json:"detail"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
}

// statusBoard keeps the Status for those who ask.
type statusBoard struct {
	mu sync.Mutex
	s  Status // guarded by mu
}

func (b *statusBoard) note(r Round) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.s.Owner = r.Document.Owner
	b.s.Rounds++
	b.s.Changes += r.Changes
	b.s.Overruns += r.Overruns
	b.s.Last, b.s.Error, b.s.Drift, b.s.Held = now, "", nil, nil
	if r.Err != nil {
		b.s.Error = r.Err.Error()
	} else {
		b.s.Succeeded = now
	}
	if r.Err != nil || r.Changes == 0 {
		for _, st := range r.Steps {
			b.s.Drift = append(b.s.Drift, st.String())
		}
	}
	for _, h := range r.Held {
		b.s.Held = append(b.s.Held, HeldRow{h.Object.String(), h.Why, h.Detail, h.Since, h.Until})
	}
}

func (b *statusBoard) inForce(files []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.s.Files, b.s.Since, b.s.Invalid = files, time.Now(), ""
}

func (b *statusBoard) invalid(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.s.Invalid = err.Error()
}

func (b *statusBoard) writeTo(w io.Writer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	json.NewEncoder(w).Encode(b.s)
}
