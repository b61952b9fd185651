// Package portowner finds out whose netlink socket a port is.
package portowner

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/netns"
)

// Find returns the process that has the rtnetlink socket of a port in a namespace:
// its number and its name, which is "" when there is none or /proc does not tell. The
// kernel gives the first netlink socket of a process its number as port (net/netlink/
// af_netlink.c, netlink_autobind), which is another one's where the process has a
// process namespace of its own. Others are found only among all processes, which
// takes as long as there are open files.
func Find(ns *netns.NS, port uint32, amongAll bool) (pid int, name string) {
	inode := socketInode(ns, port)
	if inode == "" {
		return 0, ""
	}
	if hasSocket(int(port), inode) {
		return int(port), processName(int(port))
	}
	if !amongAll {
		return 0, ""
	}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		if pid, err := strconv.Atoi(filepath.Base(dir)); err == nil && hasSocket(pid, inode) {
			return pid, processName(pid)
		}
	}
	return 0, ""
}

// socketInode looks a rtnetlink socket up in the namespace's list, "" for none.
func socketInode(ns *netns.NS, port uint32) (inode string) {
	read := func() error {
		list, err := os.Open("/proc/thread-self/net/netlink")
		if err != nil {
			return err
		}
		defer list.Close()
		want := strconv.FormatUint(uint64(port), 10)
		for s := bufio.NewScanner(list); s.Scan(); {
			// sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
			if w := strings.Fields(s.Text()); len(w) == 10 && w[1] == strconv.Itoa(unix.NETLINK_ROUTE) && w[2] == want {
				inode = w[9]
			}
		}
		return nil
	}
	if isCurrent(ns) { // to enter it would need a capability
		read()
	} else {
		ns.Do(read)
	}
	return inode
}

// isCurrent tells whether the thread is in the namespace.
func isCurrent(ns *netns.NS) bool {
	current, err := netns.Current()
	if err != nil {
		return false
	}
	defer current.Close()
	here, _ := current.ID()
	there, err := ns.ID()
	return err == nil && here == there
}

func procOf(pid int) string { return "/proc/" + strconv.Itoa(pid) }

// hasSocket tells whether a process has a descriptor of the socket.
func hasSocket(pid int, inode string) bool {
	dir := procOf(pid) + "/fd"
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if link, _ := os.Readlink(dir + "/" + e.Name()); link == "socket:["+inode+"]" {
			return true
		}
	}
	return false
}

func processName(pid int) string {
	comm, _ := os.ReadFile(procOf(pid) + "/comm")
	return strings.TrimSuffix(string(comm), "\n")
}
