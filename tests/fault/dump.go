package fault

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// spoil lets a dump run to its end and hands on what change makes of it. change
// gets all messages, the one that ends the dump included, and the place that the
// fault names; it returns the messages, and an error to receive behind them.
func spoil(change func(s *socket, messages []netlink.Message, at int) ([]netlink.Message, error)) func(*socket, []netlink.Message, int) error {
	return func(s *socket, requests []netlink.Message, _ int) error {
		if err := s.send(requests); err != nil {
			return err
		}
		messages, err := s.receiveDump()
		if err != nil {
			s.queue = append(s.queue, received{err: err})
			return nil
		}
		messages, err = change(s, messages, place(s.tape.fault.At, len(messages)))
		for _, m := range messages {
			s.queue = append(s.queue, received{datagram: m.AppendTo(nil)})
		}
		if err != nil {
			s.queue = append(s.queue, received{err: err})
		}
		return nil
	}
}

// place is the index of the first, middle or last of n messages.
func place(name string, n int) int {
	switch name {
	case Middle:
		return n / 2
	case Last:
		return n - 1
	}
	return 0
}

// receiveDump receives a dump to its end.
func (s *socket) receiveDump() (all []netlink.Message, err error) {
	b := make([]byte, bufferSize)
	for {
		n, err := s.Socket.Recv(b, true)
		if err != nil {
			return nil, err
		}
		for m, err := range netlink.ReadMessages(b[:n]) {
			if err != nil {
				return nil, err
			}
			if all = append(all, m.Clone()); m.Type == unix.NLMSG_DONE || m.Type == unix.NLMSG_ERROR {
				return all, nil
			}
		}
	}
}

func interrupt(_ *socket, messages []netlink.Message, at int) ([]netlink.Message, error) {
	messages[at].Flags |= netlink.DumpInterrupted
	return messages, nil
}

func repeat(_ *socket, messages []netlink.Message, at int) ([]netlink.Message, error) {
	if messages[at].Type < unix.NLMSG_MIN_TYPE {
		return messages, nil
	}
	return append(messages[:at+1:at+1], messages[at:]...), nil
}

func truncate(s *socket, messages []netlink.Message, at int) ([]netlink.Message, error) {
	end := messages[len(messages)-1]
	end.Type = unix.NLMSG_DONE
	end.Data = binary.NativeEndian.AppendUint32(nil, uint32(-int32(Errnos[s.tape.fault.Arg])))
	return append(messages[:at:at], end), nil
}

func overrun(_ *socket, messages []netlink.Message, at int) ([]netlink.Message, error) {
	return messages[:at], unix.ENOBUFS
}

func miss(_ *socket, messages []netlink.Message, at int) ([]netlink.Message, error) {
	if messages[at].Type < unix.NLMSG_MIN_TYPE {
		return messages, nil
	}
	return append(messages[:at:at], messages[at+1:]...), nil
}
