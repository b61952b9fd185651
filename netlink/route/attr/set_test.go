package attr

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
)

// everything has one field of each type of row.
type everything struct {
	number   *uint8
	signed   *int32
	mode     *uint8
	hops     *uint8
	hex      *uint64
	mask     *uint16
	on       *bool
	text     *string
	addr     *netip.Addr
	addr4    *netip.Addr
	group    *netip.Addr
	list     *[]netip.Addr
	mac      *MAC
	macs     *[]MAC
	dev      *Ref
	ports    *PortRange
	qos      *map[uint32]uint32
	ttl      *NumberOrInherit
	label    *NumberOrInherit
	in, out  *Key
	ia, oa   *bool
	clock    *uint64
	be       *uint16
	gvrp     *bool
	mvrp     *bool
	nopromis *bool
	nodst    *bool
}

func (v *everything) Fields() Fields {
	in := TunnelKey("ikey", 40, 42, FlagsBE16, 0x2000, &v.in)
	out := TunnelKey("okey", 41, 43, FlagsBE16, 0x2000, &v.out)
	ia := Bit("iseq", 42, FlagsBE16, 0x1000, &v.ia)
	oa := Bit("oseq", 43, FlagsBE16, 0x1000, &v.oa)
	return Fields{
		Uint8("number", 1, &v.number).Range(1, 9).WithDefault(5),
		Int32("signed", 2, &v.signed),
		Uint8("mode", 3, &v.mode).Enum(Word{0, "rr"}, Word{4, "802.3ad"}).WithDefault("rr"),
		Uint8("hops", 4, &v.hops).Words(Word{0, "inherit"}),
		BE64("hex", 5, &v.hex).Hex(),
		Uint16("mask", 6, &v.mask).Without(7),
		Bool("on", 7, &v.on),
		String("text", 8, &v.text),
		Addr("addr", 9, 10, &v.addr),
		Addr("addr4", 11, 0, &v.addr4).OmitAny(),
		Addr("group", 12, 13, &v.group).MulticastOrAny(),
		Addrs4("list", 14, 2, &v.list),
		HardwareAddr("mac", 15, &v.mac),
		SourceMACs("macs", &v.macs),
		Link("dev", 16, &v.dev),
		Ports("ports", 17, &v.ports),
		QoSMap("qos", 18, 7, 1<<32-1, &v.qos),
		HopsOrInherit("ttl", 19, 20, &v.ttl),
		LabelOrInherit("label", 21, 22, &v.label),
		Both("key", in, out), in, out,
		Both("seq", ia, oa), ia, oa,
		Clock64("clock", 23, &v.clock).WithDefault(3125),
		BE16("be", 24, &v.be),
		Bit("gvrp", 25, FlagsAndMask, 2, &v.gvrp).AbsentIs(false),
		Bit("mvrp", 25, FlagsAndMask, 8, &v.mvrp),
		Bit("nopromisc", 26, Flags16, 1, &v.nopromis),
		Bit("nodst", 26, Flags16, 2, &v.nodst),
	}
}

// set returns a struct with one row set.
func set(t testing.TB, name string, v any) *everything {
	t.Helper()
	e := new(everything)
	f, ok := e.Fields().Lookup(name)
	if !ok {
		t.Fatalf("no row %s", name)
	}
	if err := f.Value.Set(v); err != nil {
		t.Fatalf("%s = %v: %v", name, v, err)
	}
	return e
}

func TestSet(t *testing.T) {
	for _, tt := range []struct {
		row  string
		in   any
		want any    // what Get returns
		text string // what String returns
	}{
		{"number", 7, int64(7), "7"},
		{"number", json.Number("7"), int64(7), "7"},
		{"signed", -5, int64(-5), "-5"},
		{"mode", "802.3AD", "802.3ad", "802.3ad"},
		{"mode", 4, "802.3ad", "802.3ad"},
		{"hops", "inherit", "inherit", "inherit"},
		{"hops", 0, "inherit", "inherit"},
		{"hops", 64, int64(64), "64"},
		{"hex", "0xf7ffffff000000ff", "0xf7ffffff000000ff", "0xf7ffffff000000ff"},
		{"mask", 8, int64(8), "8"},
		{"on", true, true, "on"},
		{"on", "off", false, "off"},
		{"on", 1, true, "on"},
		{"on", float64(0), false, "off"},
		{"on", json.Number("1"), true, "on"},
		{"text", "a b", "a b", "a b"},
		{"addr", "2001:DB8::1", "2001:db8::1", "2001:db8::1"},
		{"addr", "any", "any", "any"},
		{"addr", "::", "any", "any"},
		{"group", "239.1.1.1", "239.1.1.1", "239.1.1.1"},
		{"group", "any", "any", "any"},
		{"list", []any{"192.0.2.2", "192.0.2.1"}, []any{"192.0.2.2", "192.0.2.1"}, "192.0.2.2,192.0.2.1"},
		{"list", "192.0.2.2, 192.0.2.1", []any{"192.0.2.2", "192.0.2.1"}, "192.0.2.2,192.0.2.1"},
		{"list", []any{}, []any{}, "none"},
		{"mac", "02-00-00-00-00-0A", "02:00:00:00:00:0a", "02:00:00:00:00:0a"},
		{"macs", []any{"02:00:00:00:00:0a", "02:00:00:00:00:01"}, []any{"02:00:00:00:00:01", "02:00:00:00:00:0a"}, "02:00:00:00:00:01 02:00:00:00:00:0a"},
		{"dev", "eth0", "eth0", "eth0"},
		{"dev", "none", "none", "none"},
		{"dev", "", "none", "none"},
		{"ports", "5000-6000", "5000-6000", "5000-6000"},
		{"ports", 5000, "5000-5000", "5000-5000"},
		{"qos", map[string]any{"1": 2, "7": 0, "0": 5}, map[string]any{"1": int64(2), "0": int64(5)}, "0:5 1:2"},
		{"qos", map[string]any{}, map[string]any{}, "none"},
		{"ttl", "inherit", "inherit", "inherit"},
		{"ttl", "auto", "auto", "auto"},
		{"ttl", 0, "auto", "auto"},
		{"ttl", 64, int64(64), "64"},
		{"label", 0, int64(0), "0"},
		{"label", "inherit", "inherit", "inherit"},
		{"ikey", 5, int64(5), "5"},
		{"ikey", "1.2.3.4", int64(0x01020304), "16909060"},
		{"ikey", "none", "none", "none"},
		{"key", 5, int64(5), "5"},
		{"seq", true, true, "on"},
	} {
		f, _ := set(t, tt.row, tt.in).Fields().Lookup(tt.row)
		if got := f.Value.Get(); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s = %v: Get() = %#v, want %#v", tt.row, tt.in, got, tt.want)
		}
		if got := f.Value.String(); got != tt.text {
			t.Errorf("%s = %v: String() = %q, want %q", tt.row, tt.in, got, tt.text)
		}
	}
}

