package netlink

import (
	"encoding/binary"
	"fmt"
	"iter"

	"golang.org/x/sys/unix"
)

// A Message is one netlink message. Data is everything behind the header; in
// messages that an iterator yields it is a view into the receive buffer, valid
// until the next step.
type Message struct {
	Type  uint16
	Flags Flags
	Seq   uint32
	// Port is nlmsg_pid. In replies and events it is the port of the socket that
	// made the request, 0 for the kernel's own doing.
	Port uint32
	Data []byte
}

// AppendTo appends the message with its header to b, padded to four bytes.
func (m Message) AppendTo(b []byte) []byte {
	b = binary.NativeEndian.AppendUint32(b, uint32(unix.NLMSG_HDRLEN+len(m.Data)))
	b = binary.NativeEndian.AppendUint16(b, m.Type)
	b = binary.NativeEndian.AppendUint16(b, uint16(m.Flags))
	b = binary.NativeEndian.AppendUint32(b, m.Seq)
	b = binary.NativeEndian.AppendUint32(b, m.Port)
	b = append(b, m.Data...)
	return append(b, make([]byte, nlaAlign(len(m.Data))-len(m.Data))...)
}

// Clone returns the message with a Data of its own.
func (m Message) Clone() Message {
	m.Data = append([]byte(nil), m.Data...)
	return m
}

// ReadMessages walks the messages of a datagram in place. A message that does
// not fit is an error and ends the walk.
func ReadMessages(b []byte) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for len(b) > 0 {
			var m Message
			var err error
			m, b, err = nextMessage(b)
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// nextMessage cuts the first message off b. The last message of a datagram may
// come without its padding (nfqueue and nflog send such).
//
//	#define NLMSG_OK(nlh,len) ((len) >= (int)sizeof(struct nlmsghdr) && \
//			   (nlh)->nlmsg_len >= sizeof(struct nlmsghdr) && \
//			   (nlh)->nlmsg_len <= (len))
func nextMessage(b []byte) (m Message, rest []byte, err error) {
	if len(b) < unix.NLMSG_HDRLEN {
		return Message{}, nil, fmt.Errorf("message header in %d bytes: %w", len(b), unix.EBADMSG)
	}
	n := binary.NativeEndian.Uint32(b)
	if n < unix.NLMSG_HDRLEN || uint64(n) > uint64(len(b)) {
		return Message{}, nil, fmt.Errorf("message of %d bytes in %d bytes: %w", n, len(b), unix.EBADMSG)
	}
	m.Type = binary.NativeEndian.Uint16(b[4:])
	m.Flags = Flags(binary.NativeEndian.Uint16(b[6:]))
	m.Seq = binary.NativeEndian.Uint32(b[8:])
	m.Port = binary.NativeEndian.Uint32(b[12:])
	m.Data = b[unix.NLMSG_HDRLEN:n:n]
	return m, b[min(nlaAlign(int(n)), len(b)):], nil
}
