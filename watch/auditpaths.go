package watch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/reconcile"
)

// auditPaths tells when something may have happened to the directories that audit rules
// are tied to: it follows the names on the way to each of them. The kernel does not
// report when a directory comes that a rule waits for, nor when another one takes its
// place.
//
// It talks to inotify(7) itself: what matters is which inode is at a path at the moment,
// and fsnotify takes a path for the same when a directory on the way to it was renamed.
type auditPaths struct {
	inotify *os.File
	mounts  *mounts
	changed chan struct{} // gets a token when something did
	ended   chan struct{}

	mu       sync.Mutex                // guards all following fields
	names    map[int32]map[string]bool // what matters in a directory, by its watch
	followed []string
}

// onTheWay are the events of directories by which another one may be at a path.
const onTheWay = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO |
	unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR

func watchAuditPaths() (*auditPaths, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	p := &auditPaths{inotify: os.NewFile(uintptr(fd), "inotify"), changed: make(chan struct{}, 1), ended: make(chan struct{})}
	if p.mounts, err = watchMounts(p.note); err != nil {
		p.inotify.Close()
		return nil, err
	}
	go p.run()
	return p, nil
}

func (p *auditPaths) close() {
	p.mounts.close()
	p.inotify.Close()
	<-p.ended
}

// follow makes these the directories that are followed, and tells whether they are others
// than before. It is called before each look, so that a directory that has come is
// followed from before what is in it is looked at. An error is about directories that are
// there and cannot be followed.
func (p *auditPaths) follow(dirs []string) (others bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	others = !slices.Equal(dirs, p.followed)
	p.followed = dirs
	names := map[int32]map[string]bool{}
	raw, err := p.inotify.SyscallConn()
	if err != nil {
		return others, err
	}
	ctlErr := raw.Control(func(fd uintptr) {
		for dir, inside := range namesOnTheWay(dirs) {
			wd, addErr := unix.InotifyAddWatch(int(fd), dir, onTheWay)
			switch {
			case addErr == nil && names[int32(wd)] == nil:
				names[int32(wd)] = inside
			case addErr == nil: // two paths to one directory
				for name := range inside {
					names[int32(wd)][name] = true
				}
			case addErr != unix.ENOENT && addErr != unix.ENOTDIR: // else it comes later
				err = fmt.Errorf("%s: %w", dir, addErr)
			}
		}
		for wd := range p.names {
			if names[wd] == nil {
				unix.InotifyRmWatch(int(fd), uint32(wd)) // it may have gone by itself
			}
		}
	})
	p.names = names
	return others, errors.Join(err, ctlErr)
}

// namesOnTheWay returns, for each directory above some others, what in it leads to them.
func namesOnTheWay(dirs []string) map[string]map[string]bool {
	names := map[string]map[string]bool{}
	for _, dir := range dirs {
		for above, name := range wayTo(dir) {
			if names[above] == nil {
				names[above] = map[string]bool{}
			}
			names[above][name] = true
		}
	}
	return names
}

// maxLinks is how many symbolic links a path may have (include/linux/namei.h, MAXSYMLINKS).
const maxLinks = 40

// wayTo yields the directories through which the kernel goes to an absolute path, and
// which of their names it takes, also where symbolic links lead elsewhere.
func wayTo(path string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		above, links := "/", 0
		for rest := strings.Split(path, "/"); len(rest) > 0; {
			name := rest[0]
			rest = rest[1:]
			switch name {
			case "", ".":
				continue
			case "..":
				above = filepath.Dir(above)
				continue
			}
			if !yield(above, name) {
				return
			}
			next := filepath.Join(above, name)
			target, err := os.Readlink(next)
			if err != nil || links == maxLinks {
				above = next
				continue
			}
			links++
			if filepath.IsAbs(target) {
				above = "/"
			}
			rest = append(strings.Split(target, "/"), rest...)
		}
	}
}

func (p *auditPaths) run() {
	defer close(p.ended)
	buf := make([]byte, 64<<10)
	for {
		n, err := p.inotify.Read(buf)
		if err != nil {
			return
		}
		if p.matters(buf[:n]) {
			p.note()
		}
	}
}

// matters tells whether an event is about something on the way to a directory.
func (p *auditPaths) matters(events []byte) (some bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(events) >= unix.SizeofInotifyEvent {
		wd, mask := int32(binary.NativeEndian.Uint32(events)), binary.NativeEndian.Uint32(events[4:])
		end := min(unix.SizeofInotifyEvent+int(binary.NativeEndian.Uint32(events[12:])), len(events))
		name := strings.TrimRight(string(events[unix.SizeofInotifyEvent:end]), "\x00")
		const itself = unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_UNMOUNT | unix.IN_Q_OVERFLOW
		some = some || mask&itself != 0 || p.names[wd][name]
		events = events[end:]
	}
	return some
}

func (p *auditPaths) note() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// followAudit follows the directories of the document's audit rules for a look at them,
// and tells whether they are others than before.
func (w *watcher) followAudit(look reconcile.Look) (others bool) {
	if !look.Audit() {
		return false
	}
	dirs := w.run.AuditDirectories()
	if len(dirs) == 0 && w.auditPaths == nil {
		return false
	}
	var err error
	if w.auditPaths == nil {
		w.auditPaths, err = watchAuditPaths()
	}
	if w.auditPaths != nil {
		others, err = w.auditPaths.follow(dirs)
	}
	if err != nil && err.Error() != w.auditPathsFailed {
		w.auditPathsFailed = err.Error()
		w.complain("directories of audit rules are only looked at from time to time", err)
	}
	return others
}

// auditMoved is the channel that tells of them; nil, which never does, without any.
func (w *watcher) auditMoved() <-chan struct{} {
	if w.auditPaths == nil {
		return nil
	}
	return w.auditPaths.changed
}
