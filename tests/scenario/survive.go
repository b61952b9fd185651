package scenario

import (
	"cmp"
	"fmt"
	"os"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"
)

// survives shows that a command may be killed at any moment (promise P6). It
// runs it once to learn at which system calls it changes something, and then
// again and again in fresh namespaces, killing it just before and just after
// each of these. After each kill the plain command has to succeed, and to leave
// an empty plan.
func survives(ts *testscript.TestScript, neg bool, args []string) {
	var setup string
	if len(args) > 1 && args[0] == "-setup" {
		setup, args = ts.MkAbs(args[1]), args[2:]
	}
	usage(ts, neg || len(args) < 2, "survives [-setup SETUP.sh] nlapply -f FILE...")
	begin := func() {
		ts.Check(Isolate())
		if setup != "" {
			must(ts, "sh", "-e", setup)
		}
	}
	// One processor: Go then moves its work less between threads, and strace
	// counts calls per thread.
	ts.Setenv("GOMAXPROCS", "1")
	begin()
	moments := killMoments(traced(ts, args))
	if len(moments) == 0 {
		ts.Fatalf("nothing is changed, so nothing can be interrupted")
	}
	killed := 0
	for _, m := range moments {
		begin()
		inject := fmt.Sprintf("inject=%s:signal=KILL:when=%d", m.call, m.nth)
		argv := append([]string{"strace", "-f", "-q", "-o", os.DevNull, "-e", "trace=" + m.call, "-e", inject, "--"}, args...)
		if exitStatus(ts, argv) != 0 {
			killed++
		}
		must(ts, args...)
		must(ts, append([]string{args[0], "plan"}, args[1:]...)...)
	}
	if killed == 0 {
		ts.Fatalf("not killed once at %d moments", len(moments))
	}
	ts.Logf("killed %d times at %d moments", killed, len(moments))
}

// killMoments returns the calls to be killed at: those that change something,
// and for each the next one of its kind.
func killMoments(changes []change) (moments []change) {
	for _, c := range changes {
		if c.call != "" {
			moments = append(moments, change{call: c.call, nth: c.nth}, change{call: c.call, nth: c.nth + 1})
		}
	}
	slices.SortFunc(moments, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.call, b.call), cmp.Compare(a.nth, b.nth))
	})
	return slices.Compact(moments)
}
