package netlink

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// decodeExtAck fills in what the extended acknowledgement says.
// include/uapi/linux/netlink.h, enum nlmsgerr_attrs.
func (e *Error) decodeExtAck(tlvs []byte, r sent) {
	a := ReadAttrs(tlvs)
	for a.Next() {
		switch a.Type() {
		case unix.NLMSGERR_ATTR_MSG:
			e.Text = a.String()
		case unix.NLMSGERR_ATTR_OFFS:
			e.Offset = a.Uint32()
		case unix.NLMSGERR_ATTR_COOKIE:
			e.Cookie = append([]byte(nil), a.Bytes()...)
		case nlmsgerrAttrPolicy:
			e.Policy = decodePolicy(a.Nested())
		case nlmsgerrAttrMissType:
			e.MissingType = uint16(a.Uint32())
		case nlmsgerrAttrMissNest:
			e.MissingNest = a.Uint32()
		}
	}
	at := e.Offset
	if e.MissingType != 0 {
		at = e.MissingNest
	}
	e.Path = attrPath(r.bytes, r.attrs, int(at))
}

// A Policy is what the kernel accepts for an attribute.
// net/netlink/policy.c, __netlink_policy_dump_write_attr.
type Policy struct {
	Type uint32 // unix.NL_ATTR_TYPE_*
	// Min and Max are valid when HasRange, and are int64 when Signed.
	HasRange, Signed bool
	Min, Max         uint64
	// MinLength and MaxLength are in bytes; 0 means no limit.
	MinLength, MaxLength uint32
	// Mask are the bits that may be set; 0 when any may.
	Mask uint64
	// MaxType is the largest type inside a nested attribute, or 0.
	MaxType uint32
}

func decodePolicy(a Attrs) *Policy {
	p := new(Policy)
	for a.Next() {
		switch a.Type() {
		case unix.NL_POLICY_TYPE_ATTR_TYPE:
			p.Type = a.Uint32()
		case unix.NL_POLICY_TYPE_ATTR_MIN_VALUE_S:
			p.Min, p.HasRange, p.Signed = a.Uint64(), true, true
		case unix.NL_POLICY_TYPE_ATTR_MAX_VALUE_S:
			p.Max, p.HasRange, p.Signed = a.Uint64(), true, true
		case unix.NL_POLICY_TYPE_ATTR_MIN_VALUE_U:
			p.Min, p.HasRange = a.Uint64(), true
		case unix.NL_POLICY_TYPE_ATTR_MAX_VALUE_U:
			p.Max, p.HasRange = a.Uint64(), true
		case unix.NL_POLICY_TYPE_ATTR_MIN_LENGTH:
			p.MinLength = a.Uint32()
		case unix.NL_POLICY_TYPE_ATTR_MAX_LENGTH:
			p.MaxLength = a.Uint32()
		case unix.NL_POLICY_TYPE_ATTR_BITFIELD32_MASK:
			p.Mask = uint64(a.Uint32())
		case unix.NL_POLICY_TYPE_ATTR_MASK:
			p.Mask = a.Uint64()
		case unix.NL_POLICY_TYPE_ATTR_POLICY_MAXTYPE:
			p.MaxType = a.Uint32()
		}
	}
	return p
}

// String returns the limits as in "1..4094", "-5..5", "bits 0x7" or
// "up to 15 bytes", and "" when the policy gives none.
func (p *Policy) String() string {
	switch {
	case p.HasRange && p.Signed:
		return strconv.FormatInt(int64(p.Min), 10) + ".." + strconv.FormatInt(int64(p.Max), 10)
	case p.HasRange:
		return strconv.FormatUint(p.Min, 10) + ".." + strconv.FormatUint(p.Max, 10)
	case p.Mask != 0:
		return "bits 0x" + strconv.FormatUint(p.Mask, 16)
	case p.MinLength != 0 && p.MaxLength != 0:
		return strconv.Itoa(int(p.MinLength)) + ".." + strconv.Itoa(int(p.MaxLength)) + " bytes"
	case p.MaxLength != 0:
		return "up to " + strconv.Itoa(int(p.MaxLength)) + " bytes"
	case p.MinLength != 0:
		return "at least " + strconv.Itoa(int(p.MinLength)) + " bytes"
	}
	return ""
}

// attrPath returns the types of the attributes of message b, outermost first,
// that lead to the one at offset off. attrs is where the attributes begin.
//
// The kernel's offsets point at the header of an attribute. Old attributes nest
// without NLA_F_NESTED, so every attribute on the way is read as nested; when
// that does not lead to off, the path ends at the first that does not say so.
func attrPath(b []byte, attrs, off int) []uint16 {
	if attrs < unix.NLMSG_HDRLEN || off < attrs || off >= len(b) {
		return nil
	}
	var path []uint16
	sure := 0 // elements of path known to be attributes
	flagged := true
	for lo, hi := attrs, len(b); ; {
		at, data, ok := attrAround(b[:hi], lo, off)
		if !ok {
			return path[:sure]
		}
		path = append(path, data.Type())
		if at == off {
			return path
		}
		if flagged {
			sure = len(path)
		}
		flagged = flagged && data.IsNested()
		lo, hi = at+unix.NLA_HDRLEN, at+unix.NLA_HDRLEN+len(data.Bytes())
		if off < lo || off >= hi {
			return path[:sure] // in a header or in padding
		}
	}
}

// attrAround finds the attribute in b[lo:] that covers offset off.
func attrAround(b []byte, lo, off int) (at int, a Attrs, ok bool) {
	a = ReadAttrs(b[lo:])
	for at = lo; a.Next(); at += len(a.Raw()) {
		if off < at+len(a.Raw()) {
			return at, a, off >= at
		}
	}
	return 0, a, false
}
