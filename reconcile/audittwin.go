package reconcile

import (
	"fmt"
	"slices"

	"github.com/nlapply/nlapply/netlink/audit"
)

// twinNotes tell of declared rules about system calls of programs of 64 bits, which those
// of 32 bits make as well, with other numbers.
func (t *auditTable) twinNotes(s *Scope) []string {
	b64, has64 := audit.Native().B64()
	b32, has32 := audit.Native().B32()
	if !has64 || !has32 || b64 == b32 {
		return nil
	}
	twins := map[audit.Meaning]*callNames{}
	for i := range t.declared {
		if r := &t.declared[i].rule; isOfArch(r, b32) {
			m := callless(r)
			if twins[m] == nil {
				twins[m] = &callNames{}
			}
			twins[m].add(r)
		}
	}
	var g alike
	for i := range t.declared {
		d := &t.declared[i]
		if isOfArch(&d.rule, b64) && !twins[callless(&d.rule)].hasAllOf(&d.rule, b32) {
			g.add(s.run.place(d.path))
		}
	}
	if g.n == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s: programs of 32 bits (%s) escape it: arch=b64,b32 makes a rule for each", &g, b32)}
}

func isOfArch(r *audit.Rule, a audit.Arch) bool {
	f, given := r.Field(audit.FieldArch)
	return given && f.Op == audit.Equal && audit.Arch(f.Value) == a && r.List == audit.Exit && r.Action == audit.Always
}

// callless is what a rule means but for its system calls and its keys.
func callless(r *audit.Rule) audit.Meaning {
	c := r.Clone()
	c.Syscalls = audit.SyscallSet{}
	c.Fields = slices.DeleteFunc(c.Fields, func(f audit.Field) bool { return f.Type == audit.FieldArch || f.Type == audit.FieldKey })
	return c.Meaning()
}

// callNames are the system calls of rules that else mean the same.
type callNames struct {
	all   bool
	names map[string]bool
}

func (c *callNames) add(r *audit.Rule) {
	if c.all = c.all || r.Syscalls.IsAll(); c.all {
		return
	}
	if c.names == nil {
		c.names = map[string]bool{}
	}
	for _, name := range r.SyscallNames() {
		c.names[name] = true
	}
}

// hasAllOf tells whether the system calls of a rule are there, as far as an architecture
// has them.
func (c *callNames) hasAllOf(r *audit.Rule, a audit.Arch) bool {
	switch {
	case c != nil && c.all:
		return true
	case r.Syscalls.IsAll():
		return false
	}
	for _, name := range r.SyscallNames() {
		if _, known := a.SyscallNumber(name); known && (c == nil || !c.names[name]) {
			return false
		}
	}
	return true
}
