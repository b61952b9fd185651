package reconcile

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// A lock keeps a second run of the same owner out of a namespace. It is an
// abstract unix socket bound in the namespace (unix(7)): it needs no path,
// nothing is left behind when its holder dies, and the kernel knows the holder.
type lock struct{ l *net.UnixListener }

// ErrLocked is matched by the error of a run whose lock somebody else holds.
var ErrLocked = errors.New("another run holds the lock")

func lockAddress(owner string) *net.UnixAddr {
	return &net.UnixAddr{Name: "@nlapply/" + owner, Net: "unix"}
}

// acquire takes the owner's lock in the scope's namespace, waiting for it until
// the deadline.
func acquire(ctx context.Context, s *Scope, owner string, deadline time.Time) (*lock, error) {
	for {
		l, holder, err := tryLock(s, owner)
		if err == nil || !errors.Is(err, unix.EADDRINUSE) {
			return l, err
		}
		if !time.Now().Before(deadline) {
			return nil, fmt.Errorf("%w: owner %s%s, held by %s", ErrLocked, owner, s.in(), holder)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func tryLock(s *Scope, owner string) (l *lock, holder string, err error) {
	err = s.do(func() error {
		u, err := net.ListenUnix("unix", lockAddress(owner))
		if err != nil {
			holder = lockHolder(owner)
			return err
		}
		l = &lock{u}
		return nil
	})
	return l, holder, err
}

// lockHolder names the process that listens. Called in the namespace.
func lockHolder(owner string) string {
	c, err := net.DialUnix("unix", nil, lockAddress(owner))
	if err != nil {
		return "a process that has just ended"
	}
	defer c.Close()
	raw, err := c.SyscallConn()
	if err != nil {
		return "an unknown process"
	}
	var cred *unix.Ucred
	raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err != nil || cred.Pid == 0 {
		return "a process of another PID namespace"
	}
	return fmt.Sprintf("pid %d", cred.Pid)
}

func (l *lock) release() {
	if l != nil {
		l.l.Close()
	}
}
