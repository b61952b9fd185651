package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/tests/results"
	"github.com/nlapply/nlapply/tests/vm"
)

// runNative runs the test binaries on this kernel, as many at a time as there
// are processors. A package whose tests do not build fails here.
func runNative(ctx context.Context, b *build, args []string) *vm.Outcome {
	start := time.Now()
	out := &vm.Outcome{Version: nativeVersion()}
	for _, err := range b.broken {
		out.Summary.Fail("build", err.Error())
	}
	var wg sync.WaitGroup
	var mu sync.Mutex // guards out.Summary
	slots := make(chan struct{}, runtime.NumCPU())
	for _, t := range b.tests {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			err := runBinary(ctx, b, t, args, func(e results.Event) {
				mu.Lock()
				defer mu.Unlock()
				out.Summary.Add(e)
			})
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				out.Summary.Fail(t.Package, err.Error())
			}
		})
	}
	wg.Wait()
	out.Total = time.Since(start)
	return out
}

// runBinary runs one test binary in its package's directory. Its exit status
// is among the events; an error means that it could not be started.
func runBinary(ctx context.Context, b *build, t vm.Test, args []string, f func(results.Event)) error {
	args = append([]string{"-t", "-p", t.Package, t.Binary, "-test.v=test2json"}, args...)
	cmd := exec.CommandContext(ctx, b.test2json, args...)
	cmd.Dir = filepath.Join(b.root, t.Dir)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := results.Decode(pipe, f); err != nil {
		return err
	}
	if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() < 0 {
		return fmt.Errorf("test2json: %w", err)
	}
	return nil
}

func nativeVersion() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown"
	}
	release, _, _ := strings.Cut(unix.ByteSliceToString(u.Release[:]), "-")
	return release
}
