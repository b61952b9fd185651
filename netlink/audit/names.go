package audit

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A vocabulary has words for numbers that are part of the kernel's interface. Of
// several words for a number the first is its name, and the others are only read.
type vocabulary []struct {
	n    uint32
	word string
}

// name returns the name of n.
func (v vocabulary) name(n uint32) (string, bool) {
	for _, e := range v {
		if e.n == n {
			return e.word, true
		}
	}
	return "", false
}

// number returns the number of a word. Case does not matter, as in auditctl.
func (v vocabulary) number(word string) (uint32, bool) {
	for _, e := range v {
		if strings.EqualFold(e.word, word) {
			return e.n, true
		}
	}
	return 0, false
}

// names yields all words.
func (v vocabulary) names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, e := range v {
			if !yield(e.word) {
				return
			}
		}
	}
}

// A MessageType is a type of netlink messages and of records of audit: AUDIT_* of
// include/uapi/linux/audit.h between 1000 and 2999, and of audit-records.h of
// audit-userspace for what programs report. The zero value is none.
type MessageType uint16

// messageTypes are all types that have names.
var messageTypes = sync.OnceValue(func() vocabulary {
	return slices.Concat(kernelMessages, userMessages)
})

// ParseMessageType returns the type with a name, as "SYSCALL", or with a number. Case
// does not matter; UNKNOWN[1399], which ausearch(8) prints, is a number too. The error
// says which name was probably meant.
func ParseMessageType(name string) (MessageType, error) {
	if n, ok := messageTypes().number(name); ok {
		return MessageType(n), nil
	}
	digits, ok := strings.CutPrefix(name, "UNKNOWN[")
	if ok {
		digits, ok = strings.CutSuffix(digits, "]")
	}
	if !ok {
		digits = name
	}
	if n, err := strconv.ParseUint(digits, 10, 16); err == nil {
		return MessageType(n), nil
	}
	return 0, fmt.Errorf("unknown type of messages %q%s", name, suggestion(name, messageTypes().names()))
}

// String returns the type's name without AUDIT_, as "SYSCALL", or digits if it has
// none. ParseMessageType makes the same of it.
func (t MessageType) String() string {
	if name, ok := messageTypes().name(uint32(t)); ok {
		return name
	}
	return strconv.Itoa(int(t))
}

// errnos are the errors with several names, of which the list of x/sys has one each,
// and sometimes not the one that auditctl has: ENOTSUP, EFSCORRUPTED.
var errnos = vocabulary{
	{uint32(unix.EOPNOTSUPP), "EOPNOTSUPP"}, {uint32(unix.ENOTSUP), "ENOTSUP"},
	{uint32(unix.EAGAIN), "EAGAIN"}, {uint32(unix.EWOULDBLOCK), "EWOULDBLOCK"},
	{uint32(unix.EDEADLK), "EDEADLK"}, {uint32(unix.EDEADLOCK), "EDEADLOCK"},
	{uint32(unix.EUCLEAN), "EUCLEAN"}, {uint32(unix.EFSCORRUPTED), "EFSCORRUPTED"},
	{uint32(unix.EBADMSG), "EBADMSG"}, {uint32(unix.EFSBADCRC), "EFSBADCRC"},
}

// maxErrno is beyond all that programs see: MAX_ERRNO of include/linux/err.h is 4095,
// and the highest, EDQUOT of mips, 1133.
const maxErrno = 1200

// allErrnos are errnos and the list of x/sys.
var allErrnos = sync.OnceValue(func() vocabulary {
	v := slices.Clone(errnos)
	for n := range uint32(maxErrno) {
		if name := unix.ErrnoName(syscall.Errno(n)); name != "" && !slices.Contains(slices.Collect(errnos.names()), name) {
			v = append(v, struct {
				n    uint32
				word string
			}{n, name})
		}
	}
	return v
})

