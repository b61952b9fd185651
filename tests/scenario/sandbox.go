package scenario

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// insideEnv tells the second start of the test binary that it is inside its
// namespaces. Its value is "user" or "root": whose the namespaces are.
const insideEnv = "NLAPPLY_SANDBOX"

// rootEnv asks for tests with the full rights of root: without a user
// namespace. The virtual machines set it; on a machine that people use, even
// root tests in a user namespace, where a mistake cannot reach the host.
const rootEnv = "NLAPPLY_TEST_ROOT"

// enter starts this program again in fresh user, network, mount and process
// namespaces, waits for it and returns its exit status. Whatever the tests
// start dies with it.
func enter() int {
	const base = syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID
	root := os.Geteuid() == 0
	err := errors.New("not tried")
	if !root || os.Getenv(rootEnv) == "" {
		var code int
		if code, err = start(base|syscall.CLONE_NEWUSER, "user"); err == nil {
			return code
		}
	}
	if root {
		var code int
		if code, err = start(base, "root"); err == nil {
			return code
		}
	}
	fmt.Fprintln(os.Stderr, "scenario: no namespaces for tests:", err)
	return 1
}

func start(flags uintptr, who string) (int, error) {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), insideEnv+"="+who)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags, Pdeathsig: syscall.SIGKILL}
	if flags&syscall.CLONE_NEWUSER != 0 {
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	// The death signal comes when the thread ends that started the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// prepare makes the process namespace of this process visible in /proc. Where
// that is not allowed (containers that hide parts of /proc) the old one stays:
// process numbers are then those of outside, which no scenario needs.
func prepare() {
	handleInterrupt()
	if unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") == nil {
		unix.Mount("proc", "/proc", "proc", 0, "")
	}
}

// handleInterrupt lets SIGINT end the programs of scripts: test2json, under which the
// tests run in virtual machines, ignores it, and so would all that they start. Who
// handles a signal passes its default on.
func handleInterrupt() {
	if signal.Ignored(unix.SIGINT) {
		signal.Notify(make(chan os.Signal, 1), unix.SIGINT)
	}
}

// Isolate gives the calling goroutine, and all programs it starts, a network
// namespace and a mount namespace of their own, with an empty /run and a
// writable copy of iproute2's tables. The goroutine keeps its thread, which
// ends with it; so do the namespaces.
func Isolate() error {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, "mode=0755"); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	return privateTables("/etc/iproute2")
}

// privateTables puts a writable copy of a directory over it.
func privateTables(dir string) error {
	if fi, err := os.Stat(dir); err != nil || !fi.IsDir() {
		return nil // this iproute2 keeps its tables elsewhere
	}
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files[p], err = os.ReadFile(p)
		return err
	})
	if err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755"); err != nil {
		return fmt.Errorf("mount %s: %w", dir, err)
	}
	for _, sub := range []string{"rt_tables.d", "rt_protos.d"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	for p, data := range files {
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(p, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// scratch runs f on a thread in a network namespace of its own that goes away
// afterwards: for looking at what the kernel can do.
func scratch[T any](f func() (T, error)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	ch := make(chan answer)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends here
		var a answer
		if a.err = unix.Unshare(unix.CLONE_NEWNET); a.err == nil {
			a.v, a.err = f()
		}
		ch <- a
	}()
	a := <-ch
	return a.v, a.err
}

// run runs a command line of the shell and returns what it printed.
func run(ctxDir string, stdout io.Writer, argv ...string) (string, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = ctxDir
	cmd.Stdout = stdout
	var stderr limited
	cmd.Stderr = &stderr
	err := cmd.Run()
	return string(stderr), err
}

// limited keeps the first bytes that are written to it.
type limited []byte

func (l *limited) Write(p []byte) (int, error) {
	*l = append(*l, p[:min(len(p), 4096-min(4096, len(*l)))]...)
	return len(p), nil
}
