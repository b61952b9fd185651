package audit

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nlapply/nlapply/netlink"
)

// A Rule is an audit rule as the kernel has it: the payload of AUDIT_ADD_RULE,
// AUDIT_DEL_RULE and AUDIT_LIST_RULES (struct audit_rule_data,
// include/uapi/linux/audit.h). The zero value is `never` on the list user, which
// matches no system call and everything else.
//
// A rule matches when all of its fields do and, on the lists exit and io_uring,
// the system call is one of Syscalls. Of the rules of a list the first that
// matches decides.
type Rule struct {
	List   List
	Action Action
	// Prepend puts the rule before those of its list that are there. It is only
	// part of requests: the kernel never lists it.
	Prepend  bool
	Syscalls SyscallSet
	Fields   []Field // at most MaxFields; the kernel keeps their order
}

// A Field is one condition of a rule.
type Field struct {
	Type  FieldType
	Op    Op
	Value uint32 // zero for those that are texts
	Text  string // of FieldType.IsText: a path, a label, keys joined with KeySeparator
}

// A List is where the kernel looks for rules: AUDIT_FILTER_*.
type List uint32

// The lists. Lists 2 (entry) and 3 (watch) are refused since v3.3 and v2.6.37.
const (
	User       List = 0 // messages of programs
	Task       List = 1 // processes as they begin
	Exit       List = 4 // system calls as they end
	Exclude    List = 5 // records, which are left out; the action does not matter
	Filesystem List = 6 // records of paths on some file systems (v4.13)
	IOURing    List = 7 // operations of io_uring (v5.16)
)

// An Action is what a rule that matches does: AUDIT_NEVER and AUDIT_ALWAYS.
// AUDIT_POSSIBLE (1) is refused by the kernel.
type Action uint32

// The actions.
const (
	Never  Action = 0 // no record
	Always Action = 2 // a record
)

// An Op compares a field with a value: AUDIT_EQUAL and so on.
type Op uint32

// The operators.
const (
	Equal        Op = 0x40000000
	NotEqual     Op = 0x30000000
	Less         Op = 0x10000000
	LessEqual    Op = 0x50000000
	Greater      Op = 0x20000000
	GreaterEqual Op = 0x60000000
	BitMask      Op = 0x08000000 // & : some of the bits are set
	BitTest      Op = 0x48000000 // &=: all of the bits are set
)

var opNames = map[Op]string{
	Equal: "=", NotEqual: "!=", Less: "<", LessEqual: "<=", Greater: ">", GreaterEqual: ">=", BitMask: "&", BitTest: "&=",
}

// String returns the operator as auditctl(8) writes it.
func (o Op) String() string { return nameOr(opNames, o) }

var listNames = map[List]string{
	User: "user", Task: "task", Exit: "exit", Exclude: "exclude", Filesystem: "filesystem", IOURing: "io_uring",
}

// String returns auditctl's name of the list, its number for an unknown one.
func (l List) String() string { return nameOr(listNames, l) }

// HasSyscalls tells whether the kernel looks at the system calls of the list's rules, or
// at their operations of io_uring (kernel/auditsc.c, audit_in_mask).
func (l List) HasSyscalls() bool { return l == Exit || l == IOURing }

// ParseList returns the list that auditctl(8) calls name; exclude has the name
// filter, too.
func ParseList(name string) (List, error) {
	switch name {
	case "filter":
		return Exclude, nil
	case "entry":
		return 0, fmt.Errorf("%q is no list since v3.3: did you mean exit?", name)
	case "watch":
		return 0, fmt.Errorf("%q is no list since v2.6.37: a watch is -w, or path= on the list exit", name)
	}
	return valueNamed(listNames, name, "list")
}

func parseAction(name string) (Action, error) { return valueNamed(actionNames, name, "action") }

func valueNamed[T ~uint32](names map[T]string, name, what string) (T, error) {
	for v, n := range names {
		if n == name {
			return v, nil
		}
	}
	return 0, fmt.Errorf("%q is no %s%s", name, what, suggestion(name, maps.Values(names)))
}

var actionNames = map[Action]string{Never: "never", 1: "possible", Always: "always"}

// String returns auditctl's name of the action, its number for an unknown one.
func (a Action) String() string { return nameOr(actionNames, a) }

func nameOr[T ~uint32](names map[T]string, v T) string {
	if name, ok := names[v]; ok {
		return name
	}
	return fmt.Sprintf("%#x", uint32(v))
}

// MaxFields is AUDIT_MAX_FIELDS.
const MaxFields = 64

// MaxKey is AUDIT_MAX_KEY_LEN: the keys of a rule with their separators.
const MaxKey = 256

// KeySeparator stands between the keys of a rule: AUDIT_KEY_SEPARATOR.
const KeySeparator = "\x01"

// Keys returns the keys of the rule, nil when it has none.
func (r *Rule) Keys() []string {
	for i := range r.Fields {
		if r.Fields[i].Type == FieldKey {
			return strings.Split(r.Fields[i].Text, KeySeparator)
		}
	}
	return nil
}

// SetKeys gives the rule these keys instead of those that it has, in a field that
// is the last one, where auditctl has it. No keys are no field.
func (r *Rule) SetKeys(keys []string) {
	r.Fields = slices.DeleteFunc(slices.Clone(r.Fields), func(f Field) bool { return f.Type == FieldKey })
	if len(keys) > 0 {
		r.Fields = append(r.Fields, Field{Type: FieldKey, Op: Equal, Text: strings.Join(keys, KeySeparator)})
	}
}

