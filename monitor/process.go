package monitor

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/netns"
)

// believed is how long an answer of portOwner holds. A process cannot end and
// another one get its number so soon.
const believed = time.Second

// A portOwner finds out who has a netlink socket. It remembers the last answer:
// events come in bursts.
type portOwner struct {
	port  uint32
	name  string
	until time.Time
}

// process returns the name of the process whose number is the port and that has
// the socket of that port in the namespace of f, "" if there is none or /proc
// does not tell. The kernel gives the first netlink socket of a process its
// number as port (net/netlink/af_netlink.c, netlink_autobind), which is another
// one's where the process has a process namespace of its own.
func (p *portOwner) process(f *follower, port uint32) string {
	if now := time.Now(); p.port != port || now.After(p.until) {
		*p = portOwner{port: port, until: now.Add(believed)}
		if inode := f.socketInode(port); inode != "" && hasSocket(port, inode) {
			comm, _ := os.ReadFile(procOf(port) + "/comm")
			p.name = strings.TrimSuffix(string(comm), "\n")
		}
	}
	return p.name
}

func procOf(pid uint32) string { return "/proc/" + strconv.FormatUint(uint64(pid), 10) }

// socketInode looks a rtnetlink socket up in the namespace's list.
func (f *follower) socketInode(port uint32) (inode string) {
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
	if f.isCurrent() { // to enter it would need a capability
		read()
	} else {
		f.ns.Do(read)
	}
	return inode
}

// isCurrent tells whether the thread is in the follower's namespace.
func (f *follower) isCurrent() bool {
	current, err := netns.Current()
	if err != nil {
		return false
	}
	defer current.Close()
	here, _ := current.ID()
	there, err := f.ns.ID()
	return err == nil && here == there
}

// hasSocket tells whether a process has a descriptor of the socket.
func hasSocket(pid uint32, inode string) bool {
	dir := procOf(pid) + "/fd"
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if link, _ := os.Readlink(dir + "/" + e.Name()); link == "socket:["+inode+"]" {
			return true
		}
	}
	return false
}
