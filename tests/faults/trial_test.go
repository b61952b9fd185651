package faults_test

import (
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/nlapply/nlapply/tests/fault"
	"github.com/nlapply/nlapply/tests/scenario"
)

// A trial is a passage with a fault.
type trial struct {
	p *passage
	f fault.Fault
}

// String is how a trial is replayed: -fault 'host/change refuse:EPERM RTM_NEWLINK#2'.
func (t trial) String() string { return t.p.name + " " + t.f.String() }

// hash spreads what need not be tried with every trial.
func (t trial) hash() uint64 {
	h := fnv.New64a()
	h.Write([]byte(t.String()))
	return h.Sum64()
}

// trials are all faults at all messages of the passage.
func (p *passage) trials() (all []trial) {
	add := func(kind, arg, on, at string) {
		all = append(all, trial{p, fault.Fault{Kind: kind, Arg: arg, On: on, At: at}})
	}
	writing := false
	for _, send := range p.sends {
		writes := send[0].how == fault.Writes
		writing = writing || writes
		first := send[0].name
		if writing {
			add(fault.KillBefore, "", first, "")
			for _, v := range p.victims {
				add(fault.Run, v.name, first, "")
			}
		}
		if writes {
			add(fault.KillAfter, "", first, "")
		}
		for _, m := range send {
			for _, errno := range []string{"EPERM", "EBUSY", "ENOBUFS", "EINTR", "ENOMEM"} {
				add(fault.Refuse, errno, m.name, "")
			}
		}
		if send[0].how != fault.Dumps {
			add(fault.Lose, "", first, "")
			continue
		}
		for _, at := range []string{fault.First, fault.Middle, fault.Last} {
			add(fault.Interrupt, "", first, at)
			add(fault.Overrun, "", first, at)
			add(fault.Truncate, "ENOBUFS", first, at)
			if at != fault.Last {
				add(fault.Repeat, "", first, at)
				add(fault.Truncate, "EINTR", first, at)
				add(fault.Miss, "", first, at)
			}
		}
	}
	return all
}

// victim returns what a trial takes away, the zero victim for none.
func (t trial) victim() victim {
	for _, v := range t.p.victims {
		if t.f.Kind == fault.Run && v.name == t.f.Arg {
			return v
		}
	}
	return victim{}
}

// args is the command line. Every other report of a failure is JSON.
func (t trial) args() []string {
	fails := t.f.Kind == fault.Refuse || t.f.Kind == fault.Lose || t.f.Kind == fault.Truncate || t.f.Kind == fault.Overrun
	if t.p.command[0] != "dump" && fails && t.hash()%2 == 0 {
		return append(slices.Clone(t.p.command), "-o", "json")
	}
	return t.p.command
}

// verdict is what is wrong with a trial.
type verdict struct {
	wrong  []string
	missed bool     // the fault struck nothing: the run sent no such message
	lost   []string // what others had on links that the plan interrupts, and have no more
	result result
}

func (v *verdict) complain(format string, args ...any) {
	v.wrong = append(v.wrong, fmt.Sprintf(format, args...))
}

// run makes the trial in namespaces of its own.
func (t trial) run() (v verdict) {
	err := alone(func() error {
		if err := t.p.begin(true); err != nil {
			return err
		}
		return t.judge(&v)
	})
	if err != nil {
		v.complain("%v", err)
	}
	return v
}

// judge makes the trial in the calling goroutine's namespaces.
func (t trial) judge(v *verdict) error {
	log, err := os.CreateTemp(t.p.dir, "log")
	if err != nil {
		return err
	}
	defer os.Remove(log.Name())
	defer log.Close()
	env := []string{fault.Env + "=" + t.f.String(), fault.EnvLog + "=" + log.Name(), fault.EnvRun + "=" + t.victim().kill}
	args := t.args()
	w := scenario.Listen()
	r := t.p.nlapply(env, args...)
	v.result = r
	untold := w.Untold(t.printed(r))
	if text, err := os.ReadFile(log.Name()); err != nil || !strings.Contains(string(text), "\nstruck\n") {
		v.missed = true
	}
	if t.f.Kind != fault.Run && len(untold) > 0 {
		v.complain("the plan does not say: %s", strings.Join(untold, "; "))
	}
	if !t.p.changes() {
		t.judgeLook(v, r)
		return nil
	}
	return t.judgeChange(v, r, args)
}

