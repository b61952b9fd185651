package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nlapply/nlapply/reconcile"
	"github.com/nlapply/nlapply/spec"
	"github.com/nlapply/nlapply/tests/fault"
)

var (
	faults    = flag.String("faults", "sample", "which faults TestFaults tries: sample, all, or those that contain a text")
	faultSeed = flag.Uint64("faultseed", uint64(time.Now().UnixNano()), "what the sample is drawn with")
)

// The documents of TestFaults, below a directory D. From the first to the second one rules
// are added, deleted and moved, and settings change.
const (
	faultsBefore = `version: 1
audit:
  enabled: false
  backlog_limit: 100
  rules:
    - -w D/passwd -p wa -k before
    - -a always,exit -F arch=b64,b32 -S setuid -k both
    - -w D/group -p wa -k both
    - -a never,exit -F arch=b64 -S getuid -k before
    - -a always,exit -F arch=b64 -S mount -F a0=1 -k both
    - -a never,exclude -F msgtype=CWD
    - -a always,exit -F dir=D/tree -F perm=wa -k tree
`
	faultsAfter = `version: 1
audit:
  enabled: true
  backlog_limit: 200
  backlog_wait_time: 1000
  rules:
    - -a always,exit -F arch=b64 -S umount2 -k after
    - -a always,exit -F arch=b64 -S mount -F a0=1 -k both
    - -a always,exit -F arch=b64,b32 -S setuid -k both
    - -a always,exit -F arch=b64 -S mount -F a0=2 -k after
    - -w D/group -p wa -k both
    - -a never,exclude -F msgtype=CWD
    - -a never,exit -F arch=b64 -S getgid -k after
`
	faultsForeign = "-a always,exit -F arch=b64 -S setns -k foreign"
)

// A passage is a command that goes from one state of the audit system to another.
type passage struct {
	name, old    string
	command      []string
	victims      [][2]string // what others do in the middle, by names
	before, goal system
}

func passages() []*passage {
	victims := [][2]string{
		{"delete", "auditctl -d always,exit -F arch=b64 -S mount -F a0=1 -k both -k nlapply:nlapply || auditctl -d always,exit -F arch=b64 -S setuid -k both -k nlapply:nlapply"},
		{"flush", "auditctl -D && auditctl " + faultsForeign},
		{"enable", "auditctl -e 1 -b 150"},
	}
	return []*passage{
		{name: "create", command: []string{"-f", "after.yaml"}, victims: victims},
		{name: "change", old: "before.yaml", command: []string{"-f", "after.yaml"}, victims: victims},
		{name: "delete", old: "after.yaml", command: []string{"delete", "-f", "after.yaml"}, victims: victims[2:]},
	}
}

// faultBed is the machine and the directory of the documents.
type faultBed struct {
	*machine
	dir string
}

// TestFaults lets each message to the audit system go wrong in every way, one at a time.
// The report is true, nothing foreign is touched, no rule that was there and is to be there
// is missing at the end, and the next run brings about what is declared.
func TestFaults(t *testing.T) {
	b := &faultBed{newMachine(t), t.TempDir()}
	if err := os.Mkdir(filepath.Join(b.dir, "tree"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"before.yaml": faultsBefore, "after.yaml": faultsAfter} {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(strings.ReplaceAll(text, "D/", b.dir+"/")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	type trial struct {
		p *passage
		f fault.Fault
	}
	var all []trial
	for _, p := range passages() {
		for _, f := range b.learn(p) {
			all = append(all, trial{p, f})
		}
	}
	tried := all
	switch *faults {
	case "all":
	case "sample":
		r := rand.New(rand.NewPCG(*faultSeed, 0))
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		tried = all[:min(20, len(all))]
		t.Logf("%d of %d faults, -faultseed=%d", len(tried), len(all), *faultSeed)
	default:
		tried = slices.DeleteFunc(all, func(tr trial) bool { return !strings.Contains(tr.p.name+" "+tr.f.String(), *faults) })
	}
	for _, tr := range tried {
		if err := b.try(tr.p, tr.f); err != nil {
			t.Errorf("-faults '%s %s': %v", tr.p.name, tr.f, err)
		}
	}
	t.Attr("faults", fmt.Sprintf("%d of %d tried", len(tried), len(all)))
}

// begin brings the machine into the state before.
func (b *faultBed) begin(p *passage) {
	b.Helper()
	b.empty()
	if out, err := exec.Command("auditctl", strings.Fields(faultsForeign)...).CombinedOutput(); err != nil {
		b.Fatalf("auditctl: %v: %s", err, out)
	}
	if p.old != "" {
		if r := b.run(nil, "-f", p.old); r.status != 0 {
			b.Fatal(r)
		}
	}
}

// learn runs a passage without faults, and returns all faults that can come.
func (b *faultBed) learn(p *passage) (list []fault.Fault) {
	b.Helper()
	b.begin(p)
	p.before = b.system()
	log := filepath.Join(b.dir, p.name+".log")
	if r := b.run([]string{fault.EnvLog + "=" + log}, p.command...); r.status != 0 {
		b.Fatal(r)
	}
	p.goal = b.system()
	text, err := os.ReadFile(log)
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var n, how, name string
		if _, err := fmt.Sscan(line, &n, &how, &name); err == nil && strings.HasPrefix(name, "AUDIT_") {
			list = append(list, p.faultsOf(how, name)...)
		}
	}
	return list
}

// faultsOf returns what can happen to a message.
func (p *passage) faultsOf(how, name string) (list []fault.Fault) {
	add := func(kind, arg, at string) {
		list = append(list, fault.Fault{Kind: kind, Arg: arg, On: name, At: at})
	}
	for errno := range fault.Errnos {
		add(fault.Refuse, errno, "")
	}
	add(fault.KillBefore, "", "")
	for _, v := range p.victims {
		add(fault.Run, v[0], "")
	}
	switch how {
	case fault.Writes:
		add(fault.KillAfter, "", "")
		add(fault.Lose, "", "")
	case fault.Gets:
		add(fault.Lose, "", "")
	case fault.Dumps:
		for _, at := range []string{fault.First, fault.Middle, fault.Last} {
			add(fault.Overrun, "", at)
			add(fault.Truncate, "ENOBUFS", at)
		}
	}
	return list
}

// outcome is what came of one run of nlapply.
type outcome struct {
	status         int // -1: killed
	stdout, stderr string
	report         struct {
		Changed, Verified, Unknown bool
		Plan, Rest                 []json.RawMessage
		Errors                     []struct{ Reason string }
	}
}

func (o outcome) String() string {
	return fmt.Sprintf("status %d\n%s%s", o.status, o.stdout, o.stderr)
}

func (b *faultBed) run(env []string, args ...string) (o outcome) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = append([]string{"nlapply", "-o", "json"}, args...)
	if args[0] != "-f" {
		cmd.Args = append([]string{"nlapply", args[0], "-o", "json"}, args[1:]...)
	}
	cmd.Dir, cmd.Env = b.dir, append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		o.status = exit.ExitCode()
	} else if err != nil {
		b.Fatal(err)
	}
	o.stdout, o.stderr = stdout.String(), stderr.String()
	if err := json.Unmarshal(stdout.Bytes(), &o.report); err != nil && o.status != -1 {
		b.Fatalf("%v: %v: %s%s", cmd.Args, err, &stdout, &stderr)
	}
	return o
}

