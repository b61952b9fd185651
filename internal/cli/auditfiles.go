package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/nlapply/nlapply/netlink/audit"
	"github.com/nlapply/nlapply/spec"
)

// takeFiles takes what files of rules say.
func (i *auditImport) takeFiles(args []string, stdin io.Reader) error {
	names, err := ruleFiles(args)
	if err != nil {
		return err
	}
	var errs []error
	var files []audit.File
	for _, name := range names {
		f, err := readRules(name, stdin)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		files = append(files, f)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	i.takeMerged(files)
	return nil
}

// takeMerged takes the rules that are left when the files are loaded one behind the other,
// their settings, and notes of what is left out, in the order of the lines.
func (i *auditImport) takeMerged(files []audit.File) {
	m, _ := audit.Merge(files) // that there was nothing to delete is a note here
	set := map[string]string{}
	for _, f := range files {
		for n := range f.Lines {
			i.takeLine(&f.Lines[n], &m, set)
		}
	}
	for rules := m.Rules; len(rules) > 0; {
		n := 1
		for n < len(rules) && rules[n].From == rules[0].From {
			n++
		}
		i.takeFileRules(rules[:n])
		rules = rules[n:]
	}
}

// ruleFiles names the files to read: of directories those that augenrules(8) takes, in
// their order.
func ruleFiles(args []string) (names []string, err error) {
	for _, arg := range args {
		info, err := os.Stat(arg)
		if arg == "-" || err != nil || !info.IsDir() {
			names = append(names, arg) // reading it says what is wrong
			continue
		}
		found, err := spec.Glob(filepath.Join(arg, "*.rules"))
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: there is no *.rules in it", arg)
		}
		names = append(names, found...)
	}
	return names, nil
}

// readRules reads a file of rules. Its mistakes are a spec.Errors.
func readRules(name string, stdin io.Reader) (f audit.File, err error) {
	read := func() ([]byte, error) { return os.ReadFile(name) }
	if name == "-" {
		read = func() ([]byte, error) { return io.ReadAll(stdin) }
	}
	text, err := read()
	if err != nil {
		return f, err
	}
	f, wrong := audit.ParseFile(name, text, nil)
	if len(wrong) > 0 {
		var errs spec.Errors
		for _, e := range wrong {
			errs = append(errs, &spec.Error{File: e.File, Line: e.Line, Column: e.Column, Reason: e.Reason})
		}
		return f, errs
	}
	return f, nil
}

// takeLine takes what a line of a file says beside rules. set says where a setting was set.
func (i *auditImport) takeLine(l *audit.FileLine, m *audit.Merged, set map[string]string) {
	where := linePlace(l)
	for _, n := range l.Notes {
		i.note(where, "%s", n.Text)
	}
	switch {
	case l.Delete || l.DeleteAll && l.Key != "":
		i.note(where, "%s: left out%s", l.Text, whatWith(m.Deleted[l]))
	case l.DeleteAll:
		i.note(where, "%s: left out: applying a document deletes what its owner made and it does not declare any more", l.Text)
	case l.Lenient:
		i.note(where, "%s: left out: a document is applied when all of it is right", l.Text)
	}
	for _, d := range m.Twice {
		if d.Left == l {
			i.note(where, "left out: the same rule as %s", linePlace(d.Kept))
		}
	}
	i.takeSettings(where, &l.Settings, set)
}

func linePlace(l *audit.FileLine) string { return fmt.Sprintf("%s:%d", l.File, l.Number) }

// whatWith says what goes with a line that deletes rules.
func whatWith(deleted int) string {
	switch deleted {
	case 0:
		return ": what a document does not declare, it does not keep"
	case 1:
		return ", and the rule that it deletes"
	}
	return fmt.Sprintf(", and the %d rules that it deletes", deleted)
}

// takeFileRules takes the rules of a line that are left: as the line is written, if that
// is all of them.
func (i *auditImport) takeFileRules(left []audit.MergedRule) {
	from := left[0].From
	var rules []audit.Rule
	for _, r := range left {
		rules = append(rules, r.Rule)
	}
	if len(rules) == len(from.Rules) && !from.Rules[0].Prepend && meansSame(from.Text, rules) {
		i.rules = append(i.rules, importedRule{from.Text, from.Comments})
		return
	}
	comments := from.Comments
	for n := range rules {
		i.rules = append(i.rules, importedRule{rules[n].String(), comments})
		comments = nil
	}
}

// meansSame tells whether a text stands for rules.
func meansSame(text string, rules []audit.Rule) bool {
	parsed, err := audit.ParseRule(text, nil)
	return err == nil && slices.EqualFunc(parsed, rules, func(a, b audit.Rule) bool { return a.IsSame(&b) })
}

// takeSettings takes the settings of a line; the last one of each counts.
func (i *auditImport) takeSettings(where string, s *audit.Settings, set map[string]string) {
	for _, one := range []struct {
		name     string
		from, to **uint32
	}{
		{"enabled", &s.Enabled, &i.settings.Enabled}, {"failure", &s.Failure, &i.settings.Failure},
		{"rate_limit", &s.RateLimit, &i.settings.RateLimit}, {"backlog_limit", &s.BacklogLimit, &i.settings.BacklogLimit},
		{"backlog_wait_time", &s.BacklogWaitTime, &i.settings.BacklogWaitTime},
	} {
		if *one.from == nil {
			continue
		}
		if *one.to != nil && **one.to != **one.from {
			i.note(set[one.name], "left out: %s is set again at %s", one.name, where)
		}
		*one.to, set[one.name] = *one.from, where
	}
	i.settings.LoginUIDImmutable = cmp.Or(s.LoginUIDImmutable, i.settings.LoginUIDImmutable)
	if s.IsIrreversible() {
		i.note(where, "only the next boot takes it back: the document needs allow_irreversible: true, which is for you to add")
	}
}
