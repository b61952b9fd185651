package kind_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route/attr"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

func TestSetGetIsIdentity(t *testing.T) {
	for _, r := range everyKind() {
		fields := r.new().Fields()
		for i := range fields {
			f := &fields[i]
			for _, v := range sampleOf(t, r.name, f).values {
				if err := f.Value.Set(v); err != nil {
					t.Errorf("%s.%s = %v: %v", r.name, f.Name, v, err)
					continue
				}
				once := f.Value.Get()
				if err := f.Value.Set(throughJSON(t, once)); err != nil {
					t.Errorf("%s.%s = %v: %v", r.name, f.Name, once, err)
				}
				if diff := cmp.Diff(once, f.Value.Get()); diff != "" {
					t.Errorf("%s.%s = %v: (-once +twice)\n%s", r.name, f.Name, v, diff)
				}
			}
		}
	}
}

// throughJSON returns v as a decoder of JSON hands it over.
func throughJSON(t testing.TB, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back any
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

// TestRandomDocuments encodes and decodes random options of every kind.
func TestRandomDocuments(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, r := range everyKind() {
		for range 200 {
			want := build(t, r, randomDoc(t, rnd, r))
			resolve(want)
			have, again := r.new(), r.new()
			wire := encode(want)
			decode(t, have, wire)
			if changes := attr.Diff(want.Fields(), have.Fields()); len(changes) > 0 {
				t.Fatalf("%s: %v becomes %v: %v", r.name, kind.Minimal(want), kind.Minimal(have), changes)
			}
			decode(t, again, encode(have))
			if changes := attr.Diff(have.Fields(), again.Fields()); len(changes) > 0 {
				t.Fatalf("%s: encoded twice: %v", r.name, changes)
			}
		}
	}
}

// randomDoc returns options whose rows do not contradict each other.
func randomDoc(t testing.TB, rnd *rand.Rand, r registered) doc {
	options := doc{}
	fields := r.new().Fields()
	for i := range fields {
		if rnd.IntN(3) == 0 {
			values := sampleOf(t, r.name, &fields[i]).values
			options[fields[i].Name] = values[rnd.IntN(len(values))]
		}
	}
	delete(options, "key") // stand for two others each
	delete(options, "seq")
	delete(options, "csum")
	if _, ok := options["group"]; ok {
		delete(options, "remote")
	}
	return options
}

// resolve gives an index to each link that k names, and the names to others.
func resolve(k kind.Kind) {
	index := map[string]int32{"p0": 1000, "q0": 1001}
	for _, ref := range k.Fields().Refs() {
		ref.Index = index[ref.Name]
	}
}

func encode(k kind.Kind) []byte {
	var e netlink.Encoder
	k.Fields().Encode(&e, nil)
	return e.Bytes()
}

func decode(t testing.TB, k kind.Kind, data []byte) {
	t.Helper()
	unknown, err := kind.Decode(k, data)
	if err != nil {
		t.Fatal(err)
	}
	if len(unknown) > 0 {
		t.Errorf("%s: unknown attributes % x", k.Name(), unknown)
	}
}

// TestTheSameIsNoChange compares every kind with itself.
func TestTheSameIsNoChange(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, r := range everyKind() {
		options := randomDoc(t, rnd, r)
		if changes := attr.Diff(build(t, r, options).Fields(), build(t, r, options).Fields()); len(changes) > 0 {
			t.Errorf("%s: %v", r.name, changes)
		}
	}
}

// TestEncodeOne sends each row on its own.
func TestEncodeOne(t *testing.T) {
	for _, r := range everyKind() {
		fields := r.new().Fields()
		for i := range fields {
			name := fields[i].Name
			want := build(t, r, doc{name: sampleOf(t, r.name, &fields[i]).values[0]})
			resolve(want)
			var e netlink.Encoder
			want.Fields().Encode(&e, func(f *attr.Field) bool { return f.Name == name })
			have := r.new()
			decode(t, have, e.Bytes())
			if changes := attr.Diff(want.Fields(), have.Fields()); len(changes) > 0 {
				t.Errorf("%s.%s: %v", r.name, name, changes)
			}
			e.Reset()
			want.Fields().Encode(&e, func(*attr.Field) bool { return false })
			if e.Len() > 0 {
				t.Errorf("%s.%s: encoded although not asked for: % x", r.name, name, e.Bytes())
			}
		}
	}
}

func TestUnknownAttributesAreKept(t *testing.T) {
	var e netlink.Encoder
	e.Uint8(0x3fe, 7)
	for _, r := range everyKind() {
		unknown, err := kind.Decode(r.new(), e.Bytes())
		if err != nil || !bytes.Equal(unknown, e.Bytes()) {
			t.Errorf("%s: % x, %v", r.name, unknown, err)
		}
	}
}

// FuzzDecode feeds bytes to every kind, and whatever was understood back.
func FuzzDecode(f *testing.F) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for _, r := range everyKind() {
		k := build(f, r, randomDoc(f, rnd, r))
		resolve(k)
		f.Add(encode(k))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, r := range everyKind() {
			k := r.new()
			kind.Decode(k, data)
			_, _ = kind.Check(k), kind.IsFallback(k)
			again := r.new()
			kind.Decode(again, encode(k))
			kind.Diff(k, again)
			once := encode(again) // a flag without what it announces is gone by now
			kind.Decode(again, once)
			if twice := encode(again); !bytes.Equal(once, twice) {
				t.Errorf("%s: not a fixpoint:\n% x\n% x", r.name, once, twice)
			}
			var e netlink.Encoder
			kind.EncodeChange(&e, k, r.new(), kind.Diff(k, r.new()))
			for key, v := range kind.Minimal(k) {
				if row, _ := again.Fields().Lookup(key); row.Value.Set(v) != nil {
					_ = row.Value.String() // the kernel may report what a document may not say
				}
			}
		}
	})
}
