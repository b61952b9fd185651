package netlink

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// attrFlags are the bits of nla_type that are no part of the type.
const attrFlags = unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER

// Attrs walks a run of attributes in place and allocates nothing:
//
//	a := netlink.ReadAttrs(b)
//	for a.Next() {
//		switch a.Type() {
//		case unix.RTA_OIF:
//			r.OIF = a.Uint32()
//		}
//	}
//	return a.Err()
//
// Getters on an attribute that is too short return the zero value; a longer one
// is read as far as the getter goes, because kernels lengthen attributes. Err
// reports a run that ends in the middle of an attribute.
type Attrs struct {
	b []byte
	// The value of the current attribute is b[from:end]; the next one begins at
	// next.
	from, end, next int
	typ             uint16
	err             error
}

// ReadAttrs returns a walk over b.
func ReadAttrs(b []byte) Attrs { return Attrs{b: b} }

// Next steps to the next attribute and tells whether there is one.
func (a *Attrs) Next() bool {
	left := len(a.b) - a.next
	if left < unix.NLA_HDRLEN {
		return false // up to three bytes of padding may be left
	}
	h := a.b[a.next : a.next+unix.NLA_HDRLEN]
	n := int(binary.NativeEndian.Uint16(h))
	if n < unix.NLA_HDRLEN || n > left {
		return a.fail(n, left)
	}
	a.typ = binary.NativeEndian.Uint16(h[2:])
	a.from, a.end = a.next+unix.NLA_HDRLEN, a.next+n
	a.next += nlaAlign(n)
	return true
}

// fail ends the walk at an attribute whose length cannot be.
func (a *Attrs) fail(n, left int) bool {
	*a = Attrs{err: fmt.Errorf("attribute of %d bytes with %d bytes left: %w", n, left, unix.EBADMSG)}
	return false
}

// Err returns the error that ended the walk, or nil.
func (a *Attrs) Err() error { return a.err }

// Type returns the attribute's type without its flags.
func (a *Attrs) Type() uint16 { return a.typ &^ attrFlags }

// IsNested tells whether NLA_F_NESTED is set. Old kernel code leaves it out.
func (a *Attrs) IsNested() bool { return a.typ&unix.NLA_F_NESTED != 0 }

// Bytes returns the value in place: it is valid as long as the buffer.
func (a *Attrs) Bytes() []byte { return a.b[a.from:a.end:a.end] }

// value is Bytes for getters, which do not write.
func (a *Attrs) value() []byte { return a.b[a.from:a.end] }

// Raw returns the whole attribute, header and padding included, in place. It is
// what Encoder.Raw takes: this is how unknown attributes are kept.
func (a *Attrs) Raw() []byte {
	if a.end == 0 {
		return nil
	}
	end := min(a.next, len(a.b))
	return a.b[a.from-unix.NLA_HDRLEN : end : end]
}

// Nested returns a walk over the attributes inside this one.
func (a *Attrs) Nested() Attrs { return ReadAttrs(a.Bytes()) }

// Uint8 returns the first byte.
func (a *Attrs) Uint8() uint8 {
	v := a.value()
	if len(v) < 1 {
		return 0
	}
	return v[0]
}

// Uint16 returns two bytes in the machine's byte order.
func (a *Attrs) Uint16() uint16 {
	v := a.value()
	if len(v) < 2 {
		return 0
	}
	return binary.NativeEndian.Uint16(v)
}

// Uint32 returns four bytes in the machine's byte order.
func (a *Attrs) Uint32() uint32 {
	v := a.value()
	if len(v) < 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(v)
}

// Int32 returns four bytes in the machine's byte order, signed.
func (a *Attrs) Int32() int32 { return int32(a.Uint32()) }

// Uint64 returns eight bytes in the machine's byte order. The kernel aligns
// them to four bytes only, so they are read bytewise.
func (a *Attrs) Uint64() uint64 {
	v := a.value()
	if len(v) < 8 {
		return 0
	}
	return binary.NativeEndian.Uint64(v)
}

// BE16 returns two bytes in network byte order.
func (a *Attrs) BE16() uint16 {
	v := a.value()
	if len(v) < 2 {
		return 0
	}
	return binary.BigEndian.Uint16(v)
}

// BE32 returns four bytes in network byte order.
func (a *Attrs) BE32() uint32 {
	v := a.value()
	if len(v) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(v)
}

// BE64 returns eight bytes in network byte order.
func (a *Attrs) BE64() uint64 {
	v := a.value()
	if len(v) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(v)
}

// String returns the value up to the first NUL; any bytes are allowed.
func (a *Attrs) String() string { return string(a.CString()) }

// CString is String in place, without a copy.
func (a *Attrs) CString() []byte {
	v := a.Bytes()
	if i := bytes.IndexByte(v, 0); i >= 0 {
		return v[:i]
	}
	return v
}

// Addr returns an IP address of 4 or 16 bytes, the zero Addr for other lengths.
// A 16-byte address stays IPv6 also when it is IPv4-mapped.
func (a *Attrs) Addr() netip.Addr {
	switch v := a.value(); len(v) {
	case 4:
		return netip.AddrFrom4([4]byte(v))
	case 16:
		return netip.AddrFrom16([16]byte(v))
	}
	return netip.Addr{}
}