// Field returns the first field of a type.
func (r *Rule) Field(t FieldType) (f Field, ok bool) {
	i := slices.IndexFunc(r.Fields, func(f Field) bool { return f.Type == t })
	if i < 0 {
		return Field{}, false
	}
	return r.Fields[i], true
}

// Arch returns the architecture by which the system calls of the rule are meant: that of
// its field, or else this machine's.
func (r *Rule) Arch() (a Arch, given bool) {
	if f, ok := r.Field(FieldArch); ok {
		return Arch(f.Value), true
	}
	return Native(), false
}

// conditions counts the fields that decide whether the rule matches.
func (r *Rule) conditions() (n int) {
	for i := range r.Fields {
		if r.Fields[i].Type != FieldKey {
			n++
		}
	}
	return n
}

// Clone returns a copy that shares nothing with r.
func (r *Rule) Clone() *Rule {
	c := *r
	c.Fields = slices.Clone(r.Fields)
	return &c
}

// Offsets of struct audit_rule_data.
const (
	offsetAction     = 4
	offsetCount      = 8
	offsetMask       = 12
	offsetFields     = offsetMask + 4*syscallWords
	offsetValues     = offsetFields + 4*MaxFields
	offsetFieldFlags = offsetValues + 4*MaxFields
	offsetBufLen     = offsetFieldFlags + 4*MaxFields
	sizeofRule       = offsetBufLen + 4
)

// prependFlag is AUDIT_FILTER_PREPEND.
const prependFlag = 0x10

// AppendTo implements netlink.Payload.
func (r *Rule) AppendTo(e *netlink.Encoder) {
	b, err := r.AppendBinary(nil)
	if err != nil {
		e.Fail(err)
		return
	}
	e.Fixed(b)
}

// AppendBinary implements encoding.BinaryAppender. It is an error that a rule has
// more than MaxFields fields, or a text with a NUL, at which the kernel would end it.
func (r *Rule) AppendBinary(b []byte) ([]byte, error) {
	if len(r.Fields) > MaxFields {
		return b, fmt.Errorf("a rule of %d fields: the kernel takes %d", len(r.Fields), MaxFields)
	}
	start := len(b)
	b = append(b, make([]byte, sizeofRule)...)
	put := func(offset int, v uint32) { binary.NativeEndian.PutUint32(b[start+offset:], v) }
	flags := uint32(r.List)
	if r.Prepend {
		flags |= prependFlag
	}
	put(0, flags)
	put(offsetAction, uint32(r.Action))
	put(offsetCount, uint32(len(r.Fields)))
	for i, word := range r.Syscalls {
		put(offsetMask+4*i, word)
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		put(offsetFields+4*i, uint32(f.Type))
		put(offsetFieldFlags+4*i, uint32(f.Op))
		if !f.Type.IsText() {
			put(offsetValues+4*i, f.Value)
			continue
		}
		if strings.IndexByte(f.Text, 0) >= 0 {
			return b[:start], fmt.Errorf("%s: a NUL in %q", f.Type, f.Text)
		}
		put(offsetValues+4*i, uint32(len(f.Text)))
		b = append(b, f.Text...)
	}
	put(offsetBufLen, uint32(len(b)-start-sizeofRule))
	return b, nil
}

// MarshalBinary implements encoding.BinaryMarshaler; see AppendBinary.
func (r *Rule) MarshalBinary() ([]byte, error) { return r.AppendBinary(nil) }

// UnmarshalBinary implements encoding.BinaryUnmarshaler; see Decode.
func (r *Rule) UnmarshalBinary(b []byte) error { return r.Decode(b) }

// Decode reads the payload of a rule. What follows the texts, such as padding, is
// left alone. r shares no memory with b.
func (r *Rule) Decode(b []byte) error {
	if len(b) < sizeofRule {
		return fmt.Errorf("audit rule of %d bytes, want %d", len(b), sizeofRule)
	}
	get := func(offset int) uint32 { return binary.NativeEndian.Uint32(b[offset:]) }
	n := get(offsetCount)
	if n > MaxFields {
		return fmt.Errorf("audit rule of %d fields, want at most %d", n, MaxFields)
	}
	texts := b[sizeofRule:]
	if l := uint64(get(offsetBufLen)); l < uint64(len(texts)) {
		texts = texts[:l]
	}
	*r = Rule{
		List: List(get(0) &^ prependFlag), Prepend: get(0)&prependFlag != 0, Action: Action(get(offsetAction)),
		Fields: slices.Grow(r.Fields[:0], int(n)),
	}
	for i := range r.Syscalls {
		r.Syscalls[i] = get(offsetMask + 4*i)
	}
	for i := range int(n) {
		f := Field{Type: FieldType(get(offsetFields + 4*i)), Op: Op(get(offsetFieldFlags + 4*i)), Value: get(offsetValues + 4*i)}
		if f.Type.IsText() {
			if uint64(f.Value) > uint64(len(texts)) {
				return fmt.Errorf("audit rule: %s of %d bytes, with %d left", f.Type, f.Value, len(texts))
			}
			f.Text, texts, f.Value = string(texts[:f.Value]), texts[f.Value:], 0
		}
		r.Fields = append(r.Fields, f)
	}
	return nil
}

// IsSame tells whether the kernel takes both for the same rule: adding one where
// the other is gives EEXIST, and deleting one deletes the other
// (kernel/auditfilter.c, audit_compare_rule). The order of the fields matters to it.
func (r *Rule) IsSame(o *Rule) bool {
	return r.List == o.List && r.Action == o.Action &&
		r.Syscalls.normal() == o.Syscalls.normal() && slices.Equal(r.Fields, o.Fields)
}
