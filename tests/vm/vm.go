// Package vm runs test binaries on another kernel: it packs them, a few
// programs and the kernel's modules into an initramfs, boots it in QEMU's
// software emulation (no KVM, no disk image, no root) and hands back the
// events of the tests.
//
// The machine has two serial lines. The first is the kernel's console and only
// read when something went wrong; the second carries nothing but results, so
// kernel messages never mix with them.
package vm

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/nlapply/nlapply/tests/results"
)

// Job is what the machine has to do. It is handed to the guest as JSON.
type Job struct {
	Root  string   // where the source tree stands in the guest
	Tests []Test   // as many at a time as the guest has processors
	Args  []string // for every test binary
	Env   []string
}

// Test is one test binary.
type Test struct {
	Package string // import path
	Dir     string // its directory, relative to the tree's root
	Binary  string // the file on this machine; in the guest it has the same base name
}

// Machine says what to boot.
type Machine struct {
	Kernel    *Kernel
	Tree      string        // the source tree, packed for the test data in it
	Guest     string        // the init process: package vm/guest, built statically
	Test2JSON string        // the converter, built statically
	Limit     time.Duration // a machine that has not ended by then has failed
	Work      string        // directory for the images and the console's log
}

// Outcome is what a boot gave.
type Outcome struct {
	Version string        // the kernel's: 6.1.192
	Booted  time.Duration // from power on to the first test
	Total   time.Duration
	Summary results.Summary
}

// Run boots the machine and waits for its end. An error means that the machine
// failed, not that a test did.
func (m *Machine) Run(ctx context.Context, job Job) (*Outcome, error) {
	initrd := filepath.Join(m.Work, "initrd-"+m.Kernel.Release)
	if err := m.pack(initrd, job); err != nil {
		return nil, err
	}
	defer os.Remove(initrd)
	ctx, cancel := context.WithTimeout(ctx, m.Limit)
	defer cancel()
	cmd, lines, err := m.start(ctx, initrd)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	out := &Outcome{}
	ended := readLines(lines, out, start)
	err = cmd.Wait()
	out.Total = time.Since(start)
	switch {
	case ended:
		return out, nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = fmt.Errorf("no exit status within %v", m.Limit)
	case err == nil:
		err = errors.New("the machine ended without an exit status")
	}
	return out, fmt.Errorf("kernel %s: %w\nnot ended:\n\t%s\nend of the console:\n%s", m.Kernel.Release, err,
		strings.Join(out.Summary.Running(), "\n\t"), tail(m.console(), 40))
}

func (m *Machine) console() string { return filepath.Join(m.Work, "console-"+m.Kernel.Release) }

// start runs QEMU. The guest's results come out of the returned reader. The
// guest has one processor: emulated ones wait for each other most of the time.
func (m *Machine) start(ctx context.Context, initrd string) (*exec.Cmd, io.Reader, error) {
	args := []string{
		"-M", "microvm,acpi=off,rtc=on", "-accel", "tcg", "-cpu", processor, "-m", "2048", "-smp", "1",
		"-kernel", m.Kernel.Image, "-initrd", initrd,
		"-append", "console=ttyS0 quiet panic=-1 reboot=t " + faster,
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-serial", "file:" + m.console(),
		"-chardev", "stdio,id=results,signal=off", "-device", "isa-serial,index=1,chardev=results",
	}
	name, err := exec.LookPath("qemu-system-x86_64")
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(ctx, name, append(relocated(name), args...)...)
	cmd.WaitDelay = 5 * time.Second
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if root, ok := strings.CutSuffix(name, "/usr/bin/qemu-system-x86_64"); ok {
		cmd.Env = append(os.Environ(), "QEMU_MODULE_DIR="+root+"/usr/lib/x86_64-linux-gnu/qemu")
	}
	return cmd, out, cmd.Start()
}

// relocated returns the options that a QEMU needs which is not where it was
// built for: the directories of its firmware.
func relocated(name string) (args []string) {
	root, _ := strings.CutSuffix(name, "/usr/bin/qemu-system-x86_64")
	for _, dir := range []string{"/usr/share/qemu", "/usr/share/seabios"} {
		args = append(args, "-L", root+dir)
	}
	return args
}

// processor is all that can be emulated but for fast string instructions, which
// programs use when they see them and which are slow here: one byte at a time.
const processor = "max,-erms"

// faster are parameters that halve the time of the tests in an emulated machine
// and change nothing that they look at: no defences against other users, and
// no waiting for grace periods, which the end of a namespace consists of. SELinux,
// which would be there instead of AppArmor, but without a policy, takes no audit rules
// about labels.
const faster = "mitigations=off init_on_alloc=0 no5lvl lsm=landlock nokaslr norandmaps rcupdate.rcu_expedited=1"

// Status is the guest's last line, as the only event without a package.
const Status = "status"

// readLines adds the guest's events to the outcome until its line ends, and
// reports whether the last one was an exit status.
func readLines(r io.Reader, out *Outcome, start time.Time) (ended bool) {
	results.Decode(r, func(e results.Event) {
		switch {
		case e.Package != "":
			out.Summary.Add(e)
		case e.Action == "start":
			out.Booted = time.Since(start)
			out.Version = strings.TrimSpace(e.Output)
		case e.Action == Status:
			ended = true
		}
	})
	return ended
}

// pack writes the initramfs.
func (m *Machine) pack(to string, job Job) error {
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	modules, err := os.Open(m.Kernel.Modules)
	if err != nil {
		return err
	}
	defer modules.Close()
	if _, err := io.Copy(w, modules); err != nil {
		return err
	}
	a := newArchive(w)
	if err := m.packRoot(a, job); err != nil {
		return err
	}
	if err := a.close(); err != nil {
		return err
	}
	return w.Flush()
}

func (m *Machine) packRoot(a *archive, job Job) error {
	packSystem(a)
	a.file("init", m.Guest)
	a.file("bin/test2json", m.Test2JSON)
	a.tree(job.Root, m.Tree, outsideTree)
	for i, t := range job.Tests {
		name := "tests/" + filepath.Base(t.Binary)
		a.file(name, t.Binary)
		job.Tests[i].Binary = "/" + name
	}
	data, err := json.Marshal(job)
	a.bytes("job.json", 0o644, string(data))
	return err
}

func tail(name string, lines int) string {
	data, _ := os.ReadFile(name)
	all := strings.Split(strings.TrimRight(string(data), "\r\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
