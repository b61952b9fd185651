package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlapply/nlapply/netlink/audit"
)

func oneRule(t *testing.T, text string) *audit.Rule {
	t.Helper()
	rules, err := audit.ParseRule(text, &audit.Syntax{Arch: audit.Native(), IsDir: func(string) bool { return false }})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return &rules[0]
}

func TestAuditWarnings(t *testing.T) {
	stopped := &auditDaemon{PID: 7, Name: "auditd", Stopped: true}
	for _, tt := range []struct {
		name   string
		status auditStatus
		rules  []string
		want   []string // how each warning begins
	}{
		{"all well", auditStatus{Enabled: "on", Boot: "audit=1", Daemon: &auditDaemon{PID: 7}, BacklogLimit: 64}, []string{"-w /a"}, nil},
		{"off", auditStatus{Enabled: "off", Boot: "audit=on"}, []string{"-w /a"}, []string{"audit is off: its 1 rule do"}},
		{"stopped", auditStatus{Enabled: "on", Boot: "audit=1", Daemon: stopped, BacklogLimit: 64, BacklogWaitTime: 15000}, nil,
			[]string{"pid 7 (auditd) takes the records and is stopped: when 64 records wait, each process that makes one more waits up to 15000 jiffies"}},
		{"full", auditStatus{Enabled: "on", Boot: "audit=1", Daemon: &auditDaemon{PID: 7, Name: "d"}, BacklogLimit: 64, Backlog: 40, Lost: 3, BacklogWaitTimeActual: 9}, nil,
			[]string{"pid 7 (d) does not take the records, or too slowly: half of the 64 records that may wait do, and when all do, what does not fit is lost", "3 records lost", "processes have waited 9"}},
		{"booted without", auditStatus{Enabled: "on", Boot: "audit=0"}, nil, []string{"the kernel was not booted with audit=1"}},
		{"rules", auditStatus{Enabled: "locked", Boot: "audit=1", Failure: "panic", Daemon: &auditDaemon{PID: 7}},
			[]string{"-a never,exclude -F msgtype>1300 -F uid=1", "-a never,exclude -F msgtype=CWD -k x", "-a never,exclude -F msgtype!=CWD", "-a never,exclude -F msgtype=CWD", "-a never,task"},
			[]string{"rules and settings cannot", "a record that cannot be made", "exclude rule 1, -a never,exclude -F msgtype>SYSCALL -F uid=1: it may hide",
				"exclude rule 2, -a never,exclude -F msgtype=CWD -F key=x: it excludes nothing", "exclude rule 3, -a never,exclude -F msgtype!=CWD: it hides", "task rule 1, -a never,task: processes"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var rules []audit.Rule
			for _, text := range tt.rules {
				rules = append(rules, *oneRule(t, text))
			}
			got := auditWarnings(&tt.status, rules)
			for i := range min(len(got), len(tt.want)) {
				if strings.HasPrefix(got[i], tt.want[i]) {
					got[i] = tt.want[i]
				}
			}
			if diff := cmp.Diff(append([]string{}, tt.want...), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMarker(t *testing.T) {
	for _, tt := range []struct {
		line   string
		offset int
		want   string
	}{
		{"-S opne", 3, "   ^^^^"}, {"-S a,opne,b", 5, "     ^^^^"}, {"-F x=ä", 5, "     ^"}, {"-F ä y", 6, "     ^"}, {"-k", 2, "  ^"}, {"\t-x", 1, "\t^^"},
	} {
		if got := marker(tt.line, tt.offset); got != tt.want {
			t.Errorf("marker(%q, %d) = %q, want %q", tt.line, tt.offset, got, tt.want)
		}
	}
}

func TestBootAudit(t *testing.T) {
	for cmdline, want := range map[string]string{
		"quiet audit=0 audit=1 audit_backlog_limit=8\n": "audit=1", "quiet -- audit=1": "", "": "",
	} {
		if got := bootAudit(cmdline); got != want {
			t.Errorf("bootAudit(%q) = %q, want %q", cmdline, got, want)
		}
	}
}

func TestEventText(t *testing.T) {
	var e audit.Event
	for _, line := range []string{
		`type=SYSCALL msg=audit(1700000000.123:456): arch=c000003e syscall=257 success=no exit=-13 auid=4294967295 ses=4294967295 comm="a" key="x"`,
		`type=SOCKADDR msg=audit(1700000000.123:456): saddr=02000050C00002010000000000000000`,
		`type=PATH msg=audit(1700000000.123:456): item=0 name=1B5B316D20`,
		`type=UNKNOWN[1399] msg=audit(1700000000.123:456): a=1`,
	} {
		r, err := audit.ParseRecord(0, []byte(line))
		if err != nil {
			t.Fatal(err)
		}
		e.Time, e.Serial, e.Records = r.Time, r.Serial, append(e.Records, r)
	}
	want := `456 SYSCALL arch=x86_64 syscall=openat success=no exit=-EACCES auid=unset ses=unset comm=a key=x
  SOCKADDR saddr=192.0.2.1:80
  PATH item=0 name="\x1b[1m "
  UNKNOWN[1399] a=1
`
	_, _, got := cutTime(eventText(&e))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// cutTime cuts date and time off a line.
func cutTime(line string) (date, clock, rest string) {
	date, rest, _ = strings.Cut(line, " ")
	clock, rest, _ = strings.Cut(rest, " ")
	return date, clock, rest
}
