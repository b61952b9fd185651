package faults_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nlapply/nlapply/tests/scenario"
)

// result is what came of one run of nlapply.
type result struct {
	status         int // -1: killed
	stdout, stderr string
	json           bool
}

func (r result) String() string {
	return fmt.Sprintf("exit status %d\n%s%s", r.status, r.stdout, r.stderr)
}

// limit is far more than any run takes.
const limit = 2 * time.Minute

// nlapply runs the command in the calling thread's namespaces.
func (p *passage) nlapply(env []string, args ...string) result {
	return p.start(env, append([]string{"nlapply"}, args...)...)()
}

// start starts the test binary under another name, and returns a function that
// waits for its end.
func (p *passage) start(env []string, argv ...string) (wait func() result) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args = argv
	cmd.Dir = p.dir
	cmd.Env = append(append(os.Environ(), "NLAPPLY_UNTOLD=1", "NO_COLOR=1"), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Start()
	return func() result {
		defer cancel()
		if err == nil {
			err = cmd.Wait()
		}
		r := result{stdout: stdout.String(), stderr: stderr.String(), json: slices.Contains(argv, "json")}
		var exit *exec.ExitError
		switch {
		case ctx.Err() != nil:
			r.status, r.stderr = -2, r.stderr+"still running after "+limit.String()
		case errors.As(err, &exit):
			r.status = exit.ExitCode()
		case err != nil:
			r.status, r.stderr = -2, r.stderr+err.Error()
		}
		return r
	}
}

// again runs the plain command and, after it, one that has to find nothing to do.
func (p *passage) again(args []string) (plain, check result) {
	second := slices.Clone(args)
	if second[0] != "delete" {
		second = append([]string{"plan"}, second...)
	}
	r := p.start(nil, scenario.Sequence(scenario.Invocation{Args: args}, scenario.Invocation{Args: second})...)()
	var list []scenario.Invocation
	if err := json.Unmarshal([]byte(r.stdout), &list); err != nil {
		r.status = -2
		return r, r
	}
	asJSON := slices.Contains(args, "json")
	return result{list[0].Status, list[0].Stdout, list[0].Stderr, asJSON}, result{list[1].Status, list[1].Stdout, list[1].Stderr, asJSON}
}

// report is what the command says of itself.
type report struct {
	changed, verified bool
	plan, rest        []string // lines
	unknown           bool     // it says that it could not look
	errors            []string
}

var (
	planLine = regexp.MustCompile(`^([^ ]+: )?[-+~±] [a-z]`)
	applied  = regexp.MustCompile(`(\d+) changes? applied`)
)

// read understands a report.
func (r result) read() (rep report, err error) {
	if r.json {
		return r.readJSON()
	}
	for _, line := range lines(r.stdout) {
		if planLine.MatchString(line) {
			rep.plan = append(rep.plan, line)
		}
	}
	for _, line := range lines(r.stderr) {
		if rest, ok := strings.CutPrefix(line, "  "); ok {
			rep.rest = append(rep.rest, rest)
		} else if !applied.MatchString(line) {
			rep.errors = append(rep.errors, line)
		}
	}
	if m := applied.FindStringSubmatch(r.stdout + r.stderr); m != nil {
		rep.changed = m[1] != "0"
	}
	rep.unknown = strings.Contains(r.stderr, "is not known")
	rep.verified = strings.Contains(r.stdout, ", verified.")
	return rep, nil
}

func (r result) readJSON() (rep report, err error) {
	var j struct {
		Changed, Verified, Unknown bool
		Plan, Rest                 []json.RawMessage
		Errors                     []struct{ Reason string }
	}
	if err := json.Unmarshal([]byte(r.stdout), &j); err != nil {
		return rep, fmt.Errorf("no JSON: %w: %q", err, r.stdout)
	}
	rep.changed, rep.verified, rep.unknown = j.Changed, j.Verified, j.Unknown
	for _, s := range j.Plan {
		rep.plan = append(rep.plan, string(s))
	}
	for _, s := range j.Rest {
		rep.rest = append(rep.rest, string(s))
	}
	for _, e := range j.Errors {
		rep.errors = append(rep.errors, e.Reason)
	}
	return rep, nil
}
