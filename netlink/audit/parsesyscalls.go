package audit

import (
	"iter"
	"slices"
	"strconv"
)

// hasSyscalls tells whether the kernel looks at the system calls of a rule of a list.
func (l List) hasSyscalls() bool { return l == Exit || l == IOURing }

// syscalls gives a rule its system calls, or operations of io_uring, and tells whether
// an architecture has any of those that are named.
func (p *parser) syscalls(a Arch, r *Rule) (some bool) {
	d := &p.rule
	names := d.syscalls
	if r.List == IOURing {
		names = append(slices.Clone(names), d.uring...)
	} else if len(d.uring) > 0 {
		p.fail(d.uring[0], "-U is for the list io_uring")
		return false
	}
	if len(names) == 0 {
		r.Syscalls = defaultSyscalls(r.List)
		return true
	}
	switch {
	case d.watch:
		p.fail(names[0], "-S does not go with -w, which is for all system calls")
		return false
	case !r.List.hasSyscalls():
		p.noteOnce(names[0], "the list %s has no system calls: -S means nothing there", r.List)
	}
	for _, w := range names {
		if !p.syscall(a, r, w) {
			p.noteOnce(w, "%s has no system call %s: the rule for it is without", a, w.text)
			continue
		}
		some = true
	}
	if len(d.archs) == 0 && r.List == Exit && !r.Syscalls.IsAll() {
		if b32, ok := a.B32(); ok {
			p.noteOnce(names[0], "without arch, these numbers are meant on %s as well, where they are other system calls", b32)
		}
	}
	return some
}

// syscall adds what a word of -S says, and tells whether the architecture has it.
func (p *parser) syscall(a Arch, r *Rule, w word) bool {
	switch w.text {
	case "all":
		r.Syscalls = AllSyscalls()
		return true
	case "none":
		return true
	}
	if nr, err := strconv.Atoi(w.text); err == nil {
		if nr < 0 || nr > MaxSyscall {
			p.fail(w, "system call %d is out of range 0..%d", nr, MaxSyscall)
		}
		r.Syscalls.Add(nr)
		return true
	}
	nr, ok := callNumber(r.List, a, w.text)
	if ok {
		r.Syscalls.Add(nr)
	}
	return ok
}

// callNumber returns the number of a system call, or of an operation of io_uring.
func callNumber(l List, a Arch, name string) (int, bool) {
	if l == IOURing {
		return uringOpNumber(name)
	}
	return a.SyscallNumber(name)
}

// unknownEverywhere reports the names that none of the architectures has.
func (p *parser) unknownEverywhere() {
	d := &p.rule
	archs := d.archs
	if len(archs) == 0 {
		archs = []archWord{{arch: p.syntax.arch()}}
	}
	for _, w := range slices.Concat(d.syscalls, d.uring) {
		if w.text == "all" || w.text == "none" {
			continue
		}
		if _, err := strconv.Atoi(w.text); err == nil {
			continue
		}
		if slices.ContainsFunc(archs, func(a archWord) bool { _, ok := callNumber(d.rule.List, a.arch, w.text); return ok }) {
			continue
		}
		p.failUnknown(w, archs[0].arch)
	}
}

func (p *parser) failUnknown(w word, a Arch) {
	if p.rule.rule.List == IOURing {
		p.fail(w, "%s is no operation of io_uring%s", quoted(w.text), suggestion(w.text, uringOpNames()))
		return
	}
	hint := suggestion(w.text, syscallNames(a))
	for _, other := range []func() (Arch, bool){a.B64, a.B32} {
		if o, ok := other(); ok && o != a {
			if _, has := o.SyscallNumber(w.text); has {
				hint = ": " + o.String() + " has it"
			}
		}
	}
	p.fail(w, "%s is no system call of %s%s", quoted(w.text), a, hint)
}

func syscallNames(a Arch) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, name := range a.Syscalls() {
			if !yield(name) {
				return
			}
		}
	}
}

// noteOnce notes what is the same for every architecture.
func (p *parser) noteOnce(w word, format string, args ...any) {
	before := len(p.line.Notes)
	p.note(w, format, args...)
	if last := p.line.Notes[before]; slices.Contains(p.line.Notes[:before], last) {
		p.line.Notes = p.line.Notes[:before]
	}
}
