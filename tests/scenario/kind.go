package scenario

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

var kinds sync.Map // link kind → bool

// hasKind reports whether the kernel knows a link kind, loading its module as
// the kernel does for anybody who asks.
func hasKind(kind string) (bool, error) {
	if ok, found := kinds.Load(kind); found {
		return ok.(bool), nil
	}
	ok, err := scratch(func() (bool, error) {
		answer, err := createLink(kind)
		// net/core/rtnetlink.c, rtnl_newlink_create: the only place with this text.
		return !bytes.Contains(answer, []byte("Unknown device type")), err
	})
	if err == nil {
		kinds.Store(kind, ok)
	}
	return ok, err
}

// createLink asks the kernel for a link of a kind without any attributes and
// returns its answer. Most kinds refuse that, each with a text of its own.
// This is done without nlapply's packages: they are what is tested.
func createLink(kind string) ([]byte, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_EXT_ACK, 1); err != nil {
		return nil, err
	}
	body := make([]byte, unix.SizeofIfInfomsg)
	body = append(body, attr(unix.IFLA_LINKINFO, attr(unix.IFLA_INFO_KIND, append([]byte(kind), 0)))...)
	head := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	head = binary.NativeEndian.AppendUint16(head, unix.RTM_NEWLINK)
	head = binary.NativeEndian.AppendUint16(head, unix.NLM_F_REQUEST|unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_EXCL)
	head = append(head, make([]byte, 8)...)
	if err := unix.Sendto(fd, append(head, body...), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, fmt.Errorf("link kind %s: %w", kind, err)
	}
	answer := make([]byte, 8192)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	return answer[:max(n, 0)], err
}

// attr encodes one netlink attribute.
func attr(typ uint16, data []byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(data)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, data...)
	return append(b, make([]byte, (4-len(b)%4)%4)...)
}