// printed is the plan as text.
func (t trial) printed(r result) string {
	switch {
	case !t.p.changes():
		return ""
	case r.json:
		return t.p.plain.stdout // the same, unless the run has failed before
	}
	return r.stdout
}

// judgeLook judges a command that only looks: it says what is so, or that it does
// not know.
func (t trial) judgeLook(v *verdict, r result) {
	switch {
	case r.status == 1:
		if rep, err := r.read(); err != nil || len(rep.errors) == 0 {
			v.complain("it fails and does not say why")
		}
	case r.status != t.p.plain.status:
		v.complain("exit status %d, without the fault %d", r.status, t.p.plain.status)
	case !r.json && t.p.steady(r.stdout) != t.p.steady(t.p.plain.stdout):
		v.complain("it prints something else than without the fault:\n%s", t.p.plain.stdout)
	}
}

// steady takes the random hardware addresses out of a dump, and the order of what
// the kernel keeps in a hash.
func (p *passage) steady(text string) string {
	text = strings.Join(slices.Sorted(strings.Lines(text)), "")
	return hardwareAddress.ReplaceAllStringFunc(text, func(a string) string {
		if slices.Contains(p.norm.Written, a) {
			return a
		}
		return "random"
	})
}

// judgeChange holds the report against the kernel, lets the plain command run, and
// holds what that makes against the goal.
func (t trial) judgeChange(v *verdict, r result, args []string) error {
	gone := t.victim()
	if err := t.judgePlan(v, r); err != nil {
		return err
	}
	if r.status != -1 {
		if err := t.judgeReport(v, r, gone); err != nil {
			return err
		}
	} else if !strings.HasPrefix(t.f.Kind, "kill") {
		v.complain("killed")
	}
	if gone.repair != "" {
		if err := t.p.shell("sh", "-c", gone.repair); err != nil && r.status != 0 {
			return err
		}
	}
	w := scenario.Listen()
	plain, check := t.p.again(args)
	untold := w.Untold(plain.stdout)
	if !plain.json && len(untold) > 0 {
		v.complain("the next run's plan does not say: %s", strings.Join(untold, "; "))
	}
	if plain.status != 0 {
		v.complain("the next run: %s", plain)
	}
	if rest, err := check.read(); check.status != 0 || err != nil || len(rest.plan) > 0 {
		v.complain("after the next run: %s", check)
	}
	if err := t.judgeRest(v, r, plain); err != nil {
		return err
	}
	state, err := settled(t.p.norm, t.p.goal, gone.foreignName())
	d := t.p.unexplained(gone, difference(t.p.goal, state, gone.foreignName()))
	if strings.Contains(t.p.plain.stdout, ", put back") && r.status != 0 {
		d = slices.DeleteFunc(d, func(o string) bool {
			if o[0] != '-' || !t.p.others[o[1:]] {
				return false
			}
			v.lost = append(v.lost, o[1:])
			return true
		})
	}
	if len(d) > 0 {
		v.complain("after the next run the state is not the goal:\n%s", strings.Join(d, "\n"))
	}
	return err
}

// judgePlan sees to it that a fault changes nothing of what the command wants to do.
func (t trial) judgePlan(v *verdict, r result) error {
	if r.json {
		return nil
	}
	rep, err := r.read()
	if err != nil || len(rep.plan) == 0 {
		return err
	}
	plain, err := t.p.plain.read()
	if !slices.Equal(rep.plan, plain.plan) {
		v.complain("the plan is another one than without the fault:\n%s", strings.Join(unequal(plain.plan, rep.plan), "\n"))
	}
	return err
}

// foreignName is the name of a victim that is not nlapply's to make again.
func (gone victim) foreignName() string {
	if gone.foreign {
		return gone.name
	}
	return ""
}

