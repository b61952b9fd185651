package scenario

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/nlapply/nlapply/tests/normalize"
)

type verb = func(ts *testscript.TestScript, neg bool, args []string)

// verbs are the commands that scripts have beside testscript's own. README.md
// in tests/netns shows them in use.
var verbs = map[string]verb{
	"status":     status,
	"writes":     writes,
	"needs":      needs,
	"has":        has,
	"normalize":  normalizeOutput,
	"eventually": eventually,
	"fresh":      fresh,
	"state":      state,
	"roundtrip":  roundtrip,
	"survives":   survives,
	"damage":     damage,
}

func usage(ts *testscript.TestScript, bad bool, text string) {
	if bad {
		ts.Fatalf("usage: %s", text)
	}
}

// exitStatus runs a command and returns its exit status.
func exitStatus(ts *testscript.TestScript, argv []string) int {
	err := ts.Exec(argv[0], argv[1:]...)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	ts.Fatalf("%s: %v", argv[0], err)
	return -1
}

// must runs a command that has to succeed.
func must(ts *testscript.TestScript, argv ...string) {
	if got := exitStatus(ts, argv); got != 0 {
		ts.Fatalf("%s: exit status %d", strings.Join(argv, " "), got)
	}
}

// status runs a command that has to end with an exact exit status.
func status(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg || len(args) < 2, "status N command [args...]")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := exitStatus(ts, args[1:]); got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// writes runs a command under strace; it has to succeed and to send exactly N
// messages that change the kernel. N may be "some". The messages are in
// $WORK/writes.txt, one a line.
func writes(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg || len(args) < 2, "writes N|some command [args...]")
	var list strings.Builder
	changes := traced(ts, args[1:])
	for _, c := range changes {
		fmt.Fprintln(&list, c.name)
	}
	writeFile(ts, "writes.txt", list.String())
	if got := strconv.Itoa(len(changes)); got != args[0] && (args[0] != "some" || len(changes) == 0) {
		ts.Fatalf("%s writes, want %s:\n%s", got, args[0], list.String())
	}
}

// traced runs a command that has to succeed and returns what it changed.
func traced(ts *testscript.TestScript, argv []string) []change {
	file := filepath.Join(ts.Getenv("WORK"), ".trace")
	must(ts, traceInto(file, argv)...)
	changes, err := changesIn(file)
	ts.Check(err)
	return changes
}

// needs ends the script as skipped, with the reason, unless all conditions hold.
func needs(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg || len(args) == 0, "needs condition...")
	for _, arg := range args {
		ok, why, err := condition(arg)
		ts.Check(err)
		if !ok {
			sandboxOf(ts).t.Skip(why)
		}
	}
}

// has looks for an object in the JSON that a command of iproute2 prints: one
// that has all the keys and values of the pattern.
func has(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) != 2, "has 'command that prints JSON' 'JSON pattern'")
	must(ts, strings.Fields(args[0])...)
	found, err := contains(ts.ReadFile("stdout"), args[1])
	ts.Check(err)
	if found == neg {
		ts.Fatalf("%s: found %v", args[1], found)
	}
}

// contains reports whether a JSON list holds an object that matches a pattern.
func contains(list, pattern string) (bool, error) {
	var have []any
	if strings.TrimSpace(list) != "" {
		if err := json.Unmarshal([]byte(list), &have); err != nil {
			return false, fmt.Errorf("output: %w", err)
		}
	}
	var want any
	if err := json.Unmarshal([]byte(pattern), &want); err != nil {
		return false, fmt.Errorf("pattern: %w", err)
	}
	return matches(have, []any{want}), nil
}

// matches reports whether have holds at least what want says: all keys of an
// object, and for each element of a list some element, in any order.
func matches(have, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		have, ok := have.(map[string]any)
		for k, w := range want {
			h, found := have[k]
			ok = ok && found && matches(h, w)
		}
		return ok
	case []any:
		have, ok := have.([]any)
		for _, w := range want {
			found := false
			for _, h := range have {
				found = found || matches(h, w)
			}
			ok = ok && found
		}
		return ok
	}
	return have == want
}

// normalizeOutput runs a command of iproute2 that prints JSON and leaves the
// normal form of it as standard output, for cmp.
func normalizeOutput(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg || len(args) < 2, "normalize ip|bridge -j ...")
	c, err := normalize.ClassOf(args)
	ts.Check(err)
	must(ts, args...)
	text, err := sandboxOf(ts).normalizer.Text(c, []byte(ts.ReadFile("stdout")))
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), text)
}

const patience = 60 * time.Second

// eventually repeats a command until it succeeds (with !, fails) or patience
// is at its end. "has" may be repeated too.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 0 || args[0] == "has" && len(args) != 3, "eventually command [args...] | eventually has 'command' 'pattern'")
	argv := args
	if args[0] == "has" {
		argv = strings.Fields(args[1])
	}
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		ok := exitStatus(ts, argv) == 0
		if ok && args[0] == "has" {
			var err error
			ok, err = contains(ts.ReadFile("stdout"), args[2])
			ts.Check(err)
		}
		if ok != neg {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("still not so after %v", patience)
		}
	}
}
