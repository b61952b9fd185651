package audit

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestParseElsewhere parses for machines with other architectures than this one.
func TestParseElsewhere(t *testing.T) {
	for _, tt := range []struct {
		arch       Arch
		line, want string
	}{
		{unix.AUDIT_ARCH_RISCV64, "-a always,exit -F arch=b32 -S openat", "arch: b32: kernels for riscv64 do not tell 32-bit system calls from others"},
		{unix.AUDIT_ARCH_I386, "-a always,exit -S open -F arch=b64 -S opne", `"opne" is no system call of x86_64: did you mean open?`},
		{unix.AUDIT_ARCH_ARM, "-a always,exit -F arch=b32 -S mmap", `"mmap" is no system call of arm: aarch64 has it (arch=b64)`},
		{unix.AUDIT_ARCH_AARCH64, "-a always,exit -F arch=b64 -S open", `"open" is no system call of aarch64: arm has it (arch=b32)`},
		{unix.AUDIT_ARCH_AARCH64, "-a always,exit -F arch=b64,b32 -S open,mmap", ""},
		{unix.AUDIT_ARCH_S390X, "-a always,exit -F arch=x86_64 -S chown32", `"chown32" is no system call of x86_64: i386 has it (arch=b32)`},
	} {
		got := ""
		if _, err := ParseRule(tt.line, &Syntax{Arch: tt.arch}); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s on %s:\n%s, want\n%s", tt.line, tt.arch, got, tt.want)
		}
	}
}

// TestNotes has lines that are right, and strange.
func TestNotes(t *testing.T) {
	for line, want := range map[string]string{
		`-w /etc/passwd -k "x"`:                                "the quotes are a part of the key",
		"-a always,exit -F arch=x86_64,i386 -S open,mmap2":     "x86_64 has no system call mmap2: the rule for it is without",
		"-a never,exclude -F msgtype=CWD -S open":              "the list exclude has no system calls: -S means nothing there",
		"-a always,exit -F path=/etc/a\\ b -F key=it's -k a\"": "",
	} {
		l, err := ParseLine(line, &Syntax{Arch: unix.AUDIT_ARCH_X86_64})
		if got := l.Notes.Error(); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", line, got, err, want)
		}
	}
}
