package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// dirVar names the directory with the tools for the process that measures.
const dirVar = "NLAPPLY_BENCH_DIR"

// enter builds the tools and runs this program again in new network and mount
// namespaces, with a user namespace around them where it needs one.
func enter() error {
	dir, err := os.MkdirTemp("", "nlapply-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := buildTools(dir); err != nil {
		return err
	}
	const namespaces = unix.CLONE_NEWNET | unix.CLONE_NEWNS
	user := &syscall.SysProcAttr{
		Cloneflags:  namespaces | unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	if os.Geteuid() == 0 {
		err = again(dir, &syscall.SysProcAttr{Cloneflags: namespaces})
		if !errors.Is(err, unix.EPERM) {
			return err
		}
	}
	return again(dir, user)
}

func again(dir string, attr *syscall.SysProcAttr) error {
	// The signal comes when the thread that started the process ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	attr.Pdeathsig = unix.SIGKILL
	attr.Setsid = true // for rise
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), dirVar+"="+dir)
	cmd.SysProcAttr = attr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("in new namespaces: %w", err)
	}
	return nil
}

// rise gives this session more of the CPUs than the others have, so that what
// else the machine does is less in the way. Processes are scheduled by session
// (sched(7), autogroup). Without the right to it, measure all the same.
func rise() {
	os.WriteFile("/proc/self/autogroup", []byte("-15"), 0o644)
}

// buildTools builds nlapply as `make build` does, and the floor where there is a
// C compiler.
func buildTools(dir string) error {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/nlapply/nlapply").Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, "nlapply"), "./cmd/nlapply")
	build.Dir = strings.TrimSpace(string(root))
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build nlapply: %w\n%s", err, out)
	}
	return buildFloor(context.Background(), dir)
}
