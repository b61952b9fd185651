package cli

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/audit"
)

// auditWarnings are what is wrong with a state of the audit system, or will be.
func auditWarnings(s *auditStatus, rules []audit.Rule) []string {
	list := []string{}
	warn := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if s.Enabled == "off" && len(rules) > 0 {
		warn("audit is off: its %s do nothing", plural(len(rules), "rule"))
	}
	if s.Enabled == "locked" {
		warn("rules and settings cannot be changed until the next boot")
	}
	if s.Failure == "panic" {
		warn("a record that cannot be made, also because the backlog is full, stops the machine")
	}
	list = append(list, daemonWarnings(s)...)
	if s.Enabled != "off" && s.Daemon == nil && len(rules) > 0 {
		warn("no daemon takes the records: they go to the kernel's log")
	}
	if s.Lost > 0 {
		warn("%d records lost since the counter was reset", s.Lost)
	}
	if s.BacklogWaitTimeActual > 0 {
		warn("processes have waited %d jiffies for room in the backlog since the counter was reset", s.BacklogWaitTimeActual)
	}
	if s.Boot != "audit=1" && s.Boot != "audit=on" {
		warn("the kernel was not booted with audit=1: processes that began before audit was first on are not audited by rules about system calls")
	}
	at := places(rules)
	for i := range rules {
		if why := ruleWarning(&rules[i]); why != "" {
			warn("%s rule %d, %s: %s", rules[i].List, at[i], &rules[i], why)
		}
	}
	return list
}

// daemonWarnings tell of a daemon that does not read: every process that makes a record
// then waits for room in the backlog (kernel/audit.c, audit_log_start).
func daemonWarnings(s *auditStatus) (list []string) {
	d := s.Daemon
	if d == nil {
		return nil
	}
	cost := "what does not fit is lost"
	if s.BacklogWaitTime > 0 {
		cost = fmt.Sprintf("each process that makes one more waits up to %d jiffies", s.BacklogWaitTime)
	}
	who := fmt.Sprintf("pid %d (%s)", d.PID, d.Name)
	if d.Stopped {
		list = append(list, fmt.Sprintf("%s takes the records and is stopped: when %s wait, %s", who, limit(s.BacklogLimit, "records"), cost))
	}
	if s.BacklogLimit > 0 && s.Backlog >= s.BacklogLimit/2 {
		list = append(list, fmt.Sprintf("%s does not take the records, or too slowly: %d of %d wait, and when it is full, %s", who, s.Backlog, s.BacklogLimit, cost))
	}
	return list
}

// ruleWarning tells what a rule does that nobody would want, "" for others.
func ruleWarning(r *audit.Rule) string {
	conditions := 0
	for i := range r.Fields {
		if r.Fields[i].Type != audit.FieldKey {
			conditions++
		}
	}
	inert := unseenField(r)
	switch {
	case r.List == audit.Exclude && inert != "" && conditions > 0:
		return fmt.Sprintf("it excludes nothing: the kernel does not know %s on this list, and keeps the records, also from the rules behind it", inert)
	case r.List == audit.Exclude && hidesChanges(r) && conditions == 1:
		return "it hides changes of the rules, so that nlapply watch only finds them when it looks by itself"
	case r.List == audit.Exclude && hidesChanges(r):
		return "it may hide changes of the rules from nlapply watch"
	case r.List == audit.Task && r.Action == audit.Never && conditions == 0:
		return "processes that begin now are not audited by rules about system calls"
	}
	return ""
}

// hidesChanges tells whether a rule of exclude may match records of CONFIG_CHANGE. One
// without conditions matches nothing.
func hidesChanges(r *audit.Rule) bool {
	some := false
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Type == audit.FieldKey {
			continue
		}
		if f.Type == audit.FieldMsgType && !holds(f, unix.AUDIT_CONFIG_CHANGE) {
			return false
		}
		some = true
	}
	return some
}

// seenByFilter are the fields that the kernel looks at on the lists user and exclude: at
// any other it stops, and lets the record pass (kernel/auditfilter.c, audit_filter).
var seenByFilter = map[string]bool{
	"pid": true, "uid": true, "gid": true, "auid": true, "loginuid_set": true, "msgtype": true, "exe": true,
	"subj_user": true, "subj_role": true, "subj_type": true, "subj_sen": true, "subj_clr": true,
}

// unseenField returns the name of a field at which the kernel stops.
func unseenField(r *audit.Rule) string {
	for i := range r.Fields {
		if name := r.Fields[i].Type.String(); (r.List == audit.User || r.List == audit.Exclude) && !seenByFilter[name] {
			return name
		}
	}
	return ""
}
