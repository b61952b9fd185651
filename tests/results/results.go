// Package results reads the event stream of go test's test2json and keeps what
// a person wants to know of it: how many tests passed, how many were skipped
// and why, and everything that a failed test printed.
//
// The same stream is read for tests that run here and for tests that run in a
// virtual machine, so the counts of all kernels mean the same thing.
package results

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Event is one line of test2json's output.
type Event struct {
	Action  string  `json:",omitempty"`
	Package string  `json:",omitempty"`
	Test    string  `json:",omitempty"`
	Elapsed float64 `json:",omitempty"`
	Output  string  `json:",omitempty"`
	Key     string  `json:",omitempty"` // of an attribute (testing.T.Attr)
	Value   string  `json:",omitempty"`
}

// Decode calls f for every event in r. Lines that are no events are ignored:
// a test binary that dies may leave anything behind.
func Decode(r io.Reader, f func(Event)) error {
	in := bufio.NewReaderSize(r, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		var e Event
		if json.Unmarshal(line, &e) == nil && e.Action != "" {
			f(e)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Summary counts tests by their outcome. The zero value is ready to use.
// A test that only holds subtests is not counted itself.
type Summary struct {
	Passed, Failed, Skipped int
	Reasons                 map[string]int // why tests were skipped
	Failures                []string       // package, test and output of each failed one
	Attributes              []string       // what tests tell of themselves: test, key and value
	Slow                    []Event        // the events of the slowest leaves, slowest first

	output  map[string]*strings.Builder
	parents map[string]bool
	running map[string]bool
}

// Add takes one event into account.
func (s *Summary) Add(e Event) {
	key := e.Package + "\x00" + e.Test
	switch e.Action {
	case "run":
		if i := strings.LastIndexByte(e.Test, '/'); i >= 0 {
			s.parent(e.Package + "\x00" + e.Test[:i])
		}
		if s.running == nil {
			s.running = map[string]bool{}
		}
		s.running[e.Package+" "+e.Test] = true
	case "output":
		s.keep(key, e.Output)
	case "attr":
		s.Attributes = append(s.Attributes, fmt.Sprintf("%s: %s: %s", e.Test, e.Key, e.Value))
	case "pass", "skip", "fail":
		delete(s.running, e.Package+" "+e.Test)
		s.finish(key, e)
	}
}

func (s *Summary) parent(key string) {
	if s.parents == nil {
		s.parents = map[string]bool{}
	}
	s.parents[key] = true
}

func (s *Summary) keep(key, text string) {
	if s.output == nil {
		s.output = map[string]*strings.Builder{}
	}
	b := s.output[key]
	if b == nil {
		b = new(strings.Builder)
		s.output[key] = b
	}
	b.WriteString(text)
}

func (s *Summary) finish(key string, e Event) {
	var text string
	if b := s.output[key]; b != nil {
		text = b.String()
		delete(s.output, key)
	}
	// The event of a whole package carries no test name. It counts only where
	// it failed although no test of it did: a crash, or a bad exit status.
	leaf := e.Test != "" && !s.parents[key]
	switch {
	case e.Action == "fail" && (leaf || s.orphan(e)):
		s.Failed++
		s.Failures = append(s.Failures, strings.TrimSpace(e.Package+" "+e.Test)+"\n"+text)
	case !leaf:
	case e.Action == "pass":
		s.Passed++
		s.slow(e)
	case e.Action == "skip":
		s.Skipped++
		if s.Reasons == nil {
			s.Reasons = map[string]int{}
		}
		s.Reasons[reason(text)]++
	}
}

// orphan reports whether e is a failed package or parent test without a failed
// test below it: something outside the leaves went wrong.
func (s *Summary) orphan(e Event) bool {
	prefix := e.Package + " "
	if e.Test != "" {
		prefix += e.Test + "/"
	}
	return !slices.ContainsFunc(s.Failures, func(f string) bool { return strings.HasPrefix(f, prefix) })
}

func (s *Summary) slow(e Event) {
	const most = 5
	i, _ := slices.BinarySearchFunc(s.Slow, e, func(a, b Event) int {
		switch {
		case a.Elapsed > b.Elapsed:
			return -1
		case a.Elapsed < b.Elapsed:
			return 1
		}
		return 0
	})
	s.Slow = slices.Insert(s.Slow, i, e)
	s.Slow = s.Slow[:min(len(s.Slow), most)]
}

// logLine is a line that testing's Log or Skip wrote: file, line, text.
var logLine = regexp.MustCompile(`(?m)^\s+([\w.-]+\.go):\d+: (.*)$`)

// reason takes the last logged line out of a skipped test's output, but not the
// transcript that testscript logs after it.
func reason(text string) string {
	r := "no reason given"
	for _, m := range logLine.FindAllStringSubmatch(text, -1) {
		if line := strings.TrimSpace(m[2]); line != "" && m[1] != "testscript.go" {
			r = line
		}
	}
	return r
}

// Running returns the tests that have begun and not ended.
func (s *Summary) Running() []string { return slices.Sorted(maps.Keys(s.running)) }

// Fail records a failure that is not a test's: a build, a machine.
func (s *Summary) Fail(what, output string) {
	s.Failed++
	s.Failures = append(s.Failures, what+"\n"+output)
}

// OK reports whether nothing failed and something ran.
func (s *Summary) OK() bool { return s.Failed == 0 && s.Passed > 0 }

// String is the summary in one line: "12 passed, 3 skipped (2: no link kind
// vlan; 1: not root)".
func (s *Summary) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d passed", s.Passed)
	if s.Failed > 0 {
		fmt.Fprintf(&b, ", %d FAILED", s.Failed)
	}
	fmt.Fprintf(&b, ", %d skipped", s.Skipped)
	var why []string
	for r, n := range s.Reasons {
		why = append(why, fmt.Sprintf("%d: %s", n, r))
	}
	slices.SortFunc(why, func(a, b string) int {
		var n, m int
		fmt.Sscan(a, &n)
		fmt.Sscan(b, &m)
		if n != m {
			return m - n
		}
		return strings.Compare(a, b)
	})
	if len(why) > 0 {
		fmt.Fprintf(&b, " (%s)", strings.Join(why, "; "))
	}
	return b.String()
}