// judgeReport holds the exit status against what iproute2 reports.
func (t trial) judgeReport(v *verdict, r result, gone victim) error {
	rep, err := r.read()
	if err != nil {
		return err
	}
	want := ""
	switch r.status {
	case 0:
		want = t.p.goal
		if !rep.verified || len(rep.errors)+len(rep.rest) > 0 {
			v.complain("exit status 0, but not verified, or with errors")
		}
	case 1:
		if want, err = t.p.without(gone); err != nil {
			return err
		}
		if len(rep.errors) == 0 || rep.changed || rep.verified {
			v.complain("exit status 1, but without a reason, or with changes")
		}
	case 4:
		if len(rep.errors) == 0 || rep.verified {
			v.complain("exit status 4, but without a reason, or verified")
		}
		return t.judgeLosses(v, rep)
	default:
		v.complain("exit status %d", r.status)
		return nil
	}
	if gone.name != "" && t.p.proofs[t.f.On] {
		return nil // it may have looked already at what is gone
	}
	state, err := settled(t.p.norm, want, gone.foreignName())
	if d := t.p.unexplained(gone, difference(want, state, gone.foreignName())); len(d) > 0 {
		v.complain("exit status %d, but the kernel has\n%s", r.status, strings.Join(d, "\n"))
	}
	return err
}

// identity is the part of an object that plans name.
var identity = regexp.MustCompile(`"(?:dst|local|mac|vlan|priority)": *"?([^",}]+)`)

// judgeLosses sees to it that what was right before, and is to be right after, is
// there, or that the report says that it is missing.
func (t trial) judgeLosses(v *verdict, rep report) error {
	if t.f.Kind == fault.Run || rep.unknown {
		return nil
	}
	state, err := scenario.State(t.p.norm)
	rest := strings.Join(rep.rest, "\n")
	for _, o := range missing(t.p.kept, objects(state)) {
		if name := identity.FindStringSubmatch(o); name != nil && !strings.Contains(o, `"protocol":"kernel"`) && !strings.Contains(rest, name[1]) {
			v.complain("it does not say that this was lost: %s", o)
		}
	}
	return err
}

// judgeRest holds what the run says to be left to do against what the next one
// finds to do.
func (t trial) judgeRest(v *verdict, r, plain result) error {
	if r.status != 4 && r.status != 0 {
		return nil
	}
	rep, err := r.read()
	if err != nil {
		return err
	}
	next, err := plain.read()
	if err != nil {
		return err
	}
	if rep.unknown || t.victim().foreign || t.victim().repair != "" || t.victim().name != "" && t.p.proofs[t.f.On] {
		return nil
	}
	for _, line := range next.plan {
		if !slices.Contains(rep.rest, line) {
			v.complain("it does not say what the kernel lacks: %s", line)
		}
	}
	for _, line := range rep.rest {
		if !slices.Contains(next.plan, line) && !strings.Contains(line, "taken down by this plan, put back") {
			v.complain("it says that the kernel lacks what it does not: %s", line)
		}
	}
	return nil
}

// unexplained returns the differences that are not what others had on a victim.
func (p *passage) unexplained(gone victim, list []string) []string {
	if gone.name == "" || len(list) == 0 {
		return list
	}
	state, err := p.without(gone)
	if err != nil {
		return append(list, err.Error())
	}
	went := set(missing(objects(p.before), objects(state)))
	return slices.DeleteFunc(list, func(o string) bool { return o[0] == '-' && went[o[1:]] })
}

// without returns the state before without a victim.
func (p *passage) without(gone victim) (state string, err error) {
	if gone.name == "" {
		return p.before, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if state, known := p.rests[gone.name]; known {
		return state, nil
	}
	defer func() {
		if err == nil {
			p.rests[gone.name] = state
		}
	}()
	err = alone(func() error {
		if err := p.begin(true); err != nil {
			return err
		}
		if err := p.shell("sh", "-c", gone.kill); err != nil {
			return nil // it is not there yet
		}
		state, err = scenario.State(p.norm)
		return err
	})
	if state == "" {
		state = p.before
	}
	return state, err
}

// short cuts long lines off: those of links have all their options.
func short(text string) string {
	list := lines(text)
	for i, line := range list {
		if len(line) > 300 {
			list[i] = line[:300] + "…"
		}
	}
	return strings.Join(list, "\n")
}

// keep writes what failed where it can be replayed from.
func keep(failed []string) {
	if len(failed) > 0 {
		os.WriteFile(filepath.Join("testdata", "failed.txt"), []byte(strings.Join(failed, "\n")+"\n"), 0o644)
	}
}
