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
	rest []byte
	data []byte
	raw  []byte
	typ  uint16
	err  error
}

// ReadAttrs returns a walk over b.
func ReadAttrs(b []byte) Attrs { return Attrs{rest: b} }

// Next steps to the next attribute and tells whether there is one.
func (a *Attrs) Next() bool {
	if len(a.rest) < unix.NLA_HDRLEN {
		return false // up to three bytes of padding may be left
	}
	n := int(binary.NativeEndian.Uint16(a.rest))
	if n < unix.NLA_HDRLEN || n > len(a.rest) {
		a.err = fmt.Errorf("attribute of %d bytes with %d bytes left: %w", n, len(a.rest), unix.EBADMSG)
		a.rest = nil
		return false
	}
	a.typ = binary.NativeEndian.Uint16(a.rest[2:])
	a.data = a.rest[unix.NLA_HDRLEN:n:n]
	step := min(nlaAlign(n), len(a.rest))
	a.raw = a.rest[:step:step]
	a.rest = a.rest[step:]
	return true
}

// Err returns the error that ended the walk, or nil.
func (a *Attrs) Err() error { return a.err }

// Type returns the attribute's type without its flags.
func (a *Attrs) Type() uint16 { return a.typ &^ attrFlags }

// IsNested tells whether NLA_F_NESTED is set. Old kernel code leaves it out.
func (a *Attrs) IsNested() bool { return a.typ&unix.NLA_F_NESTED != 0 }

// Bytes returns the value in place: it is valid as long as the buffer.
func (a *Attrs) Bytes() []byte { return a.data }

// Raw returns the whole attribute, header and padding included, in place. It is
// what Encoder.Raw takes: this is how unknown attributes are kept.
func (a *Attrs) Raw() []byte { return a.raw }

// Nested returns a walk over the attributes inside this one.
func (a *Attrs) Nested() Attrs { return ReadAttrs(a.data) }

// Uint8 returns the first byte.
func (a *Attrs) Uint8() uint8 {
	if len(a.data) < 1 {
		return 0
	}
	return a.data[0]
}

// Uint16 returns two bytes in the machine's byte order.
func (a *Attrs) Uint16() uint16 {
	if len(a.data) < 2 {
		return 0
	}
	return binary.NativeEndian.Uint16(a.data)
}

// Uint32 returns four bytes in the machine's byte order.
func (a *Attrs) Uint32() uint32 {
	if len(a.data) < 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(a.data)
}

// Int32 returns four bytes in the machine's byte order, signed.
func (a *Attrs) Int32() int32 { return int32(a.Uint32()) }

// Uint64 returns eight bytes in the machine's byte order. The kernel aligns
// them to four bytes only, so they are read bytewise.
func (a *Attrs) Uint64() uint64 {
	if len(a.data) < 8 {
		return 0
	}
	return binary.NativeEndian.Uint64(a.data)
}

// BE16 returns two bytes in network byte order.
func (a *Attrs) BE16() uint16 {
	if len(a.data) < 2 {
		return 0
	}
	return binary.BigEndian.Uint16(a.data)
}

// BE32 returns four bytes in network byte order.
func (a *Attrs) BE32() uint32 {
	if len(a.data) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(a.data)
}

// BE64 returns eight bytes in network byte order.
func (a *Attrs) BE64() uint64 {
	if len(a.data) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(a.data)
}

// String returns the value up to the first NUL; any bytes are allowed.
func (a *Attrs) String() string { return string(a.CString()) }

// CString is String in place, without a copy.
func (a *Attrs) CString() []byte {
	if i := bytes.IndexByte(a.data, 0); i >= 0 {
		return a.data[:i]
	}
	return a.data
}

// Addr returns an IP address of 4 or 16 bytes, the zero Addr for other lengths.
// A 16-byte address stays IPv6 also when it is IPv4-mapped.
func (a *Attrs) Addr() netip.Addr {
	switch len(a.data) {
	case 4:
		return netip.AddrFrom4([4]byte(a.data))
	case 16:
		return netip.AddrFrom16([16]byte(a.data))
	}
	return netip.Addr{}
}
