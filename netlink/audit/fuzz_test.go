package audit

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// knownHere are names for the fuzzer, which does not look at this machine.
var knownHere = &Syntax{
	UserID:  func(string) (uint32, error) { return 7, nil },
	GroupID: func(string) (uint32, error) { return 8, nil },
	IsDir:   func(path string) bool { return len(path)%2 == 0 },
}

// FuzzDecodeRule decodes what the kernel never sends: what comes of it is encoded to
// what decodes to the same.
func FuzzDecodeRule(f *testing.F) {
	for _, line := range oneLiners(f) {
		rules, _ := ParseRule(line, knownHere)
		for i := range rules {
			b, err := rules[i].MarshalBinary()
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
			f.Add(b[:len(b)-1])
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r, again Rule
		if r.Decode(b) != nil {
			return
		}
		encoded, err := r.MarshalBinary()
		if err != nil {
			return // a NUL in a text
		}
		if err := again.Decode(encoded); err != nil || !r.IsSame(&again) || r.Prepend != again.Prepend {
			t.Fatalf("%+v\n%+v, %v", r, again, err)
		}
		if twice, _ := again.MarshalBinary(); !bytes.Equal(encoded, twice) {
			t.Fatalf("%x\n%x", encoded, twice)
		}
		describe(&r)
		if len(r.Check()) == 0 {
			parsesBack(t, &r)
		}
	})
}

// FuzzParseLine parses anything: what is a rule is printed so that it is read as the
// same one.
func FuzzParseLine(f *testing.F) {
	for _, line := range oneLiners(f) {
		f.Add(line)
	}
	for _, line := range []string{"-e 2", "-D -k x", "--backlog_wait_time 5", `-a always,exit -F "a b" 'c`, "-a always, exit -S a, b -F c >= d", "–w # x"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		l, err := ParseLine(line, knownHere)
		var problems Problems
		if err != nil && (!errors.As(err, &problems) || len(problems) == 0) {
			t.Fatalf("%q: %v", line, err)
		}
		for _, p := range slices.Concat(problems, l.Notes) {
			if p.Text == "" || p.Offset < 0 || p.Offset > len(line) {
				t.Errorf("%q: %+v", line, p)
			}
		}
		for i := range l.Rules {
			r := &l.Rules[i]
			if found := r.Check(); len(found) > 0 {
				t.Fatalf("%q: %v", line, found)
			}
			describe(r)
			parsesBack(t, r)
		}
	})
}

// describe says all that there is to say about a rule.
func describe(r *Rule) {
	r.Meaning()
	r.Pitfalls([]Rule{*r})
	r.ShadowedBy(r)
	Shadows([]Rule{*r, *r})
}

// parsesBack shows that a rule is printed as what it is, if its keys are the last field.
func parsesBack(t *testing.T, r *Rule) {
	if i := slices.IndexFunc(r.Fields, func(f Field) bool { return f.Type == FieldKey }); i >= 0 && i < len(r.Fields)-1 {
		return
	}
	text := r.String()
	again, err := ParseRule(text, knownHere)
	if err != nil || len(again) != 1 || !again[0].IsSame(r) || again[0].Prepend != r.Prepend {
		t.Fatalf("%q is read as %q, %v", text, texts(again), err)
	}
}

// TestRandomRules prints random rules, which the fuzzer rarely finds.
func TestRandomRules(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	pieces := []string{"/", "a", " ", `\`, "=", "&", "<", `"`, "'", "#", ",", "-", "\t", "\n", "\r", "\x01", "ä", "\xff", "unset"}
	printed := 0
	for range 60000 {
		rule := Rule{List: List(r.IntN(8)), Action: Action(2 * r.IntN(2)), Prepend: r.IntN(4) == 0, Syscalls: AllSyscalls()}
		if r.IntN(2) == 0 {
			rule.Syscalls = SyscallSet{}
			for range r.IntN(4) {
				rule.Syscalls.Add(r.IntN(500))
			}
		}
		for range 1 + r.IntN(3) {
			row := &fields[r.IntN(len(fields))]
			f := Field{Type: row.typ, Op: row.ops[r.IntN(len(row.ops))], Value: uint32(r.IntN(40))}
			switch r.IntN(4) {
			case 0:
				f.Value = -f.Value
			case 1:
				f.Value = r.Uint32()
			}
			if row.value.isText() {
				f.Value = 0
				for range 1 + r.IntN(4) {
					f.Text += pieces[r.IntN(len(pieces))]
				}
				if row.typ.isPath() {
					f.Text = "/" + f.Text
				}
			}
			rule.Fields = append(rule.Fields, f)
		}
		if len(rule.Check()) == 0 {
			printed++
			describe(&rule)
			parsesBack(t, &rule)
		}
	}
	if printed < 3000 {
		t.Error(printed)
	}
}
