package watch

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nlapply/nlapply/netlink/route"
)

// A culprit is what is known of who changed an object.
type culprit struct {
	deleted  bool
	protocol uint8  // that the object came with, 0 for none
	port     uint32 // of the socket that asked for it, 0 for the kernel's own doing
	process  string // "" when it is not known
	at       time.Time
}

// String says who it was, as far as is known.
func (c culprit) String() string {
	var words []string
	if c.process != "" {
		words = append(words, c.process)
	}
	if c.protocol != 0 {
		words = append(words, "protocol "+route.ProtocolName(c.protocol))
	}
	if len(words) == 0 && c.port != 0 {
		words = append(words, fmt.Sprintf("netlink port %d", c.port))
	}
	if len(words) == 0 {
		return "someone"
	}
	return strings.Join(words, ", ")
}

// processOf names the process that has a netlink socket of this port. Most
// programs' first socket has their process id as its port (net/netlink/
// af_netlink.c, netlink_autobind); /proc/net/netlink tells whether it is so.
func processOf(port uint32) string {
	inode := inodeOf(port)
	if inode != "" && port <= 1<<22 && hasSocket(strconv.Itoa(int(port)), inode) {
		return processName(strconv.Itoa(int(port)))
	}
	if inode != "" {
		dirs, _ := filepath.Glob("/proc/[0-9]*")
		for _, dir := range dirs {
			if pid := filepath.Base(dir); hasSocket(pid, inode) {
				return processName(pid)
			}
		}
	}
	return ""
}

// inodeOf returns the inode of the rtnetlink socket of a port, "" when it is not
// open any more, or in another namespace.
func inodeOf(port uint32) string {
	table, err := os.ReadFile("/proc/thread-self/net/netlink")
	if err != nil {
		return ""
	}
	lines := bufio.NewScanner(bytes.NewReader(table))
	for lines.Scan() { // sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
		f := strings.Fields(lines.Text())
		if len(f) == 10 && f[1] == "0" && f[2] == strconv.FormatUint(uint64(port), 10) {
			return f[9]
		}
	}
	return ""
}

func hasSocket(pid, inode string) bool {
	fds, _ := filepath.Glob("/proc/" + pid + "/fd/*")
	for _, fd := range fds {
		if target, err := os.Readlink(fd); err == nil && target == "socket:["+inode+"]" {
			return true
		}
	}
	return false
}

func processName(pid string) string {
	comm, err := os.ReadFile("/proc/" + pid + "/comm")
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s (pid %s)", strings.TrimSpace(string(comm)), pid)
}
