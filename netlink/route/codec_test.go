package route

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// codec is what all objects have.
type codec interface {
	netlink.Payload
	Decode([]byte) error
}

// objects are all types of the package that are decoded.
var objects = []func() codec{
	func() codec { return new(Link) },
	func() codec { return new(LinkChange) },
	func() codec { return new(LinkProp) },
	func() codec { return new(Addr) },
	func() codec { return new(Route) },
	func() codec { return new(Rule) },
	func() codec { return new(Neighbor) },
	func() codec { return new(BridgeVLANs) },
	func() codec { return new(NSID) },
}

// same are the options with which objects are compared: nil is as good as empty.
var same = cmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})}

func encode(t testing.TB, p netlink.Payload) []byte {
	t.Helper()
	var e netlink.Encoder
	p.AppendTo(&e)
	if err := e.Err(); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(e.Bytes())
}

// FuzzDecode checks of every object that no input makes Decode panic, and that
// what was decoded once comes out of encoding and decoding unchanged.
func FuzzDecode(f *testing.F) {
	for i := range objects {
		for _, file := range fixtureFiles {
			for _, x := range readFixtures(f, file) {
				for _, m := range append(x.sent, x.received...) {
					f.Add(uint8(i), m.Data)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, data []byte) {
		o := objects[int(i)%len(objects)]()
		if o.Decode(data) != nil {
			return
		}
		once := encode(t, o)
		if err := o.Decode(once); err != nil {
			t.Fatalf("%T: decode what was encoded: %v", o, err)
		}
		if twice := encode(t, o); !bytes.Equal(once, twice) {
			t.Fatalf("%T: not a fixpoint:\n% x\n% x", o, once, twice)
		}
	})
}

// nests have something unknown beside what is known, which FuzzDecode seldom
// finds by itself.
var nests = []func(e *netlink.Encoder){
	func(e *netlink.Encoder) { // of a link
		e.Grow(unix.SizeofIfInfomsg)
		for _, typ := range []uint16{unix.IFLA_PROP_LIST, unix.IFLA_LINKINFO, unix.IFLA_AF_SPEC, unix.IFLA_XDP, unix.IFLA_PROTO_DOWN_REASON} {
			m := e.Begin(typ)
			for inner := range uint16(64) { // IFLA_ALT_IFNAME first
				e.String((inner+unix.IFLA_ALT_IFNAME)%64, "x")
			}
			e.End(m)
		}
	},
	func(e *netlink.Encoder) { // of a route
		e.Grow(unix.SizeofRtMsg)[0] = unix.AF_INET
		metrics := e.Begin(unix.RTA_METRICS)
		for inner := range uint16(64) {
			e.Uint32(inner, 7)
		}
		e.End(metrics)
		hops := e.BeginPlain(unix.RTA_MULTIPATH)
		for range 2 {
			hop := e.BeginPlain(0)
			e.Grow(4)
			for inner := range uint16(64) {
				e.Uint32(inner, 7)
			}
			e.End(hop)
		}
		e.End(hops)
	},
}

func TestUnknownInNests(t *testing.T) {
	for _, nest := range nests {
		b := data(nest)
		for _, newObject := range objects {
			o := newObject()
			if o.Decode(b) != nil {
				continue
			}
			once := encode(t, o)
			if err := o.Decode(once); err != nil {
				t.Fatalf("%T: %v", o, err)
			}
			if twice := encode(t, o); !bytes.Equal(once, twice) {
				t.Errorf("%T: not a fixpoint:\n% x\n% x", o, once, twice)
			}
		}
	}
}

// A message may be cut anywhere, by an older kernel or by an attacker.
func TestDecodeShort(t *testing.T) {
	for _, file := range fixtureFiles {
		for _, x := range readFixtures(t, file) {
			for _, m := range append(x.sent, x.received...) {
				for _, newObject := range objects {
					o := newObject()
					for n := range min(len(m.Data), 200) {
						o.Decode(m.Data[:n:n]) // must not panic
					}
				}
			}
		}
	}
}

// Decoding into a used object must leave nothing of what was there.
func TestDecodeResets(t *testing.T) {
	for _, newObject := range objects {
		used, fresh := newObject(), newObject()
		for _, file := range fixtureFiles {
			for _, x := range readFixtures(t, file) {
				for _, m := range append(x.sent, x.received...) {
					used.Decode(m.Data)
				}
			}
		}
		if err := used.Decode(nil); err != nil {
			t.Fatal(err)
		}
		fresh.Decode(nil)
		if diff := cmp.Diff(fresh, used, same); diff != "" {
			t.Errorf("%T: (-fresh +used)\n%s", used, diff)
		}
	}
}
