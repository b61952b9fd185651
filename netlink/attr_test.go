package netlink

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAttributesRoundTrip(t *testing.T) {
	var e Encoder
	e.Fixed([]byte{1, 2, 3}) // padded
	e.Flag(1)
	e.Uint8(2, 0xab)
	e.Uint16(3, 0xabcd)
	e.Uint32(4, 0xabcdef01)
	e.Uint64(5, 0xabcdef0123456789)
	e.BE16(6, 0xabcd)
	e.BE32(7, 0xabcdef01)
	e.BE64(8, 0xabcdef0123456789)
	e.String(9, "name")
	e.Addr(10, netip.MustParseAddr("192.0.2.1"))
	e.Addr(11, netip.MustParseAddr("::ffff:192.0.2.1"))
	e.Addr(12, netip.Addr{}) // nothing
	nest := e.Begin(13)
	e.Attr(14, []byte{1, 2, 3, 4, 5})
	e.End(nest)
	if e.Err() != nil || e.Len()%4 != 0 {
		t.Fatal(e.Err(), e.Len())
	}
	checks := map[uint16]func(a *Attrs) bool{
		1:  func(a *Attrs) bool { return len(a.Bytes()) == 0 },
		2:  func(a *Attrs) bool { return a.Uint8() == 0xab },
		3:  func(a *Attrs) bool { return a.Uint16() == 0xabcd },
		4:  func(a *Attrs) bool { return a.Uint32() == 0xabcdef01 && a.Int32() == -0x543210ff },
		5:  func(a *Attrs) bool { return a.Uint64() == 0xabcdef0123456789 },
		6:  func(a *Attrs) bool { return a.BE16() == 0xabcd },
		7:  func(a *Attrs) bool { return a.BE32() == 0xabcdef01 },
		8:  func(a *Attrs) bool { return a.BE64() == 0xabcdef0123456789 },
		9:  func(a *Attrs) bool { return a.String() == "name" && len(a.Bytes()) == 5 },
		10: func(a *Attrs) bool { return a.Addr() == netip.MustParseAddr("192.0.2.1") },
		11: func(a *Attrs) bool { return a.Addr() == netip.MustParseAddr("::ffff:192.0.2.1") },
		13: func(a *Attrs) bool {
			in := a.Nested()
			return a.IsNested() && in.Next() && in.Type() == 14 && len(in.Bytes()) == 5 && !in.Next() && in.Err() == nil
		},
	}
	a := ReadAttrs(e.Bytes()[4:])
	for a.Next() {
		if check := checks[a.Type()]; check == nil || !check(&a) {
			t.Errorf("attribute %d: % x", a.Type(), a.Bytes())
		}
		delete(checks, a.Type())
	}
	if a.Err() != nil || len(checks) != 0 {
		t.Errorf("%v; not seen: %d", a.Err(), len(checks))
	}
}

func TestAttributesTooShort(t *testing.T) {
	var e Encoder
	e.Flag(1)
	a := ReadAttrs(e.Bytes())
	a.Next()
	if a.Uint8() != 0 || a.Uint16() != 0 || a.Uint32() != 0 || a.Uint64() != 0 || a.BE16() != 0 || a.BE32() != 0 ||
		a.BE64() != 0 || a.String() != "" || a.Addr().IsValid() {
		t.Error("an empty attribute has a value")
	}
	for _, b := range [][]byte{{3, 0, 1, 0}, {0, 0, 0, 0}, {9, 0, 1, 0, 1, 2, 3, 4}} {
		a := ReadAttrs(b)
		if a.Next() || !errors.Is(a.Err(), unix.EBADMSG) {
			t.Errorf("% x: %v", b, a.Err())
		}
	}
}

func TestEncoderTooLong(t *testing.T) {
	var e Encoder
	e.String(7, strings.Repeat("x", 65531))
	if !errors.Is(e.Err(), unix.EMSGSIZE) {
		t.Errorf("a string of 64 KiB: %v", e.Err())
	}
	e.Reset()
	nest := e.Begin(8)
	for range 3 {
		e.Attr(1, make([]byte, 30_000))
	}
	e.End(nest)
	if !errors.Is(e.Err(), unix.EMSGSIZE) {
		t.Errorf("a nest of 90 kB: %v", e.Err())
	}
	if e.Reset(); e.Err() != nil || e.Len() != 0 {
		t.Error("Reset keeps the error")
	}
}

func TestEncoderGrowIsZero(t *testing.T) {
	var e Encoder
	e.Attr(1, []byte{1, 2, 3, 4, 5, 6, 7, 8})
	e.Reset()
	for i, b := range e.Grow(12) {
		if b != 0 {
			t.Errorf("byte %d is %d", i, b)
		}
	}
}

// Where there is no current attribute, getters find nothing.
func TestAttributesOutsideTheWalk(t *testing.T) {
	for name, b := range map[string][]byte{"empty": nil, "before": {8, 0, 1, 0, 1, 2, 3, 4}, "broken": {8, 0, 1, 0, 1}} {
		t.Run(name, func(t *testing.T) {
			a := ReadAttrs(b)
			if name != "before" {
				for a.Next() {
				}
			}
			if a.Uint8() != 0 || a.Uint32() != 0 || a.Uint64() != 0 || a.String() != "" || a.Addr().IsValid() || len(a.Bytes()) != 0 || a.Raw() != nil {
				t.Error("a getter found something")
			}
			if n := a.Nested(); n.Next() {
				t.Error("there is something inside")
			}
		})
	}
}

// Room and Fill append what Attr and Fixed append, also where the room was too small.
func TestEncoderRoom(t *testing.T) {
	var want, have Encoder
	for _, n := range []int{0, 8, 4096} {
		p := bytes.Repeat([]byte{1}, n)
		want.Attr(7, p)
		b := binary.NativeEndian.AppendUint16(have.Room(16), uint16(n+4))
		b = binary.NativeEndian.AppendUint16(b, 7)
		have.Fill(append(b, p...), 0)
	}
	if !bytes.Equal(want.Bytes(), have.Bytes()) {
		t.Errorf("want %x, have %x", want.Bytes(), have.Bytes())
	}
}