// ErrnoName returns the name of an error's number, as "EACCES" of 13. The numbers are
// those of the machine this program was built for: asm-generic/errno.h, which all but
// alpha, mips, parisc and sparc have (powerpc with another EDEADLOCK).
func ErrnoName(n int) (name string, ok bool) {
	if n <= 0 || n >= maxErrno {
		return "", false
	}
	return allErrnos().name(uint32(n))
}

// ErrnoNumber is the reverse of ErrnoName, which also knows synonyms, as
// EWOULDBLOCK. Case does not matter.
func ErrnoNumber(name string) (n int, ok bool) {
	v, ok := allErrnos().number(name)
	return int(v), ok
}

// errnoNames yields the names that ErrnoNumber knows.
func errnoNames() iter.Seq[string] { return allErrnos().names() }

// families are the families of addresses that saddr_fam compares, by the names that
// ausearch(8) has for them: AF_* of include/linux/socket.h.
var families = vocabulary{
	{unix.AF_UNSPEC, "unspec"}, {unix.AF_LOCAL, "local"}, {unix.AF_UNIX, "unix"}, {unix.AF_INET, "inet"},
	{unix.AF_AX25, "ax25"}, {unix.AF_IPX, "ipx"}, {unix.AF_APPLETALK, "appletalk"}, {unix.AF_NETROM, "netrom"},
	{unix.AF_BRIDGE, "bridge"}, {unix.AF_ATMPVC, "atmpvc"}, {unix.AF_X25, "x25"}, {unix.AF_INET6, "inet6"},
	{unix.AF_ROSE, "rose"}, {unix.AF_DECnet, "decnet"}, {unix.AF_NETBEUI, "netbeui"}, {unix.AF_SECURITY, "security"},
	{unix.AF_KEY, "key"}, {unix.AF_NETLINK, "netlink"}, {unix.AF_PACKET, "packet"}, {unix.AF_ASH, "ash"},
	{unix.AF_ECONET, "econet"}, {unix.AF_ATMSVC, "atmsvc"}, {unix.AF_RDS, "rds"}, {unix.AF_SNA, "sna"},
	{unix.AF_IRDA, "irda"}, {unix.AF_PPPOX, "pppox"}, {unix.AF_WANPIPE, "wanpipe"}, {unix.AF_LLC, "llc"},
	{unix.AF_IB, "ib"}, {unix.AF_MPLS, "mpls"}, {unix.AF_CAN, "can"}, {unix.AF_TIPC, "tipc"},
	{unix.AF_BLUETOOTH, "bluetooth"}, {unix.AF_IUCV, "iucv"}, {unix.AF_RXRPC, "rxrpc"}, {unix.AF_ISDN, "isdn"},
	{unix.AF_PHONET, "phonet"}, {unix.AF_IEEE802154, "ieee802154"}, {unix.AF_CAIF, "caif"}, {unix.AF_ALG, "alg"},
	{unix.AF_NFC, "nfc"}, {unix.AF_VSOCK, "vsock"}, {unix.AF_KCM, "kcm"}, {unix.AF_QIPCRTR, "qipcrtr"},
	{unix.AF_SMC, "smc"}, {unix.AF_XDP, "xdp"}, {unix.AF_MCTP, "mctp"},
}

// maxFamily is what the kernel once took at most for saddr_fam: AF_MAX - 1.
const maxFamily = unix.AF_MAX - 1

// fileTypes are what filetype compares: S_IF* of include/uapi/linux/stat.h.
var fileTypes = vocabulary{
	{unix.S_IFIFO, "fifo"}, {unix.S_IFCHR, "character"}, {unix.S_IFDIR, "dir"}, {unix.S_IFBLK, "block"},
	{unix.S_IFREG, "file"}, {unix.S_IFLNK, "link"}, {unix.S_IFSOCK, "socket"},
}