func TestSetRefuses(t *testing.T) {
	for _, tt := range []struct {
		row    string
		in     any
		reason string
	}{
		{"number", 10, "10 is out of range 1..9"},
		{"number", "ten", `"ten" is not a number`},
		{"number", nil, "want a number"},
		{"signed", int64(1) << 31, "2147483648 is out of range -2147483648..2147483647"},
		{"mode", "foo", `unknown mode "foo": one of rr, 802.3ad`},
		{"mode", true, "want one of rr, 802.3ad"},
		{"mode", 9, "unknown mode 9: one of rr, 802.3ad"},
		{"mode", 256, "unknown mode 256: one of rr, 802.3ad"},
		{"hops", "foo", "want 0..255 or inherit"},
		{"mask", 0x0a, "the bits 0x2 cannot be set"},
		{"on", "yes", "want true or false"},
		{"on", 2, "want true or false"},
		{"on", nil, "want true or false"},
		{"text", 5, "want a text"},
		{"addr", 5, "want an IP address"},
		{"addr", "192.0.2.0/24", `"192.0.2.0/24" is not an IP address`},
		{"addr", "fe80::1%eth0", `"fe80::1%eth0" is not an IP address`},
		{"addr4", "2001:db8::1", "2001:db8::1 is not an IPv4 address"},
		{"group", "192.0.2.1", "192.0.2.1 is not a multicast address"},
		{"list", 5, "want a list of IP addresses"},
		{"list", []any{"2001:db8::1"}, `"2001:db8::1" is not an IPv4 address`},
		{"list", []any{"192.0.2.1", "192.0.2.1"}, "192.0.2.1 stands there twice"},
		{"list", []any{"192.0.2.1", "192.0.2.2", "192.0.2.3"}, "3 addresses: at most 2 are possible"},
		{"mac", 5, "want a hardware address"},
		{"mac", "02:00", `"02:00" is not an Ethernet address`},
		{"macs", "02:00:00:00:00:01", "want a list of hardware addresses"},
		{"macs", []any{"01:00:00:00:00:01"}, "01:00:00:00:00:01 is not the address of one station"},
		{"dev", 5, "want the name of a link, or none"},
		{"ports", "6000-5000", "6000-5000 ends before it begins"},
		{"ports", "1-70000", "70000 is out of range 0..65535"},
		{"ports", nil, "want a range of ports such as 5000-6000"},
		{"qos", []any{1}, "want a map from number to number"},
		{"qos", map[string]any{"8": 1}, "8 is out of range 0..7"},
		{"qos", map[string]any{"1": "x"}, `1: "x" is not a number`},
		{"ttl", 256, "256 is out of range 0..255"},
		{"ttl", "foo", "want 0..255 or inherit"},
		{"label", 1 << 20, "1048576 is out of range 0..1048575"},
		{"ikey", nil, "want a number or none"},
		{"ikey", -1, "-1 is out of range 0..4294967295"},
		{"key", -1, "-1 is out of range 0..4294967295"},
	} {
		e := new(everything)
		f, _ := e.Fields().Lookup(tt.row)
		if err := f.Value.Set(tt.in); err == nil || err.Error() != tt.reason {
			t.Errorf("%s = %v: %v, want %q", tt.row, tt.in, err, tt.reason)
		}
		if f.Value.IsSet() || f.Value.Get() != nil {
			t.Errorf("%s = %v: set to %v although refused", tt.row, tt.in, f.Value.Get())
		}
	}
}
