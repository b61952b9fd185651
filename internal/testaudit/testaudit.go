// Package testaudit keeps tests of the audit system from each other: a machine has one,
// so they run in virtual machines of the tests, one process at a time.
package testaudit

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// emulatedEnv is set in the virtual machines of the tests.
const emulatedEnv = "NLAPPLY_TEST_EMULATED"

// Allowed tells whether this process may change the audit system: as root in a virtual
// machine of the tests.
func Allowed() bool { return os.Getenv(emulatedEnv) != "" && os.Geteuid() == 0 }

// Reason says why not.
const Reason = "the audit system is the machine's: only in a virtual machine of the tests"

// lock is the file that is locked, once it is open.
var lock = -1

// Lock waits until no other process has the audit system, and has it until this one
// ends. A TestMain calls it; where nothing may be changed it does nothing.
func Lock() (err error) {
	if !Allowed() {
		return nil
	}
	if lock < 0 {
		name := filepath.Join(os.TempDir(), "nlapply-audit.lock")
		if lock, err = unix.Open(name, unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC, 0o600); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for {
		if err = unix.Flock(lock, unix.LOCK_EX); err != unix.EINTR {
			return err
		}
	}
}

// Yield lets those have the audit system first that wait for it, before a test after
// which nobody can.
func Yield() error {
	if err := unix.Flock(lock, unix.LOCK_UN); err != nil {
		return err
	}
	time.Sleep(time.Second) // they are awake by then
	return Lock()
}
