package reconcile

import (
	"errors"
	"strings"

	"github.com/nlapply/nlapply/netlink/audit"
	"github.com/nlapply/nlapply/spec"
)

// declaredAuditRules reads a rule of the document.
func declaredAuditRules(d *spec.AuditRule) ([]audit.Rule, error) {
	line, err := parseAuditRule(d)
	if err != nil {
		return nil, err
	}
	return line.Added()
}

func parseAuditRule(d *spec.AuditRule) (audit.Line, error) {
	if d.Text != "" {
		return audit.ParseLine(d.Text, nil)
	}
	args, _ := auditArgs(d)
	return audit.ParseArgs(args, nil)
}

// auditPart is the part of a spelled out rule that an argument comes from.
type auditPart struct {
	key   string
	index int
	shift int // where it begins in the argument
}

// auditArgs returns a rule that is spelled out as arguments of auditctl, and where each
// of them comes from.
func auditArgs(d *spec.AuditRule) (args []string, parts []auditPart) {
	add := func(option, value string, p auditPart) {
		args, parts = append(args, option, value), append(parts, p, p)
	}
	add("-a", d.Action+","+d.List, auditPart{"list", -1, 0})
	if len(d.Arch) > 0 {
		add("-F", "arch="+strings.Join(d.Arch, ","), auditPart{"arch", -1, len("arch=")})
	}
	for i, name := range d.Syscalls {
		add("-S", name, auditPart{"syscalls", i, 0})
	}
	for i, f := range d.Fields {
		add("-F", f, auditPart{"fields", i, 0})
	}
	for i, c := range d.Compare {
		add("-C", c, auditPart{"compare", i, 0})
	}
	for i, k := range d.Keys {
		add("-k", k, auditPart{"keys", i, 0})
	}
	return args, parts
}

// CheckAuditRule tells what is wrong with a rule.
func (Vocabulary) CheckAuditRule(d *spec.AuditRule) (list []spec.AuditProblem) {
	if d.Text == "" && d.List == "" && d.Action == "" {
		return []spec.AuditProblem{{Index: -1, Reason: "the rule is empty"}}
	}
	line, err := parseAuditRule(d)
	if err == nil {
		_, err = line.Added()
	}
	var problems audit.Problems
	if !errors.As(err, &problems) {
		return nil
	}
	_, parts := auditArgs(d)
	for _, p := range problems {
		found := spec.AuditProblem{Index: -1, Offset: p.Offset, Reason: p.Text}
		switch {
		case d.Text != "":
			found.Reason += asSettings(&line.Settings)
			if len(list) == 0 {
				found.Reason += cutAtComma(d.Text)
			}
		case p.Arg < len(parts):
			parts[p.Arg].locate(d, &found)
		}
		list = append(list, found)
	}
	return list
}

var _ spec.AuditVocabulary = Vocabulary{}

// locate finds the part of a spelled out rule that a problem with its argument is about.
func (p *auditPart) locate(d *spec.AuditRule, found *spec.AuditProblem) {
	offset := found.Offset - p.shift
	found.Key, found.Index, found.Offset = p.key, p.index, max(offset, 0)
	switch {
	case p.key == "list":
		found.Offset = 0
		if offset < len(d.Action) && d.List != "" {
			found.Key = "action"
		}
	case p.key == "arch":
		found.Index, found.Offset, found.Reason = 0, 0, strings.TrimPrefix(found.Reason, "arch: ")
		for _, name := range d.Arch[:len(d.Arch)-1] {
			if offset -= len(name) + 1; offset >= 0 {
				found.Index++
			}
		}
	}
}

// asSettings says how a document has what a line sets.
func asSettings(s *audit.Settings) string {
	var keys []string
	for _, o := range auditOptions {
		if v := o.value(s); v != nil {
			keys = append(keys, o.key+": "+auditOptionWord(o.key, *v))
		}
	}
	if keys == nil {
		return ""
	}
	return ": under audit it is " + strings.Join(keys, ", ")
}

// cutAtComma explains a rule that YAML has cut: where it ends, or where it begins.
func cutAtComma(text string) string {
	words := strings.Fields(text)
	if n := len(words); n > 0 && isHalf(words[0]) || n == 2 && words[0] == "-a" && isHalf(words[1]) {
		return ": within [ ] YAML ends a text at its comma, unless it is in quotes"
	}
	return ""
}

// isHalf tells whether a word is one half of LIST,ACTION.
func isHalf(word string) bool {
	_, err := audit.ParseList(word)
	return err == nil || word == audit.Always.String() || word == audit.Never.String()
}
