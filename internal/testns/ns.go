package testns

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/netns"
)

// New returns a network namespace for one test, which ends with the test. Its
// loopback device is down, as in every new namespace.
func New(t testing.TB) *netns.NS {
	t.Helper()
	state := os.Getenv(stateVar)
	switch state {
	case inside:
	case "":
		t.Fatal("testns: the package has no TestMain that calls testns.Main")
	default:
		t.Skip("testns: " + state)
	}
	ns, err := netns.New()
	if errors.Is(err, unix.EPERM) {
		t.Skipf("testns: the kernel gives no capabilities in user namespaces: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ns.Close() })
	return ns
}

// Enter is New for tests that want to be in the namespace: it locks the test's
// goroutine to its thread and moves that until the test ends. Processes that the
// test starts and sockets that it opens are in the namespace; goroutines that it
// starts are not. A parallel test may use it.
func Enter(t testing.TB) *netns.NS {
	t.Helper()
	ns := New(t)
	home, err := netns.Current()
	if err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread()
	if err := unix.Setns(ns.FD(), unix.CLONE_NEWNET); err != nil {
		t.Fatal(err) // the thread ends with the goroutine
	}
	t.Cleanup(func() {
		// Runs on the test's goroutine. When this fails, it stays locked.
		if unix.Setns(home.FD(), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		home.Close()
	})
	return ns
}

// Run runs a command in the namespace and returns what it prints. The test fails
// when the command does, and is skipped when it is not installed.
func Run(t testing.TB, ns *netns.NS, name string, args ...string) string {
	t.Helper()
	out, err := Try(t, ns, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Try is Run for commands that may fail. Its error has what they say.
func Try(t testing.TB, ns *netns.NS, name string, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("testns: %v", err)
	}
	var stdout, stderr bytes.Buffer
	err = ns.Do(func() error {
		cmd := exec.Command(path, args...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		return cmd.Run()
	})
	if err != nil {
		err = &exec.Error{Name: name + " " + strings.Join(args, " "), Err: errors.Join(err, errors.New(strings.TrimSpace(stderr.String())))}
	}
	return stdout.String(), err
}
