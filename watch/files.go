package watch

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/spec"
)

// Times that files are given.
const (
	fileSettle  = 100 * time.Millisecond // of quiet: an edit is several events
	fileVanish  = 5 * time.Second        // until a file that was moved away is taken to be gone
	fileWriting = 10 * time.Second       // until a file is read although somebody has it open to write
)

// nsChecks are when the directory of named namespaces is looked at after an event
// in it: a namespace is mounted on its name a moment after the name appears, and
// that is no event.
var nsChecks = []time.Duration{2 * time.Millisecond, 20 * time.Millisecond, 200 * time.Millisecond, time.Second}

// files tells when the files of a document, or the named namespaces, have changed.
type files struct {
	names      []string
	fs         *fsnotify.Watcher
	changed    chan struct{} // the files are others, and have come to rest
	namespaces chan struct{}

	mu sync.Mutex // guards what follows
	// patterns are the paths and globs of further files that the document names.
	patterns []string
	rest     states // in which they came to rest last
}

// states are those of the document's files, by path. They change with the files.
type states map[string]string

// watchFiles watches the directories of the files, because editors replace files,
// and that of named namespaces.
func watchFiles(names []string) (*files, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	f := &files{names: names, fs: w, changed: make(chan struct{}, 1), namespaces: make(chan struct{}, 1)}
	if err := f.watchDirs(); err != nil {
		w.Close()
		return nil, err
	}
	f.watchNamespaces()
	f.rest = f.state()
	go f.follow(namedSpaces())
	return f, nil
}

func (f *files) close() { f.fs.Close() }

// read calls load, and tells whether what it read is whole: that nobody changed the
// files meanwhile, nor is about to. Such a change is reported when they have come to
// rest. Who does not come because of a report (asked) may read files of which no
// report came, as on file systems of other machines, if nobody writes to them and
// none just went.
func (f *files) read(load func() (*spec.Document, error), asked bool) (doc *spec.Document, whole bool, err error) {
	before := f.state()
	if rest := f.atRest(); !maps.Equal(before, rest) && (!asked || f.unrest(rest, before) > 0) {
		return nil, false, nil
	}
	for range maxRefers {
		before = f.state()
		doc, err = load()
		if !f.refer(doc) {
			break
		}
	}
	return doc, maps.Equal(f.state(), before), err
}

// maxRefers is how often files are read again because they name others by now.
const maxRefers = 5

// first calls load, until it read nothing that was not watched before.
func (f *files) first(load func() (*spec.Document, error)) (doc *spec.Document, err error) {
	for range maxRefers {
		doc, err = load()
		if f == nil || !f.refer(doc) {
			break
		}
	}
	return doc, err
}

// refer watches the files that a document names from now on, also when it is not
// valid: it may be so because of them. It tells whether they are others than before,
// so that they may have changed since they were read.
func (f *files) refer(doc *spec.Document) (others bool) {
	if doc == nil {
		return false
	}
	var patterns []string
	if doc.Audit != nil {
		patterns = doc.Audit.RulesFiles
	}
	f.mu.Lock()
	same := slices.Equal(f.patterns, patterns)
	f.mu.Unlock()
	if same {
		return false
	}
	before := f.state()
	f.mu.Lock()
	f.patterns = slices.Clone(patterns)
	f.mu.Unlock()
	_ = f.watchDirs()
	now := f.state()
	f.mu.Lock()
	defer f.mu.Unlock()
	// What is named no longer did not go, and what is named newly did not come.
	rest := maps.Clone(f.rest)
	maps.DeleteFunc(rest, func(path, _ string) bool { return before[path] != "" && now[path] == "" })
	for path, state := range now {
		if before[path] == "" && rest[path] == "" {
			rest[path] = state
		}
	}
	f.rest = rest
	return true
}

func (f *files) atRest() states {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rest
}

func (f *files) cameToRest(state states) {
	f.mu.Lock()
	f.rest = state
	f.mu.Unlock()
	signal(f.changed)
}

// follow reports changes of the states.
func (f *files) follow(spaces map[string]netns.ID) {
	settle, check := stoppedTimer(), stoppedTimer()
	var checks []time.Duration
	var deadline time.Time // of what is being written
	for {
		select {
		case e, ok := <-f.fs.Events:
			if !ok {
				return
			}
			if e.Name == netns.Dir {
				f.watchNamespaces()
			}
			if e.Name == netns.Dir || filepath.Dir(e.Name) == netns.Dir {
				checks = nsChecks
				check.Reset(checks[0])
				continue
			}
			_ = f.watchDirs() // directories are replaced, too, and links lead elsewhere
			deadline = time.Now().Add(fileWriting)
			settle.Reset(fileSettle)
		case _, ok := <-f.fs.Errors: // events are lost, perhaps
			if !ok {
				return
			}
			checks = nsChecks
			check.Reset(checks[0])
			deadline = time.Now().Add(fileWriting)
			settle.Reset(fileSettle)
		case <-settle.C:
			now, last := f.state(), f.atRest()
			switch wait := f.unrest(last, now); {
			case maps.Equal(now, last):
			case wait > 0 && time.Now().Before(deadline):
				settle.Reset(wait)
			default:
				f.cameToRest(now)
			}
		case <-check.C:
			if now := namedSpaces(); !maps.Equal(now, spaces) {
				spaces = now
				signal(f.namespaces)
			}
			if checks = checks[1:]; len(checks) > 0 {
				check.Reset(checks[0])
			}
		}
	}
}

