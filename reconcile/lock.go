package reconcile

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/peercred"
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
func acquire(ctx context.Context, s *Scope, owner string, deadline time.Time) (l *lock, err error) {
	for {
		err = s.do(func() error {
			u, err := net.ListenUnix("unix", lockAddress(owner))
			l = &lock{u}
			return err
		})
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, unix.EADDRINUSE) {
			return nil, err
		}
		if !time.Now().Before(deadline) {
			holder := ""
			s.do(func() error { holder = lockHolder(owner); return nil })
			return nil, fmt.Errorf("%w: owner %s%s, held by %s", ErrLocked, owner, s.in(), holder)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// lockHolder names the process that listens. Called in the namespace.
func lockHolder(owner string) string {
	c, err := net.DialUnix("unix", nil, lockAddress(owner))
	if err != nil {
		return "a process that has just ended"
	}
	defer c.Close()
	return peercred.Name(c)
}

func (l *lock) release() {
	if l != nil {
		l.l.Close()
	}
}
