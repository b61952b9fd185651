package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/netlink/route"
)

// A Bench has what all workloads share: the tools, and files made from them.
type Bench struct {
	dir  string
	home *route.Conn // of the namespace that nothing is measured in
}

func newBench(dir string) (*Bench, error) {
	home, err := route.Dial(netlink.Config{})
	if err != nil {
		return nil, err
	}
	return &Bench{dir, home}, nil
}

func (b *Bench) close() { b.home.Close() }

// floorName says in what language the floor is written.
func (b *Bench) floorName() string {
	if b.hasFloor() {
		return "C"
	}
	return "raw Go (no C compiler)"
}

func (b *Bench) hasFloor() bool {
	_, err := os.Stat(filepath.Join(b.dir, "floor"))
	return err == nil
}

// file returns the path of a file that is written when it is first asked for.
func (b *Bench) file(name string, write func(w *bufio.Writer)) (string, error) {
	path := filepath.Join(b.dir, name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	w := bufio.NewWriterSize(f, 1<<16)
	write(w)
	return path, errors.Join(w.Flush(), f.Close())
}

// A Stage is a network namespace to measure in.
type Stage struct {
	*Bench
	ns *netns.NS
}

func (b *Bench) stage() (*Stage, error) {
	ns, err := netns.New()
	if err != nil {
		return nil, err
	}
	s := &Stage{b, ns}
	return s, s.with(func(ctx context.Context, c *route.Conn) error {
		return c.Do(ctx, unix.RTM_SETLINK, 0, &route.LinkChange{Index: 1, Flags: unix.IFF_UP, Change: unix.IFF_UP})
	})
}

// with runs f with a connection to the stage.
func (s *Stage) with(f func(context.Context, *route.Conn) error) error {
	c, err := route.Dial(netlink.Config{NetNS: s.ns.FD()})
	if err != nil {
		return err
	}
	defer c.Close()
	return f(context.Background(), c)
}

// close ends the namespace and waits until the kernel has taken it apart, which
// it does behind everybody's back and with the lock that the next run needs. It
// takes namespaces apart one batch after the other, so that the end of a second
// one tells: a device in it has its peer at home.
func (s *Stage) close() {
	s.ns.Close()
	last, err := netns.New()
	if err != nil {
		return
	}
	ctx := context.Background()
	err = s.home.Do(ctx, unix.RTM_NEWLINK, netlink.Create|netlink.Excl, &route.LinkChange{
		Name: new("bench"), Kind: "veth", Data: vethPeer(route.LinkChange{Name: new("bench"), NetNSFD: new(last.FD())}),
	})
	last.Close()
	for err == nil {
		time.Sleep(time.Millisecond)
		_, err = s.home.LinkByName(ctx, "bench")
	}
}

// process runs a command in the stage and measures all of it.
func (s *Stage) process(argv ...string) (Sample, error) {
	_, sample, err := s.start(argv)
	return sample, err
}

func (s *Stage) start(argv []string) (output string, sample Sample, err error) {
	var stdout, stderr strings.Builder
	err = s.ns.Do(func() error {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Stderr = &stderr
		if argv[0] == "/proc/self/exe" || filepath.Base(argv[0]) == "floor" {
			cmd.Stdout = &stdout
		}
		began := time.Now()
		err := cmd.Run()
		sample.NS = float64(time.Since(began))
		if err == nil {
			p := cmd.ProcessState
			sample.CPU = float64(p.UserTime() + p.SystemTime())
			sample.RSS = p.SysUsage().(*syscall.Rusage).Maxrss << 10
		}
		return err
	})
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), sample, err
}

// worker runs a worker of this program in the stage, which measures itself.
func (s *Stage) worker(name string, args ...string) (Sample, error) {
	return s.measured(append([]string{"/proc/self/exe", "worker", name}, args...))
}

// floor runs the floor in the stage: "send" or "dump", a file, and a number.
func (s *Stage) floor(what, file string, n int) (Sample, error) {
	args := []string{what, file, strconv.Itoa(n)}
	if !s.hasFloor() {
		return s.worker("floor", args...)
	}
	return s.measured(append([]string{filepath.Join(s.dir, "floor")}, args...))
}

func (s *Stage) measured(argv []string) (Sample, error) {
	output, whole, err := s.start(argv)
	if err != nil {
		return whole, err
	}
	sample := Sample{RSS: whole.RSS}
	if err := json.Unmarshal([]byte(output), &sample); err != nil {
		return sample, fmt.Errorf("%s: %w", strings.Join(argv, " "), err)
	}
	return sample, nil
}

// nlapply returns the path of the command.
func (b *Bench) nlapply() string { return filepath.Join(b.dir, "nlapply") }

// ownPeak returns the peak of this process' memory.
func ownPeak() int64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Maxrss << 10
}
