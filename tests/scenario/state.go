package scenario

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/nlapply/nlapply/tests/normalize"
)

func writeFile(ts *testscript.TestScript, name, text string) {
	ts.Check(os.WriteFile(filepath.Join(ts.Getenv("WORK"), name), []byte(text), 0o644))
}

// fresh puts the rest of the script into new namespaces, with nothing in them.
// Files stay; background commands stay in the old ones.
func fresh(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg || len(args) > 0, "fresh")
	ts.Check(Isolate())
}

// state writes the normalised state of the namespace, and of the named ones,
// into a file of the work directory, as iproute2 reports it.
func state(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg || len(args) != 1, "state FILE")
	text, err := State(sandboxOf(ts).normalizer)
	ts.Check(err)
	writeFile(ts, args[0], text)
}

// State returns the normalised state of the namespace, and of the named ones, as
// iproute2 reports it: one object a line, behind a line for its class and one for
// its namespace.
func State(n *normalize.Normalizer) (string, error) {
	var b strings.Builder
	for _, name := range append([]string{""}, namespaces()...) {
		if name != "" {
			fmt.Fprintf(&b, "# namespace %s\n", name)
		}
		lists, err := list(name)
		if err != nil {
			return "", err
		}
		for _, c := range normalize.Classes {
			text, err := n.Text(c, lists[c.Name])
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, "## %s\n%s", c.Name, text)
		}
	}
	return b.String(), nil
}

// namespaces returns the names of the named namespaces, in order.
func namespaces() (names []string) {
	entries, _ := os.ReadDir("/run/netns")
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// list asks iproute2 for all classes, in as few processes as possible: in an
// emulated machine their start is what takes the time.
func list(namespace string) (map[string][]byte, error) {
	lists := map[string][]byte{}
	var programs []string
	for _, c := range normalize.Classes {
		programs = append(programs, c.Program)
	}
	slices.Sort(programs)
	for _, program := range slices.Compact(programs) {
		argv := append(strings.Fields(program), "-j", "-batch", "-")
		if namespace != "" {
			argv = slices.Insert(argv, 1, "-n", namespace)
		}
		var lines []string
		var names []string // the class that asked for each line
		for _, c := range normalize.Classes {
			if c.Program == program {
				lines = append(lines, c.Lists...)
				names = append(names, slices.Repeat([]string{c.Name}, len(c.Lists))...)
			}
		}
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, stderr.String())
		}
		in := json.NewDecoder(bytes.NewReader(out))
		for _, name := range names {
			var part json.RawMessage
			if err := in.Decode(&part); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", strings.Join(argv, " "), name, err)
			}
			lists[name] = append(lists[name], part...)
		}
	}
	return lists, nil
}

// roundtrip shows that dump and apply are inverse to each other (promise P2):
// what is dumped here changes nothing here, and makes the same state in fresh
// namespaces after the same set-up. The dump is the default owner's, or NAME's.
func roundtrip(ts *testscript.TestScript, neg bool, args []string) {
	dump := []string{"nlapply", "dump"}
	if len(args) > 1 && args[0] == "-owner" {
		dump, args = append(dump, "--owner", args[1]), args[2:]
	}
	usage(ts, neg || len(args) > 1, "roundtrip [-owner NAME] [SETUP.sh]")
	must(ts, dump...)
	writeFile(ts, "dump.yaml", ts.ReadFile("stdout"))
	file := filepath.Join(ts.Getenv("WORK"), "dump.yaml")
	writes(ts, false, []string{"0", "nlapply", "-f", file})
	want, err := State(sandboxOf(ts).normalizer)
	ts.Check(err)
	ts.Check(Isolate())
	if len(args) > 0 {
		must(ts, "sh", "-e", ts.MkAbs(args[0]))
	}
	must(ts, "nlapply", "-f", file)
	if diff := settledDiff(ts, want); diff != "" {
		ts.Logf("dump.yaml:\n%s", ts.ReadFile(file))
		ts.Fatalf("the dump does not restore the state, -dumped +restored\n%s", diff)
	}
}

// settledDiff compares the state of the namespaces with want, again and again
// for some seconds: link-local addresses come when the kernel's link watch has
// seen the carrier, which is after the command that set the link up.
func settledDiff(ts *testscript.TestScript, want string) (diff string) {
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		got, err := State(sandboxOf(ts).normalizer)
		ts.Check(err)
		diff = cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n"))
		if diff == "" || time.Now().After(end) {
			return diff
		}
	}
}

var hardwareAddress = regexp.MustCompile(`\b[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}\b`)

// written returns the hardware addresses that the files of a script name.
func written(dir string) (list []string) {
	filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			data, _ := os.ReadFile(p)
			list = append(list, hardwareAddress.FindAllString(string(data), -1)...)
		}
		return nil
	})
	return list
}
