package reconcile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/audit"
)

// auditAnchor is the directory that the kernel has tied a rule to: by its inode, so that
// the rule goes with the directory when that is renamed, and does not watch one that
// takes its place. It is listed as before then.
type auditAnchor struct{ dev, ino uint64 }

// anchorOf returns the path of the directory that a rule is tied to, "" for none: that
// of its file (kernel/audit_watch.c, audit_get_nd), or its own (kernel/audit_tree.c,
// audit_add_tree_rule).
func anchorOf(r *audit.Rule) (dir string, tree bool) {
	for i := range r.Fields {
		switch f := &r.Fields[i]; f.Type {
		case audit.FieldPath, audit.FieldExe:
			return filepath.Dir(f.Text), false
		case audit.FieldDir:
			return f.Text, true
		}
	}
	return "", false
}

// AuditDirectories returns the directories that the declared audit rules are tied to, or
// would be, as far as the last plan knows them.
func (r *Run) AuditDirectories() (dirs []string) {
	for _, s := range r.scopes {
		for _, t := range s.tables {
			rules, ok := t.table.(*auditTable)
			if !ok {
				continue
			}
			for i := range rules.declared {
				if dir, _ := anchorOf(&rules.declared[i].rule); dir != "" && !slices.Contains(dirs, dir) {
					dirs = append(dirs, dir)
				}
			}
		}
	}
	return dirs
}

// missingAnchor returns the directory without which the kernel does not take a rule, ""
// when it is there.
func missingAnchor(r *audit.Rule) string {
	dir, _ := anchorOf(r)
	if dir == "" {
		return ""
	}
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return dir
	}
	return ""
}

func statAnchor(r *audit.Rule) (a auditAnchor, ok bool) {
	dir, _ := anchorOf(r)
	var st unix.Stat_t
	if dir == "" || unix.Stat(dir, &st) != nil {
		return a, false
	}
	return auditAnchor{uint64(st.Dev), st.Ino}, true
}

// stale returns the listed rules of ours that watch another directory than the one that
// is at their path now. What a rule is tied to is known from when the run has seen it
// first.
func (r *Run) stale(have []audit.Rule, own func(*audit.Rule) bool) map[*audit.Rule]bool {
	stale, seen := map[*audit.Rule]bool{}, map[audit.Meaning]auditAnchor{}
	for i := range have {
		h := &have[i]
		if !own(h) {
			continue
		}
		m := h.Meaning()
		then, known := r.anchors[m]
		now, there := statAnchor(h)
		stale[h] = known && there && then != now
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

// trimPatience is how long the kernel may take to drop the rules of directories: a
// thread of its own does it (kernel/audit_tree.c, audit_schedule_prune).
const trimPatience = 2 * time.Second

// trim has the kernel drop the rules of directories that are elsewhere now: for as long
// as one is there, a new one of the same path is tied to the same directory. They watch
// nothing of what they are meant for, so that nothing is lost meanwhile.
func (t *auditTable) trim(ctx context.Context, s *Scope, c *audit.Conn) error {
	var gone []*audit.Rule
	for i := range t.changes {
		if change := &t.changes[i]; change.Delete && change.stale {
			if _, tree := anchorOf(&change.Rule); tree {
				gone = append(gone, &change.Rule)
			}
		}
	}
	if len(gone) == 0 {
		return nil
	}
	err := c.Trim(ctx)
	s.run.mayHaveWritten(err)
	if err != nil {
		return err
	}
	for end := time.Now().Add(trimPatience); ; time.Sleep(time.Millisecond) {
		have, err := listAudit(ctx, c)
		if err != nil || !holdsAny(have, gone) || time.Now().After(end) {
			return err
		}
	}
}

func holdsAny(have []audit.Rule, some []*audit.Rule) bool {
	for i := range have {
		for _, r := range some {
			if have[i].IsSame(r) {
				return true
			}
		}
	}
	return false
}
