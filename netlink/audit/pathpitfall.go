package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// PathPitfalls tells what is wrong with the files that the rule names on this machine, as
// it is now: a sentence each. They are not there, or reached by symbolic links, which
// the kernel follows when it takes the rule, but for the last one (kernel/audit_watch.c,
// audit_get_nd).
func (r *Rule) PathPitfalls() []string {
	p := pitfalls{rule: r}
	for i := range r.Fields {
		switch f := &r.Fields[i]; f.Type {
		case FieldPath, FieldExe:
			p.ofPath(f)
		case FieldDir:
			p.ofDir(f)
		}
	}
	return p.list
}

// ofPath looks at a file that a rule names, and at the way there.
func (p *pitfalls) ofPath(f *Field) {
	if !p.isThere(filepath.Dir(f.Text)) {
		return
	}
	info, err := os.Lstat(f.Text)
	switch {
	case p.isFlawed(f):
	case errors.Is(err, os.ErrNotExist) && f.Type == FieldPath:
		p.warn("there is no %s yet: the rule begins to act when it is made", f.Text)
	case errors.Is(err, os.ErrNotExist):
		p.warn("there is no program %s yet", f.Text)
	case err == nil && info.Mode()&os.ModeSymlink != 0:
		target, _ := os.Readlink(f.Text)
		p.warn("%s is a symbolic link, to %s: the rule is about the link itself, not about what is reached through it", f.Text, target)
	case err == nil && info.IsDir():
		p.warn("%s is a directory: for all below it dir= is needed", f.Text)
	}
}

func (p *pitfalls) ofDir(f *Field) {
	if !p.isThere(f.Text) {
		return
	}
	p.isFlawed(f)
}

// isFlawed warns of a file by which the rule has no effect.
func (p *pitfalls) isFlawed(f *Field) bool {
	flaw := f.pathFlaw()
	if flaw != "" {
		p.warn("%s", flaw)
	}
	return flaw != ""
}

// PathFlaw tells what about the files that the rule names, as they are now on this
// machine, makes it ineffective. It is "" for others, and for directories that are not
// there, on which the kernel refuses it.
func (r *Rule) PathFlaw() string {
	for i := range r.Fields {
		if flaw := r.Fields[i].pathFlaw(); flaw != "" {
			return flaw
		}
	}
	return ""
}

func (f *Field) pathFlaw() string {
	if !f.Type.isPath() {
		return ""
	}
	path := strings.TrimRight(f.Text, "/")
	info, err := os.Lstat(path)
	switch {
	case f.Type != FieldDir && errors.Is(err, os.ErrNotExist) && strings.ContainsAny(path, "*?["):
		return fmt.Sprintf("there is no %s: the kernel takes a name as it is, not as a pattern", path)
	case f.Type != FieldDir || err != nil || info.IsDir():
		return ""
	case info.Mode()&os.ModeSymlink != 0:
		target, _ := os.Readlink(path)
		return fmt.Sprintf("%s is a symbolic link, to %s: the rule never acts", path, target)
	}
	return fmt.Sprintf("%s is no directory: path= is for files", path)
}

// isThere tells whether a directory exists, and warns of one that does not.
func (p *pitfalls) isThere(dir string) bool {
	real, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, os.ErrNotExist) {
		p.warn("there is no directory %s: the kernel does not take the rule; in a document it waits for that (on_missing_path: pending)", dir)
		return false
	}
	if parent := filepath.Dir(filepath.Clean(dir)); err == nil && real != filepath.Clean(dir) {
		if up, _ := filepath.EvalSymlinks(parent); up != parent {
			p.warn("%s is reached through a symbolic link, which is followed once, when the rule is loaded: to %s", dir, real)
		}
	}
	return true
}
