package netlink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Conditions that are no refusal by the kernel.
var (
	// ErrUnknown marks requests that were sent and whose answer was not seen: they
	// may have been carried out or not. Only a dump tells.
	ErrUnknown = errors.New("outcome unknown")
	// ErrOverrun tells that the kernel dropped messages because the receive buffer
	// was full. What was lost is not known: only a dump tells.
	ErrOverrun = errors.New("receive buffer overrun, messages were lost")
	// ErrDumpInterrupted tells that objects changed during a dump, so that it may
	// miss some or have some twice. The messages were delivered all the same.
	ErrDumpInterrupted = errors.New("dump interrupted by a concurrent change")
)

// An Error is the kernel's refusal of one request. It matches its Errno:
//
//	errors.Is(err, unix.EEXIST)
type Error struct {
	Op    string // "request" or "dump"
	Errno unix.Errno
	Text  string // the kernel's own words, often empty
	Type  uint16 // of the refused message
	Seq   uint32 // of the refused message

	// Offset is where the offending attribute is in the message, header included;
	// 0 when the kernel does not say.
	Offset uint32
	// Path are the types of the attributes from the outermost to the offending one
	// or, with MissingType, to the one that should contain it.
	Path []uint16
	// Policy is what the kernel would accept for the offending attribute, or nil.
	Policy *Policy
	// MissingType is the type of an attribute that the request lacks, or 0.
	MissingType uint16
	// MissingNest is the offset of the attribute that should contain it, 0 for the
	// message itself.
	MissingNest uint32
	// Cookie is data for the user that some families give, or nil.
	Cookie []byte
}

// Error returns the errno's text, the kernel's own, and what is known about the
// attribute, as in
//
//	numerical result out of range: Attribute failed policy validation (attribute 18.2, allowed 0..4094)
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Errno.Error())
	if e.Text != "" {
		b.WriteString(": ")
		b.WriteString(e.Text)
	}
	var about []string
	if e.MissingType != 0 {
		about = append(about, fmt.Sprintf("attribute %s is missing", joinTypes(append(e.Path[:len(e.Path):len(e.Path)], e.MissingType))))
	} else if len(e.Path) > 0 {
		about = append(about, "attribute "+joinTypes(e.Path))
	}
	if e.Policy != nil {
		if s := e.Policy.String(); s != "" {
			about = append(about, "allowed "+s)
		}
	}
	if len(about) > 0 {
		fmt.Fprintf(&b, " (%s)", strings.Join(about, ", "))
	}
	return b.String()
}

func joinTypes(path []uint16) string {
	s := make([]string, len(path))
	for i, typ := range path {
		s[i] = strconv.Itoa(int(typ))
	}
	return strings.Join(s, ".")
}

// Unwrap returns the Errno.
func (e *Error) Unwrap() error { return e.Errno }

// A sent is a message as it went out, for the errors about it.
type sent struct {
	op    string
	bytes []byte // header included
	attrs int    // where its attributes begin
}

// errnoError is the error of an answer's code, which is a negative errno.
// include/uapi/linux/netlink.h, struct nlmsgerr.
func (r sent) errnoError(code int32) *Error {
	if code < 0 {
		code = -code // stays negative for the one value that has no counterpart
	}
	e := &Error{Op: r.op, Errno: unix.Errno(uint32(code))}
	if len(r.bytes) >= unix.NLMSG_HDRLEN {
		e.Type = binary.NativeEndian.Uint16(r.bytes[4:])
		e.Seq = binary.NativeEndian.Uint32(r.bytes[8:])
	}
	return e
}

// ackError decodes an NLMSG_ERROR message: nil when it is an acknowledgement.
func (r sent) ackError(m Message) error {
	if len(m.Data) < 4 {
		return fmt.Errorf("acknowledgement of %d bytes: %w", len(m.Data), unix.EBADMSG)
	}
	code := int32(binary.NativeEndian.Uint32(m.Data))
	if code == 0 {
		return nil
	}
	e := r.errnoError(code)
	if m.Flags&AckTLVs != 0 {
		e.decodeExtAck(ackTLVs(m), r)
	}
	return e
}

// ackTLVs returns the attributes behind struct nlmsgerr, which holds the header
// of the request and, unless NLM_F_CAPPED is set, all of the request.
// net/netlink/af_netlink.c, netlink_ack and netlink_ack_tlv_fill.
func ackTLVs(m Message) []byte {
	const code = 4
	if len(m.Data) < code+unix.NLMSG_HDRLEN {
		return nil
	}
	echoed := uint64(unix.NLMSG_HDRLEN)
	if m.Flags&Capped == 0 {
		n := uint64(binary.NativeEndian.Uint32(m.Data[code:]))
		echoed = (n + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1)
	}
	if code+echoed > uint64(len(m.Data)) {
		return nil
	}
	return m.Data[code+echoed:]
}

// doneError decodes an NLMSG_DONE message, whose errno is that of the whole dump
// and is followed by the attributes at once, without an echo of the request.
// net/netlink/af_netlink.c, netlink_dump_done.
func (r sent) doneError(m Message) error {
	if len(m.Data) < 4 {
		return nil // net/netlink/af_netlink.c before v4.0 and other families
	}
	code := int32(binary.NativeEndian.Uint32(m.Data))
	if code >= 0 {
		return nil
	}
	e := r.errnoError(code)
	if m.Flags&AckTLVs != 0 {
		e.decodeExtAck(m.Data[4:], r)
	}
	return e
}
