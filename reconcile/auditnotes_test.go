package reconcile

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/audit"
)

// noted returns the notes of a plan for a kernel that has these rules and this state.
func noted(t *testing.T, document string, files map[string]string, have []string, status audit.Status) []string {
	t.Helper()
	if audit.Native() != unix.AUDIT_ARCH_X86_64 {
		t.Skip("the notes name the system calls of x86_64")
	}
	s, table, err := declaredAudit(t, true, document, files)
	if err != nil {
		t.Fatal(err)
	}
	var rules []audit.Rule
	for _, text := range have {
		parsed, err := audit.ParseRule(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, parsed...)
	}
	if err := table.plan(s, rules); err != nil {
		t.Fatal(err)
	}
	table.status = status
	table.diagnose(s, rules)
	return table.notes()
}

func TestAuditNotes(t *testing.T) {
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	many := func(n int, format string) (lines []string) {
		for i := range n {
			lines = append(lines, fmt.Sprintf(format, i))
		}
		return lines
	}
	for _, tt := range []struct {
		name, document string
		files          map[string]string
		have           []string
		status         audit.Status
		want           []string
	}{
		{name: "keys of others", document: `  rules:
    - -a never,exit -F path=/usr/bin/true
    - -w /etc/passwd -p wa -k identity
    - -a always,exit -F arch=b64,b32 -S openat -F auid>=1000 -k x
    - -a never,exclude -F msgtype=CWD
`, have: []string{"-a always,exit -F arch=b64,b32 -S openat -F auid>=1000 -k other", "-w /etc/passwd -p wa -k more -k identity", "-a never,exit -F arch=b64 -S openat -F auid=4000"},
			want: []string{"audit rule at net.yaml:6:7 and 1 more like it: its records have other keys, as another one, here exit rule 1, " +
				"-a always,exit -F arch=x86_64 -S openat -F auid>=1000 -F key=other, always decides before it",
			}},
		{name: "shadowed", document: `  rules:
    - -a never,exit -F dir=/etc
    - -w /etc/passwd -p wa -k identity
    - -w /etc/group -p wa -k identity
    - -a always,user -F uid=3
    - -a never,user -F uid=3 -F pid=4
    - -a never,exit -F dir=/etc -F uid=9
`, have: []string{"-a always,user -F uid>=1"}, want: []string{
			"audit rule at net.yaml:8:7: it has no effect, as user rule 1, -a always,user -F uid>=1, always decides before it",
			"audit rule at net.yaml:5:7 and 1 more like it: it never makes a record, as net.yaml:4:7 always decides before it, but for file systems that are mounted below /etc later",
		}},
		{name: "first", document: `  position: first
  rules:
    - -w /etc/passwd -p wa -k identity
`, have: []string{"-a never,exit -F dir=/etc"}},
		{name: "no process", document: `  rules:
    - -w /etc/passwd -p wa -k identity
    - -a always,io_uring -S openat -k ring
    - -a never,task
`, want: []string{"audit rule at net.yaml:4:7 and 1 more like it: it never makes a record, as net.yaml:6:7 always decides before it"}},
		{name: "foreign task", document: "  rules: [-w /etc/passwd]\n", have: []string{"-a never,task"}, want: []string{
			"audit rule at net.yaml:3:11: it never makes a record, as task rule 1, -a never,task, always decides before it"}},
		{name: "paths", document: `  rules:
    - -a always,exit -F dir=/proc/self -k x
    - -a always,exit -F dir=/etc/passwd -k x
    - -w /etc/passw* -p x
    - -w /etc/passwd -p wa
`, want: []string{
			fmt.Sprintf("audit rule at net.yaml:4:7: /proc/self is a symbolic link, to %d: the rule never acts", os.Getpid()),
			"audit rule at net.yaml:5:7: /etc/passwd is no directory: path= is for files",
			"audit rule at net.yaml:6:7: there is no /etc/passw*: the kernel takes a name as it is, not as a pattern",
		}},
		{name: "keys", document: `  rules:
    - -a never,exclude -F msgtype=CWD -k x
    - -a never,exclude -F msgtype=PATH -k x
    - -a never,exclude -F msgtype=CONFIG_CHANGE
    - -a never,user -F uid=1 -k x
`, want: []string{
			"audit rule at net.yaml:4:7 and 1 more like it: it excludes nothing: the kernel does not know key on this list, and keeps the records, also from the rules behind it",
			"audit rule at net.yaml:6:7: it hides changes of the rules, so that nlapply watch only finds them when it looks by itself",
			"audit rule at net.yaml:7:7: it leaves out nothing: the kernel does not know key on this list, and keeps the record",
		}},
		{name: "twins", document: `  rules_files: [x.rules]
  rules:
    - -a always,exit -F arch=b64 -S settimeofday,adjtimex,newfstatat -F auid>=1000 -k time
    - -a always,exit -F arch=b32 -S settimeofday,adjtimex,stime -F auid>=1000 -k other
    - -a never,exit -F arch=b64 -S open -F uid=0
`, files: map[string]string{"x.rules": strings.Join(many(300, "-a always,exit -F arch=b64 -S open -F path=/etc/%d"), "\n") +
			"\n-a always,exit -F arch=b32 -S open -F path=/etc/5\n-a always,exit -F arch=b32 -S chown -F path=/etc/6"},
			want: []string{"audit rule at x.rules:1:1 and 298 more like it: programs of 32 bits (i386) escape it: arch=b64,b32 makes a rule for each"}},
		{name: "load", document: "  rules_files: [x.rules]\n", files: map[string]string{
			"x.rules": strings.Join(many(550, "-a always,exit -F arch=b64 -S openat,open -F uid=%d\n-a always,exit -F arch=b32 -S openat,open -F uid=%[1]d"), "\n")},
			want: []string{"550 audit rules are tried at the end of each open, which takes about 4.6µs longer; more than 200 are for others (3)"}},
		{name: "load of all", document: "  rules_files: [x.rules]\n", files: map[string]string{"x.rules": strings.Join(many(201, "-a always,exit -F uid=%d"), "\n")},
			want: []string{"201 audit rules are tried at the end of every system call, which takes about 1.7µs longer"}},
		{name: "deletions", document: "  rules: []\n", have: many(300, "-a always,exit -F path=/etc/%d -F key=nlapply:nlapply"),
			want: []string{"deleting 300 audit rules takes about 4s: the kernel waits at each"}},
		{name: "deletions because of the order", document: "  rules_files: [x.rules]\n",
			files: map[string]string{"x.rules": strings.Join(slices.Insert(many(300, "-a always,exit -F arch=b64 -S setns -F uid=%d"), 150, "-a never,exit -F arch=b64 -S setns -F uid=1000"), "\n")},
			have:  many(300, "-a always,exit -F arch=b64 -S setns -F uid=%d -F key=nlapply:nlapply"),
			want: []string{"deleting 150 audit rules takes about 2s: the kernel waits at each; with order: relaxed it would be 0",
				"audit rule at x.rules:1:1 and 299 more like it: programs of 32 bits (i386) escape it: arch=b64,b32 makes a rule for each",
				"301 audit rules are tried at the end of each setns, which takes about 2.5µs longer"}},
		{name: "few deletions", document: "  rules: []\n", have: many(80, "-a always,exit -F path=/etc/%d -F key=nlapply:nlapply")},
		{name: "lines", document: `  rules_files: [x.rules]
  rules:
    - -a always,exit -S 5 -F uid=7
`, files: map[string]string{"x.rules": strings.Join(many(100, "-a always,exit -S open -F uid=1%d\n"), "") + "-a always,exit -F arch=b64,b32 -S open,mmap2 -k x"}, want: []string{
			"audit rule at x.rules:1:19 and 100 more like it: without arch, these numbers are meant on i386 as well, where they are other system calls",
			"audit rule at x.rules:101:40: x86_64 has no system call mmap2: the rule for it is without",
		}},
		{name: "stuck", document: "  rules: []\n", status: audit.Status{PID: uint32(os.Getpid()), BacklogLimit: 64, Backlog: 60, BacklogWaitTime: 15000},
			want: []string{fmt.Sprintf("pid %d (%s) does not take the records, or too slowly: half of the 64 records that may wait do, "+
				"and when all do, each process that makes one more waits up to 15000 jiffies", os.Getpid(), bytes.TrimSpace(comm))}},
		{name: "stuck, but nobody waits", document: "  backlog_wait_time: 0\n", status: audit.Status{PID: uint32(os.Getpid()), BacklogLimit: 64, Backlog: 60, BacklogWaitTime: 15000}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.files == nil {
				tt.files = map[string]string{}
			}
			if diff := cmp.Diff(tt.want, noted(t, tt.document, tt.files, tt.have, tt.status)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
