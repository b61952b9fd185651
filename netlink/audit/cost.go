package audit

import (
	"cmp"
	"slices"
	"time"
)

// DeleteTime is about what the kernel takes to delete a rule: it waits until no processor
// looks at it any more (kernel/auditfilter.c, audit_del_rule; measured on v6.18: 10 to
// 16 ms, one rule after the other).
const DeleteTime = 12 * time.Millisecond

// A Load is how many rules the kernel tries at the end of a system call.
type Load struct {
	Syscall int // its number, whatever the architecture
	Rules   int
}

// Loads returns the system calls at the end of which more rules than a number are tried
// one by one, the most burdened first. Those of a file cost nothing there: the kernel
// finds them by its inode (kernel/auditsc.c, audit_filter_syscall, audit_filter_inodes).
func Loads(rules []Rule, above int) (list []Load) {
	var counts, native [MaxSyscall + 1]int
	for i := range rules {
		r := &rules[i]
		if r.List != Exit || !r.isTried() {
			continue
		}
		a, _ := r.Arch()
		for nr := range r.Syscalls.All() {
			counts[nr]++
			if a == Native() {
				native[nr]++
			}
		}
	}
	for nr, n := range counts {
		if n > above {
			list = append(list, Load{nr, n})
		}
	}
	slices.SortStableFunc(list, func(a, b Load) int {
		return cmp.Or(b.Rules-a.Rules, native[b.Syscall]-native[a.Syscall])
	})
	return list
}

// isTried tells whether a rule of the list exit is tried with all others.
func (r *Rule) isTried() bool {
	return !slices.ContainsFunc(r.Fields, func(f Field) bool { return f.Type == FieldPath || f.Type == FieldInode })
}

// filterTimes are what a system call took that met a number of rules none of which
// matched: measured on v6.18 (x86_64).
var filterTimes = []struct {
	rules int
	took  time.Duration
}{{0, 130}, {1, 160}, {100, 1000}, {1000, 8500}, {10000, 315000}}

// FilterTime is about how much longer a system call takes at the end of which a number
// of rules are tried: what was measured, and what lies between.
func FilterTime(rules int) time.Duration {
	last := filterTimes[0]
	for _, next := range filterTimes[1:] {
		if rules <= next.rules || next == filterTimes[len(filterTimes)-1] {
			slope := float64(next.took-last.took) / float64(next.rules-last.rules)
			return last.took - filterTimes[0].took + time.Duration(slope*float64(rules-last.rules))
		}
		last = next
	}
	return 0
}
