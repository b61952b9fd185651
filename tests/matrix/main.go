// Command matrix runs every test of the module on every kernel: on this one,
// and on those of Debian in virtual machines, which share out some long scenarios
// (condition share of package scenario). It prints one line per kernel and
// ends with status 1 when a test failed or a kernel did not run.
//
//	go run ./tests/matrix                                   # all of it
//	go run ./tests/matrix -kernels 6.12 -run TestScripts/vlan
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/nlapply/nlapply/tests/results"
	"github.com/nlapply/nlapply/tests/tools"
	"github.com/nlapply/nlapply/tests/vm"
)

func main() {
	var o options
	flag.StringVar(&o.kernels, "kernels", "native,6.12,6.1", "where to run, comma-separated")
	flag.StringVar(&o.run, "run", "", "run only the tests that match, as for go test")
	flag.StringVar(&o.packages, "packages", "./...", "packages to test, space-separated")
	flag.StringVar(&o.more, "args", "", "more arguments for the test binaries, space-separated")
	flag.DurationVar(&o.limit, "limit", 6*time.Minute, "a machine that has not ended by then has failed")
	flag.BoolVar(&o.verbose, "v", false, "show where the time went")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := matrix(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(1)
	}
}

type options struct {
	kernels, run, packages, more string
	limit                        time.Duration
	verbose                      bool
}

// args are the arguments for every test binary.
func (o options) args() []string {
	args := []string{"-test.timeout=" + o.limit.String()}
	if o.run != "" {
		args = append(args, "-test.run="+o.run)
	}
	return append(args, strings.Fields(o.more)...)
}

var errFailed = errors.New("not every kernel passed")

func matrix(ctx context.Context, o options) error {
	cache, err := tools.OpenCache()
	if err != nil {
		return err
	}
	if err := cache.Ensure(tools.Programs); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "nlapply-matrix-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	b, err := buildTests(ctx, work, strings.Fields(o.packages))
	if err != nil {
		return err
	}
	var total results.Summary
	for name, out := range runAll(ctx, strings.Split(o.kernels, ","), cache, b, o) {
		report(name, out, o.verbose)
		total.Passed += out.Summary.Passed
		total.Failed += out.Summary.Failed
		total.Skipped += out.Summary.Skipped
		if !out.Summary.OK() {
			err = errFailed
		}
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", total.Passed, total.Failed, total.Skipped)
	return err
}

// runAll runs the tests on all kernels and yields the outcomes in the order of
// their names: on this one first, with all processors, then in the machines, which
// have one processor each and run side by side.
func runAll(ctx context.Context, names []string, cache *tools.Cache, b *build, o options) iter.Seq2[string, *vm.Outcome] {
	return func(yield func(string, *vm.Outcome) bool) {
		var native *vm.Outcome
		if slices.Contains(names, "native") {
			native = runNative(ctx, b, o.args())
		}
		outcomes := map[string]chan *vm.Outcome{}
		slots := make(chan struct{}, runtime.NumCPU())
		machines := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "native" })
		for _, name := range names {
			outcomes[name] = make(chan *vm.Outcome, 1)
			if name == "native" {
				outcomes[name] <- native
				continue
			}
			k, err := openKernel(cache, name) // one after the other: they may be fetched
			share := fmt.Sprintf("%d/%d", slices.Index(machines, name)+1, len(machines))
			go func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				outcomes[name] <- runIn(ctx, name, share, k, err, b, o)
			}()
		}
		for _, name := range names {
			if !yield(name, <-outcomes[name]) {
				return
			}
		}
	}
}

// runIn runs the tests in a machine with kernel k, or says why there is none. A
// kernel that did not run is a failure like any other. Of the scenarios that the
// machines share out, it runs share: "1/2".
func runIn(ctx context.Context, name, share string, k *vm.Kernel, err error, b *build, o options) *vm.Outcome {
	out := &vm.Outcome{Version: name}
	if err == nil {
		var ran *vm.Outcome
		if ran, err = boot(ctx, share, k, b, o); ran != nil {
			out = ran
		}
	}
	if err != nil {
		out.Summary.Fail("kernel "+name+" did not run to its end", err.Error())
	}
	return out
}

func openKernel(cache *tools.Cache, name string) (*vm.Kernel, error) {
	i := slices.IndexFunc(tools.Kernels, func(s tools.Series) bool { return s.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("unknown kernel %q: want native, 6.12 or 6.1", name)
	}
	return vm.OpenKernel(cache, tools.Kernels[i])
}

func boot(ctx context.Context, share string, k *vm.Kernel, b *build, o options) (*vm.Outcome, error) {
	m := vm.Machine{Kernel: k, Tree: b.root, Guest: b.guest, Test2JSON: b.test2json, Limit: o.limit, Work: b.dir}
	return m.Run(ctx, vm.Job{
		Root:  "/src",
		Tests: slices.DeleteFunc(slices.Clone(b.tests), hostOnly),
		Args:  o.args(),
		Env:   []string{"NLAPPLY_TEST_ROOT=1", "NLAPPLY_TEST_EMULATED=1", "NLAPPLY_TEST_SHARE=" + share},
	})
}

// hostOnly reports whether a package's tests are about the source tree or this
// harness, so that another kernel would say nothing new.
func hostOnly(t vm.Test) bool {
	return t.Dir == "tests/arch" || t.Dir == "tests/results" || t.Dir == "tests/tools" || t.Dir == "tests/vm"
}

func report(name string, out *vm.Outcome, verbose bool) {
	for _, f := range out.Summary.Failures {
		fmt.Printf("--- FAIL on %s: %s\n", name, strings.TrimRight(f, "\n"))
	}
	label := out.Version
	if name == "native" {
		label = "native " + label
	}
	fmt.Printf("%s: %s\n", label, out.Summary.String())
	if verbose {
		for _, a := range out.Summary.Attributes {
			fmt.Println("\t" + a)
		}
		fmt.Printf("\tboot %.1f s, total %.1f s; slowest:", out.Booted.Seconds(), out.Total.Seconds())
		for _, e := range out.Summary.Slow {
			fmt.Printf(" %s %.1f s;", e.Test, e.Elapsed)
		}
		fmt.Println()
	}
}
