package audit

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSyscallNumber(t *testing.T) {
	const x86, i386, arm64, arm = unix.AUDIT_ARCH_X86_64, unix.AUDIT_ARCH_I386, unix.AUDIT_ARCH_AARCH64, unix.AUDIT_ARCH_ARM
	for _, tt := range []struct {
		arch Arch
		name string
		want int
		as   string // as SyscallName has it, if other than name
	}{
		{arch: x86, name: "read", want: 0},
		{arch: x86, name: "open", want: 2},
		{arch: x86, name: "OPEN", want: 2, as: "open"},
		{arch: x86, name: "openat", want: 257},
		{arch: x86, name: "umount2", want: 166},
		{arch: x86, name: "fchmodat2", want: 452},
		{arch: x86, name: "_sysctl", want: 156},
		{arch: x86, name: "pread", want: 17, as: "pread64"},
		{arch: x86, name: "uretprobe", want: 335},
		{arch: i386, name: "open", want: 5},
		{arch: i386, name: "umount", want: 22},
		{arch: i386, name: "umount2", want: 52},
		{arch: i386, name: "_llseek", want: 140},
		{arch: i386, name: "socketcall", want: 102},
		{arch: i386, name: "sys_kexec_load", want: 283, as: "kexec_load"},
		{arch: arm64, name: "openat", want: 56},
		{arch: arm64, name: "fstat", want: 80},
		{arch: arm64, name: "newfstatat", want: 79},
		{arch: arm64, name: "getdents", want: 61, as: "getdents64"},
		{arch: arm, name: "open", want: 5},
		{arch: arm, name: "restart_syscall", want: 0},
		{arch: arm, name: "arm_fadvise64_64", want: 270},
		{arch: arm, name: "fadvise64_64", want: 270, as: "arm_fadvise64_64"},
		{arch: arm, name: "llseek", want: 140, as: "_llseek"},
		{arch: unix.AUDIT_ARCH_RISCV64, name: "riscv_flush_icache", want: 259},
		{arch: unix.AUDIT_ARCH_LOONGARCH64, name: "openat", want: 56},
		{arch: unix.AUDIT_ARCH_PPC64LE, name: "open", want: 5},
		{arch: unix.AUDIT_ARCH_PPC64, name: "newfstatat", want: 291},
		{arch: unix.AUDIT_ARCH_PPC, name: "fstatat64", want: 291},
		{arch: unix.AUDIT_ARCH_S390X, name: "s390_pci_mmio_read", want: 353},
		{arch: unix.AUDIT_ARCH_S390X, name: "open", want: 5},
	} {
		nr, ok := tt.arch.SyscallNumber(tt.name)
		if !ok || nr != tt.want {
			t.Errorf("%s: SyscallNumber(%q) = %d, %v, want %d", tt.arch, tt.name, nr, ok, tt.want)
		}
		if name, _ := tt.arch.SyscallName(nr); name != cmp.Or(tt.as, tt.name) {
			t.Errorf("%s: SyscallName(%d) = %q, want %q", tt.arch, nr, name, cmp.Or(tt.as, tt.name))
		}
	}
}

func TestSyscallUnknown(t *testing.T) {
	for _, tt := range []struct {
		arch Arch
		name string
	}{
		{unix.AUDIT_ARCH_AARCH64, "open"}, {unix.AUDIT_ARCH_X86_64, "socketcall"}, {unix.AUDIT_ARCH_X86_64, "frobnicate"},
		{unix.AUDIT_ARCH_X86_64, ""}, {unix.AUDIT_ARCH_X86_64, "2"}, {unix.AUDIT_ARCH_ARM, "syscall_mask"},
		{unix.AUDIT_ARCH_AARCH64, "arch_specific_syscall"}, {unix.AUDIT_ARCH_S390, "open"}, {0, "open"},
	} {
		if nr, ok := tt.arch.SyscallNumber(tt.name); ok || nr != 0 {
			t.Errorf("%s: SyscallNumber(%q) = %d, %v, want none", tt.arch, tt.name, nr, ok)
		}
	}
	for _, nr := range []int{-1, 350, 2031, 1 << 30} {
		if name, ok := Arch(unix.AUDIT_ARCH_X86_64).SyscallName(nr); ok || name != "" {
			t.Errorf("SyscallName(%d) = %q, %v, want none", nr, name, ok)
		}
	}
	for _, a := range []Arch{0, unix.AUDIT_ARCH_S390, unix.AUDIT_ARCH_MIPS, unix.AUDIT_ARCH_RISCV32} {
		if a.HasSyscalls() {
			t.Errorf("%s has system calls", a)
		}
		for nr, name := range a.Syscalls() {
			t.Errorf("%s has %d %s", a, nr, name)
		}
	}
}

