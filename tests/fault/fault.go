// Package fault makes things go wrong between nlapply and the kernel: it stands
// behind the sockets of the command that runs inside a test binary, lets messages
// through, refuses them, loses their answers, spoils dumps, and kills the process.
//
// Which message a fault strikes is said by the message's type and how many of
// that type the process has sent before, so that a fault stays the same when
// other messages come and go.
package fault

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/wire"
)

// Environment variables of the command inside the test binary.
const (
	Env    = "NLAPPLY_FAULT"     // a Fault as text
	EnvRun = "NLAPPLY_FAULT_RUN" // what the shell runs for Run
	EnvLog = "NLAPPLY_FAULT_LOG" // the file that gets a line for each message, and one when the fault strikes
)

// Kinds of faults.
const (
	KillBefore = "kill-before" // SIGKILL before the send
	KillAfter  = "kill-after"  // SIGKILL as soon as the kernel has carried it out
	Run        = "run"         // other programs change something before the send
	Refuse     = "refuse"      // the message is refused with an errno, and not carried out
	Lose       = "lose"        // all of the send is carried out, its answers are lost, and the socket says so
	Interrupt  = "interrupt"   // a header of the dump says that objects changed meanwhile
	Repeat     = "repeat"      // an object of the dump comes twice
	Truncate   = "truncate"    // the dump ends early, with an errno
	Overrun    = "overrun"     // the dump breaks off with ENOBUFS
	Miss       = "miss"        // the dump lacks an object, and nothing says so
)

// Places in a dump.
const (
	First  = "first"
	Middle = "middle"
	Last   = "last"
)

// Errnos are what messages are refused with, and dumps ended.
var Errnos = map[string]unix.Errno{
	"EPERM": unix.EPERM, "EBUSY": unix.EBUSY, "ENOBUFS": unix.ENOBUFS, "EINTR": unix.EINTR, "ENOMEM": unix.ENOMEM,
}

// A Fault is one thing that goes wrong. The zero value is none.
type Fault struct {
	Kind string
	Arg  string // an errno of Refuse and Truncate; what Run stands for
	On   string // the message: RTM_NEWLINK#2
	At   string // the place in a dump
}

// String returns KIND[:ARG] MESSAGE[@PLACE].
func (f Fault) String() string {
	s := f.Kind
	if f.Arg != "" {
		s += ":" + f.Arg
	}
	if f.On != "" {
		s += " " + f.On
	}
	if f.At != "" {
		s += "@" + f.At
	}
	return s
}

// Parse reads what String has written.
func Parse(text string) (f Fault, err error) {
	what, on, _ := strings.Cut(text, " ")
	f.Kind, f.Arg, _ = strings.Cut(what, ":")
	f.On, f.At, _ = strings.Cut(on, "@")
	if _, known := strikes[f.Kind]; !known && f.Kind != "" {
		return f, fmt.Errorf("fault %q: unknown kind", text)
	}
	if _, known := Errnos[f.Arg]; !known && (f.Kind == Refuse || f.Kind == Truncate) {
		return f, fmt.Errorf("fault %q: unknown errno", text)
	}
	return f, nil
}

// Install has the fault of the environment, if there is one, strike this process.
func Install() error {
	text, name := os.Getenv(Env), os.Getenv(EnvLog)
	if text == "" && name == "" {
		return nil
	}
	f, err := Parse(text)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	t := &tape{fault: f, log: log, seen: map[uint16]int{}}
	wire.Transport = t.open
	return nil
}
