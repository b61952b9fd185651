package scenario

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// straceArgs make everything that a program sends to the kernel readable:
// numbers beside names, all bytes as hex, nothing shortened.
var straceArgs = []string{
	"-f", "--seccomp-bpf", "-q", "-y", "-xx", "-X", "verbose", "-v", "-s", "1048576",
	"-e", "trace=socket,sendmsg,sendto,sendmmsg,write,writev,openat", "-e", "signal=none",
}

var (
	reSocket = regexp.MustCompile(`socket\(0x10 /\* AF_NETLINK \*/, .*, (0x[0-9a-f]+|\d+)(?: /\*.*\*/)?\) += (\d+)(<[^>]*>)?`)
	reSend   = regexp.MustCompile(`^(\d+) +(sendmsg|sendto|sendmmsg|write|writev)\((\d+)(<[^>]*>)?`)
	reType   = regexp.MustCompile(`nlmsg_type=(0x[0-9a-f]+)`)
	reWrite  = regexp.MustCompile(`write\(\d+<[^>]*>, "((?:\\x[0-9a-f]{2})*)", `)
	reOpen   = regexp.MustCompile(`openat\(-?\d+(?: /\*.*?\*/)?<([^>]*)>, "([^"]*)", (0x[0-9a-f]+|\d+)`)
	// A call that another thread's output interrupted is printed in two parts.
	reResumed    = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)$`)
	reUnfinished = regexp.MustCompile(`^(\d+) +(.*) <unfinished \.\.\.>$`)
)

// change is something that a program did to the kernel's state.
type change struct {
	name string // RTM_NEWLINK, or "open" and a file of /proc/sys
	call string // the system call
	nth  int    // which one it was of all such calls of its thread, from 1
}

// traceInto is the command line that runs another one under strace.
func traceInto(file string, argv []string) []string {
	return slices.Concat([]string{"strace"}, straceArgs, []string{"-o", file, "--"}, argv)
}

// changesIn reads a trace made by strace and returns everything in it that
// changes the kernel's state: RTM_NEW*, RTM_DEL*, RTM_SET*, AUDIT_ADD*,
// AUDIT_DEL*, AUDIT_SET, and files of /proc/sys opened for writing. It knows
// nothing of nlapply; that is what makes it a judge.
func changesIn(file string) (changes []change, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sockets := map[string]socket{} // by descriptor
	pending := map[string]string{} // thread → first part of its call
	calls := map[string]int{}      // thread and call → how many so far
	in := bufio.NewReaderSize(f, 1<<20)
	for {
		line, err := in.ReadString('\n')
		if line == "" && err != nil {
			return changes, nil
		}
		line = join(pending, strings.TrimRight(line, "\n"))
		if m := reSocket.FindStringSubmatch(line); m != nil {
			sockets[m[2]] = socket{parse(m[1]), m[3]}
		} else if m := reOpen.FindStringSubmatch(line); m != nil {
			changes = append(changes, opened(unhex(m[1]), unhex(m[2]), parse(m[3]))...)
		} else if m := reSend.FindStringSubmatch(line); m != nil {
			calls[m[1]+m[2]]++
			if s, ok := sockets[m[3]]; ok && s.is(m[4]) {
				for _, name := range sent(m[2], s.protocol, line) {
					changes = append(changes, change{name, m[2], calls[m[1]+m[2]]})
				}
			}
		}
	}
}

// socket is one of netlink.
type socket struct {
	protocol uint64
	file     string // what strace calls it, "" where it does not say
}

// is tells whether a descriptor still is the socket, not another file since that was closed.
func (s socket) is(file string) bool { return s.file == "" || file == "" || s.file == file }

// opened names a sysctl that is opened for writing.
func opened(dir, name string, flags uint64) []change {
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	const accessMode = 3 // O_ACCMODE
	if flags&accessMode == 0 || !strings.HasPrefix(name, "/proc/sys/") {
		return nil
	}
	return []change{{name: "open " + name}}
}

// join puts the two parts of an interrupted call together again.
func join(pending map[string]string, line string) string {
	if m := reUnfinished.FindStringSubmatch(line); m != nil {
		pending[m[1]] = strings.TrimSuffix(line, " <unfinished ...>")
		return ""
	}
	if m := reResumed.FindStringSubmatch(line); m != nil {
		first := pending[m[1]]
		delete(pending, m[1])
		return first + m[3]
	}
	return line
}

func parse(number string) uint64 {
	n, _ := strconv.ParseUint(number, 0, 64)
	return n
}

// unhex decodes strace's \x41\x42; other text stays.
func unhex(text string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(text, `\x`, ""))
	if err != nil || !strings.HasPrefix(text, `\x`) {
		return text
	}
	return string(b)
}

// sent names the messages of one call that change something. strace decodes
// netlink messages in sendmsg and sendto, but not in write.
func sent(call string, protocol uint64, line string) (names []string) {
	types := typesIn(line)
	if len(types) == 0 { // count it rather than miss one
		return []string{fmt.Sprintf("%s with unknown messages to netlink protocol %d", call, protocol)}
	}
	for _, t := range types {
		if name, changes := message(protocol, t); changes {
			names = append(names, name)
		}
	}
	return names
}

// typesIn returns the types of the messages in the trace of one call.
func typesIn(line string) (types []uint64) {
	if m := reWrite.FindStringSubmatch(line); m != nil {
		return headers([]byte(unhex(m[1])))
	}
	for _, m := range reType.FindAllStringSubmatch(line, -1) {
		types = append(types, parse(m[1]))
	}
	return types
}

// headers returns the types of the messages in a buffer, nothing if it is cut.
func headers(b []byte) (types []uint64) {
	const size = 16 // struct nlmsghdr
	for len(b) >= size {
		length := int(binary.NativeEndian.Uint32(b))
		if length < size || length > len(b) {
			return nil
		}
		types = append(types, uint64(binary.NativeEndian.Uint16(b[4:])))
		b = b[min(len(b), (length+3)&^3):]
	}
	return types
}

// Netlink protocols and message types, include/uapi/linux/{netlink,rtnetlink,audit}.h.
const (
	protocolRoute = 0
	protocolAudit = 9
	firstRoute    = 16 // RTM_BASE
)

// objects are the groups of four of RTM_NEW*, RTM_DEL*, RTM_GET*, RTM_SET*.
var objects = []string{
	"LINK", "ADDR", "ROUTE", "NEIGH", "RULE", "QDISC", "TCLASS", "TFILTER", "ACTION", "PREFIX", "MULTICAST", "ANYCAST",
	"NEIGHTBL", "NDUSEROPT", "ADDRLABEL", "DCB", "NETCONF", "MDB", "NSID", "STATS", "CACHEREPORT", "CHAIN", "NEXTHOP",
	"LINKPROP", "VLAN", "NEXTHOPBUCKET", "TUNNEL",
}

// auditReads are the requests that change nothing: AUDIT_GET, AUDIT_LIST_RULES,
// AUDIT_SIGNAL_INFO, AUDIT_TTY_GET, AUDIT_GET_FEATURE.
var auditReads = []uint64{1000, 1013, 1010, 1016, 1019}

func message(protocol, typ uint64) (name string, changes bool) {
	switch {
	case typ < firstRoute: // NLMSG_NOOP and the like
		return "", false
	case protocol == protocolRoute:
		// net/core/rtnetlink.c, rtnl_msgtype_kind: the two low bits say what is done.
		name = routeMessage(typ)
		return name, !strings.HasPrefix(name, "RTM_GET")
	case protocol == protocolAudit:
		return fmt.Sprintf("AUDIT(%d)", typ), !slices.Contains(auditReads, typ)
	}
	return "", false
}

// routeMessage names a message of rtnetlink by its type, which is firstRoute or more.
func routeMessage(typ uint64) string {
	n := typ - firstRoute
	verb := []string{"NEW", "DEL", "GET", "SET"}[n%4]
	if object := n / 4; object < uint64(len(objects)) {
		return "RTM_" + verb + objects[object]
	}
	return fmt.Sprintf("RTM_%s(%d)", verb, typ)
}

// Writes runs a command under strace; it has to succeed. It returns the messages that
// change the kernel.
func Writes(argv ...string) (names []string, err error) {
	dir, err := os.MkdirTemp("", "trace-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "trace")
	argv = traceInto(file, argv)
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, out)
	}
	changes, err := changesIn(file)
	for _, c := range changes {
		names = append(names, c.name)
	}
	return names, err
}
