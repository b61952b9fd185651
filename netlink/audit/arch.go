package audit

import (
	"fmt"
	"iter"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// An Arch is an architecture, which says what the numbers of system calls mean: the
// machine of ELF, with a bit for 64 bits and one for little endian (AUDIT_ARCH_* of
// include/uapi/linux/audit.h, and of golang.org/x/sys/unix). The zero value is none.
type Arch uint32

// arch64Bit is __AUDIT_ARCH_64BIT of include/uapi/linux/audit.h.
const arch64Bit Arch = 0x80000000

// archAliases are what auditctl(8) calls the machines beside the names in archs
// (lib/machinetab.h of audit-userspace). It takes armeb for little endian; the kernel
// says AUDIT_ARCH_ARM of all ARM (arch/arm/include/asm/syscall.h,
// syscall_get_arch), so nothing else would match.
var archAliases = vocabulary{
	{unix.AUDIT_ARCH_I386, "i486"}, {unix.AUDIT_ARCH_I386, "i586"}, {unix.AUDIT_ARCH_I386, "i686"},
	{unix.AUDIT_ARCH_ARM, "armeb"}, {unix.AUDIT_ARCH_ARM, "armv5tejl"}, {unix.AUDIT_ARCH_ARM, "armv5tel"},
	{unix.AUDIT_ARCH_ARM, "armv6l"}, {unix.AUDIT_ARCH_ARM, "armv7l"}, {unix.AUDIT_ARCH_AARCH64, "armv8l"},
}

// goArchs has the architectures by their names in Go.
var goArchs = map[string]Arch{
	"386": unix.AUDIT_ARCH_I386, "amd64": unix.AUDIT_ARCH_X86_64, "arm": unix.AUDIT_ARCH_ARM, "arm64": unix.AUDIT_ARCH_AARCH64,
	"loong64": unix.AUDIT_ARCH_LOONGARCH64, "mips": unix.AUDIT_ARCH_MIPS, "mipsle": unix.AUDIT_ARCH_MIPSEL,
	"mips64": unix.AUDIT_ARCH_MIPS64, "mips64le": unix.AUDIT_ARCH_MIPSEL64, "ppc": unix.AUDIT_ARCH_PPC, "ppc64": unix.AUDIT_ARCH_PPC64,
	"ppc64le": unix.AUDIT_ARCH_PPC64LE, "riscv64": unix.AUDIT_ARCH_RISCV64, "s390x": unix.AUDIT_ARCH_S390X, "sparc64": unix.AUDIT_ARCH_SPARC64,
}

// partners are the architectures whose kernels tell processes of 32 bits from those
// of 64 (arch/*/include/asm/syscall.h, syscall_get_arch). Not there are:
//   - riscv64: the kernel calls system calls of either kind AUDIT_ARCH_RISCV64;
//   - ppc64le: its kernels are built without CONFIG_COMPAT unless asked for it
//     (arch/powerpc/Kconfig), and auditctl has no b32 either. Those that have it
//     say AUDIT_ARCH_PPC, which a rule can name;
//   - loongarch64, ia64, alpha: there is nothing else;
//   - x32 on x86_64 and n32 on mips64: they have 64 bits for audit.
var partners = []struct{ b64, b32 Arch }{
	{unix.AUDIT_ARCH_X86_64, unix.AUDIT_ARCH_I386},
	{unix.AUDIT_ARCH_AARCH64, unix.AUDIT_ARCH_ARM},
	{unix.AUDIT_ARCH_PPC64, unix.AUDIT_ARCH_PPC},
	{unix.AUDIT_ARCH_S390X, unix.AUDIT_ARCH_S390},
	{unix.AUDIT_ARCH_SPARC64, unix.AUDIT_ARCH_SPARC},
	{unix.AUDIT_ARCH_PARISC64, unix.AUDIT_ARCH_PARISC},
	{unix.AUDIT_ARCH_MIPS64, unix.AUDIT_ARCH_MIPS},
	{unix.AUDIT_ARCH_MIPSEL64, unix.AUDIT_ARCH_MIPSEL},
}

// Native returns the architecture that this program was built for, or zero if audit
// has none for it. The kernel's may be its partner of 64 bits.
func Native() Arch { return goArchs[runtime.GOARCH] }

// ParseArch returns the architecture of a name as auditctl(8) takes it: b64 and b32,
// which are relative to native, names of machines, and numbers. A number with 0x may
// be any; one without has to be that of an architecture that the kernel has, in
// hexadecimal digits as auditctl reads it and as the kernel's records have it
// (arch=c000003e), or else in decimal ones. Case does not matter. The error says which
// name was probably meant.
func ParseArch(name string, native Arch) (Arch, error) {
	switch strings.ToLower(name) {
	case "b64":
		if a, ok := native.B64(); ok {
			return a, nil
		}
		return 0, fmt.Errorf("%s: %s has no 64-bit system calls", name, native)
	case "b32":
		if a, ok := native.B32(); ok {
			return a, nil
		}
		return 0, fmt.Errorf("%s: kernels for %s do not tell 32-bit system calls from others", name, native)
	}
	for _, v := range []vocabulary{archs, archAliases} {
		if a, ok := v.number(name); ok {
			return Arch(a), nil
		}
	}
	if digits, ok := strings.CutPrefix(strings.ToLower(name), "0x"); ok {
		if n, err := strconv.ParseUint(digits, 16, 32); err == nil {
			return Arch(n), nil
		}
	}
	for _, base := range []int{16, 10} {
		if n, err := strconv.ParseUint(name, base, 32); err == nil {
			if _, ok := archs.name(uint32(n)); ok {
				return Arch(n), nil
			}
		}
	}
	if a, ok := goArchs[name]; ok { // what was meant, though closer to another name
		return 0, fmt.Errorf("unknown architecture %q: did you mean %s?", name, a)
	}
	return 0, fmt.Errorf("unknown architecture %q%s", name, suggestion(name, archNames()))
}

func archNames() iter.Seq[string] {
	return func(yield func(string) bool) {
		if yield("b64") && yield("b32") {
			archs.names()(yield)
		}
	}
}

// String returns the name of a, which uname(1) -m prints on most of the machines that
// have auditctl(8), or 0x and digits if the kernel has no such architecture. ParseArch
// makes the same of it on every machine.
func (a Arch) String() string {
	if name, ok := archs.name(uint32(a)); ok {
		return name
	}
	return fmt.Sprintf("%#x", uint32(a))
}

// Is64 tells whether a has 64 bits for audit, as b64 of auditctl(8) means it.
func (a Arch) Is64() bool { return a&arch64Bit != 0 }

// B32 returns what b32 means on a machine of a: the architecture that its kernels
// count 32-bit processes to. That is a itself if it has 32 bits. There may be none,
// and kernels may be built without it.
func (a Arch) B32() (Arch, bool) {
	for _, p := range partners {
		if p.b64 == a {
			return p.b32, true
		}
	}
	return a, a != 0 && !a.Is64()
}

// B64 returns what b64 means on a machine of a: a itself if it has 64 bits, else the
// architecture whose kernels run programs of a, as those of aarch64 do on many
// machines with programs for arm. There may be none.
func (a Arch) B64() (Arch, bool) {
	for _, p := range partners {
		if p.b32 == a {
			return p.b64, true
		}
	}
	return a, a.Is64()
}
