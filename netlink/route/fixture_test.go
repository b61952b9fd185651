package route

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// fixtureFiles are written by testdata/capture.sh.
var fixtureFiles = []string{"link", "addr", "route", "rule", "neigh", "vlan"}

// A fixture is one command and its messages.
type fixture struct {
	command        string
	sent, received []netlink.Message
}

func readFixtures(t testing.TB, file string) []fixture {
	t.Helper()
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the fixtures are little endian")
	}
	text, err := os.ReadFile(filepath.Join("testdata", file+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	var all []fixture
	for block := range strings.SplitSeq(string(text), "\n\n") {
		command, rest, _ := strings.Cut(block, "\n")
		if x := (fixture{command: strings.TrimPrefix(command, "# ")}); rest != "" {
			x.read(t, rest)
			all = append(all, x)
		}
	}
	return all
}

// read reads the datagrams of a command: a line with ">" or "<" for each, then
// lines of hexadecimal digits.
func (x *fixture) read(t testing.TB, text string) {
	to := &x.sent
	var digits string
	flush := func() {
		b, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatalf("%s: %v", x.command, err)
		}
		for m, err := range netlink.ReadMessages(b) {
			if err != nil {
				t.Fatalf("%s: %v", x.command, err)
			}
			if m.Type >= unix.RTM_BASE {
				*to = append(*to, m)
			}
		}
		digits = ""
	}
	for line := range strings.Lines(text) {
		switch line = strings.TrimSpace(line); line {
		case ">":
			flush()
			to = &x.sent
		case "<":
			flush()
			to = &x.received
		default:
			digits += line
		}
	}
	flush()
}

// objectFor returns an empty object for a message.
func objectFor(m netlink.Message, sent bool) codec {
	if len(m.Data) > 0 && m.Data[0] == unix.AF_BRIDGE && m.Type < unix.RTM_NEWADDR {
		return new(BridgeVLANs)
	}
	switch m.Type &^ 3 { // NEW, DEL, GET, SET
	case unix.RTM_NEWLINK:
		if sent {
			return new(LinkChange)
		}
		return new(Link)
	case unix.RTM_NEWLINKPROP:
		return new(LinkProp)
	case unix.RTM_NEWADDR:
		return new(Addr)
	case unix.RTM_NEWROUTE:
		return new(Route)
	case unix.RTM_NEWRULE:
		return new(Rule)
	case unix.RTM_NEWNEIGH:
		return new(Neighbor)
	}
	return new(NSID)
}

// What iproute2 sends is understood in full and sent again in full.
func TestSentByIproute2(t *testing.T) {
	for _, file := range fixtureFiles {
		for _, x := range readFixtures(t, file) {
			for _, m := range x.sent {
				t.Run(x.command, func(t *testing.T) {
					o := objectFor(m, true)
					if err := o.Decode(m.Data); err != nil {
						t.Fatal(err)
					}
					checkNoExtra(t, o)
					fixed := fixedSize(m.Type)
					want, got := m.Data[fixed:], encode(t, o)[fixed:]
					for path, v := range flatten("", want) {
						if have, ok := flatten("", got)[path]; !ok || have != v {
							t.Errorf("attribute %s is %x, want %x", path, have, v)
						}
					}
				})
			}
		}
	}
}

// What the kernel reports is understood in full, and is the same after encoding.
func TestReportedByKernel(t *testing.T) {
	for _, file := range fixtureFiles {
		for _, x := range readFixtures(t, file) {
			if strings.Contains(x.command, "show") && len(x.received) == 0 {
				t.Errorf("%s: nothing was captured", x.command)
			}
			for i, m := range x.received {
				t.Run(fmt.Sprint(x.command, "/", i), func(t *testing.T) {
					o, again := objectFor(m, false), objectFor(m, false)
					if err := o.Decode(m.Data); err != nil {
						t.Fatal(err)
					}
					checkNoExtra(t, o)
					if err := again.Decode(encode(t, o)); err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(o, again, same); diff != "" {
						t.Errorf("encoded and decoded (-want +got)\n%s", diff)
					}
				})
			}
		}
	}
}

func checkNoExtra(t *testing.T, o codec) {
	t.Helper()
	if extra := reflect.ValueOf(o).Elem().FieldByName("Extra").Bytes(); len(extra) > 0 {
		t.Errorf("%T: unknown attributes % x", o, extra)
	}
}

// fixedSize returns the length of what stands before the attributes.
func fixedSize(typ uint16) int {
	switch typ &^ 3 {
	case unix.RTM_NEWLINK, unix.RTM_NEWLINKPROP:
		return unix.SizeofIfInfomsg
	case unix.RTM_NEWADDR:
		return unix.SizeofIfAddrmsg
	}
	return unix.SizeofRtMsg
}

// flatten returns the attributes by their path: 18.1 is IFLA_INFO_KIND. Nests
// are told by NLA_F_NESTED, which iproute2 sets rarely, or by their look.
func flatten(path string, b []byte) map[string]string {
	all := map[string]string{}
	a := netlink.ReadAttrs(b)
	seen := map[uint16]int{}
	for a.Next() {
		if len(a.Bytes()) == 0 {
			continue // "from all"
		}
		p := fmt.Sprintf("%s.%d", path, a.Type())
		if n := seen[a.Type()]; n > 0 {
			p = fmt.Sprintf("%s#%d", p, n)
		}
		seen[a.Type()]++
		inner := flatten(p, a.Bytes())
		if !looksNested(a.Bytes()) {
			inner = map[string]string{p: string(bytes.TrimRight(a.Bytes(), "\x00"))} // the NUL of a string
		}
		for k, v := range inner {
			all[k] = v
		}
	}
	return all
}

// looksNested tells whether b is a run of attributes.
func looksNested(b []byte) bool {
	a := netlink.ReadAttrs(b)
	n := 0
	for a.Next() {
		n += len(a.Raw())
	}
	return len(b) > 4 && a.Err() == nil && n == len(b)
}
