package netlink

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// refusal is an acknowledgement of req with an error, as the kernel makes it:
// with the whole request echoed unless capped.
func refusal(req []byte, errno int32, capped bool, tlvs *Encoder) Message {
	var e Encoder
	binary.NativeEndian.PutUint32(e.Grow(4), uint32(errno))
	m := Message{Type: unix.NLMSG_ERROR, Flags: AckTLVs}
	if capped {
		m.Flags |= Capped
		req = req[:unix.NLMSG_HDRLEN]
	}
	e.Fixed(req)
	if tlvs != nil {
		e.Raw(tlvs.Bytes())
	}
	m.Data = e.Bytes()
	return m
}

// message encodes a link with nested attributes and tells where they are.
func message(t *testing.T) (r sent, at map[string]uint32) {
	t.Helper()
	at = make(map[string]uint32)
	var e Encoder
	mark := e.begin(unix.RTM_NEWLINK, Request)
	e.Fixed(make([]byte, unix.SizeofIfInfomsg))
	at["name"] = uint32(e.Len())
	e.String(unix.IFLA_IFNAME, "odd") // padded
	at["info"] = uint32(e.Len())
	info := e.Begin(unix.IFLA_LINKINFO)
	e.String(unix.IFLA_INFO_KIND, "vxlan")
	at["data"] = uint32(e.Len())
	data := e.BeginPlain(unix.IFLA_INFO_DATA) // as old programs do
	e.Uint32(unix.IFLA_VXLAN_ID, 10)
	at["port"] = uint32(e.Len())
	e.BE16(unix.IFLA_VXLAN_PORT, 4789)
	e.End(data)
	e.End(info)
	at["multipath"] = uint32(e.Len())
	hops := e.BeginPlain(unix.RTA_MULTIPATH)
	e.Fixed([]byte{16, 0, 0, 3, 5, 0, 0, 0}) // struct rtnexthop
	at["gateway"] = uint32(e.Len())
	e.Uint32(unix.RTA_GATEWAY, 0)
	e.End(hops)
	attrs := e.finish(mark)
	return sent{op: "request", bytes: e.Bytes(), attrs: attrs}, at
}

