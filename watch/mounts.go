package watch

import (
	"os"

	"golang.org/x/sys/unix"
)

// mounts tells when file systems are mounted and unmounted.
type mounts struct {
	table     int      // /proc/self/mountinfo; no os.File, whose poller would take changes for itself
	end, stop *os.File // a pipe: the watching ends when its far end is closed
	ended     chan struct{}
}

// watchMounts calls changed for every change; see poll of proc_pid_mountinfo(5).
func watchMounts(changed func()) (*mounts, error) {
	const path = "/proc/self/mountinfo"
	table, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	end, stop, err := os.Pipe()
	if err != nil {
		unix.Close(table)
		return nil, err
	}
	m := &mounts{table: table, end: end, stop: stop, ended: make(chan struct{})}
	go m.run(changed)
	return m, nil
}

func (m *mounts) run(changed func()) {
	defer close(m.ended)
	defer unix.Close(m.table)
	defer m.end.Close()
	fds := []unix.PollFd{{Fd: int32(m.table), Events: unix.POLLPRI}, {Fd: int32(m.end.Fd()), Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(fds, -1); err != nil && err != unix.EINTR {
			return
		}
		if fds[1].Revents != 0 {
			return
		}
		if fds[0].Revents != 0 {
			changed()
		}
	}
}

func (m *mounts) close() {
	m.stop.Close()
	<-m.ended
}
