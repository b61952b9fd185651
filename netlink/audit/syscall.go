package audit

import (
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:generate go run ./internal/gentables

// A syscallTable has the system calls of architectures that count alike.
type syscallTable struct {
	archs []Arch
	text  string // see syscallTables

	once    sync.Once // fills what follows
	names   map[int]string
	numbers map[string]int
	order   []int // the numbers
}

// auditctlNames are auditctl's names for system calls that the kernel calls
// otherwise (lib/*_table.h of audit-userspace): what rules are written with. Where an
// architecture has a call of that very name it is that.
var auditctlNames = map[string]string{
	"fadvise64_64":            "arm_fadvise64_64",
	"fstatat64":               "newfstatat",
	"getdents":                "getdents64",
	"llseek":                  "_llseek",
	"newfstat":                "fstat",
	"newselect":               "_newselect",
	"perf_counter_open":       "perf_event_open",
	"pread":                   "pread64",
	"pwrite":                  "pwrite64",
	"sched_rr_get_interval64": "sched_rr_get_interval_time64",
	"sync_file_range":         "arm_sync_file_range",
	"sys_kexec_load":          "kexec_load",
	"sysctl":                  "_sysctl",
	"timerfd":                 "timerfd_create",
}

// HasSyscalls tells whether the names of a's system calls are known. Of machines that
// auditctl(8) knows, s390 and ia64 are missing.
func (a Arch) HasSyscalls() bool { return a.syscalls() != nil }

// SyscallNumber returns the number of a system call: what arch/*/kernel/syscalls or
// include/uapi/asm-generic/unistd.h of the kernel have for its name. Case does not
// matter, and names that only auditctl(8) has are known, as pread. It is not found
// where there is no such call on a, or the calls of a are not known.
func (a Arch) SyscallNumber(name string) (nr int, ok bool) {
	t := a.syscalls()
	if t == nil {
		return 0, false
	}
	name = strings.ToLower(name)
	if nr, ok = t.numbers[name]; !ok {
		nr, ok = t.numbers[auditctlNames[name]]
	}
	return nr, ok
}

// SyscallName returns the kernel's name of the system call with a number. It is not
// found where there is none on a, or one newer than the table.
func (a Arch) SyscallName(nr int) (name string, ok bool) {
	if t := a.syscalls(); t != nil {
		name, ok = t.names[nr]
	}
	return name, ok
}

// Syscalls yields the numbers and the kernel's names of a's system calls, in the order
// of the numbers; nothing if they are not known.
func (a Arch) Syscalls() iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		t := a.syscalls()
		if t == nil {
			return
		}
		for _, nr := range t.order {
			if !yield(nr, t.names[nr]) {
				return
			}
		}
	}
}

// syscalls returns the table of a, or nil.
func (a Arch) syscalls() *syscallTable {
	for _, t := range syscallTables {
		if slices.Contains(t.archs, a) {
			t.once.Do(t.fill)
			return t
		}
	}
	return nil
}

func (t *syscallTable) fill() {
	t.names, t.numbers = make(map[int]string), make(map[string]int)
	for line := range strings.Lines(t.text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		first, err := strconv.Atoi(fields[0])
		if err != nil {
			panic("audit: a generated table is broken: " + err.Error())
		}
		for i, name := range fields[1:] {
			t.names[first+i], t.numbers[name] = name, first+i
		}
	}
	t.order = slices.Sorted(maps.Keys(t.names))
}
