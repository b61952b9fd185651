package cli

import (
	"strings"

	"github.com/nlapply/nlapply/netlink/audit"
)

// auditRule is a rule in JSON.
type auditRule struct {
	Position int          `json:"position,omitempty"` // in its list, from 1
	List     string       `json:"list"`
	Action   string       `json:"action"`
	Arch     string       `json:"arch,omitempty"`
	Syscalls any          `json:"syscalls,omitempty"` // names, and numbers without one, as a list; or "all"
	Fields   []auditField `json:"fields,omitempty"`   // without the keys and arch=
	Keys     []string     `json:"keys,omitempty"`
	Owner    string       `json:"owner,omitempty"` // that the mark among the keys names
	Text     string       `json:"text"`            // as auditctl takes it
	Raw      []byte       `json:"raw"`             // struct audit_rule_data
}

// auditField is one condition: a field and a value, or two ids.
type auditField struct {
	Field string `json:"field"`
	Op    string `json:"op"`
	Value string `json:"value,omitempty"`
	Other string `json:"other,omitempty"` // -C: the field that it is compared with
}

func describeRule(r *audit.Rule, position int) (auditRule, error) {
	raw, err := r.MarshalBinary()
	d := auditRule{
		Position: position, List: r.List.String(), Action: r.Action.String(),
		Keys: r.Keys(), Owner: ownerOf(r), Text: r.String(), Raw: raw,
	}
	if names := syscallNames(r); names != nil {
		d.Syscalls = names
	} else if hasSyscalls(r.List) && r.Syscalls.IsAll() {
		d.Syscalls = "all"
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		switch {
		case f.Type == audit.FieldKey:
		case f.Type == audit.FieldArch && f.Op == audit.Equal:
			d.Arch = audit.Arch(f.Value).String()
		default:
			d.Fields = append(d.Fields, describeField(f))
		}
	}
	return d, err
}

// describeField takes apart what auditctl's options have in one word.
func describeField(f *audit.Field) auditField {
	text, isPair := fieldText(f)
	name, value, _ := strings.Cut(text, f.Op.String())
	d := auditField{Field: name, Op: f.Op.String(), Value: value}
	if isPair {
		d.Value, d.Other = "", value
	}
	return d
}

// fieldText is a field as the options -F and -C take it, and whether it is one of -C.
func fieldText(f *audit.Field) (text string, isPair bool) {
	if f.Type == audit.FieldCompare {
		// Only a rule writes it with its names.
		r := audit.Rule{List: audit.Task, Fields: []audit.Field{*f}}
		_, text, isPair = strings.Cut(r.String(), " -C ")
	}
	if !isPair {
		text = f.String()
	}
	return text, isPair
}

// hasSyscalls tells whether the kernel looks at the system calls of a list's rules.
func hasSyscalls(l audit.List) bool { return l == audit.Exit || l == audit.IOURing }

// syscallNames are the system calls that a rule names, or its operations of io_uring; nil
// when it is for all, or its list has none.
func syscallNames(r *audit.Rule) (names []string) {
	if !hasSyscalls(r.List) || r.Syscalls.IsAll() {
		return nil
	}
	names = []string{}
	for nr := range r.Syscalls.All() {
		names = append(names, syscallName(r, nr))
	}
	return names
}

// syscallName is the name of a system call of a rule, or its number.
func syscallName(r *audit.Rule, nr int) string {
	one := audit.Rule{List: r.List}
	if f, ok := r.Field(audit.FieldArch); ok {
		one.Fields = []audit.Field{{Type: audit.FieldArch, Op: audit.Equal, Value: f.Value}}
	}
	one.Syscalls.Add(nr)
	_, name, _ := strings.Cut(one.String(), " -S ")
	return name
}

// archOf is the architecture by which the system calls of a rule are named.
func archOf(r *audit.Rule) (a audit.Arch, given bool) {
	if f, ok := r.Field(audit.FieldArch); ok {
		return audit.Arch(f.Value), true
	}
	return audit.Native(), false
}

// places returns the place of each rule in its list, from 1.
func places(rules []audit.Rule) []int {
	count := map[audit.List]int{}
	places := make([]int, len(rules))
	for i := range rules {
		count[rules[i].List]++
		places[i] = count[rules[i].List]
	}
	return places
}
