package reconcile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/fsnotify/fsnotify"

	"github.com/nlapply/nlapply/netlink/netns"
)

// watchFiles watches the directories of the files, because editors replace
// files, and that of named namespaces.
func (w *watcher) watchFiles() (err error) {
	if w.fs, err = fsnotify.NewWatcher(); err != nil {
		return err
	}
	if err := w.watchDirs(); err != nil {
		return err
	}
	_ = w.fs.Add(netns.Dir) // it may come later: the slow look finds out
	go w.followFiles(w.filesState())
	return nil
}

// followFiles rouses the watcher when the files are no longer in their last state.
func (w *watcher) followFiles(last string) {
	for {
		select {
		case e, ok := <-w.fs.Events:
			if !ok {
				return
			}
			if filepath.Dir(e.Name) == netns.Dir {
				w.rouse("namespace event")
				continue
			}
		case _, ok := <-w.fs.Errors: // events are lost, perhaps
			if !ok {
				return
			}
		}
		_ = w.watchDirs() // directories are replaced, too, and links lead elsewhere
		if now := w.filesState(); now != last {
			last = now
			w.rouse(fileChanged)
		}
	}
}

// watchDirs watches the directories in which a change of the files shows.
func (w *watcher) watchDirs() error {
	dirs := map[string]bool{}
	for _, f := range w.cfg.Files {
		f, err := filepath.Abs(f)
		if err != nil {
			return err
		}
		noteDirs(dirs, f)
		if i, err := os.Stat(f); err == nil && i.IsDir() {
			dirs[f] = true
		}
		for _, path := range documentsIn(f) {
			noteDirs(dirs, path)
		}
	}
	var errs []error
	for dir := range dirs {
		errs = append(errs, w.fs.Add(dir))
	}
	return errors.Join(errs...)
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

// filesState changes with the document's files. Others in their directories, a
// log for one, are nothing to look for.
func (w *watcher) filesState() string {
	var b strings.Builder
	note := func(path string) {
		if i, err := os.Stat(path); err == nil && !i.IsDir() { // a directory changes with whatever is in it
			fmt.Fprintln(&b, path, i.Size(), i.ModTime().UnixNano(), i.Sys().(*syscall.Stat_t).Ino)
		}
	}
	for _, f := range w.cfg.Files {
		note(f)
		for _, path := range documentsIn(f) {
			note(path)
		}
	}
	return b.String()
}
