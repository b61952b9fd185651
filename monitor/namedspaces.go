package monitor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/netns"
)

// namedSpaces watches the names in /run/netns and follows those that are wanted.
// A name is a mount, so that it is the table of mounts that changes: inotify sees
// files only, and no mount on them.
type namedSpaces struct {
	m       *Monitor
	mounts  *os.File
	home    netns.ID
	known   map[string]netns.ID
	follows map[string]*follower // by name
	refused map[string]netns.ID  // those that could not be followed, and have been told
	begun   bool                 // what is found from now on is new
	changed atomic.Uint64        // how often names have changed
}

// openNamed opens the table of mounts. home is the namespace of the monitor.
func openNamed(m *Monitor, home *netns.NS) (*namedSpaces, error) {
	id, err := home.ID()
	if err != nil {
		return nil, err
	}
	const path = "/proc/thread-self/mountinfo"
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return &namedSpaces{
		m: m, mounts: os.NewFile(uintptr(fd), path), home: id,
		known: map[string]netns.ID{}, follows: map[string]*follower{},
		refused: map[string]netns.ID{},
	}, nil
}

func (n *namedSpaces) close() {
	for _, f := range n.follows {
		f.close()
	}
	n.mounts.Close()
}

// run looks whenever the table of mounts has changed: the kernel then wakes who
// polls it (fs/proc_namespace.c, mounts_poll). Read arms the poller before it
// calls the function, so no change falls between a look and the next wait.
func (n *namedSpaces) run(ctx context.Context) {
	n.begun = true
	for _, f := range n.follows {
		f.start(ctx)
	}
	stop := context.AfterFunc(ctx, func() { n.mounts.SetReadDeadline(time.Unix(1, 0)) }) // long ago
	defer stop()
	raw, err := n.mounts.SyscallConn()
	if err == nil {
		err = raw.Read(func(uintptr) (done bool) {
			if err := n.look(ctx); err != nil {
				n.fail(ctx, err)
			}
			return ctx.Err() != nil
		})
	}
	if err != nil && ctx.Err() == nil {
		n.fail(ctx, fmt.Errorf("namespaces are no longer watched: %w", err))
	}
}

// look compares the names with those of the last look. Before the first run an
// error is one of following a namespace, too.
func (n *namedSpaces) look(ctx context.Context) error {
	names, err := netns.List()
	if err != nil {
		return err
	}
	spaces := map[string]*netns.NS{}
	defer func() {
		for _, ns := range spaces {
			ns.Close()
		}
	}()
	ids := map[string]netns.ID{}
	for _, name := range names {
		ns, err := netns.Open(name)
		if err != nil {
			continue // gone meanwhile: that wakes again
		}
		spaces[name] = ns
		if ids[name], err = ns.ID(); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(n.known)) {
		if ids[name] != n.known[name] {
			n.forget(ctx, name)
		}
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(ids)) {
		n.meet(ctx, name, ids[name])
		if !n.wants(name) || n.isFollowed(ids[name]) || n.refused[name] == ids[name] {
			continue
		}
		ns := spaces[name]
		delete(spaces, name)
		if err := n.follow(ctx, name, ns); err != nil {
			n.refused[name] = ids[name]
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// forget tells that a name is gone, after what its namespace still had to tell.
func (n *namedSpaces) forget(ctx context.Context, name string) {
	if f := n.follows[name]; f != nil {
		f.close()
		delete(n.follows, name)
	}
	n.tell(ctx, Del, name, n.known[name])
	delete(n.known, name)
	delete(n.refused, name)
}

// meet tells of a name that was not known.
func (n *namedSpaces) meet(ctx context.Context, name string, id netns.ID) {
	if _, known := n.known[name]; !known {
		n.known[name] = id
		n.tell(ctx, New, name, id)
	}
}

func (n *namedSpaces) tell(ctx context.Context, kind Kind, name string, id netns.ID) {
	n.changed.Add(1)
	if !n.begun || !n.m.tells(Namespace) {
		return
	}
	fields := Fields{{"name", name, "namespace " + name}, {Key: "inode", Value: id.Inode}}
	n.m.send(ctx, &Event{Time: time.Now(), Kind: kind, Class: Namespace, Fields: fields})
}

func (n *namedSpaces) wants(name string) bool {
	return n.m.cfg.AllNamespaces || slices.Contains(n.m.cfg.Namespaces, name)
}

// isFollowed tells whether a namespace is followed already: under another name,
// or as the monitor's own.
func (n *namedSpaces) isFollowed(id netns.ID) bool {
	if id == n.home {
		return true
	}
	for name := range n.follows {
		if n.known[name] == id {
			return true
		}
	}
	return false
}

func (n *namedSpaces) follow(ctx context.Context, name string, ns *netns.NS) error {
	f, err := n.m.follow(name, ns)
	if err != nil {
		return fmt.Errorf("namespace %s: %w", name, err)
	}
	n.follows[name] = f
	if n.begun {
		f.start(ctx)
	}
	return nil
}

func (n *namedSpaces) fail(ctx context.Context, err error) {
	if ctx.Err() == nil {
		n.m.send(ctx, &Event{Time: time.Now(), Kind: Failure, Error: err.Error()})
	}
}
