package cli

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/reconcile"
)

// enter runs the whole command again inside the namespace of -n. A process of
// many threads cannot change into a namespace otherwise: setns(2) is a thread's,
// and execve(2) keeps the namespaces of the thread that calls it.
func (a *app) enter(given bool) error {
	if a.output != "text" && a.output != "json" {
		return fmt.Errorf("-o %s: want text or json", a.output)
	}
	if !given {
		return nil
	}
	if a.netns == "" {
		return errors.New("-n: the name of the namespace is empty")
	}
	ns, err := netns.Open(a.netns)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("-n %s: namespace does not exist", a.netns)
	}
	if err != nil {
		return fmt.Errorf("-n %s: %w", a.netns, err)
	}
	defer ns.Close()
	if inside, err := isCurrent(ns); inside || err != nil {
		return err
	}
	runtime.LockOSThread()
	err = unix.Setns(ns.FD(), unix.CLONE_NEWNET)
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("-n %s: %w: CAP_SYS_ADMIN is needed to enter a namespace", a.netns, reconcile.ErrCapability)
	}
	if err != nil {
		return fmt.Errorf("-n %s: enter: %w", a.netns, err)
	}
	return fmt.Errorf("-n %s: execute again: %w", a.netns, unix.Exec("/proc/self/exe", os.Args, os.Environ()))
}

// isCurrent tells whether the process is in a namespace already: it is when it was
// executed again, with the same arguments.
func isCurrent(ns *netns.NS) (bool, error) {
	current, err := netns.Current()
	if err != nil {
		return false, err
	}
	defer current.Close()
	have, err := current.ID()
	if err != nil {
		return false, err
	}
	want, err := ns.ID()
	return have == want, err
}
