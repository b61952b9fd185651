package watch

import (
	"errors"
	"fmt"
	"net"
	"time"

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
	p := presence{l, owner, answer}
	go p.serve()
	return p, nil
}

// maxAsking is how many may be answered at a time.
const maxAsking = 16

// serve answers until Close.
func (p presence) serve() {
	slots := make(chan struct{}, maxAsking)
	for {
		slots <- struct{}{}
		c, err := p.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // no more files, for one: that passes
			time.Sleep(100 * time.Millisecond)
			<-slots
			continue
		}
		go func() {
			defer func() { c.Close(); <-slots }()
			p.answer(c)
		}()
	}
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
