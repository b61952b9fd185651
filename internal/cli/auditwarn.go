package cli

import (
	"fmt"

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
	if s.Daemon != nil {
		have := audit.Status{BacklogLimit: s.BacklogLimit, Backlog: s.Backlog, BacklogWaitTime: s.BacklogWaitTime}
		list = append(list, have.Stalls((*audit.Daemon)(s.Daemon))...)
	}
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
		if why := rules[i].Flaw(); why != "" {
			warn("%s rule %d, %s: %s", rules[i].List, at[i], &rules[i], why)
		}
	}
	return list
}
