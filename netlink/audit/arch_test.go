package audit

import (
	"bytes"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseArch(t *testing.T) {
	const x86, arm64 = unix.AUDIT_ARCH_X86_64, unix.AUDIT_ARCH_AARCH64
	for _, tt := range []struct {
		name   string
		native Arch
		want   Arch
	}{
		{"b64", x86, x86},
		{"B64", x86, x86},
		{"b32", x86, unix.AUDIT_ARCH_I386},
		{"b64", unix.AUDIT_ARCH_I386, x86},
		{"b32", unix.AUDIT_ARCH_I386, unix.AUDIT_ARCH_I386},
		{"b32", arm64, unix.AUDIT_ARCH_ARM},
		{"b64", unix.AUDIT_ARCH_ARM, arm64},
		{"b64", unix.AUDIT_ARCH_PPC64LE, unix.AUDIT_ARCH_PPC64LE},
		{"b32", unix.AUDIT_ARCH_PPC64, unix.AUDIT_ARCH_PPC},
		{"b32", unix.AUDIT_ARCH_S390X, unix.AUDIT_ARCH_S390},
		{"b64", unix.AUDIT_ARCH_RISCV64, unix.AUDIT_ARCH_RISCV64},

		// As audit_determine_machine of libaudit 3.0.9 reads them.
		{"x86_64", arm64, x86}, {"X86_64", arm64, x86},
		{"i386", x86, 0x40000003}, {"i486", x86, 0x40000003}, {"i586", x86, 0x40000003}, {"i686", x86, 0x40000003},
		{"aarch64", x86, 0xc00000b7}, {"armv8l", x86, 0xc00000b7},
		{"arm", x86, 0x40000028}, {"armeb", x86, 0x40000028}, {"armv5tejl", x86, 0x40000028},
		{"armv5tel", x86, 0x40000028}, {"armv6l", x86, 0x40000028}, {"armv7l", x86, 0x40000028},
		{"ppc", x86, 0x14}, {"ppc64", x86, 0x80000015}, {"ppc64le", x86, 0xc0000015},
		{"s390", x86, 0x16}, {"s390x", x86, 0x80000016},
		{"c000003e", arm64, x86}, {"0xc000003e", arm64, x86}, {"0XC000003E", arm64, x86}, {"40000003", x86, 0x40000003},
		{"14", x86, unix.AUDIT_ARCH_PPC},

		// It has none of these.
		{"riscv64", x86, 0xc00000f3}, {"loongarch64", x86, 0xc0000102}, {"armv7b", x86, 0x28},
		{"3221225534", arm64, x86}, {"20", x86, unix.AUDIT_ARCH_PPC}, // decimal
		{"0x1234", x86, 0x1234},
	} {
		got, err := ParseArch(tt.name, tt.native)
		if err != nil || got != tt.want {
			t.Errorf("ParseArch(%q, %v) = %#x, %v, want %#x", tt.name, tt.native, uint32(got), err, uint32(tt.want))
		}
	}
}

func TestParseArchErrors(t *testing.T) {
	for _, tt := range []struct {
		name   string
		native Arch
		want   string
	}{
		{"", unix.AUDIT_ARCH_X86_64, `unknown architecture ""`},
		{"x86-64", unix.AUDIT_ARCH_X86_64, `unknown architecture "x86-64": did you mean x86_64?`},
		{"arm64", unix.AUDIT_ARCH_X86_64, `unknown architecture "arm64": did you mean aarch64?`},
		{"amd64", unix.AUDIT_ARCH_X86_64, `unknown architecture "amd64": did you mean x86_64?`},
		{"0x123456789", unix.AUDIT_ARCH_X86_64, `unknown architecture "0x123456789"`},
		{"1234", unix.AUDIT_ARCH_X86_64, `unknown architecture "1234"`},
		{"-1", unix.AUDIT_ARCH_X86_64, `unknown architecture "-1"`},
		{"b32", unix.AUDIT_ARCH_PPC64LE, "b32: kernels for ppc64le do not tell 32-bit system calls from others"},
		{"b32", unix.AUDIT_ARCH_RISCV64, "b32: kernels for riscv64 do not tell 32-bit system calls from others"},
		{"b32", 0, "b32: kernels for 0x0 do not tell 32-bit system calls from others"},
		{"b64", unix.AUDIT_ARCH_M68K, "b64: m68k has no 64-bit system calls"},
		{"b64", 0, "b64: 0x0 has no 64-bit system calls"},
	} {
		a, err := ParseArch(tt.name, tt.native)
		if err == nil || err.Error() != tt.want {
			t.Errorf("ParseArch(%q, %v) = %v, %v, want the error %s", tt.name, tt.native, a, err, tt.want)
		}
	}
}

func TestArchNamesAreTheirs(t *testing.T) {
	for _, e := range archs {
		a := Arch(e.n)
		if a.String() != e.word {
			t.Errorf("%#x is %s, and %s in the table: there twice", e.n, a, e.word)
		}
		for _, text := range []string{a.String(), strings.ToUpper(e.word)} {
			if got, err := ParseArch(text, 0); err != nil || got != a {
				t.Errorf("ParseArch(%q) = %#x, %v, want %#x", text, uint32(got), err, e.n)
			}
		}
		for _, partner := range []func() (Arch, bool){a.B32, a.B64} {
			if p, ok := partner(); ok {
				if _, known := archs.name(uint32(p)); !known {
					t.Errorf("%s has the unknown partner %s", a, p)
				}
			}
		}
	}
	for _, e := range archAliases {
		if _, ok := archs.number(e.word); ok {
			t.Errorf("%s is both a name and an alias", e.word)
		}
	}
	if got := Arch(0x1234).String(); got != "0x1234" {
		t.Errorf("an unknown architecture is %q, want 0x1234", got)
	}
}

func TestPartners(t *testing.T) {
	for _, p := range partners {
		if b32, ok := p.b64.B32(); !ok || b32 != p.b32 || !p.b64.Is64() {
			t.Errorf("%s.B32() = %s, %v, want %s", p.b64, b32, ok, p.b32)
		}
		if b64, ok := p.b32.B64(); !ok || b64 != p.b64 || p.b32.Is64() {
			t.Errorf("%s.B64() = %s, %v, want %s", p.b32, b64, ok, p.b64)
		}
	}
}

func TestNative(t *testing.T) {
	a := Native()
	if a == 0 {
		t.Fatalf("there is no architecture for %s", runtime.GOARCH)
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	machine := unix.ByteSliceToString(u.Machine[:])
	kernel, err := ParseArch(machine, 0)
	if err != nil {
		t.Skipf("uname says %s: %v", machine, err)
	}
	if b32, _ := kernel.B32(); a != kernel && a != b32 {
		t.Errorf("the program is for %s, and uname says %s", a, kernel)
	}
}

// The header is another copy of what x/sys was made from, and often an older one.
func TestHeader(t *testing.T) {
	text, err := os.ReadFile("/usr/include/linux/audit.h")
	if err != nil {
		t.Skip("no headers of the kernel: ", err)
	}
	for _, m := range regexp.MustCompile(`(?m)^#define AUDIT_ARCH_(\w+)`).FindAllSubmatch(text, -1) {
		name := strings.ToLower(string(m[1]))
		if a, err := ParseArch(name, 0); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if name != "armeb" && a.String() != name {
			t.Errorf("%s is printed as %s", name, a)
		}
	}
	messages := regexp.MustCompile(`(?m)^#define AUDIT_(\w+)\s+([12]\d\d\d)\b`).FindAllSubmatch(text, -1)
	if len(messages) < 80 {
		t.Fatalf("found only %d types of messages", len(messages))
	}
	for _, m := range messages {
		if bytes.HasPrefix(m[1], []byte("FIRST_")) || bytes.HasPrefix(m[1], []byte("LAST_")) {
			continue
		}
		byName, err := ParseMessageType(string(m[1]))
		byNumber, err2 := ParseMessageType(string(m[2]))
		if err != nil || err2 != nil || byName != byNumber || byName.String() != string(m[1]) {
			t.Errorf("%s %s: got %d, %d, %v, %v", m[1], m[2], byName, byNumber, err, err2)
		}
	}
}
