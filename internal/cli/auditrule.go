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
	switch {
	case !r.List.HasSyscalls():
	case r.Syscalls.IsAll():
		d.Syscalls = "all"
	default:
		d.Syscalls = r.SyscallNames()
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
	if left, right, ok := f.Pair(); ok {
		return auditField{Field: left, Op: f.Op.String(), Other: right}
	}
	name, value, _ := strings.Cut(f.String(), f.Op.String())
	return auditField{Field: name, Op: f.Op.String(), Value: value}
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
