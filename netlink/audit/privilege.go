package audit

import (
	"os"

	"golang.org/x/sys/unix"
)

// missing tells which privilege was refused with EPERM: the kernel looks at the PID
// namespace first, and then at the capability (kernel/audit.c, audit_netlink_ok).
func missing() error {
	initial, known := inInitialPIDNamespace()
	switch {
	case known && !initial:
		return ErrPIDNamespace
	case known || !hasAuditControl():
		return ErrCapability
	}
	return ErrPIDNamespace
}

// initialPIDNamespace is what /proc shows for the initial PID namespace, whichever
// namespace /proc is of: PROC_PID_INIT_INO of include/linux/proc_ns.h, and
// PID_NS_INIT_INO of include/uapi/linux/nsfs.h.
const initialPIDNamespace = "pid:[4026531836]"

// inInitialPIDNamespace tells whether the process is there, where /proc says so.
func inInitialPIDNamespace() (initial, known bool) {
	name, err := os.Readlink("/proc/self/ns/pid")
	return name == initialPIDNamespace, err == nil
}

// hasAuditControl tells whether the process has CAP_AUDIT_CONTROL (capget(2)).
func hasAuditControl() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	return unix.Capget(&header, &data[0]) == nil && data[0].Effective&(1<<unix.CAP_AUDIT_CONTROL) != 0
}
