package reconcile

import (
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
	files := map[string]bool{}
	for _, f := range w.cfg.Files {
		f, err := filepath.Abs(f)
		if err != nil {
			return err
		}
		files[f], files[filepath.Dir(f)] = true, true
	}
	for f := range files {
		if err := w.fs.Add(f); err != nil {
			return err
		}
	}
	_ = w.fs.Add(netns.Dir) // it may come later: the slow look finds out
	last := w.filesState()
	go func() {
		for e := range w.fs.Events {
			if filepath.Dir(e.Name) == netns.Dir {
				w.rouse("namespace event")
			} else if now := w.filesState(); now != last {
				last = now
				w.rouse(fileChanged)
			}
		}
	}()
	return nil
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
		for _, pattern := range []string{"*.yaml", "*.yml", "*.json"} {
			inside, _ := filepath.Glob(filepath.Join(f, pattern)) // nothing when f is no directory
			for _, path := range inside {
				note(path)
			}
		}
	}
	return b.String()
}