// uringOps are the operations of io_uring by their numbers: enum io_uring_op of
// include/uapi/linux/io_uring.h. Audit is not told of those that io_uring/opdef.c
// marks with audit_skip.
var uringOps = []string{
	"nop", "readv", "writev", "fsync", "read_fixed", "write_fixed", "poll_add", "poll_remove",
	"sync_file_range", "sendmsg", "recvmsg", "timeout", "timeout_remove", "accept", "async_cancel", "link_timeout",
	"connect", "fallocate", "openat", "close", "files_update", "statx", "read", "write",
	"fadvise", "madvise", "send", "recv", "openat2", "epoll_ctl", "splice", "provide_buffers",
	"remove_buffers", "tee", "shutdown", "renameat", "unlinkat", "mkdirat", "symlinkat", "linkat",
	"msg_ring", "fsetxattr", "setxattr", "fgetxattr", "getxattr", "socket", "uring_cmd", "send_zc",
	"sendmsg_zc", "read_multishot", "waitid", "futex_wait", "futex_wake", "futex_waitv", "fixed_fd_install", "ftruncate",
	"bind", "listen", "recv_zc", "epoll_wait", "readv_fixed", "writev_fixed", "pipe", "nop128",
	"uring_cmd128",
}

// URingOpName returns the name of an operation of io_uring, as "openat" of 18: that of
// enum io_uring_op of include/uapi/linux/io_uring.h. It is not found where the number is
// newer than the table.
func URingOpName(op int) (name string, ok bool) {
	if op < 0 || op >= len(uringOps) {
		return "", false
	}
	return uringOps[op], true
}

// URingOpNumber is the reverse of URingOpName. Case does not matter.
func URingOpNumber(name string) (op int, ok bool) {
	op = slices.Index(uringOps, strings.ToLower(name))
	return max(op, 0), op >= 0
}

func uringOpNames() iter.Seq[string] { return slices.Values(uringOps) }

// comparisons are the pairs of ids that the kernel compares with each other, by
// AUDIT_COMPARE_* of include/uapi/linux/audit.h less one. The order in a pair is that
// of the macros, and of auditctl -l.
var comparisons = [unix.AUDIT_MAX_FIELD_COMPARE][2]string{
	{"uid", "obj_uid"}, {"gid", "obj_gid"}, {"euid", "obj_uid"}, {"egid", "obj_gid"}, {"auid", "obj_uid"},
	{"suid", "obj_uid"}, {"sgid", "obj_gid"}, {"fsuid", "obj_uid"}, {"fsgid", "obj_gid"},
	{"uid", "auid"}, {"uid", "euid"}, {"uid", "fsuid"}, {"uid", "suid"},
	{"auid", "fsuid"}, {"auid", "suid"}, {"auid", "euid"},
	{"euid", "suid"}, {"euid", "fsuid"}, {"suid", "fsuid"},
	{"gid", "egid"}, {"gid", "fsgid"}, {"gid", "sgid"},
	{"egid", "fsgid"}, {"egid", "sgid"}, {"sgid", "fsgid"},
}

// comparePair returns the fields that AUDIT_COMPARE_* number n compares.
func comparePair(n uint32) (fields [2]string, ok bool) {
	if n == 0 || n > uint32(len(comparisons)) {
		return fields, false
	}
	return comparisons[n-1], true
}

// compareNumber returns the AUDIT_COMPARE_* for two fields in either order. Case does not
// matter.
func compareNumber(a, b string) (uint32, error) {
	a, b = strings.ToLower(a), strings.ToLower(b)
	for i, pair := range comparisons {
		if pair == [2]string{a, b} || pair == [2]string{b, a} {
			return uint32(i) + 1, nil
		}
	}
	for _, name := range []string{a, b} {
		if !slices.Contains(slices.Collect(comparedFields()), name) {
			return 0, fmt.Errorf("%q is no id that can be compared with another%s", name, suggestion(name, comparedFields()))
		}
	}
	return 0, fmt.Errorf("the kernel cannot compare %s with %s", a, b)
}

// comparedFields yields the fields of all comparisons, some more than once.
func comparedFields() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, pair := range comparisons {
			if !yield(pair[0]) || !yield(pair[1]) {
				return
			}
		}
	}
}
