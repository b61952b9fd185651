package nltest

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// Ack is the acknowledgement of a request.
func Ack(request netlink.Message) netlink.Message { return Refuse(request, 0, nil) }

// Refuse is the refusal of a request, with the attributes of an extended
// acknowledgement, which may be nil. It is capped, as the clients of package
// netlink ask for.
func Refuse(request netlink.Message, errno unix.Errno, extAck *netlink.Encoder) netlink.Message {
	m := answer(request, unix.NLMSG_ERROR, netlink.Capped)
	m.Data = code(errno)
	m.Data = append(m.Data, request.AppendTo(nil)[:unix.NLMSG_HDRLEN]...)
	return withExtAck(m, extAck)
}

// Object is an answer to a request that is an object, such as a link.
func Object(request netlink.Message, typ uint16, data []byte) netlink.Message {
	m := answer(request, typ, 0)
	m.Data = data
	return m
}

// Part is one object of a dump.
func Part(request netlink.Message, typ uint16, data []byte) netlink.Message {
	m := Object(request, typ, data)
	m.Flags = netlink.Multi
	return m
}

// Done ends a dump, with an error unless errno is 0, and with the attributes of
// an extended acknowledgement, which may be nil.
func Done(request netlink.Message, errno unix.Errno, extAck *netlink.Encoder) netlink.Message {
	m := answer(request, unix.NLMSG_DONE, netlink.Multi)
	m.Data = code(errno)
	return withExtAck(m, extAck)
}

// Wants tells whether a request asks for an acknowledgement.
func Wants(request netlink.Message) bool { return request.Flags&netlink.Ack != 0 }

func answer(request netlink.Message, typ uint16, flags netlink.Flags) netlink.Message {
	return netlink.Message{Type: typ, Flags: flags, Seq: request.Seq, Port: request.Port}
}

func code(errno unix.Errno) []byte {
	return binary.NativeEndian.AppendUint32(nil, uint32(-int32(errno)))
}

func withExtAck(m netlink.Message, extAck *netlink.Encoder) netlink.Message {
	if extAck != nil {
		m.Flags |= netlink.AckTLVs
		m.Data = append(m.Data, extAck.Bytes()...)
	}
	return m
}
