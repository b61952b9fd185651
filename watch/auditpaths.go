package watch

import (
	"path/filepath"
	"slices"

	"github.com/fsnotify/fsnotify"
)

// auditPaths tells when something may have happened to the directories that audit rules
// are tied to: it follows the names on the way to each of them. The kernel does not
// report when a directory comes that a rule waits for, nor when another one takes its
// place.
type auditPaths struct {
	watcher *fsnotify.Watcher
	mounts  *mounts
	names   map[string]map[string]bool // what matters in a directory; the run's
	changed chan struct{}              // gets a token when something did
	ended   chan struct{}
	update  chan map[string]map[string]bool
	dirs    []string // that are followed
}

func watchAuditPaths() (*auditPaths, error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	p := &auditPaths{
		watcher: watcher, names: map[string]map[string]bool{}, changed: make(chan struct{}, 1),
		ended: make(chan struct{}), update: make(chan map[string]map[string]bool),
	}
	if p.mounts, err = watchMounts(p.note); err != nil {
		watcher.Close()
		return nil, err
	}
	go p.run()
	return p, nil
}

func (p *auditPaths) close() {
	p.mounts.close()
	p.watcher.Close()
	<-p.ended
}

// follow makes these the directories that are followed, and tells whether they are others
// than before. It is called before each look, so that a directory that has come is
// followed from before what is in it is looked at.
func (p *auditPaths) follow(dirs []string) (others bool) {
	others = !slices.Equal(dirs, p.dirs)
	p.dirs = dirs
	names := map[string]map[string]bool{}
	for _, dir := range dirs {
		for dir = filepath.Clean(dir); dir != "/" && dir != "."; dir = filepath.Dir(dir) {
			above := filepath.Dir(dir)
			if names[above] == nil {
				names[above] = map[string]bool{}
			}
			names[above][filepath.Base(dir)] = true
		}
	}
	select {
	case p.update <- names:
	case <-p.ended:
		return false
	}
	for dir := range names {
		p.watcher.Add(dir) // again too: it may be another one; one that is not there comes later
	}
	for _, dir := range p.watcher.WatchList() {
		if names[dir] == nil {
			p.watcher.Remove(dir)
		}
	}
	return others
}

func (p *auditPaths) run() {
	defer close(p.ended)
	for {
		select {
		case names := <-p.update:
			p.names = names
		case e, ok := <-p.watcher.Events:
			if !ok {
				return
			}
			if e.Op&(fsnotify.Create|fsnotify.Remove|fsnotify.Rename) != 0 && p.matters(e.Name) {
				p.note()
			}
		case _, ok := <-p.watcher.Errors:
			if !ok {
				return
			}
			p.note()
		}
	}
}

// matters tells whether something on the way to a directory has come or gone.
func (p *auditPaths) matters(name string) bool {
	return p.names[filepath.Dir(name)][filepath.Base(name)] || p.names[name] != nil
}

func (p *auditPaths) note() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// followAudit follows the directories of the document's audit rules, and tells whether
// they are others than before.
func (w *watcher) followAudit() (others bool) {
	dirs := w.run.AuditDirectories()
	if len(dirs) == 0 && w.auditPaths == nil {
		return false
	}
	if w.auditPaths == nil {
		p, err := watchAuditPaths()
		if err != nil {
			w.complain("directories of audit rules cannot be followed", err)
			return false
		}
		w.auditPaths = p
	}
	return w.auditPaths.follow(dirs)
}

// auditMoved is the channel that tells of them; nil, which never does, without any.
func (w *watcher) auditMoved() <-chan struct{} {
	if w.auditPaths == nil {
		return nil
	}
	return w.auditPaths.changed
}
