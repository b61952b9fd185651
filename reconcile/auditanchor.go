package reconcile

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/audit"
)

// auditAnchor is a directory that the kernel has tied a rule to: by its inode, so that
// the rule goes with the directory when that is renamed, and does not watch one that
// takes its place. It is listed as before then.
type auditAnchor struct{ dev, ino uint64 }

// anchorsOf yields the paths of the directories that a rule is tied to: those of its files
// (kernel/audit_watch.c, audit_get_nd; audit_fsnotify.c, audit_alloc_mark), and its own
// (kernel/audit_tree.c, audit_add_tree_rule).
func anchorsOf(r *audit.Rule) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range r.Fields {
			dir := ""
			switch f := &r.Fields[i]; f.Type {
			case audit.FieldPath, audit.FieldExe:
				dir = directoryOf(f.Text)
			case audit.FieldDir:
				dir = f.Text
			}
			if dir != "" && !yield(dir) {
				return
			}
		}
	}
}

// directoryOf returns the directory of a file. It may end in "..", which symbolic links
// before it make another one than filepath.Dir would.
func directoryOf(path string) string {
	path = strings.TrimRight(path, "/")
	return path[:strings.LastIndexByte(path, '/')+1]
}

// AuditDirectories returns the directories that the declared audit rules are tied to, or
// would be, as far as the last plan knows them.
func (r *Run) AuditDirectories() (dirs []string) {
	seen := map[string]bool{}
	for _, s := range r.scopes {
		for _, t := range s.tables {
			rules, ok := t.table.(*auditTable)
			if !ok {
				continue
			}
			for i := range rules.declared {
				for dir := range anchorsOf(&rules.declared[i].rule) {
					if !seen[dir] {
						dirs, seen[dir] = append(dirs, dir), true
					}
				}
			}
		}
	}
	return dirs
}

// missingAnchor returns a directory without which the kernel does not take a rule, ""
// when all are there.
func missingAnchor(r *audit.Rule) string {
	for dir := range anchorsOf(r) {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
			return dir
		}
	}
	return ""
}

// statAnchors is not ok when one is not there, or there is none.
func statAnchors(r *audit.Rule) (list []auditAnchor, ok bool) {
	for dir := range anchorsOf(r) {
		var st unix.Stat_t
		if unix.Stat(dir, &st) != nil {
			return nil, false
		}
		list = append(list, auditAnchor{uint64(st.Dev), st.Ino})
	}
	return list, len(list) > 0
}

// stale returns the listed rules of ours that watch another directory than the one that
// is at their path now. What a rule is tied to is known from when the run has seen it
// first.
func (r *Run) stale(have []audit.Rule, own func(*audit.Rule) bool) map[*audit.Rule]bool {
	stale, seen := map[*audit.Rule]bool{}, map[audit.Meaning][]auditAnchor{}
	for i := range have {
		h := &have[i]
		if !own(h) {
			continue
		}
		m := h.Meaning()
		then, known := r.anchors[m]
		now, there := statAnchors(h)
		if known && there && !slices.Equal(then, now) {
			stale[h] = true
		}
		switch {
		case known: // and stays so until it is another rule
			seen[m] = then
		case there:
			seen[m] = now
		}
	}
	r.anchors = seen
	return stale
}

// treeOf returns the directory below which a rule watches all, "" for none.
func treeOf(r *audit.Rule) string {
	f, _ := r.Field(audit.FieldDir)
	return f.Text
}

// sharedTree returns a directory of which a rule of somebody else keeps alive what a stale
// one watches, "" for none: for as long as one is there, a new one of the same path is tied
// to the same directory (kernel/audit_tree.c, audit_add_tree_rule).
func sharedTree(have []audit.Rule, stale map[*audit.Rule]bool) string {
	trees := map[string]bool{}
	for r := range stale {
		trees[treeOf(r)] = true
	}
	delete(trees, "")
	for i := range have {
		if r := &have[i]; !stale[r] && trees[treeOf(r)] {
			return treeOf(r)
		}
	}
	return ""
}

// trimPatience is how long the kernel may take to drop the rules of directories: a
// thread of its own does it (kernel/audit_tree.c, audit_schedule_prune).
const trimPatience = 2 * time.Second

// trim has the kernel drop the rules of directories that are elsewhere now, and puts back
// those of others. There is no telling which directory theirs are tied to; from then on it
// is the one that they name.
func (t *auditTable) trim(ctx context.Context, s *Scope, c *audit.Conn) error {
	if t.sharedTree == "" {
		return nil
	}
	before, err := listAudit(ctx, c)
	if err != nil {
		return err
	}
	err = c.Trim(ctx)
	s.run.mayHaveWritten(err)
	if err != nil {
		return err
	}
	gone := before
	for end := time.Now().Add(trimPatience); time.Now().Before(end); time.Sleep(trimPause) {
		after, err := listAudit(ctx, c)
		if err != nil {
			return err
		}
		left := len(gone)
		gone = without(before, after)
		if len(gone) > 0 && len(gone) == left { // it takes them one after the other
			break
		}
	}
	for i := range gone {
		err := c.Add(ctx, &gone[i])
		s.run.mayHaveWritten(err)
		if err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("audit rule %s went with one of ours, and cannot be put back: %w", &gone[i], err)
		}
	}
	return nil
}

// trimPause is how long is waited between two looks at what goes.
const trimPause = 20 * time.Millisecond

// without returns the rules that are in the first list only.
func without(list, others []audit.Rule) (rest []audit.Rule) {
	for i := range list {
		if !slices.ContainsFunc(others, func(o audit.Rule) bool { return list[i].IsSame(&o) }) {
			rest = append(rest, list[i])
		}
	}
	return rest
}
