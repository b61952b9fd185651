package audit

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Flaw tells what the rule does, or does not, that nobody can want: what makes it
// ineffective, or the audit system blind. It is "" for others.
func (r *Rule) Flaw() string {
	inert, n := r.unseen(), r.conditions()
	switch {
	case r.List == Exclude && n == 0:
		return "without a condition it matches nothing"
	case r.List == Exclude && inert != "":
		return fmt.Sprintf("it excludes nothing: the kernel does not know %s on this list, and keeps the records, also from the rules behind it", inert)
	case r.List == User && r.Action == Never && inert != "":
		return fmt.Sprintf("it leaves out nothing: the kernel does not know %s on this list, and keeps the record", inert)
	case r.List == Exclude && r.hidesChanges() && n == 1:
		return "it hides changes of the rules, so that nlapply watch only finds them when it looks by itself"
	case r.List == Exclude && r.hidesChanges():
		return "it may hide changes of the rules from nlapply watch"
	case r.List == Task && r.Action == Never && n == 0:
		return "processes that begin now are not audited by rules about system calls"
	case r.List == Filesystem && r.Action == Always:
		return "it does nothing: on this list only never has an effect"
	case r.List.HasSyscalls() && r.Syscalls.IsEmpty():
		return "it matches nothing, as it names no system call"
	}
	for i := range r.Fields {
		if f := &r.Fields[i]; f.neverHolds() {
			return fmt.Sprintf("it matches nothing, as %s never holds: the kernel compares %s", f, f.comparison())
		}
	}
	return ""
}

// comparison says how the kernel compares a field.
func (f *Field) comparison() string {
	if f.Type == fieldSuccess {
		return "success as 1, and failure as 2"
	}
	return "numbers without a sign"
}

// hidesChanges tells whether a rule of exclude may match records of CONFIG_CHANGE, of
// which changes of rules are known.
func (r *Rule) hidesChanges() bool {
	for i := range r.Fields {
		if f := &r.Fields[i]; f.Type == FieldMsgType && !f.holdsFor(unix.AUDIT_CONFIG_CHANGE) {
			return false
		}
	}
	return true
}

// seen are the fields that the kernel looks at on the lists user and exclude: at any other
// it stops, and lets the record pass (kernel/auditfilter.c, audit_filter)).
var seen = map[FieldType]bool{
	FieldPID: true, fieldUID: true, fieldGID: true, FieldAUID: true, FieldAUIDSet: true, FieldMsgType: true, FieldExe: true,
	fieldSubjUser: true, fieldSubjRole: true, fieldSubjType: true, fieldSubjSen: true, fieldSubjClr: true,
}

// unseen returns the name of the first field at which the kernel stops, "" for none.
func (r *Rule) unseen() string {
	if r.List != User && r.List != Exclude {
		return ""
	}
	for i := range r.Fields {
		if !seen[r.Fields[i].Type] {
			return r.Fields[i].Type.String()
		}
	}
	return ""
}
