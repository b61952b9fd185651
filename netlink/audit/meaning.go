package audit

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// A Meaning is what a rule does, for comparisons with ==: two rules of one Meaning do
// the same, although the kernel may take them for different ones.
type Meaning string

// Meaning returns what the rule does. The order of its fields and of its keys does not
// matter, nor what its list does not look at: system calls on most lists, the action on
// exclude.
func (r *Rule) Meaning() Meaning {
	m := Rule{List: r.List, Action: r.Action}
	if r.List == Exclude {
		m.Action = Never
	}
	if r.List.HasSyscalls() {
		m.Syscalls = r.Syscalls.normal()
	}
	for i := range r.Fields {
		m.Fields = append(m.Fields, r.Fields[i].normal())
	}
	slices.SortFunc(m.Fields, compareFields)
	m.Fields = slices.Compact(m.Fields)
	return m.text()
}

// identity is a text that two rules have in common if IsSame.
func (r *Rule) identity() string {
	i := Rule{List: r.List, Action: r.Action, Syscalls: r.Syscalls.normal(), Fields: r.Fields}
	return string(i.text())
}

// text is all of a rule in a form that tells texts of fields from each other.
func (r *Rule) text() Meaning {
	b := make([]byte, 0, 16*len(r.Fields)+64)
	b = binary.AppendUvarint(b, uint64(r.List))
	b = binary.AppendUvarint(b, uint64(r.Action))
	for _, word := range r.Syscalls {
		b = binary.AppendUvarint(b, uint64(word))
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		for _, v := range []uint64{uint64(f.Type), uint64(f.Op), uint64(f.Value), uint64(len(f.Text))} {
			b = binary.AppendUvarint(b, v)
		}
		b = append(b, f.Text...)
	}
	return Meaning(b)
}

func compareFields(a, b Field) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Op, b.Op), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Text, b.Text))
}

// normal returns one form of those that mean the same.
func (f Field) normal() Field {
	switch f.Type {
	case FieldKey:
		keys := strings.Split(f.Text, KeySeparator)
		slices.Sort(keys)
		f.Text = strings.Join(slices.Compact(keys), KeySeparator)
	case FieldDir:
		if trimmed := strings.TrimRight(f.Text, "/"); trimmed != "" {
			f.Text = trimmed
		}
	case FieldAUID: // the kernel makes the same of it: audit_data_to_entry
		if f.Value == unset && (f.Op == Equal || f.Op == NotEqual) {
			f = Field{Type: FieldAUIDSet, Op: f.Op, Value: 0}
		}
	}
	if f.Type == FieldAUIDSet && f.Op == NotEqual {
		f.Op, f.Value = Equal, 1-f.Value&1
	}
	return f
}
