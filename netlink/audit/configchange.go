package audit

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A ConfigChange is a change of the rules or settings of audit, or an attempt. It
// does not tell what a rule is: only its keys, its list and, when the kernel took
// it away by itself, its path. Who made it is in the other fields (auid, ses,
// subj), and in the AUDIT_SYSCALL of the event, if that has one.
//
// The kernel tells nothing when audit is disabled, and nothing about requests that
// it finds invalid.
type ConfigChange struct {
	// Op is what was done:
	//   - add_rule, remove_rule: to a rule, by a request, with Keys and List
	//     (kernel/auditfilter.c, audit_log_rule_change); remove_rule with Path or Dir
	//     is the kernel's doing, because the parent of the path, or the directory, is
	//     gone (kernel/audit_watch.c, audit_remove_parent_watches; audit_tree.c,
	//     audit_tree_log_remove_rule)
	//   - autoremove_rule: with Path, because the program of a rule's field exe, or
	//     its directory, is gone (kernel/audit_fsnotify.c)
	//   - updated_rules: with Path, when a file was made, removed or replaced, which a
	//     rule watches (kernel/audit_watch.c, audit_update_watch; v6.18 was not seen to
	//     tell it); the rule stays
	//   - set: a setting, with Setting, Old and New
	//   - trim, make_equiv, tty_set, seccomp-logging: only with Result; what else they
	//     tell has Record.Get
	//
	// Blanks, which old kernels have in it ("add rule"), are underscores here.
	Op string
	// Keys are those of the rule, nil when it has none.
	Keys []string
	// List is that of the rule, nil when the record names none.
	List *List
	// Path and Dir are those of the rule, as it was added, in what the kernel does
	// by itself. Empty means that the record has none.
	Path, Dir string
	// Result tells whether it was done: res=1.
	Result bool
	// Locked tells that add_rule or remove_rule was refused because the configuration
	// is locked until the machine is booted again: audit_enabled=2.
	Locked bool
	// Setting is what set changed, and empty for other operations: audit_enabled,
	// audit_failure, audit_pid, audit_rate_limit, audit_backlog_limit,
	// audit_backlog_wait_time, lost, backlog_wait_time_actual
	// (kernel/audit.c, audit_do_config_change and audit_receive_msg).
	Setting string
	// Old and New are values of Setting. They may be equal.
	Old, New uint64
}

// ConfigChange returns what a record of type AUDIT_CONFIG_CHANGE tells, and false
// for other types and those without op.
func (r Record) ConfigChange() (c ConfigChange, ok bool) {
	if r.Type != unix.AUDIT_CONFIG_CHANGE {
		return ConfigChange{}, false
	}
	for key, value := range r.Fields() {
		switch {
		case key == "op" && !ok:
			c.Op, ok = strings.ReplaceAll(value, " ", "_"), true
		case c.Op == "set" && c.Setting == "":
			// "op=set %s=%u old=%u ": kernel/audit.c, audit_log_config_change
			c.Setting, c.New = key, number64(value)
		default:
			c.take(key, value)
		}
	}
	c.Keys = r.Keys()
	return c, ok
}

// take takes a field that has the same meaning in all operations.
func (c *ConfigChange) take(key, value string) {
	switch key {
	case "list":
		if n, err := strconv.ParseUint(value, 10, 32); err == nil {
			c.List = new(List(n))
		}
	case "path":
		c.Path = value
	case "dir":
		c.Dir = value
	case "res":
		c.Result = value == "1"
	case "audit_enabled":
		c.Locked = value == "2" // kernel/audit.c, audit_receive_msg, AUDIT_LOCKED
	case "old":
		if c.Op == "set" {
			c.Old = number64(value)
		}
	}
}

// number64 is 0 for what is no number.
func number64(s string) uint64 {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
