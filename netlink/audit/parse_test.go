package audit

import (
	"slices"
	"strings"
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

// TestAsAuditctl has lines that auditctl takes though they look like mistakes, with those
// beside them that are.
func TestAsAuditctl(t *testing.T) {
	for line, want := range map[string]string{
		"-a always,exit -F AUID>=1000 -F Path=/etc/passwd":              "-a always,exit -F auid>=1000 -F path=/etc/passwd",
		"-a always,exit -F ARCH=b64 -S all -C AUID!=Uid -F KEY=Cased":   "-a always,exit -F arch=x86_64 -C uid!=auid -F key=Cased",
		"-a always,exit -F arch=b64 -S open,":                           "-a always,exit -F arch=x86_64 -S open",
		"-a always,exit -F arch=b64 -S open,close,, -S creat, -F uid=0": "-a always,exit -F arch=x86_64 -S open,close,creat -F uid=0",
		"-a always,exit -F arch=b64 -S open,,close":                     "a name is missing beside the comma",
		"-a always,exit -F arch=b64 -S ,open":                           "a name is missing beside the comma",
		"-a always,io_uring -U openat,,":                                "-a always,io_uring -S openat",
		"-a always,exit -F arch=b64 -S ,":                               "a name is missing beside the comma",
		"-a always,exit -F arch=b64 -S ,, -S open":                      "a name is missing beside the comma",
		"-a always,exit -F arch=b64 -S open, close":                     "names stand behind commas, without a blank between them: open,close",
		"-a always,exit -C UID!=OID":                                    `"oid" is no id that can be compared with another: did you mean uid?`,
	} {
		rules, err := ParseRule(line, &Syntax{Arch: unix.AUDIT_ARCH_X86_64})
		got := texts(rules)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s:\n%s, want\n%s", line, got, want)
		}
	}
}

// TestPlaces has mistakes in words with escapes, of which X is one: it is found where it stands.
func TestPlaces(t *testing.T) {
	for _, line := range []string{
		`-a always,exit -F arch=b64 -S foo\ bar,X`,
		`-a always,exit -F arch=b64 -S foo\ bar,a\\\ b,X,c\ d`,
		`-a always,exit -F arch=b64 -S \ ,X`,
		`-a always,exit -F arch=b64 -Sfoo\ bar,X`,
		`-a always,exit -F arch=b64 -S X\ ,foo\\`,
		`-a always,exit -F arch=b64 -S foo\bar,X`,
		`-a always,exit -F a\ b\ c=1 -F arch=X -S open`,
		`-a always,exit -F arch=b64,s\ t,X`,
	} {
		_, err := ParseLine(line, &Syntax{Arch: unix.AUDIT_ARCH_X86_64})
		problems, _ := err.(Problems)
		if !slices.ContainsFunc(problems, func(p Problem) bool { return p.Offset == strings.Index(line, "X") }) {
			t.Errorf("%s: %+v", line, problems)
		}
	}
}
