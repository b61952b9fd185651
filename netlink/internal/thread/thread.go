// Package thread runs functions in other network namespaces without ever giving
// a thread that is in the wrong one back to the Go scheduler.
//
// A network namespace is a property of the thread, so the work is done on a
// goroutine of its own that is locked to its thread. When the thread cannot be
// returned to where it was, the goroutine ends locked, and the runtime ends the
// thread with it (runtime.LockOSThread).
package thread

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// NetNS is the namespace of the calling thread. /proc/self/ns/net would be that
// of the process's main thread (man 5 proc: /proc/self is the thread group).
const NetNS = "/proc/thread-self/ns/net"

// Separate runs f on a thread that may change its network namespace, and waits
// for it. Afterwards the thread is back in its namespace, or gone.
func Separate(f func() error) error {
	err := errors.New("the function ended its goroutine") // unless it returns
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			// The main thread is what /proc/PID shows, and the runtime can only park it.
			// As long as it is locked here, others run on other threads.
			err = Separate(f)
			runtime.UnlockOSThread()
			return
		}
		home, openErr := unix.Open(NetNS, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if openErr != nil {
			runtime.UnlockOSThread() // nothing has been changed
			err = fmt.Errorf("network namespace of the thread: %w", openErr)
			return
		}
		defer unix.Close(home)
		defer func() {
			if unix.Setns(home, unix.CLONE_NEWNET) == nil {
				runtime.UnlockOSThread()
			}
		}()
		err = f()
	}()
	<-done
	return err
}

// In runs f in the network namespace that fd refers to.
func In(fd int, f func() error) error {
	return Separate(func() error {
		if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter network namespace: %w", err)
		}
		return f()
	})
}
