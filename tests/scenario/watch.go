package scenario

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"
)

// silent looks at a running program with strace for so many seconds: it must ask
// the kernel for nothing and change nothing. The file holds its process number.
// It is a program, so that scripts can repeat it.
func silent() {
	if len(os.Args) != 3 {
		fail("usage: silent SECONDS PIDFILE")
	}
	d, err := time.ParseDuration(os.Args[1] + "s")
	check(err)
	pid, err := os.ReadFile(os.Args[2])
	check(err)
	sent, err := sentBy(strings.TrimSpace(string(pid)), d)
	check(err)
	if len(sent) > 0 {
		fail(fmt.Sprint("it sends ", sent))
	}
}

// heals runs a command of the shell that damages something, while it looks at a
// watcher with strace: the watcher must look, change something, look once more, and
// then be silent.
func heals() {
	if len(os.Args) != 3 {
		fail("usage: heals PIDFILE COMMAND")
	}
	pid, err := os.ReadFile(os.Args[1])
	check(err)
	sent, err := sentAfter(strings.TrimSpace(string(pid)), os.Args[2])
	check(err)
	if err := oneLook(sent); err != nil {
		fail(fmt.Sprintf("%v: %v", err, sent))
	}
}

// oneLook tells what is wrong with the requests that put something right.
func oneLook(sent []request) error {
	first, last := slices.IndexFunc(sent, request.changes), -1
	for i, r := range sent {
		if r.changes() {
			last = i
		}
	}
	if first < 0 {
		return errors.New("nothing is changed")
	}
	if last == len(sent)-1 {
		return errors.New("nothing is verified")
	}
	before, after := map[request]int{}, map[request]int{}
	for _, r := range sent[:first] {
		before[r]++
	}
	for _, r := range sent[last+1:] {
		if after[r]++; after[r] > max(1, before[r]) { // rules are always read twice
			return fmt.Errorf("%s is asked for again after the last change", r)
		}
	}
	return nil
}

// quietTime is how long a program is silent that is taken to have nothing more to do.
const quietTime = time.Second

// sentAfter runs a command and returns what a process sends because of it, when it
// is silent again.
func sentAfter(pid, command string) (sent []request, err error) {
	t, err := attach(pid)
	if err != nil {
		return nil, err
	}
	defer t.detach()
	cmd := exec.Command("sh", "-ec", command)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	const patience = 3 * patience // strace is slow, the more so in an emulated machine
	for end := time.Now().Add(patience); time.Now().Before(end); {
		time.Sleep(quietTime)
		now, err := t.sent()
		if err != nil || len(now) == len(sent) && slices.ContainsFunc(now, request.changes) {
			return sent, err
		}
		sent = now
	}
	return nil, fmt.Errorf("it is not silent after %v: %v", patience, sent)
}

// sentBy returns what a process sends to the kernel in a time.
func sentBy(pid string, d time.Duration) (sent []request, err error) {
	t, err := attach(pid)
	if err != nil {
		return nil, err
	}
	defer t.detach()
	time.Sleep(d)
	if _, err := os.Stat("/proc/" + pid); err != nil {
		return nil, fmt.Errorf("process %s has ended", pid)
	}
	return t.sent()
}

// A tracer is strace at work on a process.
type tracer struct {
	cmd  *exec.Cmd
	file string
}

// attach begins to look at what a process sends.
func attach(pid string) (*tracer, error) {
	file, err := os.CreateTemp("", "sent")
	if err != nil {
		return nil, err
	}
	file.Close()
	args := []string{"-f", "-q", "-yy", "-xx", "-X", "verbose", "-v", "-s", "1048576", "-e", "trace=sendmsg,sendto,sendmmsg,write,writev", "-e", "signal=none"}
	t := &tracer{exec.Command("strace", append(args, "-o", file.Name(), "-p", pid)...), file.Name()}
	if err := t.cmd.Start(); err != nil {
		return nil, err
	}
	for end := time.Now().Add(patience); !allTraced(pid); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.detach()
			return nil, fmt.Errorf("strace does not attach to process %s", pid)
		}
	}
	return t, nil
}

// sent returns the messages that were sent to the kernel so far.
func (t *tracer) sent() (list []request, err error) {
	text, err := os.ReadFile(t.file)
	pending := map[string]string{}
	for line := range strings.Lines(string(text)) {
		line = join(pending, strings.TrimRight(line, "\n"))
		m := reSendTo.FindStringSubmatch(line)
		if m == nil || !strings.HasPrefix(unhex(m[2]), "NETLINK:") && !strings.HasPrefix(unhex(m[2]), "socket:") {
			continue
		}
		types := typesIn(line)
		if len(types) == 0 { // count it rather than miss one
			list = append(list, request{name: m[1]})
		}
		for _, typ := range types {
			list = append(list, request{routeMessage(typ), withoutSequence(line)})
		}
	}
	return list, err
}

// A request is a message that a process sent to the kernel.
type request struct {
	name string
	data string // of the system call; with the name it tells requests apart
}

func (r request) String() string { return r.name }

// changes tells a request that changes something.
func (r request) changes() bool { return !strings.HasPrefix(r.name, "RTM_GET") }

// withoutSequence returns what a system call writes, less the first message's
// sequence number.
func withoutSequence(line string) string {
	const sequence, end = 8, 12 // of struct nlmsghdr
	if m := reWrite.FindStringSubmatch(line); m != nil {
		if b := unhex(m[1]); len(b) > end {
			return b[:sequence] + b[end:]
		}
	}
	return line
}

var reSendTo = regexp.MustCompile(`^\d+ +(sendmsg|sendto|sendmmsg|write|writev)\(\d+<([^>]*)>`)

func (t *tracer) detach() {
	t.cmd.Process.Signal(os.Interrupt)
	t.cmd.Wait()
	os.Remove(t.file)
}

// allTraced tells whether all threads of a process are traced.
func allTraced(pid string) bool {
	tasks, err := os.ReadDir("/proc/" + pid + "/task")
	for _, t := range tasks {
		status, err := os.ReadFile("/proc/" + pid + "/task/" + t.Name() + "/status")
		if err == nil && strings.Contains(string(status), "\nTracerPid:\t0\n") {
			return false
		}
	}
	return err == nil
}

// check ends a program of scripts that went wrong.
func check(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func fail(text string) {
	fmt.Fprintln(os.Stderr, text)
	os.Exit(1)
}