func TestErrorPath(t *testing.T) {
	r, at := message(t)
	for name, want := range map[string][]uint16{
		"name":      {unix.IFLA_IFNAME},
		"info":      {unix.IFLA_LINKINFO},
		"data":      {unix.IFLA_LINKINFO, unix.IFLA_INFO_DATA},
		"port":      {unix.IFLA_LINKINFO, unix.IFLA_INFO_DATA, unix.IFLA_VXLAN_PORT},
		"multipath": {unix.RTA_MULTIPATH},
		"gateway":   {unix.RTA_MULTIPATH}, // behind a structure that only its family knows
	} {
		if diff := cmp.Diff(want, attrPath(r.bytes, r.attrs, int(at[name]))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for _, off := range []int{-1, 0, 15, 16, 31, len(r.bytes), math.MaxInt32} {
		if got := attrPath(r.bytes, r.attrs, off); len(got) != 0 {
			t.Errorf("offset %d: path %v", off, got)
		}
	}
}

func TestErrorDecode(t *testing.T) {
	r, at := message(t)
	var tlvs Encoder
	tlvs.String(unix.NLMSGERR_ATTR_MSG, "Attribute failed policy validation")
	tlvs.Uint32(unix.NLMSGERR_ATTR_OFFS, at["port"])
	tlvs.Attr(unix.NLMSGERR_ATTR_COOKIE, []byte{1, 2, 3})
	policy := tlvs.Begin(nlmsgerrAttrPolicy)
	tlvs.Uint64(unix.NL_POLICY_TYPE_ATTR_MIN_VALUE_U, 1)
	tlvs.Uint64(unix.NL_POLICY_TYPE_ATTR_MAX_VALUE_U, 4094)
	tlvs.Uint32(unix.NL_POLICY_TYPE_ATTR_TYPE, unix.NL_ATTR_TYPE_U16)
	tlvs.End(policy)
	want := &Error{
		Op: "request", Errno: unix.ERANGE, Text: "Attribute failed policy validation", Type: unix.RTM_NEWLINK,
		Offset: at["port"], Path: []uint16{unix.IFLA_LINKINFO, unix.IFLA_INFO_DATA, unix.IFLA_VXLAN_PORT},
		Policy: &Policy{Type: unix.NL_ATTR_TYPE_U16, HasRange: true, Min: 1, Max: 4094}, Cookie: []byte{1, 2, 3},
	}
	for _, capped := range []bool{true, false} {
		err := r.ackError(refusal(r.bytes, -int32(unix.ERANGE), capped, &tlvs))
		if diff := cmp.Diff(error(want), err); diff != "" {
			t.Errorf("capped %v: %s", capped, diff)
		}
	}
	const text = "numerical result out of range: Attribute failed policy validation (attribute 18.2.15, allowed 1..4094)"
	if got := want.Error(); got != text {
		t.Errorf("text %q, want %q", got, text)
	}
	m := refusal(r.bytes, -int32(unix.ERANGE), true, nil)
	m.Data = append(m.Data[:4], tlvs.Bytes()...)
	want.Op = "dump"
	r.op = "dump"
	if diff := cmp.Diff(error(want), r.doneError(m)); diff != "" {
		t.Errorf("in NLMSG_DONE: %s", diff)
	}
}

func TestErrorMissingAttribute(t *testing.T) {
	r, at := message(t)
	var tlvs Encoder
	tlvs.Uint32(nlmsgerrAttrMissType, unix.IFLA_VXLAN_ID)
	tlvs.Uint32(nlmsgerrAttrMissNest, at["data"])
	err := r.ackError(refusal(r.bytes, -int32(unix.EINVAL), true, &tlvs))
	if got, want := err.Error(), "invalid argument (attribute 18.2.1 is missing)"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	tlvs.Reset()
	tlvs.Uint32(nlmsgerrAttrMissType, unix.IFLA_IFNAME)
	err = r.ackError(refusal(r.bytes, -int32(unix.EINVAL), true, &tlvs))
	if got, want := err.Error(), "invalid argument (attribute 3 is missing)"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
}

func TestErrorMatches(t *testing.T) {
	r, _ := message(t)
	err := r.ackError(refusal(r.bytes, -int32(unix.EEXIST), true, nil))
	if !errors.Is(err, unix.EEXIST) || !errors.Is(err, fs.ErrExist) || errors.Is(err, unix.EPERM) {
		t.Errorf("%v does not match as it should", err)
	}
	if got, want := r.ackError(refusal(r.bytes, -int32(unix.EPERM), true, nil)).Error(), "operation not permitted"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	if err := r.ackError(refusal(r.bytes, 0, true, nil)); err != nil {
		t.Errorf("acknowledgement: %v", err)
	}
	for _, code := range []int32{1, math.MinInt32, math.MaxInt32} {
		if err := r.ackError(refusal(r.bytes, code, true, nil)); err == nil || err.Error() == "" {
			t.Errorf("code %d: %v", code, err)
		}
	}
}

// TestErrorBounds cuts a refusal short everywhere, and lies about the echo.
func TestErrorBounds(t *testing.T) {
	r, _ := message(t)
	var tlvs Encoder
	tlvs.String(unix.NLMSGERR_ATTR_MSG, "text")
	for _, capped := range []bool{true, false} {
		m := refusal(r.bytes, -1, capped, &tlvs)
		whole := m.Data
		for n := range whole {
			m.Data = whole[:n]
			if r.ackError(m) == nil {
				t.Fatalf("%d bytes are no error", n)
			}
		}
		for _, echoed := range []byte{0, 1, 15, 255} {
			m.Data = append([]byte(nil), whole...)
			m.Data[4] = echoed
			r.ackError(m)
		}
	}
}

func TestPolicyString(t *testing.T) {
	for want, p := range map[string]Policy{
		"":                 {},
		"0..255":           {HasRange: true, Max: 255},
		"-5..5":            {HasRange: true, Signed: true, Min: math.MaxUint64 - 4, Max: 5},
		"bits 0x7":         {Mask: 7},
		"up to 15 bytes":   {MaxLength: 15},
		"at least 4 bytes": {MinLength: 4},
		"4..16 bytes":      {MinLength: 4, MaxLength: 16},
	} {
		if got := p.String(); got != want {
			t.Errorf("%+v: %q, want %q", p, got, want)
		}
	}
}

func TestFlagsString(t *testing.T) {
	for want, f := range map[string]Flags{
		"0":                       0,
		"request|ack|excl|create": Request | Ack | Create | Excl,
		"dump|request":            Request | Dump,
		"replace|create":          Create | Replace,
		"multi|dump-intr":         Multi | DumpInterrupted,
		"append|0x8000":           Append | 0x8000,
	} {
		if got := f.String(); got != want {
			t.Errorf("%#x: %q, want %q", uint16(f), got, want)
		}
	}
}
