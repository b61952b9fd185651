// Package scenario runs txtar scripts, each in network and mount namespaces of
// its own, with nlapply as a command and iproute2 as the judge. No script can
// see or touch the machine's own network, no root is needed, and nothing is
// left behind however a script ends.
//
// It is used by tests/netns, one script per behaviour, and by tests/examples,
// one script for all examples.
package scenario

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/nlapply/nlapply/tests/normalize"
	"github.com/nlapply/nlapply/tests/tools"
)

var update = flag.Bool("update", false, "write what commands print into the scripts' golden files")

// commands are the programs of this module that scripts can call: the test
// binary itself, under another name.
var commands = map[string]func(){
	"nlapply":  nlapply,
	"churn":    churn,
	"edits":    edits,
	"flood":    flood,
	"heals":    heals,
	"silent":   silent,
	"squeeze":  squeeze,
	"notified": notified,
	"ask":      ask,

	runsCommand: runs,
}

// Main is the TestMain of a package with scripts. It does not return.
func Main(m *testing.M) {
	switch {
	case commands[filepath.Base(os.Args[0])] != nil:
		// Called by a script, which has made its namespaces.
	case os.Getenv(insideEnv) != "":
		prepare()
		// Scenarios mostly wait, for duplicate address detection.
		if !slices.ContainsFunc(os.Args, func(a string) bool { return strings.HasPrefix(a, "-test.parallel") }) {
			os.Args = append(os.Args[:1:1], append([]string{"-test.parallel=6"}, os.Args[1:]...)...)
		}
	default:
		flag.Parse()
		if cache, err := tools.OpenCache(); err == nil {
			cache.UsePath()
		}
		os.Exit(enter())
	}
	testscript.Main(m, commands)
}

// Run runs the scripts of a directory, or those in files, in parallel.
func Run(t *testing.T, dir string, files ...string) { runScripts(t, isolated, dir, files) }

func runScripts(t *testing.T, setup func(*testscript.Env) error, dir string, files []string) {
	deadline, _ := t.Deadline()
	testscript.RunT(quiet{t}, testscript.Params{
		Deadline:           deadline,
		Dir:                dir,
		Files:              files,
		Setup:              setup,
		Cmds:               verbs,
		Condition:          func(c string) (bool, error) { ok, _, err := condition(c); return ok, err },
		UpdateScripts:      *update,
		RequireUniqueNames: true,
	})
}

// quiet is a test whose scripts print what a failed phase did, and nothing of
// the phases before it, also under -v, which is how results are counted.
type quiet struct{ *testing.T }

// Run implements testscript.T.
func (q quiet) Run(name string, f func(testscript.T)) {
	q.T.Run(name, func(t *testing.T) { f(quiet{t}) })
}

// Verbose implements testscript.T.
func (quiet) Verbose() bool { return false }

// sandbox is what the verbs of one script share.
type sandbox struct {
	t          testscript.T
	normalizer *normalize.Normalizer
}

type sandboxKey struct{}

func sandboxOf(ts *testscript.TestScript) *sandbox { return ts.Value(sandboxKey{}).(*sandbox) }

// isolated isolates the goroutine that runs one script.
func isolated(env *testscript.Env) error {
	setup(env)
	return Isolate()
}

// setup gives a script what all have.
func setup(env *testscript.Env) {
	env.Values[sandboxKey{}] = &sandbox{
		t:          env.T(),
		normalizer: &normalize.Normalizer{Written: written(env.WorkDir)},
	}
	for _, name := range []string{"LD_LIBRARY_PATH", "EDITS", "CHURN", insideEnv} {
		if v := os.Getenv(name); v != "" {
			env.Setenv(name, v)
		}
	}
	env.Setenv("NO_COLOR", "1")
}
