package audit

import (
	"fmt"
	"slices"
	"strings"
)

// A RuleProblem is why the kernel would refuse a rule, or take it and never act on it.
type RuleProblem struct {
	Field int // its place among the fields, -1: the whole rule
	Text  string
}

// Check tells what is wrong with a rule. The kernel says no more than EINVAL, and on v6.18
// it takes values that mean nothing (kernel/auditfilter.c, audit_field_valid).
// What depends on the machine, such as a directory that is not there, Check does not
// know.
func (r *Rule) Check() (problems []RuleProblem) {
	c := checker{r: r}
	c.whole()
	for i := range r.Fields {
		c.field(i)
	}
	return c.problems
}

type checker struct {
	r        *Rule
	problems []RuleProblem
}

func (c *checker) fail(field int, format string, args ...any) {
	c.problems = append(c.problems, RuleProblem{field, fmt.Sprintf(format, args...)})
}

func (c *checker) whole() {
	r := c.r
	if _, ok := listNames[r.List]; !ok {
		c.fail(-1, "there is no list %s", r.List)
	}
	if r.Action != Never && r.Action != Always {
		c.fail(-1, "the kernel does not take the action %s", r.Action)
	}
	if len(r.Fields) > MaxFields {
		c.fail(-1, "%d fields: the kernel takes %d", len(r.Fields), MaxFields)
	}
	if r.Syscalls.normal() != r.Syscalls.withoutClasses() {
		c.fail(-1, "system calls behind %d, which are classes that the kernel replaces", MaxSyscall)
	}
}

// once are fields of which a rule has one at most; files are those that name a file,
// of which it has one in all.
var (
	once  = []FieldType{FieldKey, FieldExe, FieldArch}
	files = []FieldType{FieldPath, FieldDir, FieldInode}
)

func (c *checker) field(i int) {
	f := &c.r.Fields[i]
	row := fieldByType[f.Type]
	if row == nil {
		c.fail(i, "%s is not known", f.Type)
		return
	}
	if !row.allows(c.r.List) {
		c.fail(i, "%s is not for the list %s%s", row.name, c.r.List, where(row))
	}
	if !slices.Contains(row.ops, f.Op) {
		c.fail(i, "%s does not take %s, only %s", row.name, f.Op, opList(row.ops))
	}
	if err := row.value.check(f); err != nil {
		c.fail(i, "%s: %v", row.name, err)
	}
	if strings.IndexByte(f.Text, 0) >= 0 {
		c.fail(i, "%s: a NUL in %q", row.name, f.Text)
	}
	if f.Type == FieldKey {
		c.key(i, f.Text)
	}
	before := c.r.Fields[:i]
	if slices.Contains(once, f.Type) && slices.ContainsFunc(before, func(o Field) bool { return o.Type == f.Type }) {
		c.fail(i, "a second %s", row.name)
	}
	if slices.Contains(files, f.Type) && slices.ContainsFunc(before, func(o Field) bool { return slices.Contains(files, o.Type) }) {
		c.fail(i, "%s: a rule has one of path, dir and inode", row.name)
	}
}

func (c *checker) key(i int, text string) {
	if len(text) > MaxKey {
		c.fail(i, "keys of %d bytes together: the kernel takes %d", len(text), MaxKey)
	}
	if slices.Contains(strings.Split(text, KeySeparator), "") && text != "" {
		c.fail(i, "an empty key")
	}
}

// where names the lists of a field that has few.
func where(row *fieldRow) string {
	if row.lists == nil {
		return ""
	}
	names := make([]string, len(row.lists))
	for i, l := range row.lists {
		names[i] = l.String()
	}
	return ", only for " + strings.Join(names, ", ")
}

func opList(ops []Op) string {
	names := make([]string, len(ops))
	for i, o := range ops {
		names[i] = o.String()
	}
	return strings.Join(names, ", ")
}
