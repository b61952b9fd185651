package audit

import (
	"fmt"
	"slices"
	"strings"
)

// Pitfalls tells what the rule does that its author may not want, a sentence each, as far
// as the rule itself says it: what it costs, which programs escape it, which numbers mean
// something else. Beside are rules that belong to it, such as one for another
// architecture. PathPitfalls looks at the files.
func (r *Rule) Pitfalls(beside []Rule) []string {
	p := pitfalls{rule: r, beside: beside}
	p.ofList()
	if r.List == Exit {
		p.ofArch()
		p.ofCost()
	}
	p.ofFields()
	return p.list
}

// pitfalls collects those of a rule.
type pitfalls struct {
	rule   *Rule
	beside []Rule
	list   []string
}

func (p *pitfalls) warn(format string, args ...any) {
	p.list = append(p.list, fmt.Sprintf(format, args...))
}

// isFree tells whether the rule has no condition but an architecture.
func (p *pitfalls) isFree() bool {
	n := p.rule.conditions()
	if _, given := p.rule.Arch(); given {
		n--
	}
	return n == 0
}

func (p *pitfalls) has(t FieldType) bool {
	_, ok := p.rule.Field(t)
	return ok
}

func (p *pitfalls) ofList() {
	r := p.rule
	if flaw := r.Flaw(); flaw != "" {
		p.warn("%s", flaw)
	}
	if r.Action == Never && r.List == Exit && r.conditions() == 0 && r.Syscalls.IsAll() {
		p.warn("the rules behind it do nothing")
	}
	if r.Action == Always && r.List.HasSyscalls() && len(r.Keys()) == 0 {
		p.warn("without a key its records are hard to find (ausearch -k)")
	}
}

// ofArch tells of numbers that mean something else elsewhere.
func (p *pitfalls) ofArch() {
	r := p.rule
	a, given := r.Arch()
	b64, has64 := a.B64()
	b32, has32 := a.B32()
	if !given {
		if has32 && b32 != a && !r.Syscalls.IsAll() && !r.Syscalls.IsEmpty() {
			p.warn("without arch it is also about other calls of programs of 32 bits: on %s these are %s; arch=b64,b32 makes a rule for each", b32, p.callsOn(b32))
		}
		return
	}
	f, _ := r.Field(FieldArch)
	native := Native()
	own64, _ := native.B64()
	own32, _ := native.B32()
	hasBoth := has64 && has32 && b64 != b32
	switch {
	case f.Op != Equal:
	case a != native && a != own64 && a != own32:
		p.warn("programs of this machine (%s) are never of %s", native, a)
	case hasBoth && a == b64 && !p.isBeside(b32):
		p.warn("programs of 32 bits (%s) escape it: arch=b64,b32 makes a rule for each", b32)
	case hasBoth && a == b32 && !p.isBeside(b64):
		p.warn("programs of 64 bits (%s) escape it: arch=b64,b32 makes a rule for each", b64)
	}
}

func (p *pitfalls) isBeside(a Arch) bool {
	return slices.ContainsFunc(p.beside, func(o Rule) bool { of, given := o.Arch(); return given && of == a })
}

// callsOn names the numbers of the rule on another architecture.
func (p *pitfalls) callsOn(a Arch) string {
	o := Rule{List: Exit, Syscalls: p.rule.Syscalls, Fields: []Field{{Type: FieldArch, Op: Equal, Value: uint32(a)}}}
	var parts []string
	for nr := range o.Syscalls.All() {
		parts = append(parts, fmt.Sprintf("%s (%d)", o.SyscallName(nr), nr))
	}
	return strings.Join(parts, ", ")
}

// ofCost tells what a rule costs. The kernel finds those of a file by its inode; it tries
// all others one by one (kernel/auditsc.c, audit_filter_syscall).
func (p *pitfalls) ofCost() {
	r := p.rule
	switch {
	case !r.isTried() || r.Syscalls.IsEmpty():
	case r.Action == Always && r.Syscalls.IsAll() && p.isFree():
		p.warn("it makes a record of every system call of every process")
	case r.Syscalls.IsAll():
		p.warn("it is tried at the end of every system call of every process, which costs some 10 ns each time")
	}
	if p.has(FieldPerm) && !p.has(FieldPath) && !p.has(FieldDir) && !p.has(FieldInode) {
		p.warn("perm without path or dir is about every file of the machine")
	}
	if p.has(FieldPerm) && !r.Syscalls.IsAll() {
		p.warn("perm and the system calls have to hold both: of those named only the ones that do what perm says are left")
	}
}

func (p *pitfalls) ofFields() {
	r := p.rule
	for i := range r.Fields {
		f := &r.Fields[i]
		switch f.Type {
		case FieldExit:
			if name, ok := ErrnoName(int(int32(f.Value))); ok && f.Op == Equal {
				p.warn("exit=%d is a result, not the error %s: that is exit=-%s", f.Value, name, name)
			}
			p.ofComparison(f)
		case fieldSuccess:
			p.ofComparison(f)
		case FieldAUID:
			if s, bound := r.span(f.Type); bound && s.high >= unset && f.Op != NotEqual && !p.excludesUnset() {
				p.warn("%s also holds where the login uid is not set, which is 4294967295: add auid!=unset", f)
			}
		case FieldInode:
			if !p.has(fieldDevMajor) || !p.has(fieldDevMinor) {
				p.warn("an inode number is of any file system, unless devmajor and devminor say of which")
			}
		}
	}
	if p.has(FieldPID) || p.has(fieldPPID) {
		p.warn("the number of a process is used again when it is gone")
	}
}

// ofComparison tells of comparisons whose outcome is not what it looks like.
func (p *pitfalls) ofComparison(f *Field) {
	switch {
	case f.Op == Equal || f.Op == NotEqual || f.neverHolds(): // see Flaw
	case f.Type == FieldExit:
		p.warn("%s is compared without a sign: errors are more than all other results", f)
	default:
		p.warn("%s is compared with 1 for success and 2 for failure, which is what 0 stands for", f)
	}
}

func (p *pitfalls) excludesUnset() bool {
	return slices.ContainsFunc(p.rule.Fields, func(f Field) bool {
		return f.Type == FieldAUIDSet || f.Type == FieldAUID && f.Op == NotEqual && f.Value == unset
	})
}
