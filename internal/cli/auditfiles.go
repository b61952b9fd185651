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
	set := map[string]string{}
	for _, f := range files {
		for n := range f.Lines {
			i.takeLine(&f.Lines[n], set)
		}
	}
	i.finishFiles()
	return nil
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

// takeLine takes one line of a file. set says where a setting was set.
func (i *auditImport) takeLine(l *audit.FileLine, set map[string]string) {
	where := fmt.Sprintf("%s:%d", l.File, l.Number)
	text := l.Text
	for _, n := range l.Notes {
		i.note(where, "%s", n.Text)
	}
	switch {
	case l.DeleteAll:
		i.note(where, "%s: left out: applying a document deletes what its owner made and it does not declare any more", text)
	case l.Lenient:
		i.note(where, "%s: left out: a document is applied when all of it is right", text)
	case l.Delete:
		for n := range l.Rules {
			if i.remove(&l.Rules[n]) {
				i.note(where, "%s: left out, and the rule that it deletes", text)
				continue
			}
			i.note(where, "%s: left out: what a document does not declare, it does not keep", text)
		}
	case len(l.Rules) > 0:
		i.takeFileRule(where, text, l.Comments, l.Rules)
	}
	i.takeSettings(where, &l.Settings, set)
}

// takeFileRule takes the rules of a line: as it is written, if all of it is taken.
func (i *auditImport) takeFileRule(where, text string, comments []string, rules []audit.Rule) {
	taken := importedRule{comments: comments}
	prepend := false
	for _, r := range rules {
		prepend = prepend || r.Prepend
		r.Prepend = false
		if i.isNew(where, &r) {
			taken.rules = append(taken.rules, r)
		}
	}
	if len(taken.rules) == len(rules) && !prepend && meansSame(text, rules) {
		taken.text = text
	}
	switch {
	case len(taken.rules) == 0:
	case prepend:
		i.rules = append([]importedRule{taken}, i.rules...)
	default:
		i.rules = append(i.rules, taken)
	}
}

// meansSame tells whether a text stands for rules.
func meansSame(text string, rules []audit.Rule) bool {
	parsed, err := audit.ParseRule(text, nil)
	return err == nil && slices.EqualFunc(parsed, rules, func(a, b audit.Rule) bool { return a.IsSame(&b) })
}

// finishFiles gives the rules that cannot stand as they are written texts of their own.
func (i *auditImport) finishFiles() {
	var rules []importedRule
	for _, r := range i.rules {
		if r.text != "" {
			rules = append(rules, r)
			continue
		}
		for n := range r.rules {
			rules = append(rules, importedRule{text: r.rules[n].String(), comments: r.comments})
			r.comments = nil
		}
	}
	i.rules = rules
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
