package watch

import (
	"fmt"
	"net"

	"github.com/nlapply/nlapply/internal/peercred"
	"github.com/nlapply/nlapply/reconcile"
)

// address is bound by a watcher for its life: it keeps out a second one of the
// same owner, tells others that it is there, and answers `nlapply status`. It is
// an abstract unix socket (unix(7)): it needs no path and ends with its process.
func address(owner string) *net.UnixAddr {
	return &net.UnixAddr{Name: "@nlapply/" + owner + "/watch", Net: "unix"}
}

// A presence tells others that a document of an owner is watched, until Close.
type presence struct {
	*net.UnixListener
	owner  string
	answer func(net.Conn)
}

// announce binds the address. Who connects is given what answer writes.
func announce(owner string, answer func(net.Conn)) (presence, error) {
	l, err := net.ListenUnix("unix", address(owner))
	if err != nil {
		return presence{}, fmt.Errorf("%w: owner %s is watched by %s", reconcile.ErrLocked, owner, Running(owner))
	}
	go func() { // ends with Close
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				answer(c)
			}()
		}
	}()
	return presence{l, owner, answer}, nil
}

// become changes the owner. With an error, the presence stays what it is.
func (p presence) become(owner string) (presence, error) {
	if owner == p.owner {
		return p, nil
	}
	q, err := announce(owner, p.answer)
	if err != nil {
		return p, err
	}
	p.Close()
	return q, nil
}

// Running names the process that watches a document of the owner in this
// namespace, and whose document will win over whatever else is applied; empty
// for none.
func Running(owner string) string {
	c, err := net.DialUnix("unix", nil, address(owner))
	if err != nil {
		return ""
	}
	defer c.Close()
	return peercred.Name(c)
}
