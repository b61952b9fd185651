package monitor

import (
	"encoding/json"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// FuzzEvent checks of every type of message that no payload makes it panic, that
// none is dropped, and that what is printed is one line and one JSON object.
func FuzzEvent(f *testing.F) {
	for _, x := range events {
		f.Add(x.m.Type, x.m.Data)
	}
	for i := range formats {
		for _, family := range []byte{unix.AF_UNSPEC, unix.AF_INET, unix.AF_INET6, unix.AF_BRIDGE} {
			f.Add(formats[i].new, []byte{family})
			f.Add(formats[i].del, append([]byte{family}, make([]byte, 31)...))
		}
	}
	v := aView()
	f.Fuzz(func(t *testing.T, typ uint16, data []byte) {
		e := v.event(netlink.Message{Type: typ, Data: data})
		if e.Class == "" || e.Kind != New && e.Kind != Del {
			t.Errorf("event of class %q and kind %q", e.Class, e.Kind)
		}
		if line := e.String(); line == "" || strings.Contains(line, "\n") {
			t.Errorf("line %q", line)
		}
		b, err := e.MarshalJSON()
		if err != nil || !json.Valid(b) {
			t.Errorf("%s, %v", b, err)
		}
	})
}

// TestEventShort cuts every message anywhere.
func TestEventShort(t *testing.T) {
	for _, x := range events {
		for n := range x.m.Data {
			v := aView()
			if e := v.event(netlink.Message{Type: x.m.Type, Data: x.m.Data[:n:n]}); e.Class == "" {
				t.Errorf("%s, cut to %d bytes, is of no class", x.name, n)
			}
		}
	}
}
