// Package testns lets tests change the network without touching the machine's
// and without being root.
//
// A package that uses it runs all its tests in a new network and mount
// namespace, and as root of a new user namespace where that is needed:
//
//	func TestMain(m *testing.M) { testns.Main(m) }
//
// A test then takes a network namespace of its own:
//
//	func TestLinks(t *testing.T) {
//		ns := testns.New(t)
//		conn, err := netlink.Dial(netlink.Config{NetNS: ns.FD()})
//		…
//		testns.Run(t, ns, "ip", "link", "show")
//	}
//
// It works the same in a binary of `go test -c`, as root or not. Where the kernel
// forbids user namespaces, New skips the test and says so.
package testns

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// stateVar tells a process where it stands: entering (the new namespaces, not
// yet prepared), inside, or the reason why there are none. It is inherited, so
// that the workers of a fuzz run start no namespaces of their own.
const (
	stateVar = "NLAPPLY_TESTNS"
	entering = "entering"
	inside   = "inside"
)

// Main runs the tests of a package in new namespaces and exits.
func Main(m *testing.M) {
	switch os.Getenv(stateVar) {
	case "":
		err := reexec() // returns only when there is no namespace to run in
		os.Setenv(stateVar, err.Error())
		// Examples cannot skip themselves. A -skip of the command line goes first.
		fmt.Fprintln(os.Stderr, "testns: examples are skipped:", err)
		flag.Set("test.skip", "^Example")
	case entering:
		if err := prepare(); err != nil {
			fmt.Fprintln(os.Stderr, "testns:", err)
			os.Exit(1)
		}
		os.Setenv(stateVar, inside)
	}
	os.Exit(m.Run())
}

// reexec runs this program again in new namespaces and exits with its status.
// It returns why it could not.
func reexec() error {
	const namespaces = unix.CLONE_NEWNET | unix.CLONE_NEWNS
	user := &syscall.SysProcAttr{
		Cloneflags:  namespaces | unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	if os.Geteuid() == 0 {
		// Root in a container may lack CAP_SYS_ADMIN: then it goes on as others do.
		err := start(&syscall.SysProcAttr{Cloneflags: namespaces})
		if !errors.Is(err, unix.EPERM) {
			return err
		}
	}
	return start(user)
}

func start(attr *syscall.SysProcAttr) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	// The signal comes when the thread that started the process ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	attr.Pdeathsig = unix.SIGKILL
	cmd := exec.Command(exe, os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), stateVar+"="+entering)
	cmd.SysProcAttr = attr
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("no new namespaces: %w", err)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		os.Exit(0)
	case errors.As(err, &exit) && exit.ExitCode() > 0:
		os.Exit(exit.ExitCode())
	}
	fmt.Fprintln(os.Stderr, "testns:", err)
	os.Exit(1)
	return nil
}

// prepare makes mounts for the new namespaces: an empty /run, on which names of
// namespaces can be made, and a /sys that shows the new network's devices.
func prepare() error {
	// Nothing done here may propagate back. In a chroot / is no mount: EINVAL.
	err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EPERM) {
		return os.NewSyscallError("make mounts private", err)
	}
	if err := os.MkdirAll("/run", 0o755); err != nil {
		return err
	}
	switch err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		// A security module (AppArmor on Ubuntu 24.04) lets a user namespace be made,
		// but gives no capability in it. New finds the same and skips.
		return nil
	case err != nil:
		return fmt.Errorf("mount /run: %w", err)
	}
	// A new sysfs may be refused where the old one has mounts over parts of it
	// (fs/namespace.c, mount_too_revealing). Tests can do without.
	unix.Mount("sysfs", "/sys", "sysfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	return nil
}
