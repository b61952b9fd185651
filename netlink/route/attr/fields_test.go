package attr

import (
	"encoding/hex"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlapply/nlapply/netlink"
)

// words are the bytes of e in hexadecimal.
func bytesOf(e *netlink.Encoder) string { return hex.EncodeToString(e.Bytes()) }

func TestSharedAttributeIsSentOnce(t *testing.T) {
	on, off := true, false
	v := &everything{gvrp: &on, mvrp: &off, nopromis: &on, ia: &on, in: &Key{5, true}}
	var e netlink.Encoder
	v.Fields().Encode(&e, nil)
	want := "08002800" + "00000005" + // ikey
		"06002a00" + "30000000" + // key and sequence number
		"0c001900" + "02000000" + "0a000000" + // flags, mask
		"06001a00" + "01000000"
	if got := bytesOf(&e); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestUnmaskedFlagsKeepTheOthers(t *testing.T) {
	on := true
	want, have := &everything{nopromis: &on}, &everything{nodst: &on, gvrp: &on}
	var e netlink.Encoder
	EncodeChange(&e, want.Fields(), have.Fields(), Diff(want.Fields(), have.Fields()))
	if got := bytesOf(&e); got != "06001a00"+"03000000" {
		t.Errorf("got %s: nodst must stay, and no other attribute be sent", got)
	}
}

func TestMaskedFlagsTouchNoOthers(t *testing.T) {
	on, off := true, false
	want, have := &everything{gvrp: &on, mvrp: &on}, &everything{gvrp: &off, mvrp: &on}
	changes := Diff(want.Fields(), have.Fields())
	if diff := cmp.Diff([]Change{{Name: "gvrp", Have: "off", Want: "on"}}, changes); diff != "" {
		t.Fatal(diff)
	}
	var e netlink.Encoder
	EncodeChange(&e, want.Fields(), have.Fields(), changes)
	if got := bytesOf(&e); got != "0c001900"+"02000000"+"02000000" {
		t.Errorf("got %s", got)
	}
}

func TestFlagOutsideOfTheMaskIsNotReported(t *testing.T) {
	v := new(everything)
	data, _ := hex.DecodeString("0c001900" + "0a000000" + "02000000")
	if _, err := v.Fields().Decode(data); err != nil || !*v.gvrp || v.mvrp != nil {
		t.Errorf("gvrp %v, mvrp %v, %v", v.gvrp, v.mvrp, err)
	}
}

func TestUnknownNumberOfAnEnum(t *testing.T) {
	v := new(everything)
	fields := v.Fields()
	if _, err := fields.Decode([]byte{5, 0, 3, 0, 9, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	if f, _ := fields.Lookup("mode"); f.Value.Get() != int64(9) || f.Value.String() != "9" {
		t.Errorf("mode is %v", f.Value)
	}
}

func TestAbsent(t *testing.T) {
	v := new(everything)
	if _, err := v.Fields().Decode(nil); err != nil || v.gvrp == nil || *v.gvrp || v.mvrp != nil {
		t.Errorf("gvrp %v, mvrp %v, %v", v.gvrp, v.mvrp, err)
	}
}

// TestUnsetEqualsAbsent compares values that mean nothing with rows that a dump
// leaves out.
func TestUnsetEqualsAbsent(t *testing.T) {
	for row, v := range map[string]any{
		"on": false, "addr": "any", "group": "any", "list": []any{}, "macs": []any{}, "dev": "none",
		"qos": map[string]any{"1": 0}, "ikey": "none", "key": "none", "seq": false, "gvrp": false,
	} {
		if changes := Diff(set(t, row, v).Fields(), new(everything).Fields()); len(changes) > 0 {
			t.Errorf("%s: %v", row, changes)
		}
	}
	if changes := Diff(set(t, "number", 5).Fields(), new(everything).Fields()); len(changes) != 1 {
		t.Errorf("number: %v", changes)
	}
}

func TestDiffOfBothReportsOnce(t *testing.T) {
	want, have := set(t, "key", 5), &everything{in: &Key{5, true}, out: &Key{6, true}}
	changes := Diff(want.Fields(), have.Fields())
	if diff := cmp.Diff([]Change{{Name: "key", Have: "5/6", Want: "5"}}, changes); diff != "" {
		t.Error(diff)
	}
	var e netlink.Encoder
	EncodeChange(&e, want.Fields(), have.Fields(), changes)
	got := new(everything)
	if _, err := got.Fields().Decode(e.Bytes()); err != nil {
		t.Fatal(err)
	}
	if changes := Diff(want.Fields(), got.Fields()); len(changes) > 0 {
		t.Errorf("sent, but still %v", changes)
	}
}

func TestQoSChangeRemoves(t *testing.T) {
	want := set(t, "qos", map[string]any{"1": 2, "3": 4})
	have := set(t, "qos", map[string]any{"1": 2, "3": 5, "6": 6})
	var e netlink.Encoder
	EncodeChange(&e, want.Fields(), have.Fields(), Diff(want.Fields(), have.Fields()))
	pair := func(from, to string) string { return "0c000100" + from + "000000" + to + "000000" }
	if got := bytesOf(&e); got != "1c001280"+pair("03", "04")+pair("06", "00") {
		t.Errorf("got %s", got)
	}
}

func TestClearAddressInItsFamily(t *testing.T) {
	want, have := set(t, "addr", "any"), set(t, "addr", "2001:db8::1")
	var e netlink.Encoder
	EncodeChange(&e, want.Fields(), have.Fields(), Diff(want.Fields(), have.Fields()))
	if got := bytesOf(&e); got != "14000a00"+"00000000000000000000000000000000" {
		t.Errorf("got %s", got)
	}
}

func TestInheritEnds(t *testing.T) {
	want, have := set(t, "label", 5), set(t, "label", "inherit")
	var e netlink.Encoder
	EncodeChange(&e, want.Fields(), have.Fields(), Diff(want.Fields(), have.Fields()))
	if got := bytesOf(&e); got != "08001500"+"00000005"+"08001600"+"00000000" {
		t.Errorf("got %s", got)
	}
}

func TestInheritCopiesWhatIsNotSet(t *testing.T) {
	want, have := set(t, "number", 5), set(t, "number", 6)
	have.dev, have.in = &Ref{Name: "eth0", Index: 3}, &Key{7, true}
	want.Fields().Inherit(have.Fields())
	if *want.number != 5 || *want.dev != (Ref{"eth0", 3}) || *want.in != (Key{7, true}) || want.out != nil {
		t.Errorf("number %d, dev %v, ikey %v, okey %v", *want.number, want.dev, want.in, want.out)
	}
	want.dev.Index = 4
	if have.dev.Index != 3 {
		t.Error("the copy shares memory")
	}
}

func TestMinimal(t *testing.T) {
	v := set(t, "key", 5)
	v.number, v.mode, v.on = new(uint8(5)), new(uint8(4)), new(false)
	v.clock = new(uint64(3124)) // 3125 on a kernel with HZ=250
	want := map[string]any{"key": int64(5), "mode": "802.3ad", "on": false}
	if diff := cmp.Diff(want, v.Fields().Minimal()); diff != "" {
		t.Error(diff)
	}
	v.out = &Key{6, true}
	want = map[string]any{"ikey": int64(5), "okey": int64(6), "mode": "802.3ad", "on": false}
	if diff := cmp.Diff(want, v.Fields().Minimal()); diff != "" {
		t.Error(diff)
	}
}

func TestSameClock(t *testing.T) {
	for _, tt := range []struct {
		want, have uint64
		same       bool
	}{
		{100, 100, true}, {101, 100, true}, {3125, 3124, true}, {15, 14, true}, {100, 99, false}, {100, 101, false}, {101, 102, false},
	} {
		w, h := set(t, "clock", tt.want), set(t, "clock", tt.have)
		if same := len(Diff(w.Fields(), h.Fields())) == 0; same != tt.same {
			t.Errorf("%d reads back as %d: %v", tt.want, tt.have, same)
		}
	}
}

func TestRefs(t *testing.T) {
	v := set(t, "dev", "eth0")
	refs := v.Fields().Refs()
	if len(refs) != 1 || refs[0].Name != "eth0" {
		t.Fatalf("%v", refs)
	}
	var e netlink.Encoder
	v.Fields().Encode(&e, nil)
	if got := bytesOf(&e); got != "08001000"+"ffffffff" {
		t.Errorf("a name without index is sent as %s: it must not become none", got)
	}
	refs[0].Index = 3
	e.Reset()
	v.Fields().Encode(&e, nil)
	if got := bytesOf(&e); got != "08001000"+"03000000" {
		t.Errorf("got %s", got)
	}
	for _, tt := range []struct {
		want, have Ref
		equal      bool
	}{
		{Ref{"a", 1}, Ref{"b", 1}, true}, {Ref{"a", 1}, Ref{"a", 2}, false}, {Ref{"a", 0}, Ref{"a", 2}, true},
		{Ref{"a", 0}, Ref{}, false}, {Ref{}, Ref{"a", 1}, false}, {Ref{"", 1}, Ref{"", 0}, false}, {Ref{}, Ref{}, true},
	} {
		w, h := &everything{dev: &tt.want}, &everything{dev: &tt.have}
		if equal := len(Diff(w.Fields(), h.Fields())) == 0; equal != tt.equal {
			t.Errorf("%v and %v: equal %v", tt.want, tt.have, equal)
		}
	}
}

func TestUnicastAndMulticastShareAnAttribute(t *testing.T) {
	type tunnel struct{ remote, group *netip.Addr }
	v := new(tunnel)
	fields := Fields{Addr("remote", 1, 2, &v.remote).Unicast(), Addr("group", 1, 2, &v.group).MulticastOrAny()}
	data, _ := hex.DecodeString("08000100ef010101")
	if _, err := fields.Decode(data); err != nil || v.remote != nil || v.group.String() != "239.1.1.1" {
		t.Errorf("remote %v, group %v, %v", v.remote, v.group, err)
	}
	data, _ = hex.DecodeString("08000100c0000201")
	if _, err := fields.Decode(data); err != nil || v.group != nil || v.remote.String() != "192.0.2.1" {
		t.Errorf("remote %v, group %v, %v", v.remote, v.group, err)
	}
}

func TestDecodeRefusesShortValues(t *testing.T) {
	for i := range new(everything).Fields() {
		f := &new(everything).Fields()[i]
		if f.Type == 0 {
			continue
		}
		var e netlink.Encoder
		e.Attr(f.Type, []byte{1})
		if _, err := new(everything).Fields().Decode(e.Bytes()); err == nil &&
			f.Name != "on" && f.Name != "text" && f.Name != "number" && f.Name != "mode" && f.Name != "hops" && f.Name != "ttl" {
			if f.Name == "label" || f.Name == "list" || f.Name == "macs" || f.Name == "qos" {
				continue // read as far as it goes
			}
			t.Errorf("%s takes one byte", f.Name)
		}
	}
}

func TestDecodeKeepsTheLastAttributeAligned(t *testing.T) {
	data := []byte{5, 0, 0xf0, 0, 1} // five bytes and no padding
	unknown, err := new(everything).Fields().Decode(data)
	if err != nil || hex.EncodeToString(unknown) != "0500f00001000000" {
		t.Errorf("%x, %v", unknown, err)
	}
}

func TestRangeNeedsANumber(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Range on a string does not panic")
		}
	}()
	Addr("a", 1, 0, new(*netip.Addr)).Range(0, 1)
}

func TestOptions(t *testing.T) {
	var p *uint8
	f := Uint8("n", 1, &p).WhileDown().WithoutPorts().AsLate().AsVolatile().Doc("Text.").WithDefault(3)
	if f.When != WhileDown || !f.NoPorts || !f.Late || !f.Volatile {
		t.Errorf("%+v", f)
	}
	want := map[string]any{"type": "integer", "minimum": int64(0), "maximum": uint64(255), "description": "Text.", "default": int64(3)}
	if diff := cmp.Diff(want, f.Schema()); diff != "" {
		t.Error(diff)
	}
	for when, text := range map[When]string{Live: "live", WhileDown: "while down", AtCreation: "at creation", 9: "When(9)"} {
		if when.String() != text {
			t.Errorf("%d is %q", when, when)
		}
	}
}

// FuzzFields feeds bytes to all types of rows.
func FuzzFields(f *testing.F) {
	f.Add([]byte{8, 0, 1, 0, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, data []byte) {
		v, again := new(everything), new(everything)
		if _, err := v.Fields().Decode(data); err != nil {
			return
		}
		var e netlink.Encoder
		v.Fields().Encode(&e, nil)
		if _, err := again.Fields().Decode(e.Bytes()); err != nil {
			t.Fatal(err)
		}
		if changes := Diff(v.Fields(), again.Fields()); len(changes) > 0 {
			t.Errorf("%x\nbecomes %x\n%v", data, e.Bytes(), changes)
		}
		v.Fields().Minimal()
	})
}
