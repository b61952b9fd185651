package reconcile

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/nlapply/nlapply/netlink/audit"
)

// Rules of ours are marked: by one more key, or, on the lists user and exclude, by a
// condition that is always true. There the kernel stops at a key and does as if the
// record was wanted (kernel/auditfilter.c, audit_filter), so that a rule with one would
// have no effect, nor would those behind it.

// markField returns the condition that marks rules of an owner: the kernel has no process
// ids so high.
func markField(owner string) audit.Field {
	h := fnv.New32a()
	h.Write([]byte(markPrefix + owner))
	return audit.Field{Type: audit.FieldPID, Op: audit.NotEqual, Value: h.Sum32()%firstMark + firstMark}
}

// firstMark is more than any process id: PID_MAX_LIMIT is 2^22. Marks are below twice of
// it, which auditctl would print as negative numbers.
const firstMark = 1 << 30

// stopsAtKey tells whether rules of a list are marked by a condition.
func stopsAtKey(l audit.List) bool { return l == audit.User || l == audit.Exclude }

// IsAuditMark tells whether a field is there to mark the rule of some owner.
func IsAuditMark(l audit.List, f audit.Field) bool {
	return stopsAtKey(l) && f.Type == audit.FieldPID && f.Op == audit.NotEqual && f.Value >= firstMark && f.Value < 2*firstMark
}

// MarkAuditRule returns a rule with the mark of an owner.
func MarkAuditRule(r *audit.Rule, owner string) *audit.Rule {
	c := r.Clone()
	if stopsAtKey(r.List) {
		c.Fields = append(c.Fields, markField(owner))
	} else {
		c.SetKeys(append(r.Keys(), markPrefix+owner))
	}
	return c
}

// UnmarkAuditRule returns a rule without the mark of an owner, and whether it had it.
func UnmarkAuditRule(r *audit.Rule, owner string) (plain *audit.Rule, marked bool) {
	if stopsAtKey(r.List) {
		i := slices.Index(r.Fields, markField(owner))
		if i < 0 {
			return r, false
		}
		c := r.Clone()
		c.Fields = slices.Delete(c.Fields, i, i+1)
		return c, true
	}
	keys := r.Keys()
	if !slices.Contains(keys, markPrefix+owner) {
		return r, false
	}
	c := r.Clone()
	c.SetKeys(slices.DeleteFunc(keys, func(k string) bool { return k == markPrefix+owner }))
	return c, true
}

// isOthersAudit tells whether a rule has the mark of another owner, whose rules are never
// touched.
func isOthersAudit(r *audit.Rule, owner string) bool {
	if stopsAtKey(r.List) {
		return slices.ContainsFunc(r.Fields, func(f audit.Field) bool { return IsAuditMark(r.List, f) && f != markField(owner) })
	}
	return slices.ContainsFunc(r.Keys(), func(k string) bool {
		return strings.HasPrefix(k, markPrefix) && k != markPrefix+owner
	})
}

// unmarkedAudit returns a rule without the mark of the document's owner, if it has it.
func (s *Scope) unmarkedAudit(r *audit.Rule) (plain *audit.Rule, marked bool) {
	return UnmarkAuditRule(r, s.Owner())
}

// checkMarked tells what makes a rule impossible with our mark.
func (s *Scope) checkMarked(r *audit.Rule) error {
	if _, marked := s.unmarkedAudit(r); marked {
		return fmt.Errorf("it has the mark of rules of the owner %s, which nlapply sets itself", s.Owner())
	}
	if problems := MarkAuditRule(r, s.Owner()).Check(); len(problems) > 0 {
		return fmt.Errorf("with the mark of the owner %s: %s", s.Owner(), problems[0].Text)
	}
	return nil
}
