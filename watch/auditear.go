package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/audit"
	"github.com/nlapply/nlapply/reconcile"
)

// An auditEar hears when the rules or settings of the audit system change, which comes
// by other ways than what happens to a network: as records, if audit is enabled and no
// rule excludes them. The look that comes from time to time finds the rest.
type auditEar struct {
	listener *audit.Listener
	heard    func()
	cancel   context.CancelFunc
	ended    chan struct{}

	mu      sync.Mutex // guards all following fields
	changed bool       // since the last take
	serial  uint64     // of the event of the last change
	by      string     // who made it, "" when that is not known, or was told
}

// listenToAudit opens the ear.
func listenToAudit(heard func()) (*auditEar, error) {
	l, err := audit.Listen(netlink.Config{ReadBuffer: earBuffer})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	e := &auditEar{listener: l, heard: heard, cancel: cancel, ended: make(chan struct{})}
	go e.run(ctx)
	return e, nil
}

func (e *auditEar) close() {
	e.cancel()
	<-e.ended
}

func (e *auditEar) run(ctx context.Context) {
	defer close(e.ended)
	defer e.listener.Close()
	for r, err := range e.listener.Records(ctx) {
		switch {
		case err == nil:
			e.note(r)
		case errors.Is(err, netlink.ErrOverrun):
			e.change(0)
		}
	}
}

// note notes a change, and who made it: the record of the system call, which follows,
// says that, unless the caller has no audit context. The change may be taken by then.
func (e *auditEar) note(r audit.Record) {
	switch r.Type {
	case unix.AUDIT_CONFIG_CHANGE:
		e.change(r.Serial)
	case unix.AUDIT_SYSCALL:
		e.mu.Lock()
		if pid, ok := r.Get("pid"); ok && r.Serial == e.serial && pid != strconv.Itoa(os.Getpid()) {
			comm, _ := r.Get("comm")
			e.by = fmt.Sprintf("%s (pid %s)", comm, pid)
		}
		e.mu.Unlock()
	}
}

func (e *auditEar) change(serial uint64) {
	e.mu.Lock()
	if !e.changed {
		e.by = "" // who made an earlier one
	}
	e.changed, e.serial = true, serial
	e.mu.Unlock()
	e.heard()
}

// take tells whether something changed since the last time.
func (e *auditEar) take() (changed bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	changed, e.changed = e.changed, false
	return changed
}

// who tells once who made the last change, "" when that is not known.
func (e *auditEar) who() (by string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	by, e.by = e.by, ""
	return by
}

// listenToAudit opens the audit system's ear when the document declares it, and closes
// it when not. Where nothing can be heard, that is said once.
func (w *watcher) listenToAudit() {
	declared := w.doc.Audit != nil
	switch {
	case !declared && w.audit != nil:
		w.audit.close()
		w.audit = nil
	case declared && w.audit == nil && !w.auditDeaf:
		ear, err := listenToAudit(w.rouse)
		if err != nil {
			w.auditDeaf = true
			w.log.Warn("changes of the audit system are only found by the look that comes from time to time", "error", err, "interval", w.cfg.Interval)
			return
		}
		w.audit = ear
	}
}

// hearAudit reads what the audit system's ear has heard.
func (w *watcher) hearAudit() (reason bool) {
	if w.audit == nil || !w.audit.take() {
		return false
	}
	w.want(Drift, reconcile.AuditLook())
	return true
}

// whoPatience is how long the record is waited for that says who made a change: it comes
// when the system call ends.
const whoPatience = 20 * time.Millisecond

// blameAudit notes who changed rules: a record does not tell which.
func (w *watcher) blameAudit(cause string, steps []reconcile.Step) {
	isAudit := func(st reconcile.Step) bool { return st.Class == reconcile.AuditClass }
	if w.audit == nil || !slices.ContainsFunc(steps, isAudit) {
		return
	}
	by := w.audit.who()
	for end := time.Now().Add(whoPatience); by == "" && cause == Drift && time.Now().Before(end); by = w.audit.who() {
		time.Sleep(time.Millisecond)
	}
	for _, st := range steps {
		id := st.Subject().ID()
		if _, known := w.culprits[id]; !known && isAudit(st) && by != "" {
			w.culprits[id] = culprit{process: by}
		}
	}
}
