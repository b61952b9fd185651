package audit

import (
	"fmt"
	"iter"
	"slices"
)

// names returns what -S and -U have between commas. Commas at the end are let pass, as by
// auditctl; elsewhere a name is probably missing, and commas alone would make a rule that
// never fires.
func (p *parser) names(w word) []word {
	parts := list(w)
	if last := len(parts) - 1; last > 0 && parts[last].text == "" {
		if next := p.words; p.blankAfterComma() != "" {
			p.fail(parts[last], "names stand behind commas, without a blank between them: %s%s", w.text, next[0].text)
			return append(parts[:last], p.names(next[0])...)
		}
	}
	for len(parts) > 1 && parts[len(parts)-1].text == "" {
		parts = parts[:len(parts)-1]
	}
	return parts
}

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
		p.fail(names[0], "-S does not go with -w, which is for all system calls: -a always,exit -F path= does")
		return false
	case !r.List.HasSyscalls():
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
	if nr, err := parseDigits(w.text); err == nil {
		if nr > MaxSyscall {
			p.fail(w, "system call %d is out of range 0..%d", nr, MaxSyscall)
		}
		r.Syscalls.Add(int(min(nr, MaxSyscall)))
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
		return URingOpNumber(name)
	}
	return a.SyscallNumber(name)
}

// unknownEverywhere reports the names that none of the architectures has.
func (p *parser) unknownEverywhere() {
	d := &p.rule
	archs := []Arch{}
	for _, a := range d.archs {
		archs = append(archs, a.arch)
	}
	if len(archs) == 0 {
		archs = append(archs, p.syntax.arch())
	}
	for _, w := range slices.Concat(d.syscalls, d.uring) {
		if w.text == "all" || w.text == "none" {
			continue
		}
		if _, err := parseDigits(w.text); err == nil || p.isKnown(w.text, archs) {
			continue
		}
		p.failUnknown(w, archs[0])
	}
}

// isKnown tells whether one of the architectures has a system call, or may have it where
// it is not known which one is meant, or which list.
func (p *parser) isKnown(name string, archs []Arch) bool {
	d := &p.rule
	if d.archBad {
		for _, other := range []func() (Arch, bool){p.syntax.arch().B64, p.syntax.arch().B32} {
			if o, ok := other(); ok {
				archs = append(archs, o)
			}
		}
	}
	if _, ok := URingOpNumber(name); ok && d.vague {
		return true
	}
	return slices.ContainsFunc(archs, func(a Arch) bool { _, ok := callNumber(d.rule.List, a, name); return ok })
}

func (p *parser) failUnknown(w word, a Arch) {
	if w.text == "" {
		p.fail(w, "a name is missing beside the comma")
		return
	}
	if p.rule.rule.List == IOURing {
		p.fail(w, "%s is no operation of io_uring%s", quoted(w.text), suggestion(w.text, uringOpNames()))
		return
	}
	if octal := notOctal(w.text); octal != "" {
		p.fail(w, "%s is no number of a system call%s", quoted(w.text), octal)
		return
	}
	hint := suggestion(w.text, syscallNames(a))
	for name, other := range map[string]func() (Arch, bool){"b64": a.B64, "b32": a.B32} {
		if o, ok := other(); ok && o != a {
			if _, has := o.SyscallNumber(w.text); has {
				hint = fmt.Sprintf(": %s has it (arch=%s)", o, name)
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
