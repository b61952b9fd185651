package audit

import (
	"strings"
	"sync"
)

// Commutes tells whether it makes no difference which of two rules of a list comes
// first, so far as the rules themselves tell: what one matches the other does not. Of
// rules with the same action the first only decides which key the record bears; for
// them it is enough that they name other paths, or that one is about files and the
// other about system calls that touch none. It may be false although they commute.
func (r *Rule) Commutes(o *Rule) bool {
	switch {
	case r.List != o.List:
		return true
	case r.unseen() != "" || o.unseen() != "":
		return false // what the kernel does not know there ends its look at the list
	case r.excludes(o, isOfEvent):
		return true
	}
	return r.Action == o.Action && (r.excludes(o, isOfEventOrPath) || r.isBeyondPerm(o) || o.isBeyondPerm(r))
}

func isOfEventOrPath(t FieldType) bool { return isOfEvent(t) || t == FieldPath || t == FieldDir }

// isOfEvent tells whether a system call has one value of a field of this type. There are
// several of those that are about files, of which one call may touch more (a link, a
// rename), and a file may have several paths. Of texts not even that tells: a label of
// AppArmor may be several (security/apparmor/audit.c, aa_audit_rule_match), a level of
// SELinux can be written in more than one way.
func isOfEvent(t FieldType) bool {
	switch t {
	case FieldPerm, FieldCompare, FieldFileType, FieldInode, fieldDevMajor, fieldDevMinor, fieldObjUID, fieldObjGID:
		return false
	}
	return !t.IsText()
}

// isBeyondPerm tells whether r is about accesses to files, and o only about system calls
// that are no such access: what a permission matches is a fixed set of system calls
// (kernel/auditsc.c, audit_match_perm).
func (r *Rule) isBeyondPerm(o *Rule) bool {
	p, ok := r.Field(FieldPerm)
	if !ok || p.Op != Equal || r.List != Exit {
		return false
	}
	f, ok := o.Field(FieldArch)
	arch := Arch(f.Value)
	return ok && f.Op == Equal && arch.HasSyscalls() && !arch.accesses(p.Value).hasSomeOf(&o.Syscalls)
}

// accesses are the system calls of an architecture that some permissions match.
func (a Arch) accesses(perm uint32) *SyscallSet {
	type question struct {
		arch Arch
		perm uint32
	}
	if s, known := accessesOf.Load(question{a, perm}); known {
		return s.(*SyscallSet)
	}
	s := &SyscallSet{}
	for _, row := range permCalls {
		if row.perm&perm == 0 {
			continue
		}
		for name := range strings.FieldsSeq(row.calls) {
			if nr, ok := a.SyscallNumber(name); ok {
				s.Add(nr)
			}
		}
	}
	accessesOf.Store(question{a, perm}, s)
	return s
}

var accessesOf sync.Map // answers of accesses

// permCalls are what audit_match_perm knows itself, and the members of its classes
// (include/asm-generic/audit_read.h, audit_write.h, audit_dir_write.h, audit_change_attr.h).
var permCalls = []struct {
	perm  uint32
	calls string
}{
	{Read | Write, "open openat openat2"},
	{Execute, "execve execveat uselib"},
	{Read, "readlink readlinkat quotactl quotactl_fd listxattr llistxattr flistxattr listxattrat " +
		"getxattr lgetxattr fgetxattr getxattrat file_getattr"},
	{Write, "socketcall acct swapon quotactl quotactl_fd truncate truncate64 ftruncate ftruncate64 bind fallocate open_tree_attr " +
		"rename renameat renameat2 mkdir mkdirat rmdir creat link linkat unlink unlinkat symlink symlinkat mknod mknodat"},
	{Attribute, "chmod fchmod fchmodat fchmodat2 chown lchown fchown fchownat chown32 lchown32 fchown32 link linkat " +
		"setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat file_setattr"},
}