// try makes a trial.
func (b *faultBed) try(p *passage, f fault.Fault) error {
	b.begin(p)
	env := []string{fault.Env + "=" + f.String(), fault.EnvLog + "=" + filepath.Join(b.dir, "log")}
	for _, v := range p.victims {
		if f.Kind == fault.Run && f.Arg == v[0] {
			env = append(env, fault.EnvRun+"="+v[1])
		}
	}
	got := b.run(env, p.command...)
	after := b.system()
	next := b.run(nil, p.command...)
	err := errors.Join(b.judge(p, f, got, after), judgeRest(f, got, next))
	if next.status != 0 {
		err = errors.Join(err, fmt.Errorf("the next run: %s", next))
	}
	if check := b.run(nil, p.command...); check.status != 0 || len(check.report.Plan) > 0 {
		err = errors.Join(err, fmt.Errorf("after the next run: %s", check))
	}
	if end := b.system(); p.command[0] != "delete" && !slices.Equal(b.meanings(end), b.meanings(p.goal)) {
		err = errors.Join(err, fmt.Errorf("after the next run the kernel has\n%s", b.texts(end)))
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, got)
	}
	return err
}

// judge holds a report against the kernel.
func (b *faultBed) judge(p *passage, f fault.Fault, got outcome, after system) (err error) {
	complain := func(format string, args ...any) { err = errors.Join(err, fmt.Errorf(format, args...)) }
	have := b.meanings(after)
	if f.Kind != fault.Run {
		for _, m := range b.meanings(p.before) {
			if slices.Contains(b.meanings(p.goal), m) && !slices.Contains(have, m) {
				complain("lost %s", m)
			}
		}
	}
	same := func(s system) bool { return after.settings == s.settings && slices.Equal(have, b.meanings(s)) }
	r := got.report
	switch got.status {
	case -1:
		if !strings.HasPrefix(f.Kind, "kill") {
			complain("killed")
		}
	case 0:
		if !r.Verified || len(r.Errors)+len(r.Rest) > 0 || f.Kind != fault.Run && !same(p.goal) {
			complain("status 0, and the kernel has %v\n%s", after.settings, b.texts(after))
		}
	case 1:
		if len(r.Errors) == 0 || r.Changed || r.Verified || f.Kind != fault.Run && !same(p.before) {
			complain("status 1, and the kernel has %v\n%s", after.settings, b.texts(after))
		}
	case 4:
		if len(r.Errors) == 0 || r.Verified {
			complain("status 4 without a reason, or verified")
		}
	default:
		complain("status %d", got.status)
	}
	return err
}

// judgeRest holds what a run says to be left to do against what the next one
// finds to do.
func judgeRest(f fault.Fault, got, next outcome) error {
	if got.status == -1 || got.status == 1 || got.report.Unknown || f.Kind == fault.Run {
		return nil
	}
	var rest, plan []string
	for _, s := range got.report.Rest {
		rest = append(rest, string(s))
	}
	for _, s := range next.report.Plan {
		plan = append(plan, string(s))
	}
	if !slices.Equal(rest, plan) {
		return fmt.Errorf("it says that there is to do\n%s\nand there is\n%s", strings.Join(rest, "\n"), strings.Join(plan, "\n"))
	}
	return nil
}

// meanings are those of the rules, in their order, without marks. Of a rule that is there
// twice, because it is being moved, the first one counts.
func (b *faultBed) meanings(s system) (list []string) {
	for _, raw := range s.rules {
		plain, _ := reconcile.UnmarkAuditRule(b.decode(raw), spec.DefaultOwner)
		if m := string(plain.Meaning()); !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	return list
}
