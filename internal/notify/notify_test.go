package notify

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/spec"
	"github.com/nlapply/nlapply/watch"
)

// manager listens at a socket of its own, as systemd does.
func manager(t *testing.T) *net.UnixConn {
	t.Helper()
	name := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	t.Setenv("NOTIFY_SOCKET", name)
	return c
}

// TestService goes through the life of a service. A message that must not come would be
// read in place of the next one.
func TestService(t *testing.T) {
	m := manager(t)
	var before unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &before)
	doc := &spec.Document{Files: []string{"net.yaml"}}
	well := watch.Round{Document: doc, Objects: map[string]int{"link": 2}}
	failed := well
	failed.Err, failed.Failed = errors.New("locked"), true
	refused := well
	refused.Err = errors.New("refused")
	refused.Held = []watch.Held{{Why: "refused"}}
	held := refused
	held.Err = nil
	var s Service
	for _, step := range []struct {
		name string
		do   func()
		want string // a regular expression; empty for no message
	}{
		{"reading files before it is ready", s.Reloading, ""},
		{"a first round that fails", func() { s.Heard(failed) }, `STATUS=2 objects of 1 file in force, failed: locked`},
		{"the same again", func() { s.Heard(failed) }, ""},
		{"something is put off", func() { s.Heard(refused) }, `STATUS=2 objects of 1 file in force, 1 refused`},
		{"the rest is verified", func() { s.Heard(held) }, `READY=1\nSTATUS=2 objects of 1 file in force, 1 refused`},
		{"all is verified", func() { s.Heard(well) }, `STATUS=2 objects of 1 file in force`},
		{"nothing new", func() { s.Heard(well) }, ""},
		{"alive", s.Alive, `WATCHDOG=1`},
		{"reading files", s.Reloading, `RELOADING=1\nMONOTONIC_USEC=([0-9]+)\n`},
		{"which fail", func() { s.Heard(failed) }, `READY=1\nSTATUS=2 objects of 1 file in force, failed: locked`},
		{"the end", s.Stopping, `STOPPING=1\nSTATUS=stopping`},
		{"reading files at the end", s.Reloading, ""},
		{"a last sign", s.Alive, `WATCHDOG=1`},
	} {
		step.do()
		if step.want == "" {
			continue
		}
		m.SetReadDeadline(time.Now().Add(10 * time.Second))
		b := make([]byte, 4096)
		n, err := m.Read(b)
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		got := regexp.MustCompile(`^` + step.want + `$`).FindStringSubmatch(string(b[:n]))
		if got == nil {
			t.Fatalf("%s: %q, want %q", step.name, b[:n], step.want)
		}
		if len(got) > 1 { // systemd takes no READY=1 from before it for an answer
			usec, _ := strconv.ParseInt(got[1], 10, 64)
			var after unix.Timespec
			unix.ClockGettime(unix.CLOCK_MONOTONIC, &after)
			if usec < before.Nano()/1000 || usec > after.Nano()/1000 {
				t.Errorf("%s: %d µs is not the monotonic clock", step.name, usec)
			}
		}
	}
}

// Without a service manager, and with one that is gone, nothing happens.
func TestNobody(t *testing.T) {
	var s Service
	t.Setenv("NOTIFY_SOCKET", "")
	s.Alive()
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "gone"))
	s.Alive()
	s.Stopping()
}

func TestWatchdog(t *testing.T) {
	for _, tt := range []struct {
		usec, pid string
		want      time.Duration
		isWrong   bool
	}{
		{"", "", 0, false},
		{"30000000", "", 15 * time.Second, false},
		{"30000000", strconv.Itoa(os.Getpid()), 15 * time.Second, false},
		{"30000000", "1", 0, false}, // another process's
		{"soon", "", 0, true},
	} {
		t.Setenv("WATCHDOG_USEC", tt.usec)
		t.Setenv("WATCHDOG_PID", tt.pid)
		got, err := Watchdog()
		if got != tt.want || (err != nil) != tt.isWrong {
			t.Errorf("%+v: got %v, %v", tt, got, err)
		}
	}
}
