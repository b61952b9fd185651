// Package peercred names the process at the other end of a unix socket.
package peercred

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// Name names the process at the other end (SO_PEERCRED, unix(7)).
func Name(c *net.UnixConn) string {
	raw, err := c.SyscallConn()
	if err != nil {
		return "an unknown process"
	}
	var cred *unix.Ucred
	raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err != nil || cred.Pid == 0 {
		return "a process of another PID namespace"
	}
	return fmt.Sprintf("pid %d", cred.Pid)
}
