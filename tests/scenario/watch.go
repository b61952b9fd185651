package scenario

import (
	"fmt"
	"os"
	"os/exec"
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
	if sent != "" {
		fail("it sends:\n" + sent)
	}
}

// sentBy returns what strace prints of the messages that a process sends.
func sentBy(pid string, d time.Duration) (sent string, err error) {
	file, err := os.CreateTemp("", "silent")
	if err != nil {
		return "", err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	cmd := exec.Command("strace", "-f", "-q", "-p", pid, "-o", file.Name(), "-e", "trace=sendto,sendmsg,sendmmsg", "-e", "signal=none")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return "", err
	}
	for end := time.Now().Add(patience); err == nil && !isTracing(pid); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			err = fmt.Errorf("strace does not attach to process %s", pid)
		}
	}
	time.Sleep(d)
	if _, gone := os.Stat("/proc/" + pid); gone != nil && err == nil {
		err = fmt.Errorf("process %s has ended", pid)
	}
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	text, readErr := os.ReadFile(file.Name())
	if err == nil {
		err = readErr
	}
	return string(text), err
}

// isTracing tells whether all threads of a process are traced.
func isTracing(pid string) bool {
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
