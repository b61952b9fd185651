package scenario

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// strace options that make everything a program sends to the kernel readable:
// numbers beside names, nothing shortened.
var straceArgs = []string{"-f", "--seccomp-bpf", "-q", "-y", "-X", "verbose", "-v", "-s", "65536",
	"-e", "trace=socket,sendmsg,sendto,sendmmsg,write,writev,openat", "-e", "signal=none"}

var (
	reSocket = regexp.MustCompile(`socket\(0x10 /\* AF_NETLINK \*/, .*, (0x[0-9a-f]+|\d+)(?: /\*.*\*/)?\) += (\d+)`)
	reSend   = regexp.MustCompile(`^\d+ +(sendmsg|sendto|sendmmsg|write|writev)\((\d+)`)
	reType   = regexp.MustCompile(`nlmsg_type=(0x[0-9a-f]+)`)
	reOpen   = regexp.MustCompile(`openat\(-?\d+(?: /\*.*?\*/)?<([^>]*)>, "([^"]*)", (0x[0-9a-f]+|\d+)`)
	// A system call that another thread's output interrupted is printed in two
	// parts; the first has the arguments, except for socket, whose result is wanted.
	reResumed    = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)$`)
	reUnfinished = regexp.MustCompile(`^(\d+) +(.*) <unfinished \.\.\.>$`)
)

// writesIn reads a trace made by strace and names every message in it that
// changes the kernel's state, as strace saw it: RTM_NEW*, RTM_DEL*, RTM_SET*,
// AUDIT_ADD*, AUDIT_DEL*, AUDIT_SET, and files of /proc/sys opened for writing.
// It knows nothing of nlapply; that is what makes it a judge.
func writesIn(file string) (writes []string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	protocols := map[string]uint64{} // fd → netlink protocol
	pending := map[string]string{}   // thread → first part of its call
	in := bufio.NewReaderSize(f, 1<<20)
	for {
		line, err := in.ReadString('\n')
		if line == "" && err != nil {
			return writes, nil
		}
		line = join(pending, strings.TrimRight(line, "\n"))
		if m := reSocket.FindStringSubmatch(line); m != nil {
			protocols[m[2]] = parse(m[1])
		} else if m := reOpen.FindStringSubmatch(line); m != nil {
			writes = append(writes, opened(m[1], m[2], parse(m[3]))...)
		} else if m := reSend.FindStringSubmatch(line); m != nil {
			if protocol, ok := protocols[m[2]]; ok {
				writes = append(writes, sent(m[1], protocol, line)...)
			}
		}
	}
}

// opened names a sysctl that is opened for writing.
func opened(dir, name string, flags uint64) []string {
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	const accessMode = 3 // O_ACCMODE
	if flags&accessMode == 0 || !strings.HasPrefix(name, "/proc/sys/") {
		return nil
	}
	return []string{"open " + name}
}

// join puts the two parts of an interrupted call together again.
func join(pending map[string]string, line string) string {
	if m := reUnfinished.FindStringSubmatch(line); m != nil {
		pending[m[1]] = line[:len(line)-len(" <unfinished ...>")]
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

// sent names the messages of one call that change something.
func sent(call string, protocol uint64, line string) (writes []string) {
	types := reType.FindAllStringSubmatch(line, -1)
	if len(types) == 0 {
		// strace does not look into these calls: count them rather than miss one.
		return []string{fmt.Sprintf("%s with unknown messages to netlink protocol %d", call, protocol)}
	}
	for _, t := range types {
		if name, changes := message(protocol, parse(t[1])); changes {
			writes = append(writes, name)
		}
	}
	return writes
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
		n := typ - firstRoute
		verb := []string{"NEW", "DEL", "GET", "SET"}[n%4]
		if object := n / 4; object < uint64(len(objects)) {
			return "RTM_" + verb + objects[object], verb != "GET"
		}
		return fmt.Sprintf("RTM_%s(%d)", verb, typ), verb != "GET"
	case protocol == protocolAudit:
		return fmt.Sprintf("AUDIT(%d)", typ), !slices.Contains(auditReads, typ)
	}
	return "", false
}
