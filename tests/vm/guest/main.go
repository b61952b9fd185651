// Command guest is the init process of the machine that runs the tests: it
// makes the usual file systems, runs the test binaries of /job.json, writes
// their events to the second serial line and ends the machine.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/tests/results"
	"github.com/nlapply/nlapply/tests/vm"
)

func main() {
	code := 0
	if err := run(); err != nil {
		fmt.Println("guest:", err) // on the console
		code = 1
	}
	fmt.Println("guest: exit", code)
	unix.Sync()
	// The kernel is told to reset by a triple fault (reboot=t), which ends QEMU.
	unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
}

func run() error {
	if err := setup(); err != nil {
		return err
	}
	line, err := openLine("/dev/ttyS1")
	if err != nil {
		return err
	}
	defer line.Close()
	var job vm.Job
	data, err := os.ReadFile("/job.json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, &job); err != nil {
		return err
	}
	out := json.NewEncoder(line)
	if err := out.Encode(results.Event{Action: "start", Output: version()}); err != nil {
		return err
	}
	loadModules()
	if err := runTests(job, &shared{w: line}); err != nil {
		return err
	}
	return out.Encode(results.Event{Action: vm.Status})
}

// busyModules are asked for by many tests at once. A second request for a module
// that is just being loaded fails, because busybox's modprobe does not wait for
// the first; all others are left to the kernel's autoloading.
var busyModules = []string{"veth", "bridge", "vxlan", "8021q", "dummy", "bonding", "vrf", "macvlan", "ifb"}

// loadModules loads busyModules, one after the other. What the kernel has built
// in or not at all is no error.
func loadModules() {
	for _, m := range busyModules {
		if out, err := exec.Command("/sbin/modprobe", m).CombinedOutput(); err != nil {
			fmt.Printf("guest: modprobe %s: %v %s\n", m, err, out)
		}
	}
}

// runTests runs two test binaries at a time: tests sleep a lot.
func runTests(job vm.Job, line io.Writer) error {
	var wg sync.WaitGroup
	slots := make(chan struct{}, 2)
	errs := make([]error, len(job.Tests))
	for i, t := range job.Tests {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			start := time.Now()
			fmt.Println("guest: start", t.Dir) // on the console, which is shown when the machine hangs
			if err := runTest(job, t, line); err != nil {
				errs[i] = fmt.Errorf("%s: %w", t.Package, err)
			}
			fmt.Printf("guest: end %s after %.1f s\n", t.Dir, time.Since(start).Seconds())
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// shared is a writer for several tests; every write is one whole event.
type shared struct {
	mu sync.Mutex // guards w
	w  io.Writer
}

// Write implements io.Writer.
func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

// runTest runs one test binary below test2json and passes its events on.
func runTest(job vm.Job, t vm.Test, line io.Writer) error {
	args := append([]string{"-t", "-p", t.Package, t.Binary, "-test.v=test2json"}, job.Args...)
	cmd := exec.Command("/bin/test2json", args...)
	cmd.Dir = filepath.Join(job.Root, t.Dir)
	cmd.Env = append(os.Environ(), job.Env...)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	f := results.NewFilter(line)
	var failed error
	err = results.Decode(pipe, func(e results.Event) {
		if err := f.Add(e); err != nil {
			failed = err
		}
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return err
	}
	// test2json exits like the test; the events have said so already.
	cmd.Wait()
	return f.Close()
}

// setup makes the machine what a test expects of any Linux system.
func setup() error {
	for _, m := range []struct{ kind, dir, data string }{
		{"proc", "/proc", ""},
		{"sysfs", "/sys", ""},
		{"devtmpfs", "/dev", ""},
		{"devpts", "/dev/pts", "ptmxmode=0666"},
		{"tmpfs", "/dev/shm", ""},
		{"tmpfs", "/run", "mode=0755"},
		{"tmpfs", "/tmp", "mode=1777"},
	} {
		if err := os.MkdirAll(m.dir, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.kind, m.dir, m.kind, 0, m.data); err != nil {
			return fmt.Errorf("mount %s: %w", m.dir, err)
		}
	}
	os.Symlink("/proc/self/fd", "/dev/fd")
	os.Setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin")
	os.Setenv("HOME", "/root")
	os.Setenv("TMPDIR", "/tmp")
	// busybox keeps what is there already: the oracles.
	if out, err := exec.Command("/bin/busybox", "--install", "-s", "/bin").CombinedOutput(); err != nil && len(out) == 0 {
		return fmt.Errorf("busybox --install: %w", err)
	}
	if err := unix.Sethostname([]byte("guest")); err != nil {
		return err
	}
	return exec.Command("ip", "link", "set", "lo", "up").Run()
}

// openLine opens a serial line for bytes as they are: no echo, no CR before LF.
func openLine(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return nil, err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	return f, unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, t)
}

var debian = regexp.MustCompile(`Debian (\d+\.\d+\.\d+)`)

// version is the upstream version of the running kernel, which Debian's
// release string hides for some series (6.1.0-56 is 6.1.192).
func version() string {
	data, _ := os.ReadFile("/proc/version")
	if all := debian.FindAllSubmatch(data, -1); all != nil {
		return string(all[len(all)-1][1]) // the first may be the compiler's
	}
	if f := strings.Fields(string(data)); len(f) > 2 {
		return f[2]
	}
	return "unknown"
}
