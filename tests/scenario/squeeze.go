package scenario

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// squeeze makes the receive buffers small with which a running program listens to
// events, so that it loses them at once. The file holds its process number.
func squeeze() {
	if len(os.Args) != 3 {
		fail("usage: squeeze BYTES PIDFILE")
	}
	size, err := strconv.Atoi(os.Args[1])
	check(err)
	text, err := os.ReadFile(os.Args[2])
	check(err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	check(err)
	n, err := squeezeSockets(pid, size)
	check(err)
	if n == 0 {
		fail("it listens to no events")
	}
	fmt.Println(n)
}

// squeezeSockets sets the buffers of a program's netlink sockets that are members
// of groups, and returns how many there are.
func squeezeSockets(pid, size int) (n int, err error) {
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(process)
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return 0, err
	}
	for _, entry := range fds {
		number, err := strconv.Atoi(entry.Name())
		if err != nil {
			return n, err
		}
		fd, err := unix.PidfdGetfd(process, number, 0)
		if err != nil {
			continue // closed meanwhile
		}
		if hears(fd) {
			n, err = n+1, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, size)
		}
		unix.Close(fd)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// hears tells whether a descriptor is a netlink socket that is a member of a group.
func hears(fd int) bool {
	if domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN); err != nil || domain != unix.AF_NETLINK {
		return false
	}
	groups, err := unix.GetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_LIST_MEMBERSHIPS)
	return err == nil && groups != 0
}
