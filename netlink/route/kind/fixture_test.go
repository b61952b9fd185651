package kind_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/testns"
	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

// A fixture is what the kernel reports of t0 after some commands.
type fixture struct {
	commands []string
	data     []byte // content of IFLA_INFO_DATA or IFLA_INFO_SLAVE_DATA
	lines    string // the same in hexadecimal, one attribute a line, with what it means
}

// TestFixtures decodes what was captured, and encodes it again. With -update it
// runs the commands on this kernel and captures anew; kinds that the kernel does
// not have keep what they have.
func TestFixtures(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the fixtures are little endian")
	}
	for _, r := range everyKind() {
		if len(r.new().Fields()) == 0 {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			file := filepath.Join("testdata", r.name+".txt")
			fixtures := readFixtures(t, file)
			if *update {
				capture(t, r, fixtures)
				writeFixtures(t, file, fixtures)
			}
			for _, f := range fixtures {
				t.Run(f.commands[len(f.commands)-1], func(t *testing.T) { f.check(t, r) })
			}
		})
	}
}

func (f *fixture) check(t *testing.T, r registered) {
	if len(f.data) == 0 {
		t.Fatal("nothing was captured")
	}
	if diff := cmp.Diff(f.lines, describe(r, f.data)); diff != "" {
		t.Errorf("means something else (-captured +now)\n%s", diff)
	}
	k := r.new()
	decode(t, k, f.data)
	want, got := attributes(f.data), attributes(encode(k))
	for typ, b := range want {
		if known(r.new(), typ) && !sameBytes(b, got[typ]) {
			t.Errorf("attribute %d is % x, encoded as % x", typ, b, got[typ])
		}
	}
	for typ, b := range got {
		if want[typ] == nil && !zero(b[:len(b)/2]) && known(r.new(), typ) && !absent(r.new(), typ) {
			t.Errorf("attribute %d is encoded as % x, but was not captured", typ, b)
		}
	}
}

// sameBytes compares an attribute with what is sent for it. What is zero may be
// left out; a flag has no value; the mask of flags holds what is known only.
func sameBytes(captured, sent []byte) bool {
	switch {
	case sent == nil:
		return zero(captured) && len(captured) > 0
	case len(sent) == 0 && len(captured) > 0:
		return !zero(captured)
	case len(sent) == 8 && len(captured) == 8 && bytes.Equal(captured[:4], sent[:4]):
		return true
	}
	return bytes.Equal(captured, sent)
}

func zero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// absent tells whether the row of the attribute is set when it is not reported.
func absent(k kind.Kind, typ uint16) bool {
	fields := k.Fields()
	fields.Decode(nil)
	for i := range fields {
		if fields[i].Type == typ && fields[i].Value.IsSet() {
			return true
		}
	}
	return false
}

// known tells whether a row of k has the attribute.
func known(k kind.Kind, typ uint16) bool {
	var e netlink.Encoder
	e.Attr(typ, nil)
	unknown, _ := k.Fields().Decode(e.Bytes())
	return len(unknown) == 0
}

func attributes(data []byte) map[uint16][]byte {
	all := map[uint16][]byte{}
	for a := netlink.ReadAttrs(data); a.Next(); {
		all[a.Type()] = append([]byte{}, a.Bytes()...)
	}
	return all
}

// describe writes attributes, one a line, with the rows that they carry.
func describe(r registered, data []byte) string {
	all, nothing := r.new().Fields(), r.new().Fields()
	all.Decode(data)
	nothing.Decode(nil)
	var b strings.Builder
	for a := netlink.ReadAttrs(data); a.Next(); {
		fmt.Fprintf(&b, "%x %x", a.Raw()[:unix.NLA_HDRLEN], a.Raw()[unix.NLA_HDRLEN:])
		one := r.new().Fields()
		one.Decode(a.Raw())
		for i := range one {
			second := one[i].Value.IsSet() && !nothing[i].Value.IsSet() && one[i].Type != 0 && !zero(a.Bytes())
			if all[i].Value.IsSet() && (a.Type() == one[i].Type || second) {
				fmt.Fprintf(&b, "  %s %v", one[i].Name, all[i].Value)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func readFixtures(t *testing.T, file string) []*fixture {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []*fixture
	for block := range strings.SplitSeq(string(text), "\n\n") {
		f := new(fixture)
		for line := range strings.Lines(strings.TrimLeft(block, "\n")) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				f.commands = append(f.commands, strings.TrimSpace(command))
			} else if !strings.HasPrefix(line, "#") {
				f.lines += strings.TrimSpace(line) + "\n"
				f.data = append(f.data, digits(t, line)...)
			}
		}
		if len(f.commands) > 0 {
			all = append(all, f)
		}
	}
	return all
}

// digits returns the bytes at the beginning of a line: header and value.
func digits(t *testing.T, line string) []byte {
	t.Helper()
	text, _, _ := strings.Cut(line, "  ")
	b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(text), " ", ""))
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return b
}

// capture runs the commands of all fixtures and takes what the kernel reports.
func capture(t *testing.T, r registered, fixtures []*fixture) {
	for _, f := range fixtures {
		t.Run("capture", func(t *testing.T) {
			l := newLab(t)
			for _, c := range f.commands {
				_, err := testns.Try(t, l.ns, "ip", strings.Fields(c)[1:]...)
				if err != nil && strings.Contains(err.Error(), "Unknown device type") {
					t.Skip(err)
				}
				l.must(err)
			}
			f.data = append([]byte{}, l.link("t0").Data...)
			if r.port {
				f.data = append([]byte{}, l.link("t0").SlaveData...)
			}
			f.lines = describe(r, f.data)
		})
	}
}

func writeFixtures(t *testing.T, file string, fixtures []*fixture) {
	t.Helper()
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Captured on Linux %s by TestFixtures -update. p0 and q0 are veth links.\n", unix.ByteSliceToString(u.Release[:]))
	for _, f := range fixtures {
		fmt.Fprintf(&b, "\n$ %s\n%s", strings.Join(f.commands, "\n$ "), f.lines)
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
