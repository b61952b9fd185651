package audit

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A format reads and writes the values of a type of field as auditctl(8) does.
type format interface {
	isText() bool
	// parse reads a value. Its error says what is wrong with it, not where.
	parse(p *Syntax, word string) (Field, error)
	// print writes a value so that parse makes the same of it on every machine.
	print(f *Field) string
	// check tells what is wrong with a value that the kernel may not check.
	check(f *Field) error
}

// unset is what ids are that nobody has set.
const unset = 1<<32 - 1

// text is any text.
type text struct{}

func (text) isText() bool                                { return true }
func (text) parse(_ *Syntax, word string) (Field, error) { return Field{Text: word}, nil }
func (text) print(f *Field) string                       { return f.Text }

func (text) check(f *Field) error {
	switch {
	case f.Text == "":
		return fmt.Errorf("is empty")
	case f.Text[0] == '=' && (f.Op == Less || f.Op == Greater):
		return fmt.Errorf("%q is no label", f.Text) // and could not be told from <=
	}
	return nil
}

// path is the name of a file or a directory.
type path struct {
	text
	dir bool
}

func (p path) check(f *Field) error {
	switch {
	case f.Text != "" && (f.Text[0] == '"' || f.Text[0] == '\''):
		return fmt.Errorf("%s is not absolute: rules have no quotes", f.Text)
	case f.Text == "" || f.Text[0] != '/':
		return fmt.Errorf("%q is not absolute", f.Text)
	case len(f.Text) >= unix.PathMax:
		return fmt.Errorf("a path of %d bytes: the kernel takes less than %d", len(f.Text), unix.PathMax)
	case !p.dir && strings.HasSuffix(f.Text, "/"):
		return fmt.Errorf("%q ends with a slash: a directory is watched with dir=", f.Text)
	}
	for _, part := range strings.Split(f.Text, "/") {
		if len(part) > unix.NAME_MAX {
			return fmt.Errorf("a name of %d bytes in the path: file systems have at most %d", len(part), unix.NAME_MAX)
		}
	}
	return nil
}

// numeric is what formats of numbers have in common.
type numeric struct{}

func (numeric) isText() bool          { return false }
func (numeric) check(*Field) error    { return nil }
func (numeric) print(f *Field) string { return strconv.FormatUint(uint64(f.Value), 10) }

// number is an unsigned number.
type number struct {
	numeric
	max     uint32
	limited bool // to max
	unset   bool // may be unset
}

func (n number) parse(_ *Syntax, word string) (f Field, err error) {
	if n.unset && isUnset(word) {
		return Field{Value: unset}, nil
	}
	if n.limited && n.max == 1 && (word == "yes" || word == "no") {
		return f, fmt.Errorf("%q is no number: 1 is yes, 0 is no", word)
	}
	if f.Value, err = parseUint(word); err == nil {
		err = n.check(&f)
	}
	return f, err
}

func (n number) check(f *Field) error {
	if n.limited && f.Value > n.max {
		return fmt.Errorf("%d is out of range 0..%d", f.Value, n.max)
	}
	return nil
}

func (n number) print(f *Field) string {
	if n.unset && f.Value == unset {
		return "unset"
	}
	return n.numeric.print(f)
}

func isUnset(word string) bool {
	v, err := parseUint(word)
	return word == "unset" || word == "-1" || err == nil && v == unset
}

// parseDigits reads a number as strtoul(3) with base 0 does, which auditctl has for all of
// them: decimal, 0x and hexadecimal, 0 and octal. Go's base 0 has 0b, 0o and _ as well. What
// strtoul leaves unread behind a number is refused.
func parseDigits(digits string) (uint64, error) {
	base := 10
	if len(digits) > 1 && digits[0] == '0' {
		base, digits = 8, digits[1:]
		if digits[0]|0x20 == 'x' {
			base, digits = 16, digits[1:]
		}
	}
	return strconv.ParseUint(digits, base, 64)
}

// notOctal explains digits that parseDigits does not take.
func notOctal(word string) string {
	if len(word) > 1 && word[0] == '0' && strings.Trim(word, "0123456789") == "" {
		return ": what begins with 0 is octal"
	}
	return ""
}

// parseUint reads a number of 32 bits.
func parseUint(word string) (uint32, error) {
	v, err := parseDigits(word)
	if err != nil || v > 1<<32-1 {
		return 0, fmt.Errorf("%q is no number 0..4294967295%s", word, notOctal(word))
	}
	return uint32(v), nil
}

// parseSigned reads a number with or without a minus, of which 32 bits count. ok is false
// where it does not fit them either way.
func parseSigned(word string) (v uint32, ok bool, err error) {
	digits, negative := strings.CutPrefix(word, "-")
	n, err := parseDigits(digits)
	switch {
	case err != nil:
		return 0, false, err
	case negative:
		return uint32(-n), n <= 1<<31, nil
	}
	return uint32(n), n <= 1<<32-1, nil
}

// argument is an argument of a system call, of which the kernel compares 32 bits.
type argument struct{ numeric }

func (argument) parse(_ *Syntax, word string) (Field, error) {
	v, ok, err := parseSigned(word)
	if err != nil {
		return Field{}, fmt.Errorf("%q is no number%s", word, notOctal(word))
	}
	if wide, _ := parseDigits(word); wide >= 1<<64-1<<31 {
		ok = true // the same as with a minus, for 64 bits
	}
	if !ok {
		return Field{}, fmt.Errorf("%q does not fit 32 bits, of which rules compare arguments", word)
	}
	return Field{Value: v}, nil
}

