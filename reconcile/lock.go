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

// watchAddress is bound by a watcher for its life: it keeps out a second one of
// the same owner, and tells others that it is there.
func watchAddress(owner string) *net.UnixAddr {
	return &net.UnixAddr{Name: "@nlapply/" + owner + "/watch", Net: "unix"}
}

// A presence tells others that a document of an owner is watched, until Close.
type presence struct {
	*net.UnixListener
	owner string
}

// become changes the owner. With an error, the presence stays what it is.
func (p presence) become(owner string) (presence, error) {
	if owner == p.owner {
		return p, nil
	}
	q, err := announce(owner)
	if err != nil {
		return p, err
	}
	p.Close()
	return q, nil
}

// announce binds watchAddress.
func announce(owner string) (presence, error) {
	l, err := net.ListenUnix("unix", watchAddress(owner))
	if err != nil {
		return presence{}, fmt.Errorf("%w: owner %s is watched by %s", ErrLocked, owner, Watcher(owner))
	}
	go func() { // ends with Close
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	return presence{l, owner}, nil
}

// Watcher names the process that watches a document of the owner in this
// namespace, and whose document will win over whatever else is applied; empty
// for none.
func Watcher(owner string) string {
	c, err := net.DialUnix("unix", nil, watchAddress(owner))
	if err != nil {
		return ""
	}
	defer c.Close()
	return peerProcess(c)
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
	return peerProcess(c)
}

// peerProcess names the process at the other end (SO_PEERCRED, unix(7)).
func peerProcess(c *net.UnixConn) string {
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
