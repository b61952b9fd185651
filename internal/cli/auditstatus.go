package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/audit"
)

// auditStatus is the state of the audit system, in JSON.
type auditStatus struct {
	Enabled                 string         `json:"enabled"` // off, on or locked
	Failure                 string         `json:"failure"` // silent, printk or panic
	Daemon                  *auditDaemon   `json:"daemon,omitempty"`
	RateLimit               uint32         `json:"rate_limit"`
	BacklogLimit            uint32         `json:"backlog_limit"`
	Backlog                 uint32         `json:"backlog"`
	BacklogWaitTime         uint32         `json:"backlog_wait_time"`
	BacklogWaitTimeActual   uint32         `json:"backlog_wait_time_actual"`
	Lost                    uint32         `json:"lost"`
	LoginUIDImmutable       bool           `json:"loginuid_immutable"`
	LoginUIDImmutableLocked bool           `json:"loginuid_immutable_locked"`
	OnlyUnsetLoginUID       bool           `json:"only_unset_loginuid"`
	OnlyUnsetLoginUIDLocked bool           `json:"only_unset_loginuid_locked"`
	Features                []string       `json:"features"`
	Rules                   map[string]int `json:"rules"`          // of each list that has some
	Boot                    string         `json:"boot,omitempty"` // audit= of the kernel's command line
	Warnings                []string       `json:"warnings"`
}

// auditDaemon is the process that takes the records.
type auditDaemon struct {
	PID     uint32 `json:"pid"`
	Name    string `json:"name,omitempty"`    // where /proc tells
	Stopped bool   `json:"stopped,omitempty"` // by a signal or a debugger
}

func auditStatusCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Print settings and counters of the audit system, and what is wrong with them",
		Long: `Status prints what the audit system is set to, its counters, how many rules each list has, whether
the kernel was booted with audit=1 (processes that began before audit was first on are otherwise not
audited by rules about system calls), and warnings: records that were lost, a daemon that does not read
and so makes processes wait, rules that hide changes of the rules from nlapply watch, and more.
Warnings do not change the exit status.

With -o json it is one object: enabled (off, on, locked), failure (silent, printk, panic), daemon (pid,
name, stopped), rate_limit, backlog_limit, backlog, backlog_wait_time and backlog_wait_time_actual (in
jiffies), lost, loginuid_immutable and only_unset_loginuid, each also with _locked, features (what the
kernel can do), rules (how many of each list), boot (audit= of the kernel's command line), warnings.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runAuditStatus(cmd.Context()) },
	}
}

func (a *app) runAuditStatus(ctx context.Context) error {
	s, err := askAuditStatus(ctx)
	if err != nil {
		return err
	}
	if a.output == "json" {
		a.printJSON(s)
		return nil
	}
	a.printAuditStatus(s)
	return nil
}

func askAuditStatus(ctx context.Context) (*auditStatus, error) {
	c, err := dialAudit()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	have, err := c.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("status: %w", err)
	}
	features, err := c.Features(ctx)
	if err != nil {
		return nil, fmt.Errorf("features: %w", err)
	}
	rules, err := kernelRules(ctx, c)
	if err != nil {
		return nil, err
	}
	s := newAuditStatus(&have, &features)
	for i := range rules {
		s.Rules[rules[i].List.String()]++
	}
	cmdline, _ := os.ReadFile("/proc/cmdline")
	s.Boot = bootAudit(string(cmdline))
	s.Warnings = auditWarnings(s, rules)
	return s, nil
}

var (
	enabledWords = []string{"off", "on", "locked"}
	failureWords = []string{"silent", "printk", "panic"}
)

// word is the name of a number, or its digits.
func word(words []string, n uint32) string {
	if n < uint32(len(words)) {
		return words[n]
	}
	return fmt.Sprint(n)
}

func newAuditStatus(s *audit.Status, f *audit.Features) *auditStatus {
	status := &auditStatus{
		Enabled: word(enabledWords, s.Enabled), Failure: word(failureWords, s.Failure),
		RateLimit: s.RateLimit, BacklogLimit: s.BacklogLimit, Backlog: s.Backlog, Lost: s.Lost,
		BacklogWaitTime: s.BacklogWaitTime, BacklogWaitTimeActual: s.BacklogWaitTimeActual,
		LoginUIDImmutable: f.LoginUIDImmutable, LoginUIDImmutableLocked: f.LoginUIDImmutableLocked,
		OnlyUnsetLoginUID: f.OnlyUnsetLoginUID, OnlyUnsetLoginUIDLocked: f.OnlyUnsetLoginUIDLocked,
		Features: featureNames(s.Features), Rules: map[string]int{},
	}
	status.Daemon = (*auditDaemon)(s.Daemon())
	return status
}

// featureNames are what the kernel says it can: AUDIT_FEATURE_BITMAP_*.
func featureNames(bits uint32) []string {
	names := []string{}
	for _, f := range []struct {
		bit  uint32
		name string
	}{
		{unix.AUDIT_FEATURE_BITMAP_BACKLOG_LIMIT, "backlog_limit"}, {unix.AUDIT_FEATURE_BITMAP_BACKLOG_WAIT_TIME, "backlog_wait_time"},
		{unix.AUDIT_FEATURE_BITMAP_EXECUTABLE_PATH, "executable_path"}, {unix.AUDIT_FEATURE_BITMAP_EXCLUDE_EXTEND, "exclude_extend"},
		{unix.AUDIT_FEATURE_BITMAP_SESSIONID_FILTER, "sessionid_filter"}, {unix.AUDIT_FEATURE_BITMAP_LOST_RESET, "lost_reset"},
		{unix.AUDIT_FEATURE_BITMAP_FILTER_FS, "filter_fs"},
	} {
		if bits&f.bit != 0 {
			names = append(names, f.name)
		}
	}
	return names
}

// bootAudit returns the last audit=… of a kernel's command line (kernel/audit.c,
// audit_enable). What is behind -- is for init.
func bootAudit(cmdline string) (value string) {
	for _, word := range strings.Fields(cmdline) {
		if word == "--" {
			break
		}
		if strings.HasPrefix(word, "audit=") {
			value = word
		}
	}
	return value
}

func (a *app) printAuditStatus(s *auditStatus) {
	say := func(format string, args ...any) { fmt.Fprintf(a.stdout, format+"\n", args...) }
	daemon := "no daemon takes the records"
	if s.Daemon != nil {
		daemon = fmt.Sprintf("records go to pid %d (%s)", s.Daemon.PID, cmp.Or(s.Daemon.Name, "unknown"))
	}
	say("audit is %s; %s", s.Enabled, daemon)
	say("  failure: %s, %s", s.Failure, map[string]string{
		"silent": "when a record cannot be made nothing tells", "printk": "the kernel's log tells when a record cannot be made",
		"panic": "the machine stops when a record cannot be made"}[s.Failure])
	say("  backlog: %d of %s wait; when it is full a process waits up to %d jiffies, all did %d",
		s.Backlog, limit(s.BacklogLimit, "records"), s.BacklogWaitTime, s.BacklogWaitTimeActual)
	say("  lost: %d records; rate: %s a second", s.Lost, limit(s.RateLimit, "records"))
	say("  login uids: %s; %s", loginUIDs("immutable", s.LoginUIDImmutable, s.LoginUIDImmutableLocked),
		loginUIDs("settable only where unset", s.OnlyUnsetLoginUID, s.OnlyUnsetLoginUIDLocked))
	say("  kernel: %s", strings.Join(s.Features, ", "))
	say("  boot: %s", cmp.Or(s.Boot, "without audit=1"))
	say("  rules: %s", ruleCounts(s.Rules))
	for _, w := range s.Warnings {
		say("warning: %s", w)
	}
}

func limit(n uint32, what string) string {
	if n == 0 {
		return "any number of " + what
	}
	return fmt.Sprint(n, " ", what)
}

func loginUIDs(what string, on, locked bool) string {
	if !on {
		what = "not " + what
	}
	if locked {
		what += " (locked until the next boot)"
	}
	return what
}

func ruleCounts(counts map[string]int) string {
	var parts []string
	for _, l := range []audit.List{audit.User, audit.Task, audit.Exit, audit.Exclude, audit.Filesystem, audit.IOURing} {
		if n := counts[l.String()]; n > 0 {
			parts = append(parts, fmt.Sprint(n, " ", l))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "none")
}