// What the tables yield is in order, within what rules can name, and has both
// directions.
func TestSyscallTables(t *testing.T) {
	for _, table := range syscallTables {
		for _, a := range table.archs {
			count, last := 0, -1
			for nr, name := range a.Syscalls() {
				back, ok := a.SyscallNumber(name)
				if !ok || back != nr || nr <= last || nr > MaxSyscall || name != strings.ToLower(name) {
					t.Errorf("%s: %d %s behind %d: its number is %d, %v", a, nr, name, last, back, ok)
				}
				count, last = count+1, nr
			}
			if count < 300 || !a.HasSyscalls() {
				t.Errorf("%s has only %d system calls", a, count)
			}
			for range a.Syscalls() {
				break // which the iterator has to bear
			}
		}
	}
	for word, name := range auditctlNames {
		if !slices.ContainsFunc(syscallTables, func(t *syscallTable) bool {
			t.once.Do(t.fill)
			return hasKey(t.numbers, name) && !hasKey(t.numbers, word)
		}) {
			t.Errorf("the name %s of auditctl for %s is of no use", word, name)
		}
	}
}

func hasKey(m map[string]int, key string) bool { _, ok := m[key]; return ok }

// The program was built with some of the numbers.
func TestSyscallNumbersOfThisMachine(t *testing.T) {
	for name, want := range map[string]int{
		"read": unix.SYS_READ, "openat": unix.SYS_OPENAT, "execve": unix.SYS_EXECVE, "file_setattr": unix.SYS_FILE_SETATTR,
		"unlinkat": unix.SYS_UNLINKAT, "kexec_load": unix.SYS_KEXEC_LOAD, "umount2": unix.SYS_UMOUNT2,
	} {
		if nr, ok := Native().SyscallNumber(name); !ok || nr != want {
			t.Errorf("%s: %s is %d, %v, want %d", Native(), name, nr, ok, want)
		}
	}
}

// A difference is a name of ausyscall's that we do not have, and must not.
type difference struct{ arch, names, why string }

var differences = []difference{
	{
		"arm", "alarm getrlimit ipc mmap readdir select socketcall stime syscall time umount utime",
		"of the old ABI, which kernels for EABI have not (arch/arm/tools/syscall.tbl: oabi)",
	},
	{
		"ppc64 ppc64le", `mmap2 truncate64 ftruncate64 stat64 lstat64 fstat64 fcntl64 sendfile64 fadvise64_64
			clock_gettime64 clock_settime64 clock_adjtime64 clock_getres_time64 clock_nanosleep_time64
			timer_gettime64 timer_settime64 timerfd_gettime64 timerfd_settime64 utimensat_time64
			pselect6_time64 ppoll_time64 io_pgetevents_time64 recvmmsg_time64 mq_timedsend_time64
			mq_timedreceive_time64 semtimedop_time64 rt_sigtimedwait_time64 futex_time64 sched_rr_get_interval_time64`,
		"of 32 bits (arch/powerpc/kernel/syscalls/syscall.tbl): ausyscall has one table for all of ppc",
	},
	{"ppc", "semtimedop", "of 64 bits (syscall.tbl): ausyscall has one table for all of ppc"},
}

func isDifference(arch, name string) bool {
	return slices.ContainsFunc(differences, func(d difference) bool {
		return slices.Contains(strings.Fields(d.arch), arch) && slices.Contains(strings.Fields(d.names), name)
	})
}

// Every name that auditctl takes is taken, with the same number. That we know newer
// calls is not looked at.
func TestSyscallsOfAusyscall(t *testing.T) {
	program := ausyscall(t)
	for _, arch := range []string{"x86_64", "i386", "aarch64", "arm", "ppc64le", "ppc64", "ppc", "s390x"} {
		t.Run(arch, func(t *testing.T) {
			a, err := ParseArch(arch, 0)
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range dump(t, program, arch) {
				nr, ok := a.SyscallNumber(name)
				switch {
				case isDifference(arch, name):
					if ok {
						t.Errorf("%s is listed as a difference, and is known", name)
					}
				case !ok:
					t.Errorf("%s (%d) is unknown", name, want)
				case nr != want:
					t.Errorf("%s is %d, for ausyscall %d", name, nr, want)
				}
			}
		})
	}
}

// dump returns what ausyscall knows. It takes an architecture that it does not know
// for its own.
func dump(t *testing.T, program, arch string) map[string]int {
	out, err := exec.Command(program, arch, "--dump").Output()
	if err != nil {
		t.Fatalf("ausyscall: %v", err)
	}
	header, list, _ := strings.Cut(string(out), "\n")
	if arch != Native().String() && strings.Contains(header, " "+Native().String()+" ") {
		t.Skip("this ausyscall does not know it: ", header)
	}
	calls := make(map[string]int)
	for line := range strings.Lines(list) {
		nr, name, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if calls[name], err = strconv.Atoi(nr); err != nil {
			t.Fatalf("ausyscall: %q", line)
		}
	}
	if len(calls) < 300 {
		t.Fatalf("ausyscall has only %d system calls", len(calls))
	}
	return calls
}

// ausyscall finds the program of Debian's package auditd: on PATH, or where
// tests/tools unpacks it for other tests.
func ausyscall(t *testing.T) string {
	if program, err := exec.LookPath("ausyscall"); err == nil {
		return program
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip("no ausyscall on PATH, and ", err)
	}
	program := filepath.Join(cache, "nlapply", "unpacked", "auditd", "usr", "bin", "ausyscall")
	if _, err := os.Stat(program); err != nil {
		t.Skip("no ausyscall on PATH, nor where tests/tools unpacks auditd: ", err)
	}
	return program
}
