package audit

import (
	"bufio"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// vocabularies are all of them.
func vocabularies() map[string]vocabulary {
	return map[string]vocabulary{
		"archs": archs, "messages": messageTypes(), "errnos": allErrnos(), "families": families,
		"file types": fileTypes, "file systems": fsTypes,
	}
}

func TestVocabularies(t *testing.T) {
	for what, v := range vocabularies() {
		seen := make(map[string]bool)
		for _, e := range v {
			if lower := strings.ToLower(e.word); seen[lower] {
				t.Errorf("%s: %s is there twice", what, e.word)
			} else {
				seen[lower] = true
			}
			for _, word := range []string{e.word, strings.ToUpper(e.word), strings.ToLower(e.word)} {
				if n, ok := v.number(word); !ok || n != e.n {
					t.Errorf("%s: number(%q) = %d, %v, want %d", what, word, n, ok, e.n)
				}
			}
			name, ok := v.name(e.n)
			if n, ok2 := v.number(name); !ok || !ok2 || n != e.n {
				t.Errorf("%s: name(%d) = %q, %v, whose number is %d, %v", what, e.n, name, ok, n, ok2)
			}
		}
		if got := slices.Collect(v.names()); len(got) != len(v) {
			t.Errorf("%s: names yields %d of %d", what, len(got), len(v))
		}
		if n, ok := v.number("frobnicate"); ok {
			t.Errorf("%s: frobnicate is %d", what, n)
		}
		if name, ok := v.name(1 << 30); ok {
			t.Errorf("%s: 1<<30 is %s", what, name)
		}
	}
}

// The number of synonyms is told by the names that win.
func TestNamesThatWin(t *testing.T) {
	for _, tt := range []struct {
		v    vocabulary
		n    uint32
		want string
	}{
		{families, unix.AF_UNIX, "local"}, {families, unix.AF_INET6, "inet6"}, {families, unix.AF_MCTP, "mctp"},
		{fsTypes, unix.EXT2_SUPER_MAGIC, "ext4"}, {fsTypes, 0x74726163, "tracefs"}, {fsTypes, 0x64626720, "debugfs"},
		{fileTypes, 0o100000, "file"}, {fileTypes, 0o040000, "dir"}, {fileTypes, 0o140000, "socket"},
		{fileTypes, 0o120000, "link"}, {fileTypes, 0o020000, "character"}, {fileTypes, 0o060000, "block"}, {fileTypes, 0o010000, "fifo"},
	} {
		if got, _ := tt.v.name(tt.n); got != tt.want {
			t.Errorf("the name of %#x is %q, want %q", tt.n, got, tt.want)
		}
	}
}

func TestMessageType(t *testing.T) {
	for _, tt := range []struct {
		text string
		want MessageType
		as   string
	}{
		{"SYSCALL", unix.AUDIT_SYSCALL, "SYSCALL"},
		{"syscall", 1300, "SYSCALL"},
		{"1300", 1300, "SYSCALL"},
		{"USER_LOGIN", 1112, "USER_LOGIN"},
		{"ADD_RULE", 1011, "ADD_RULE"},
		{"USER_AVC", 1107, "USER_AVC"},
		{"APPARMOR_DENIED", 1503, "APPARMOR_DENIED"},
		{"VIRT_MIGRATE_OUT", 2507, "VIRT_MIGRATE_OUT"},
		{"UNKNOWN[1399]", 1399, "1399"},
		{"0", 0, "0"},
		{"65535", 65535, "65535"},
	} {
		got, err := ParseMessageType(tt.text)
		if err != nil || got != tt.want || got.String() != tt.as {
			t.Errorf("ParseMessageType(%q) = %d %s, %v, want %d %s", tt.text, got, got, err, tt.want, tt.as)
		}
	}
	for text, want := range map[string]string{
		"SYSCAL":        `unknown type of messages "SYSCAL": did you mean SYSCALL?`,
		"65536":         `unknown type of messages "65536"`,
		"-1":            `unknown type of messages "-1"`,
		"":              `unknown type of messages ""`,
		"UNKNOWN[1399":  `unknown type of messages "UNKNOWN[1399"`,
		"UNKNOWN[PATH]": `unknown type of messages "UNKNOWN[PATH]"`,
	} {
		if got, err := ParseMessageType(text); err == nil || err.Error() != want {
			t.Errorf("ParseMessageType(%q) = %d, %v, want the error %s", text, got, err, want)
		}
	}
}

func TestErrno(t *testing.T) {
	for name, want := range map[string]int{
		"EPERM": 1, "ENOENT": 2, "EACCES": 13, "eacces": 13, "EAGAIN": 11, "EWOULDBLOCK": int(unix.EWOULDBLOCK),
		"EDEADLOCK": int(unix.EDEADLOCK), "EOPNOTSUPP": int(unix.EOPNOTSUPP), "ENOTSUP": int(unix.ENOTSUP), "EHWPOISON": int(unix.EHWPOISON),
	} {
		if got, ok := ErrnoNumber(name); !ok || got != want {
			t.Errorf("ErrnoNumber(%q) = %d, %v, want %d", name, got, ok, want)
		}
	}
	for n, want := range map[int]string{
		1: "EPERM", 13: "EACCES", 11: "EAGAIN", int(unix.EDEADLK): "EDEADLK", int(unix.EOPNOTSUPP): "EOPNOTSUPP", int(unix.EHWPOISON): "EHWPOISON",
		0: "", -13: "", 600: "", 100000: "",
	} {
		if got, ok := ErrnoName(n); got != want || ok != (want != "") {
			t.Errorf("ErrnoName(%d) = %q, %v, want %q", n, got, ok, want)
		}
	}
	for _, name := range []string{"", "13", "-EACCES", "EFROBNICATE"} {
		if n, ok := ErrnoNumber(name); ok {
			t.Errorf("ErrnoNumber(%q) = %d", name, n)
		}
	}
	if count := len(slices.Collect(errnoNames())); count < 130 {
		t.Errorf("there are only %d names of errors", count)
	}
}

func TestURingOps(t *testing.T) {
	// As auditctl 4 has them (lib/uringop_table.h), and the newest.
	for name, want := range map[string]int{
		"nop": 0, "sendmsg": 9, "recvmsg": 10, "accept": 13, "connect": 16, "fallocate": 17, "openat": 18, "close": 19, "openat2": 28,
		"shutdown": 34, "renameat": 35, "unlinkat": 36, "mkdirat": 37, "symlinkat": 38, "linkat": 39, "msg_ring": 40, "fsetxattr": 41,
		"setxattr": 42, "fgetxattr": 43, "getxattr": 44, "uring_cmd": 46, "sendmsg_zc": 48, "waitid": 50, "futex_wait": 51,
		"futex_wake": 52, "futex_waitv": 53, "pipe": 62, "uring_cmd128": 64,
	} {
		if got, ok := URingOpNumber(strings.ToUpper(name)); !ok || got != want {
			t.Errorf("URingOpNumber(%q) = %d, %v, want %d", name, got, ok, want)
		}
		if got, ok := URingOpName(want); !ok || got != name {
			t.Errorf("URingOpName(%d) = %q, %v, want %q", want, got, ok, name)
		}
	}
	for _, op := range []int{-1, len(uringOps)} {
		if name, ok := URingOpName(op); ok {
			t.Errorf("URingOpName(%d) = %q", op, name)
		}
	}
	if op, ok := URingOpNumber("open"); ok || op != 0 {
		t.Errorf("URingOpNumber(open) = %d, %v", op, ok)
	}
	if got := slices.Collect(uringOpNames()); len(slices.Compact(slices.Sorted(slices.Values(got)))) != len(uringOps) {
		t.Error("a name of an operation of io_uring is there twice")
	}
}

func TestComparisons(t *testing.T) {
	for n, want := range map[uint32][2]string{
		unix.AUDIT_COMPARE_UID_TO_OBJ_UID: {"uid", "obj_uid"}, unix.AUDIT_COMPARE_GID_TO_OBJ_GID: {"gid", "obj_gid"},
		unix.AUDIT_COMPARE_EUID_TO_OBJ_UID: {"euid", "obj_uid"}, unix.AUDIT_COMPARE_EGID_TO_OBJ_GID: {"egid", "obj_gid"},
		unix.AUDIT_COMPARE_AUID_TO_OBJ_UID: {"auid", "obj_uid"}, unix.AUDIT_COMPARE_SUID_TO_OBJ_UID: {"suid", "obj_uid"},
		unix.AUDIT_COMPARE_SGID_TO_OBJ_GID: {"sgid", "obj_gid"}, unix.AUDIT_COMPARE_FSUID_TO_OBJ_UID: {"fsuid", "obj_uid"},
		unix.AUDIT_COMPARE_FSGID_TO_OBJ_GID: {"fsgid", "obj_gid"}, unix.AUDIT_COMPARE_UID_TO_AUID: {"uid", "auid"},
		unix.AUDIT_COMPARE_UID_TO_EUID: {"uid", "euid"}, unix.AUDIT_COMPARE_UID_TO_FSUID: {"uid", "fsuid"},
		unix.AUDIT_COMPARE_UID_TO_SUID: {"uid", "suid"}, unix.AUDIT_COMPARE_AUID_TO_FSUID: {"auid", "fsuid"},
		unix.AUDIT_COMPARE_AUID_TO_SUID: {"auid", "suid"}, unix.AUDIT_COMPARE_AUID_TO_EUID: {"auid", "euid"},
		unix.AUDIT_COMPARE_EUID_TO_SUID: {"euid", "suid"}, unix.AUDIT_COMPARE_EUID_TO_FSUID: {"euid", "fsuid"},
		unix.AUDIT_COMPARE_SUID_TO_FSUID: {"suid", "fsuid"}, unix.AUDIT_COMPARE_GID_TO_EGID: {"gid", "egid"},
		unix.AUDIT_COMPARE_GID_TO_FSGID: {"gid", "fsgid"}, unix.AUDIT_COMPARE_GID_TO_SGID: {"gid", "sgid"},
		unix.AUDIT_COMPARE_EGID_TO_FSGID: {"egid", "fsgid"}, unix.AUDIT_COMPARE_EGID_TO_SGID: {"egid", "sgid"},
		unix.AUDIT_COMPARE_SGID_TO_FSGID: {"sgid", "fsgid"},
	} {
		got, ok := comparePair(n)
		if diff := cmp.Diff(want, got); diff != "" || !ok {
			t.Errorf("comparePair(%d), %v (-want +got):\n%s", n, ok, diff)
		}
		for _, pair := range [][2]string{want, {want[1], want[0]}} {
			if got, err := compareNumber(pair[0], pair[1]); err != nil || got != n {
				t.Errorf("compareNumber(%q, %q) = %d, %v, want %d", pair[0], pair[1], got, err, n)
			}
		}
	}
	for _, n := range []uint32{0, unix.AUDIT_MAX_FIELD_COMPARE + 1, 1<<32 - 1} {
		if got, ok := comparePair(n); ok {
			t.Errorf("comparePair(%d) = %v", n, got)
		}
	}
	for pair, want := range map[[2]string]string{
		{"uid", "gid"}:    "the kernel cannot compare uid with gid",
		{"uid", "uid"}:    "the kernel cannot compare uid with uid",
		{"uid", "oid"}:    `"oid" is no id that can be compared with another: did you mean uid?`,
		{"pid", "ppid"}:   `"pid" is no id that can be compared with another: did you mean uid?`,
		{"uid", "sess"}:   `"sess" is no id that can be compared with another`,
		{"objuid", "uid"}: `"objuid" is no id that can be compared with another: did you mean obj_uid?`,
	} {
		if got, err := compareNumber(pair[0], pair[1]); err == nil || err.Error() != want {
			t.Errorf("compareNumber(%q) = %d, %v, want the error %s", pair, got, err, want)
		}
	}
}

// What is mounted here has the magic numbers of its names.
func TestFileSystemsMounted(t *testing.T) {
	f, err := os.Open("/proc/self/mounts")
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	seen := make(map[string]bool)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 || seen[fields[2]] || fields[2] == "autofs" || strings.HasPrefix(fields[2], "nfs") {
			continue // those that may block are not asked
		}
		want, ok := fsTypes.number(fields[2])
		if !ok {
			continue
		}
		// Another file system may be mounted on top, and its type is then another's.
		var fs unix.Statfs_t
		if unix.Statfs(fields[1], &fs) != nil {
			continue
		}
		seen[fields[2]] = true
		if got := uint32(fs.Type); got != want {
			if name, ok := fsTypes.name(got); !ok || name == fields[2] {
				t.Errorf("%s on %s: the magic number is %#x, want %#x", fields[2], fields[1], got, want)
			}
		}
	}
	t.Logf("compared %d types", len(seen))
}
