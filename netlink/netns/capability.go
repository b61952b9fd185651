package netns

import "golang.org/x/sys/unix"

// CanEnter tells whether the process has CAP_SYS_ADMIN in its user namespace,
// without which no network namespace can be entered, made or named. Entering one
// that belongs to another user namespace takes it there, too.
func CanEnter() bool {
	h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var d [2]unix.CapUserData
	return unix.Capget(&h, &d[0]) == nil && d[0].Effective&(1<<unix.CAP_SYS_ADMIN) != 0
}
