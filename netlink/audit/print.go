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
	w := ruleWriter{arch: Native()}
	option := "-a"
	if r.Prepend {
		option = "-A"
	}
	w.add(option, r.Action.String()+","+r.List.String())
	a, hasArch := r.Field(FieldArch)
	if hasArch {
		w.arch = Arch(a.Value)
	} else {
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
type ruleWriter struct {
	words []string
	arch  Arch
}

func (w *ruleWriter) add(option, value string) { w.words = append(w.words, option, escape(value)) }

func (w *ruleWriter) field(f *Field) {
	if names, ok := comparePair(f.Value); ok && f.Type == FieldCompare {
		w.add("-C", names[0]+f.Op.String()+names[1])
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
		w.add("-S", r.syscallList(w.arch))
	}
}

// defaultSyscalls are those of a rule that names none.
func defaultSyscalls(l List) SyscallSet {
	if l == Task {
		return SyscallSet{}
	}
	return AllSyscalls()
}

// syscallList names the system calls of the rule, by numbers where there are no names.
func (r *Rule) syscallList(a Arch) string {
	var names []string
	for nr := range r.Syscalls.All() {
		name, ok := a.SyscallName(nr)
		if r.List == IOURing {
			name, ok = uringOpName(nr)
		}
		if !ok {
			name = strconv.Itoa(nr)
		}
		names = append(names, name)
	}
	return strings.Join(names, ",")
}

// String returns the field as auditctl's option -F takes it.
func (f *Field) String() string {
	row := fieldByType[f.Type]
	if row == nil {
		return f.Type.String() + f.Op.String() + strconv.FormatUint(uint64(f.Value), 10)
	}
	return row.name + f.Op.String() + row.value.print(f)
}
