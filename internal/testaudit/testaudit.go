// Package testaudit keeps tests of the audit system from each other: a machine has one,
// so they run in virtual machines of the tests, one process at a time.
package testaudit

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// emulatedEnv is set in the virtual machines of the tests.
const emulatedEnv = "NLAPPLY_TEST_EMULATED"

// Allowed tells whether this process may change the audit system: as root in a virtual
// machine of the tests.
func Allowed() bool { return os.Getenv(emulatedEnv) != "" && os.Geteuid() == 0 }

// Reason says why not.
const Reason = "the audit system is the machine's: only in a virtual machine of the tests"

// Lock waits until no other process has the audit system, and has it until this one
// ends. A TestMain calls it; where nothing may be changed it does nothing.
func Lock() error {
	if !Allowed() {
		return nil
	}
	name := filepath.Join(os.TempDir(), "nlapply-audit.lock")
	fd, err := unix.Open(name, unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for {
		if err = unix.Flock(fd, unix.LOCK_EX); err != unix.EINTR {
			return err
		}
	}
}
