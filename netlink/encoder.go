package netlink

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// Payload is what follows the header of one message: the fixed part of its
// type, then attributes.
type Payload interface {
	// AppendTo appends the payload to e. An error is reported by e.Err.
	AppendTo(e *Encoder)
}

// An Encoder appends fixed parts and attributes to a buffer that is used again
// for message after message. The zero value is ready to use. It is sticky: the
// first error (an attribute over 64 KiB) is kept and returned by Err.
type Encoder struct {
	buf []byte
	err error
	// start is where the payload of the message begins, fixed where its fixed
	// part ends: errors name attributes by offset, and the fixed part has none.
	start, fixed int
}

// nlaAlign is the kernel's NLA_ALIGN:
//
//	#define NLA_ALIGN(len) (((len) + NLA_ALIGNTO - 1) & ~(NLA_ALIGNTO - 1))
func nlaAlign(n int) int { return (n + unix.NLA_ALIGNTO - 1) &^ (unix.NLA_ALIGNTO - 1) }

// Bytes returns what has been appended. It is valid until the next append.
func (e *Encoder) Bytes() []byte { return e.buf }

// Len returns the number of bytes appended.
func (e *Encoder) Len() int { return len(e.buf) }

// Reset empties the encoder and keeps its buffer.
func (e *Encoder) Reset() { *e = Encoder{buf: e.buf[:0]} }

// Fail notes that a payload cannot be encoded, for payloads that hold what no
// message can say. The first error counts.
func (e *Encoder) Fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// Err returns the first error since Reset.
func (e *Encoder) Err() error { return e.err }

// Fixed appends p, padded to four bytes: the fixed part of a message.
func (e *Encoder) Fixed(p []byte) {
	first := len(e.buf) == e.start
	e.buf = append(e.buf, p...)
	e.pad()
	if first {
		e.fixed = len(e.buf)
	}
}

// Raw appends attributes that are already encoded.
func (e *Encoder) Raw(p []byte) {
	e.buf = append(e.buf, p...)
	e.pad()
}

func (e *Encoder) pad() {
	for len(e.buf)%unix.NLA_ALIGNTO != 0 {
		e.buf = append(e.buf, 0)
	}
}

// Attr appends an attribute with the given bytes.
func (e *Encoder) Attr(typ uint16, p []byte) {
	e.header(typ, len(p))
	e.buf = append(e.buf, p...)
	e.pad()
}

// extend makes room for n bytes, which the caller fills in, and returns them. It
// is small enough to be inlined, so that an attribute costs one check of the
// capacity.
func (e *Encoder) extend(n int) []byte {
	old := len(e.buf)
	if old+n > cap(e.buf) {
		e.buf = slices.Grow(e.buf, n)
	}
	e.buf = e.buf[:old+n]
	return e.buf[old:]
}

func (e *Encoder) header(typ uint16, n int) {
	if unix.NLA_HDRLEN+n > math.MaxUint16 && e.err == nil {
		e.err = fmt.Errorf("attribute %d: %d bytes do not fit: %w", typ&^attrFlags, n, unix.EMSGSIZE)
	}
	b := e.extend(unix.NLA_HDRLEN)
	binary.NativeEndian.PutUint16(b, uint16(unix.NLA_HDRLEN+n))
	binary.NativeEndian.PutUint16(b[2:], typ)
}

// Flag appends an attribute without a value (NLA_FLAG).
func (e *Encoder) Flag(typ uint16) { e.header(typ, 0) }

// Uint8 appends an attribute of one byte.
func (e *Encoder) Uint8(typ uint16, v uint8) {
	e.header(typ, 1)
	e.buf = append(e.buf, v, 0, 0, 0)
}

// Uint16 appends an attribute of two bytes in the machine's byte order.
func (e *Encoder) Uint16(typ uint16, v uint16) {
	e.header(typ, 2)
	e.buf = binary.NativeEndian.AppendUint16(e.buf, v)
	e.buf = append(e.buf, 0, 0)
}

// Uint32 appends an attribute of four bytes in the machine's byte order.
func (e *Encoder) Uint32(typ uint16, v uint32) {
	b := e.extend(unix.NLA_HDRLEN + 4)
	binary.NativeEndian.PutUint16(b, unix.NLA_HDRLEN+4)
	binary.NativeEndian.PutUint16(b[2:], typ)
	binary.NativeEndian.PutUint32(b[4:], v)
}

// Uint64 appends an attribute of eight bytes in the machine's byte order.
func (e *Encoder) Uint64(typ uint16, v uint64) {
	e.header(typ, 8)
	e.buf = binary.NativeEndian.AppendUint64(e.buf, v)
}

