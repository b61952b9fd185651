package audit

import (
	"strconv"
	"strings"
)

// String returns the rule as arguments of auditctl(8). Other than `auditctl -l` it
// loses nothing: ParseRule makes the same rule of it again, on every machine, as long
// as Check has nothing against it and its keys are the last field. It has numbers for
// users and groups.
func (r *Rule) String() string {
	var w ruleWriter
	option := "-a"
	if r.Prepend {
		option = "-A"
	}
	w.add(option, r.Action.String()+","+r.List.String())
	_, hasArch := r.Arch()
	if !hasArch {
		w.syscalls(r)
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		w.field(f)
		if f.Type == FieldArch && hasArch {
			w.syscalls(r)
			hasArch = false
		}
	}
	return strings.Join(w.words, " ")
}

// ruleWriter writes a rule.
type ruleWriter struct{ words []string }

func (w *ruleWriter) add(option, value string) { w.words = append(w.words, option, escape(value)) }

func (w *ruleWriter) field(f *Field) {
	if _, _, ok := f.Pair(); ok {
		w.add("-C", f.String())
		return
	}
	if f.Type != FieldKey {
		w.add("-F", f.String())
		return
	}
	for _, key := range strings.Split(f.Text, KeySeparator) {
		w.add("-F", "key="+key)
	}
}

// syscalls writes the system calls of a rule, unless they are those that a rule of
// its list has that says nothing of them.
func (w *ruleWriter) syscalls(r *Rule) {
	switch {
	case r.Syscalls == defaultSyscalls(r.List):
	case r.Syscalls.IsAll():
		w.add("-S", "all")
	case r.Syscalls.IsEmpty():
		w.add("-S", "none")
	default:
		w.add("-S", strings.Join(r.SyscallNames(), ","))
	}
}

// defaultSyscalls are those of a rule that names none.
func defaultSyscalls(l List) SyscallSet {
	if l == Task {
		return SyscallSet{}
	}
	return AllSyscalls()
}

// SyscallName returns the name of a system call as a rule of r's list and architecture
// has it, or of an operation of io_uring; its number where there is no name.
func (r *Rule) SyscallName(nr int) string {
	a, _ := r.Arch()
	name, ok := a.SyscallName(nr)
	if r.List == IOURing {
		name, ok = URingOpName(nr)
	}
	if !ok {
		name = strconv.Itoa(nr)
	}
	return name
}

// SyscallNames returns the names of all system calls of the rule, as SyscallName does.
func (r *Rule) SyscallNames() []string {
	names := []string{}
	for nr := range r.Syscalls.All() {
		names = append(names, r.SyscallName(nr))
	}
	return names
}

// String returns the field as auditctl's options -F and -C take it: which of them tells
// Pair.
func (f *Field) String() string {
	if left, right, ok := f.Pair(); ok {
		return left + f.Op.String() + right
	}
	row := fieldByType[f.Type]
	if row == nil {
		return f.Type.String() + f.Op.String() + strconv.FormatUint(uint64(f.Value), 10)
	}
	return row.name + f.Op.String() + row.value.print(f)
}

// Pair returns the names of the fields that a field of auditctl's option -C compares with
// each other (AUDIT_COMPARE_* of include/uapi/linux/audit.h), and whether it is one.
func (f *Field) Pair() (left, right string, ok bool) {
	if f.Type != FieldCompare {
		return "", "", false
	}
	names, ok := comparePair(f.Value)
	return names[0], names[1], ok
}
