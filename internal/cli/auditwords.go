package cli

import (
	"cmp"
	"fmt"
	"os/user"
	"strconv"
	"strings"
	"syscall"

	"github.com/nlapply/nlapply/netlink/audit"
)

// subjects are what fields look at, by their names. That of a text needs no more than
// the text behind it.
var subjects = map[string]string{
	"pid": "the process id", "ppid": "the parent's process id", "uid": "the user id", "euid": "the effective user id",
	"suid": "the saved user id", "fsuid": "the user id for files", "gid": "the group id", "egid": "the effective group id",
	"sgid": "the saved group id", "fsgid": "the group id for files", "auid": "the login uid",
	"pers": "the personality of the process", "sessionid": "the number of the login session", "msgtype": "the type of the record",
	"subj_user": "the SELinux user of the process", "subj_role": "the SELinux role of the process", "subj_type": "the SELinux type of the process",
	"subj_sen": "the low SELinux level of the process", "subj_clr": "the high SELinux level of the process",
	"obj_user": "the SELinux user of the file", "obj_role": "the SELinux role of the file", "obj_type": "the SELinux type of the file",
	"obj_lev_low": "the low SELinux level of the file", "obj_lev_high": "the high SELinux level of the file",
	"obj_uid": "the owner of a file that is touched", "obj_gid": "the group of a file that is touched",
	"devmajor": "the major number of the device with a file that is touched", "devminor": "the minor number of the device with a file that is touched",
	"inode": "the inode number of a file that is touched", "filetype": "the type of a file that is touched", "fstype": "the type of the file system",
	"exit": "the result of the system call", "exe": "the program's file", "path": "a file that is touched",
	"saddr_fam": "the family of the socket address", "a0": "the first argument (32 bits of it)", "a1": "the second argument (32 bits of it)",
	"a2": "the third argument (32 bits of it)", "a3": "the fourth argument (32 bits of it)",
}

var opWords = map[audit.Op]string{
	audit.Equal: "is", audit.NotEqual: "is not", audit.Less: "is less than", audit.LessEqual: "is at most",
	audit.Greater: "is more than", audit.GreaterEqual: "is at least", audit.BitMask: "has some of the bits", audit.BitTest: "has all of the bits",
}

// permWords are what perm looks for.
var permWords = []struct {
	bit  uint32
	word string
}{{audit.Read, "reads"}, {audit.Write, "writes"}, {audit.Execute, "executes"}, {audit.Attribute, "changes attributes of"}}

// fieldMeaning says in words what a condition asks for.
func fieldMeaning(f *audit.Field) string {
	d := describeField(f)
	not := ""
	if f.Op == audit.NotEqual {
		not = "not "
	}
	switch {
	case d.Other != "":
		return fmt.Sprintf("%s %s %s", subject(d.Field), opWords[f.Op], subject(d.Other))
	case f.Type == audit.FieldDir:
		return "a file that is touched is " + f.Text + ", or below it"
	case f.Type == audit.FieldPerm:
		return fmt.Sprintf("the system call is %sone that %s a file", not, permMeaning(f.Value))
	case f.Type == audit.FieldArch:
		return fmt.Sprintf("the system call is %sof %s", not, archMeaning(audit.Arch(f.Value)))
	case f.Type == audit.FieldAUIDSet || d.Field == "auid" && d.Value == "unset":
		return loginMeaning(f)
	case d.Field == "success":
		return successMeaning(f)
	}
	return fmt.Sprintf("%s %s %s", subject(d.Field), opWords[f.Op], valueMeaning(f, d)+signMeaning(f))
}

// signMeaning says of a comparison of results that it knows no negative ones.
func signMeaning(f *audit.Field) string {
	if f.Type != audit.FieldExit || f.Op == audit.Equal || f.Op == audit.NotEqual {
		return ""
	}
	return ", both without a sign"
}

func subject(name string) string { return cmp.Or(subjects[name], name) }

func permMeaning(bits uint32) string {
	var words []string
	for _, p := range permWords {
		if bits&p.bit != 0 {
			words = append(words, p.word)
		}
	}
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " or " + words[n-1]
	}
	return strings.Join(words, "")
}

func archMeaning(a audit.Arch) string {
	bits := 32
	if a.Is64() {
		bits = 64
	}
	return fmt.Sprintf("%s (%d bits)", a, bits)
}

func loginMeaning(f *audit.Field) string {
	isSet := f.Op == audit.NotEqual // auid!=unset
	if f.Type == audit.FieldAUIDSet {
		isSet = (f.Value == 1) == (f.Op == audit.Equal)
	}
	if isSet {
		return "the login uid is set: the process is of somebody who logged in"
	}
	return "the login uid is not set: the process is no one's who logged in"
}

func successMeaning(f *audit.Field) string {
	switch {
	case f.Op != audit.Equal && f.Op != audit.NotEqual:
		return fmt.Sprintf("success (1) or failure (2) of the system call %s %d", opWords[f.Op], 2-min(f.Value, 1))
	case (f.Value == 1) == (f.Op == audit.Equal):
		return "the system call succeeds"
	}
	return "the system call fails"
}

// valueMeaning is a value with what it stands for.
func valueMeaning(f *audit.Field, d auditField) string {
	name := ""
	switch {
	case strings.HasSuffix(d.Field, "uid"):
		if u, err := user.LookupId(d.Value); err == nil {
			name = u.Username
		}
	case strings.HasSuffix(d.Field, "gid"):
		if g, err := user.LookupGroupId(d.Value); err == nil {
			name = g.Name
		}
	case f.Type == audit.FieldExit && int32(f.Value) < 0:
		name = syscall.Errno(-int32(f.Value)).Error()
	case f.Type == audit.FieldMsgType:
		name = strconv.Itoa(int(f.Value))
	}
	if name == "" || name == d.Value {
		return d.Value
	}
	return d.Value + " (" + name + ")"
}

// ruleEffect says in a sentence what a rule does, but for its conditions.
func ruleEffect(r *audit.Rule) string {
	if r.List == audit.Exclude {
		return "leaves out records (whatever the action)"
	}
	if r.List == audit.Filesystem {
		return "leaves out the paths on file systems"
	}
	verb := "makes a record"
	if r.Action == audit.Never {
		verb = "makes no record, and ends the search through the list,"
	}
	return verb + " " + map[audit.List]string{
		audit.User: "of what a program reports to audit", audit.Task: "when a process begins",
		audit.Exit: "when a system call ends", audit.IOURing: "when an operation of io_uring ends",
	}[r.List]
}

// syscallMeaning says which system calls a rule is for, "" on lists that have none.
func syscallMeaning(r *audit.Rule) string {
	what := "system call"
	a, given := r.Arch()
	of := " of " + a.String()
	if r.List == audit.IOURing {
		what, of = "operation", ""
	} else if !given {
		of += ", and whatever has these numbers elsewhere"
	}
	switch {
	case !r.List.HasSyscalls():
		return ""
	case r.Syscalls.IsAll():
		return "any " + what
	case r.Syscalls.IsEmpty():
		return "none"
	}
	return namedCalls(r) + of
}

// namedCalls lists system calls by names and numbers.
func namedCalls(r *audit.Rule) string {
	var parts []string
	for nr := range r.Syscalls.All() {
		number := strconv.Itoa(nr)
		if name := r.SyscallName(nr); name != number {
			number = name + " (" + number + ")"
		}
		parts = append(parts, number)
	}
	return strings.Join(parts, ", ")
}
