package audit

import "iter"

// syscallWords is AUDIT_BITMASK_SIZE.
const syscallWords = 64

// MaxSyscall is the highest number of a system call that a rule can name. The 16
// bits behind it are classes, which the kernel replaces by their members when the
// rule is added (include/uapi/linux/audit.h, AUDIT_SYSCALL_CLASSES).
const MaxSyscall = 32*syscallWords - 16 - 1

// A SyscallSet is a set of system calls by their numbers, or of operations of
// io_uring. The zero value is empty.
type SyscallSet [syscallWords]uint32

// AllSyscalls returns the set of all system calls, as the kernel lists it.
func AllSyscalls() (s SyscallSet) {
	for i := range s {
		s[i] = 1<<32 - 1
	}
	return s.withoutClasses()
}

// Add adds a number up to MaxSyscall; others are no system calls, and left out.
func (s *SyscallSet) Add(nr int) {
	if nr >= 0 && nr <= MaxSyscall {
		s[nr/32] |= 1 << (nr % 32)
	}
}

// Has tells whether a number is in the set.
func (s *SyscallSet) Has(nr int) bool {
	return nr >= 0 && nr <= MaxSyscall && s[nr/32]&(1<<(nr%32)) != 0
}

// IsAll tells whether all system calls are in the set.
func (s *SyscallSet) IsAll() bool { return s.withoutClasses() == AllSyscalls() }

// IsEmpty tells whether nothing is in the set.
func (s *SyscallSet) IsEmpty() bool { return *s == SyscallSet{} }

// All yields the numbers in the set, in order.
func (s *SyscallSet) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for nr := range MaxSyscall + 1 {
			if s.Has(nr) && !yield(nr) {
				return
			}
		}
	}
}

// hasAllOf tells whether every number of o is in the set.
func (s *SyscallSet) hasAllOf(o *SyscallSet) bool {
	for i, word := range o.withoutClasses() {
		if word&^s[i] != 0 {
			return false
		}
	}
	return true
}

// hasSomeOf tells whether a number of o is in the set.
func (s *SyscallSet) hasSomeOf(o *SyscallSet) bool {
	for i, word := range o.withoutClasses() {
		if word&s[i] != 0 {
			return true
		}
	}
	return false
}

// normal is the form in which the kernel lists a set: with all system calls the
// classes add nothing.
func (s SyscallSet) normal() SyscallSet {
	if s.IsAll() {
		return AllSyscalls()
	}
	return s
}

func (s SyscallSet) withoutClasses() SyscallSet {
	s[syscallWords-1] &= 1<<16 - 1
	return s
}