func (argument) print(f *Field) string {
	return fmt.Sprintf("%#x", f.Value)
}

// userID is the id of a user, by number or by name.
type userID struct {
	numeric
	unset bool // may be unset: login uids
}

func (u userID) parse(p *Syntax, word string) (Field, error) {
	if u.unset && isUnset(word) {
		return Field{Value: unset}, nil
	}
	return parseID(word, "user", p.user)
}

func (u userID) check(f *Field) error {
	if !u.unset {
		return checkID(f)
	}
	return nil
}

func (u userID) print(f *Field) string { return number{unset: u.unset}.print(f) }

// groupID is the id of a group, by number or by name.
type groupID struct{ numeric }

func (groupID) parse(p *Syntax, word string) (Field, error) { return parseID(word, "group", p.group) }
func (groupID) check(f *Field) error                        { return checkID(f) }

// checkID knows what the kernel refuses (kernel/auditfilter.c, audit_data_to_entry:
// uid_valid).
func checkID(f *Field) error {
	if f.Value == unset {
		return fmt.Errorf("%d is no id", f.Value)
	}
	return nil
}

func parseID(word, what string, lookup func(string) (uint32, error)) (Field, error) {
	if v, err := parseUint(word); err == nil {
		f := Field{Value: v}
		return f, checkID(&f)
	}
	if word == "unset" || strings.HasPrefix(word, "-") {
		return Field{}, fmt.Errorf("%q is no %s: only auid can be unset", word, what)
	}
	v, err := lookup(word)
	if err != nil {
		return Field{}, fmt.Errorf("there is no %s %q", what, word)
	}
	return Field{Value: v}, nil
}

// archValue is an architecture.
type archValue struct{ numeric }

func (archValue) parse(p *Syntax, word string) (Field, error) {
	a, err := ParseArch(word, p.arch())
	return Field{Value: uint32(a)}, err
}

func (archValue) print(f *Field) string { return Arch(f.Value).String() }

// exitValue is the result of a system call: a number, or an errno with a minus. The kernel
// compares 32 bits without a sign (audit_comparator), and auditctl takes both.
type exitValue struct{ numeric }

func (exitValue) parse(_ *Syntax, word string) (Field, error) {
	switch v, ok, err := parseSigned(word); {
	case ok:
		return Field{Value: v}, nil
	case err == nil:
		return Field{}, fmt.Errorf("%q does not fit the 32 bits of an exit", word)
	}
	name, negative := strings.CutPrefix(word, "-")
	n, ok := ErrnoNumber(name)
	if !ok {
		return Field{}, fmt.Errorf("%q is neither a number nor an errno%s", word, suggestion(name, errnoNames()))
	}
	if negative {
		n = -n
	}
	return Field{Value: uint32(int32(n))}, nil
}

func (exitValue) print(f *Field) string {
	n := int(int32(f.Value))
	if name, ok := ErrnoName(-n); ok && n < 0 {
		return "-" + name
	}
	return strconv.Itoa(n)
}

// coded is a number that has a name, of which there are some.
type coded struct {
	numeric
	what  string
	words func() vocabulary
	hex   bool // where there is no name
}

func (c coded) parse(_ *Syntax, word string) (Field, error) {
	if v, ok := c.words().number(word); ok {
		return Field{Value: v}, nil
	}
	v, err := parseUint(word)
	if err != nil {
		return Field{}, fmt.Errorf("%q is no %s%s", word, c.what, suggestion(word, c.words().names()))
	}
	return Field{Value: v}, nil
}

func (c coded) print(f *Field) string {
	if name, ok := c.words().name(f.Value); ok {
		return name
	}
	if c.hex {
		return fmt.Sprintf("%#x", f.Value)
	}
	return c.numeric.print(f)
}

func just(v vocabulary) func() vocabulary { return func() vocabulary { return v } }

// family is the family of a socket's address.
type family struct{ coded }

func (family) check(f *Field) error {
	if f.Value > maxFamily {
		return fmt.Errorf("%d is out of range 0..%d", f.Value, maxFamily)
	}
	return nil
}

// fileType is one type of files.
type fileType struct{ coded }

func (t fileType) check(f *Field) error {
	if _, ok := t.words().name(f.Value); !ok {
		return fmt.Errorf("%#x is no type of files", f.Value)
	}
	return nil
}

// What a system call does to a file: AUDIT_PERM_*.
const (
	Execute   = 1
	Write     = 2
	Read      = 4
	Attribute = 8
)

// permLetters are in the order of auditctl's own lists.
var permLetters = []struct {
	bit    uint32
	letter byte
}{{Read, 'r'}, {Write, 'w'}, {Execute, 'x'}, {Attribute, 'a'}}

// permValue is a set of permissions.
type permValue struct{ numeric }

func (permValue) parse(_ *Syntax, word string) (f Field, err error) {
	for i := range len(word) {
		bit := uint32(0)
		for _, p := range permLetters {
			if p.letter == word[i]|0x20 {
				bit = p.bit
			}
		}
		if bit == 0 {
			return f, fmt.Errorf("%q is no permission: want some of r, w, x, a", word[i:i+1])
		}
		f.Value |= bit
	}
	return f, permValue{}.check(&f)
}

func (permValue) check(f *Field) error {
	if f.Value == 0 || f.Value > Read|Write|Execute|Attribute {
		return fmt.Errorf("%#x is no set of permissions", f.Value)
	}
	return nil
}

func (permValue) print(f *Field) string {
	var b strings.Builder
	for _, p := range permLetters {
		if f.Value&p.bit != 0 {
			b.WriteByte(p.letter)
		}
	}
	return b.String()
}