// BE16 appends an attribute of two bytes in network byte order.
func (e *Encoder) BE16(typ uint16, v uint16) {
	e.header(typ, 2)
	e.buf = binary.BigEndian.AppendUint16(e.buf, v)
	e.buf = append(e.buf, 0, 0)
}

// BE32 appends an attribute of four bytes in network byte order.
func (e *Encoder) BE32(typ uint16, v uint32) {
	e.header(typ, 4)
	e.buf = binary.BigEndian.AppendUint32(e.buf, v)
}

// BE64 appends an attribute of eight bytes in network byte order.
func (e *Encoder) BE64(typ uint16, v uint64) {
	e.header(typ, 8)
	e.buf = binary.BigEndian.AppendUint64(e.buf, v)
}

// String appends s with a terminating NUL (NLA_NUL_STRING).
func (e *Encoder) String(typ uint16, s string) {
	e.header(typ, len(s)+1)
	e.buf = append(e.buf, s...)
	e.buf = append(e.buf, 0)
	e.pad()
}

// Addr appends an IP address as its 4 or 16 bytes; nothing for the zero Addr.
func (e *Encoder) Addr(typ uint16, a netip.Addr) {
	switch {
	case a.Is4():
		a4 := a.As4()
		b := e.extend(unix.NLA_HDRLEN + 4)
		binary.NativeEndian.PutUint16(b, unix.NLA_HDRLEN+4)
		binary.NativeEndian.PutUint16(b[2:], typ)
		copy(b[4:], a4[:])
	case a.Is6():
		e.header(typ, 16)
		b := a.As16()
		e.buf = append(e.buf, b[:]...)
	}
}

// Begin starts a nested attribute with NLA_F_NESTED set, as strict policies
// want it. The result goes to End.
func (e *Encoder) Begin(typ uint16) (mark int) { return e.BeginPlain(typ | unix.NLA_F_NESTED) }

// BeginPlain is Begin without NLA_F_NESTED, for structures (struct rtnexthop)
// and old attributes whose readers do not mask the flag.
func (e *Encoder) BeginPlain(typ uint16) (mark int) {
	mark = len(e.buf)
	e.header(typ, 0)
	return mark
}

// End closes the nested attribute that Begin opened: its length is filled in.
func (e *Encoder) End(mark int) {
	n := len(e.buf) - mark
	if n > math.MaxUint16 && e.err == nil {
		typ := binary.NativeEndian.Uint16(e.buf[mark+2:]) &^ attrFlags
		e.err = fmt.Errorf("attribute %d: %d bytes do not fit: %w", typ, n, unix.EMSGSIZE)
	}
	binary.NativeEndian.PutUint16(e.buf[mark:], uint16(n))
	e.pad()
}

// Grow appends n zero bytes and returns them to be filled in; they are valid
// until the next append. Like Fixed, it makes the fixed part of a message when
// it comes first.
func (e *Encoder) Grow(n int) []byte {
	first := len(e.buf) == e.start
	b := e.extend(n)
	clear(b)
	if first {
		e.fixed = len(e.buf)
	}
	return b
}

// Room returns an empty slice with room for n bytes, which is appended to and
// then given to Fill. It is for payloads of which there are millions: their
// attributes stay in registers until they are all there.
func (e *Encoder) Room(n int) []byte {
	if cap(e.buf)-len(e.buf) < n {
		e.buf = slices.Grow(e.buf, n)
	}
	return e.buf[len(e.buf):]
}

// Fill takes the slice that Room returned, appended to and padded. The first
// fixed bytes are the fixed part of the message; 0 for attributes alone.
func (e *Encoder) Fill(b []byte, fixed int) {
	if fixed > 0 {
		e.fixed = len(e.buf) + fixed
	}
	if n := len(e.buf) + len(b); cap(b) == cap(e.buf)-len(e.buf) {
		e.buf = e.buf[:n] // it is there already
	} else {
		e.buf = append(e.buf, b...)
	}
}

// begin appends the header of a message; finish fills its length in.
func (e *Encoder) begin(typ uint16, f Flags) (mark int) {
	mark = len(e.buf)
	h := e.extend(unix.NLMSG_HDRLEN)
	clear(h)
	binary.NativeEndian.PutUint16(h[4:], typ)
	binary.NativeEndian.PutUint16(h[6:], uint16(f))
	e.start, e.fixed = len(e.buf), len(e.buf)
	return mark
}

// finish ends the message that begin began and returns where its attributes
// begin, counted from its header.
func (e *Encoder) finish(mark int) (attrs int) {
	e.pad()
	binary.NativeEndian.PutUint32(e.buf[mark:], uint32(len(e.buf)-mark))
	return e.fixed - mark
}
