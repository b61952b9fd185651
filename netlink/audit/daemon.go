package audit

import (
	"fmt"
	"os"
	"strings"
)

// A Daemon is the process that takes the records.
type Daemon struct {
	PID     uint32
	Name    string // "" where /proc does not tell
	Stopped bool   // by a signal or a debugger
}

// Daemon returns the process that takes the records, as /proc shows it (proc_pid_stat(5)),
// nil for none.
func (s *Status) Daemon() *Daemon {
	if s.PID == 0 {
		return nil
	}
	d := &Daemon{PID: s.PID}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.PID))
	if err != nil {
		return d
	}
	// PID (NAME) STATE …: the name may have anything in it.
	_, rest, _ := strings.Cut(string(stat), "(")
	if end := strings.LastIndex(rest, ") "); end >= 0 {
		d.Name = rest[:end]
		d.Stopped = strings.HasPrefix(rest[end+2:], "T") || strings.HasPrefix(rest[end+2:], "t")
	}
	return d
}

// Stalls tells what comes of a daemon that does not read: every process that makes a record
// then waits for room in the backlog (kernel/audit.c, audit_log_start), or its records
// are lost. It is a sentence each, none for a daemon that keeps up; d is what Daemon
// returned.
func (s *Status) Stalls(d *Daemon) (list []string) {
	if d == nil {
		return nil
	}
	cost := "what does not fit is lost"
	if s.BacklogWaitTime > 0 {
		cost = fmt.Sprintf("each process that makes one more waits up to %d jiffies", s.BacklogWaitTime)
	}
	room := "any number of records"
	if s.BacklogLimit > 0 {
		room = fmt.Sprintf("%d records", s.BacklogLimit)
	}
	who := fmt.Sprintf("pid %d (%s)", d.PID, d.Name)
	if d.Stopped {
		list = append(list, fmt.Sprintf("%s takes the records and is stopped: when %s wait, %s", who, room, cost))
	}
	if s.BacklogLimit > 0 && s.Backlog >= max(s.BacklogLimit/2, 1) {
		list = append(list, fmt.Sprintf("%s does not take the records, or too slowly: half of the %s that may wait do, and when all do, %s", who, room, cost))
	}
	return list
}