func stoppedTimer() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// unrest tells how long to wait until the files can be read: somebody is writing
// one, or one went that may come back under its name. It is 0 when they are at
// rest.
func (f *files) unrest(last, now states) time.Duration {
	if f.areBeingWritten() {
		return fileSettle
	}
	if misses(now, last) {
		newest := time.Time{}
		for _, dir := range f.fs.WatchList() {
			if i, err := os.Stat(dir); err == nil && i.ModTime().After(newest) {
				newest = i.ModTime()
			}
		}
		return max(0, time.Until(newest.Add(fileVanish)))
	}
	return 0
}

// misses tells whether a file went since the last state, whatever else came.
func misses(now, last states) bool {
	for path := range last {
		if _, there := now[path]; !there {
			return true
		}
	}
	return false
}

func (f *files) areBeingWritten() bool { return slices.ContainsFunc(f.paths(), isBeingWritten) }

// isBeingWritten tells whether somebody has the file open to write to it. Then
// nobody can have a lease for reading (fcntl(2), F_SETLEASE); who may not ask does
// not know.
func isBeingWritten(path string) bool {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0) // a FIFO is no reason to wait
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	if err == nil {
		unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK)
	}
	return errors.Is(err, unix.EAGAIN)
}

// watchNamespaces watches the directory of named namespaces, or for its coming.
func (f *files) watchNamespaces() {
	if f.fs.Add(netns.Dir) != nil {
		_ = f.fs.Add(filepath.Dir(netns.Dir)) // where it cannot be watched, the slow look finds out
	}
}

// namedSpaces returns the named namespaces.
func namedSpaces() map[string]netns.ID {
	spaces := map[string]netns.ID{}
	entries, _ := os.ReadDir(netns.Dir)
	for _, e := range entries {
		var st unix.Stat_t
		if unix.Stat(filepath.Join(netns.Dir, e.Name()), &st) == nil {
			spaces[e.Name()] = netns.ID{Dev: uint64(st.Dev), Inode: st.Ino}
		}
	}
	return spaces
}

// watchDirs watches the directories in which a change of the files shows.
func (f *files) watchDirs() error {
	dirs := map[string]bool{}
	for _, name := range f.names {
		path, err := filepath.Abs(name)
		if err != nil {
			return err
		}
		noteDirs(dirs, path)
		if i, err := os.Stat(path); err == nil && i.IsDir() {
			dirs[path] = true
		}
		for _, path := range documentsIn(path) {
			noteDirs(dirs, path)
		}
	}
	var errs []error
	for dir := range dirs {
		errs = append(errs, f.fs.Add(dir))
	}
	named := map[string]bool{}
	for _, pattern := range f.named() {
		if abs, err := filepath.Abs(pattern); err == nil {
			noteGlob(named, abs)
		}
	}
	for dir := range named {
		_ = f.fs.Add(dir) // what is not there cannot be watched, nor what is not for this user
	}
	return errors.Join(errs...)
}

// named returns the paths and globs that the document names.
func (f *files) named() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.patterns
}

// noteGlob adds the directories in which something can come or go that a glob matches.
func noteGlob(dirs map[string]bool, pattern string) {
	files, _ := spec.Glob(pattern)
	for _, name := range files {
		noteDirs(dirs, name)
	}
	for dir := filepath.Dir(pattern); ; dir = filepath.Dir(dir) {
		found, _ := spec.Glob(dir)
		for _, d := range found {
			noteDirs(dirs, d) // it may be replaced
			dirs[d] = true
		}
		if len(found) == 1 && found[0] == dir || dir == filepath.Dir(dir) {
			return
		}
	}
}

// noteDirs adds the directory of a file, and those of all symbolic links on the
// way to it.
func noteDirs(dirs map[string]bool, path string) {
	for range 40 { // as many as the kernel follows (path_resolution(7))
		next, followed := followFirst(dirs, path)
		if !followed {
			dirs[filepath.Dir(path)] = true
			return
		}
		path = next
	}
}

// followFirst replaces the first symbolic link in a path by where it leads.
func followFirst(dirs map[string]bool, path string) (next string, followed bool) {
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != filepath.Separator {
			continue
		}
		target, err := os.Readlink(path[:i])
		if err != nil {
			continue
		}
		dir := filepath.Dir(path[:i])
		dirs[dir] = true
		if !filepath.IsAbs(target) {
			target = filepath.Join(dir, target)
		}
		return filepath.Join(target, path[i:]), true
	}
	return "", false
}

// documentsIn returns the documents of a directory, none when it is a file.
func documentsIn(dir string) (paths []string) {
	for _, pattern := range []string{"*.yaml", "*.yml", "*.json"} {
		inside, _ := filepath.Glob(filepath.Join(dir, pattern))
		paths = append(paths, inside...)
	}
	return paths
}

// paths are the files of the document that are there.
func (f *files) paths() (paths []string) {
	for _, name := range f.names {
		if i, err := os.Stat(name); err == nil && !i.IsDir() { // a directory changes with whatever is in it
			paths = append(paths, name)
		}
		paths = append(paths, documentsIn(name)...)
	}
	for _, pattern := range f.named() {
		found, _ := spec.Glob(pattern)
		paths = append(paths, found...)
	}
	return paths
}

// state returns the present states of the document's files. Others in their
// directories, a log for one, are nothing to look for.
func (f *files) state() states {
	all := states{}
	for _, path := range f.paths() {
		if i, err := os.Stat(path); err == nil {
			st := i.Sys().(*syscall.Stat_t)
			all[path] = fmt.Sprint(st.Size, st.Mtim, st.Ctim, st.Ino)
		}
	}
	return all
}
