// Package attr turns a table of rows into everything that is to be said about
// the attributes of a link kind. A row names one attribute once: its word in
// iproute2, its number in the kernel, the struct field that holds it, and when
// the kernel takes a change of it. From the rows come the wire format both ways,
// the document's keys, the comparison, and the JSON Schema.
//
//	type VRF struct{ Table *uint32 }
//
//	func (v *VRF) Fields() attr.Fields {
//		return attr.Fields{
//			attr.Uint32("table", unix.IFLA_VRF_TABLE, &v.Table).AtCreation().Range(1, math.MaxUint32),
//		}
//	}
//
// It knows no link kind, opens no socket and reads no YAML. Rows are for objects
// of which there are thousands, not millions: routes have plain codecs.
package attr

import (
	"fmt"
	"maps"
	"reflect"
)

// When tells in which state of its link the kernel takes a change of an attribute.
type When uint8

const (
	// Live attributes change at any time.
	Live When = iota
	// WhileDown attributes change only while the link is down.
	WhileDown
	// AtCreation attributes never change: the kernel refuses, or says ok and
	// ignores it. Another value means to delete the link and to make it anew.
	AtCreation
)

// String returns the name of w as documents and reports write it.
func (w When) String() string {
	switch w {
	case Live:
		return "live"
	case WhileDown:
		return "while down"
	case AtCreation:
		return "at creation"
	}
	return fmt.Sprintf("When(%d)", uint8(w))
}

// A Field is one row: one attribute of a kind. Rows are made by constructors
// such as Uint32 and refined by the chained methods.
type Field struct {
	Name string // iproute2's keyword in snake_case, the key in the document
	Type uint16 // the attribute's number
	When When
	// NoPorts says that the kernel takes a change only while the link has no ports.
	NoPorts bool
	// Late says that the attribute names a port of the link or of its master:
	// it can be set only once that port has joined, so it is left out at
	// creation and sent as a change afterwards.
	Late bool
	// Volatile says that the kernel changes the value by itself. It is compared
	// where it is declared, but never dumped.
	Volatile bool
	// Default is what a link has that was made without the attribute, in the
	// form of Value.Get. Nil: there is no fixed default, and dump always
	// writes the value.
	Default any
	// Text says in a sentence what the attribute does, for reference pages.
	Text  string
	Value Value
	// NamedIn is the table of names ("tables", as iproute2's rt_tables) in which
	// a document may look the number up; "" for none. Schema passes it on as
	// "x-names".
	NamedIn string

	absent  any      // what it means when a dump leaves the attribute out, nil for "not known"
	also    uint16   // second attribute of the same value (an IPv6 address), 0 for none
	word    *word    // attribute that the row shares with others, nil for none
	covers  []string // rows that this one stands for
	resends []string // rows that the kernel recomputes when this one changes
}

// AtCreation says that the kernel takes the attribute only when it makes the link.
func (f Field) AtCreation() Field { f.When = AtCreation; return f }

// WhileDown says that the kernel takes a change only while the link is down.
func (f Field) WhileDown() Field { f.When = WhileDown; return f }

// WithoutPorts says that the kernel takes a change only while the link has no ports.
func (f Field) WithoutPorts() Field { f.NoPorts = true; return f }

// WithDefault says what a link has that was made without the attribute. It is a
// plain value as Value.Set takes it.
func (f Field) WithDefault(v any) Field {
	if _, text := v.(string); !text { // rows are made often, and parsing text takes long
		if n, err := parseInteger(v); err == nil {
			v = n.document()
		}
	}
	f.Default = v
	return f
}

// Doc says in a sentence what the attribute does.
func (f Field) Doc(text string) Field { f.Text = text; return f }

// Names sets NamedIn.
func (f Field) Names(table string) Field { f.NamedIn = table; return f }

// AsLate sets Late.
func (f Field) AsLate() Field { f.Late = true; return f }

// AsVolatile sets Volatile.
func (f Field) AsVolatile() Field { f.Volatile = true; return f }

// AbsentIs says what it means when the kernel does not report the attribute.
func (f Field) AbsentIs(v any) Field { f.absent = v; return f }

// Resends says that the kernel recomputes the named rows when this one changes,
// so that those which are set are sent along.
func (f Field) Resends(names ...string) Field { f.resends = names; return f }

// Range limits a number to lo..hi. It panics on a row that is not a number.
func (f Field) Range(lo int64, hi uint64) Field {
	f.Value.(interface{ setRange(lo int64, hi uint64) }).setRange(lo, hi)
	return f
}

// Without refuses numbers that have bits of mask in them. It panics on a row
// that is not a number.
func (f Field) Without(mask uint64) Field {
	f.Value.(interface{ setWithout(mask uint64) }).setWithout(mask)
	return f
}

// Hex writes a number in hexadecimal, as a string. It panics on a row that is
// not a number.
func (f Field) Hex() Field {
	f.Value.(interface{ setHex() }).setHex()
	return f
}

// Words gives names to some values of a number, such as 0 for "inherit"; other
// numbers stay numbers. It panics on a row that is not a number.
func (f Field) Words(w ...Word) Field {
	f.Value.(interface{ setWords(w []Word, only bool) }).setWords(w, false)
	return f
}

// Enum names all values of a number: documents may say no others. What a newer
// kernel reports beyond them is written as a number. It panics on a row that is not a number.
func (f Field) Enum(w ...Word) Field {
	f.Value.(interface{ setWords(w []Word, only bool) }).setWords(w, true)
	return f
}

// Schema returns the JSON Schema of the row: that of its value with description
// and default.
func (f *Field) Schema() map[string]any {
	s := maps.Clone(f.Value.Schema())
	if f.Text != "" {
		s["description"] = f.Text
	}
	if f.Default != nil {
		s["default"] = f.Default
	}
	if f.NamedIn != "" {
		s["x-names"] = f.NamedIn
	}
	return s
}

// IsDefault tells whether the row is set to its default.
func (f *Field) IsDefault() bool {
	if f.Default == nil || !f.Value.IsSet() {
		return false
	}
	if r, ok := f.Value.(interface{ readsBack(v any) bool }); ok && r.readsBack(f.Default) {
		return true // as the kernel rounds it
	}
	return reflect.DeepEqual(f.Value.Get(), f.Default)
}

// isOf tells whether attribute typ carries the row, or a part of it.
func (f *Field) isOf(typ uint16) bool {
	return typ == f.Type || f.also != 0 && typ == f.also || f.word != nil && typ == f.word.typ
}
