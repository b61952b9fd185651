package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nlapply/nlapply/netlink/audit"
)

// pitfalls finds what a rule does that its author may not want.
type pitfalls struct {
	rule   *audit.Rule
	beside []audit.Rule // all rules of the line
	names  []string     // of users and groups, that were read as numbers
	list   []string
}

func (p *pitfalls) warn(format string, args ...any) {
	p.list = append(p.list, fmt.Sprintf(format, args...))
}

// find looks for all.
func (p *pitfalls) find() []string {
	p.ofList()
	if p.rule.List == audit.Exit {
		p.ofArch()
		p.ofCost()
	}
	p.ofFields()
	for _, name := range p.names {
		p.warn("%s is a number from when the rule is loaded on: if it changes in the user database, the rule does not", name)
	}
	return p.list
}

// conditions counts the fields that decide whether the rule matches.
func (p *pitfalls) conditions() (n int) {
	for i := range p.rule.Fields {
		if t := p.rule.Fields[i].Type; t != audit.FieldKey && t != audit.FieldArch {
			n++
		}
	}
	return n
}

func (p *pitfalls) has(t audit.FieldType) bool {
	_, ok := p.rule.Field(t)
	return ok
}

func (p *pitfalls) ofList() {
	r := p.rule
	if why := ruleWarning(r); why != "" {
		p.warn("%s", why)
	}
	switch {
	case r.List == audit.Exclude && p.conditions() == 0:
		p.warn("without a condition it matches nothing")
	case r.List == audit.User && r.Action == audit.Never && unseenField(r) != "":
		p.warn("it leaves out nothing: the kernel does not know %s on this list, and keeps the record", unseenField(r))
	case r.List == audit.Filesystem && r.Action == audit.Always:
		p.warn("it does nothing: on this list only never has an effect")
	case hasSyscalls(r.List) && r.Syscalls.IsEmpty():
		p.warn("it matches nothing, as it names no system call")
	case r.Action == audit.Never && p.conditions() == 0 && r.List == audit.Exit && r.Syscalls.IsAll():
		p.warn("the rules behind it do nothing")
	}
	if r.Action == audit.Always && hasSyscalls(r.List) && len(r.Keys()) == 0 {
		p.warn("without a key its records are hard to find (ausearch -k)")
	}
}

// ofArch tells of numbers that mean something else elsewhere.
func (p *pitfalls) ofArch() {
	r := p.rule
	a, given := archOf(r)
	b64, has64 := a.B64()
	b32, has32 := a.B32()
	if !given {
		if has32 && b32 != a && !r.Syscalls.IsAll() && !r.Syscalls.IsEmpty() {
			p.warn("without arch it is also about other calls of programs of 32 bits: on %s these are %s; arch=b64,b32 makes a rule for each", b32, p.callsOn(b32))
		}
		return
	}
	f, _ := r.Field(audit.FieldArch)
	native := audit.Native()
	own64, _ := native.B64()
	own32, _ := native.B32()
	isBeside := func(o audit.Arch) bool {
		return slices.ContainsFunc(p.beside, func(b audit.Rule) bool { g, ok := b.Field(audit.FieldArch); return ok && g.Value == uint32(o) })
	}
	switch {
	case f.Op != audit.Equal:
	case a != native && a != own64 && a != own32:
		p.warn("programs of this machine (%s) are never of %s", native, a)
	case has64 && has32 && b64 != b32 && a == b64 && !isBeside(b32):
		p.warn("programs of 32 bits (%s) escape it: arch=b64,b32 makes a rule for each", b32)
	case has64 && has32 && b64 != b32 && a == b32 && !isBeside(b64):
		p.warn("programs of 64 bits (%s) escape it: arch=b64,b32 makes a rule for each", b64)
	}
}

// callsOn names the numbers of the rule on another architecture.
func (p *pitfalls) callsOn(a audit.Arch) string {
	o := audit.Rule{List: audit.Exit, Syscalls: p.rule.Syscalls, Fields: []audit.Field{{Type: audit.FieldArch, Op: audit.Equal, Value: uint32(a)}}}
	return namedCalls(&o)
}

// ofCost tells what a rule costs. The kernel finds those of a file by its inode; it tries
// all others one by one (kernel/auditsc.c, audit_filter_syscall).
func (p *pitfalls) ofCost() {
	r := p.rule
	switch {
	case p.has(audit.FieldPath) || p.has(audit.FieldInode) || r.Syscalls.IsEmpty():
	case r.Action == audit.Always && r.Syscalls.IsAll() && p.conditions() == 0:
		p.warn("it makes a record of every system call of every process")
	case r.Syscalls.IsAll():
		p.warn("it is tried at the end of every system call of every process, which costs some 10 ns each time")
	}
	if p.has(audit.FieldPerm) && !p.has(audit.FieldPath) && !p.has(audit.FieldDir) && !p.has(audit.FieldInode) {
		p.warn("perm without path or dir is about every file of the machine")
	}
	if p.has(audit.FieldPerm) && !r.Syscalls.IsAll() {
		p.warn("perm and the system calls have to hold both: of those named only the ones that do what perm says are left")
	}
}

func (p *pitfalls) ofFields() {
	r := p.rule
	for i := range r.Fields {
		f := &r.Fields[i]
		switch f.Type {
		case audit.FieldPath, audit.FieldExe:
			p.ofPath(f)
		case audit.FieldDir:
			p.ofDir(f)
		case audit.FieldExit:
			if name, ok := audit.ErrnoName(int(int32(f.Value))); ok && f.Op == audit.Equal {
				p.warn("exit=%d is a result, not the error %s: that is exit=-%s", f.Value, name, name)
			}
		case audit.FieldAUID:
			if s, bound := spanOf(r, f.Type); bound && s.high >= unsetID && f.Op != audit.NotEqual && !p.excludesUnset() {
				p.warn("%s also holds where the login uid is not set, which is 4294967295: add auid!=unset", f)
			}
		case audit.FieldInode:
			if !p.hasNamed("devmajor") || !p.hasNamed("devminor") {
				p.warn("an inode number is of any file system, unless devmajor and devminor say of which")
			}
		}
	}
	if p.hasNamed("pid") || p.hasNamed("ppid") {
		p.warn("the number of a process is used again when it is gone")
	}
}

const unsetID = 1<<32 - 1

func (p *pitfalls) excludesUnset() bool {
	return slices.ContainsFunc(p.rule.Fields, func(f audit.Field) bool {
		return f.Type == audit.FieldAUIDSet || f.Type == audit.FieldAUID && f.Op == audit.NotEqual && f.Value == unsetID
	})
}

func (p *pitfalls) hasNamed(name string) bool {
	t, err := audit.ParseFieldType(name)
	return err == nil && p.has(t)
}

// ofPath looks at a file that a rule names, and at the way there.
func (p *pitfalls) ofPath(f *audit.Field) {
	if !p.isThere(filepath.Dir(f.Text)) {
		return
	}
	info, err := os.Lstat(f.Text)
	switch {
	case errors.Is(err, os.ErrNotExist) && f.Type == audit.FieldPath:
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

func (p *pitfalls) ofDir(f *audit.Field) {
	if !p.isThere(f.Text) {
		return
	}
	dir := strings.TrimRight(f.Text, "/")
	info, err := os.Lstat(dir)
	switch {
	case err == nil && info.Mode()&os.ModeSymlink != 0:
		target, _ := os.Readlink(dir)
		p.warn("%s is a symbolic link, to %s: the rule never acts", dir, target)
	case err == nil && !info.IsDir():
		p.warn("%s is no directory: path= is for files", f.Text)
	}
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
