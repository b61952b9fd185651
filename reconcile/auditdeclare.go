package reconcile

import (
	"slices"

	"github.com/nlapply/nlapply/netlink/audit"
	"github.com/nlapply/nlapply/spec"
)

// declare reads the rules of the document: first those of its files, then its own.
func (t *auditTable) declare(s *Scope) error {
	t.declared, t.remarks = nil, nil
	if !t.manages(s) {
		return nil
	}
	files := readAuditFiles(s.Spec.Audit)
	s.auditFiles = files
	errs := files.errors(s.run.doc)
	own, wrong := s.ownAuditRules()
	errs = append(errs, wrong...)
	merged, _ := audit.Merge(append(slices.Clone(files.list), own))
	for i := range merged.Rules {
		r := &merged.Rules[i]
		path := auditLinePath(r.From)
		if err := s.checkMarked(&r.Rule); err != nil {
			errs = append(errs, s.run.doc.Errorf(path, "%v", err))
			continue
		}
		t.declared = append(t.declared, auditRule{r.Rule, path})
	}
	if len(errs) > 0 {
		return errs
	}
	if !s.deleting() {
		t.remarks = s.auditRemarks(files, &merged)
	}
	return nil
}

// ownAuditRules returns the rules that the document itself has, as a file without a name
// and with a line for each. The same one twice is a mistake there.
func (s *Scope) ownAuditRules() (own audit.File, errs spec.Errors) {
	first := map[audit.Meaning]int{}
	for i := range s.Spec.Audit.Rules {
		rules, err := declaredAuditRules(&s.Spec.Audit.Rules[i])
		if err != nil {
			errs = append(errs, s.run.doc.Errorf(auditPath(i), "%v", err))
			continue
		}
		l := audit.FileLine{Number: i + 1}
		for _, r := range rules {
			if before, twice := first[r.Meaning()]; twice {
				errs = append(errs, s.run.doc.Errorf(auditPath(i), "the same rule is declared twice, first at %s", s.run.place(auditPath(before))))
				continue
			}
			first[r.Meaning()] = i
			l.Rules = append(l.Rules, r)
		}
		own.Lines = append(own.Lines, l)
	}
	return own, errs
}

// auditLinePath returns the path of a line of a file, or of a rule of ownAuditRules.
func auditLinePath(l *audit.FileLine) string {
	if l.File == "" {
		return auditPath(l.Number - 1)
	}
	return spec.AuditFilePath(l.File, l.Number)
}

// auditRemarks are what should be known of the files, for notes.
func (s *Scope) auditRemarks(files *auditFiles, m *audit.Merged) (notes []string) {
	place := func(l *audit.FileLine) string { return s.run.place(auditLinePath(l)) }
	notes = s.lineNotes(files)
	for _, l := range m.Dropped {
		why := "-D is left out: reconciling is replacement, and other rules go with prune: {audit: all} only"
		if l.Lenient {
			why = "-c and -i are left out: mistakes are found before anything is changed"
		}
		notes = append(notes, place(l)+": "+why)
	}
	for _, d := range m.Twice {
		notes = append(notes, place(d.Left)+": left out: the same audit rule as at "+place(d.Kept))
	}
	return notes
}

// auditFiles is what the files of rules of a document say.
type auditFiles struct {
	list     []audit.File               // one for each of spec.Audit.Files
	wrong    []*audit.FileError         // what cannot be understood
	settings audit.Settings             // the last ones
	from     map[string]*audit.FileLine // where they come from, by their keys under audit
}

func readAuditFiles(a *spec.Audit) *auditFiles {
	f := &auditFiles{from: map[string]*audit.FileLine{}}
	for _, text := range a.Files {
		parsed, wrong := audit.ParseFile(text.Name, []byte(text.Text), nil)
		f.list, f.wrong = append(f.list, parsed), append(f.wrong, wrong...)
		for i := range parsed.Lines {
			l := &parsed.Lines[i]
			for _, o := range auditOptions {
				if o.value(&l.Settings) != nil {
					o.take(&f.settings, &l.Settings)
					f.from[o.key] = l
				}
			}
		}
	}
	return f
}

// auditOption is a setting that files of rules may hold, too.
type auditOption struct {
	key     string // under audit
	lasting uint32 // the value that only the next boot takes back, 0: none
	value   func(*audit.Settings) *uint32
	take    func(to, from *audit.Settings)
}

var auditOptions = []auditOption{
	numericOption("enabled", audit.EnabledLocked, func(s *audit.Settings) **uint32 { return &s.Enabled }),
	numericOption("failure", audit.FailurePanic, func(s *audit.Settings) **uint32 { return &s.Failure }),
	numericOption("rate_limit", 0, func(s *audit.Settings) **uint32 { return &s.RateLimit }),
	numericOption("backlog_limit", 0, func(s *audit.Settings) **uint32 { return &s.BacklogLimit }),
	numericOption("backlog_wait_time", 0, func(s *audit.Settings) **uint32 { return &s.BacklogWaitTime }),
	{
		key: "loginuid_immutable", lasting: 1,
		value: func(s *audit.Settings) *uint32 {
			switch {
			case s.LoginUIDImmutable == nil:
				return nil
			case *s.LoginUIDImmutable:
				return new(uint32(1))
			}
			return new(uint32(0))
		},
		take: func(to, from *audit.Settings) { to.LoginUIDImmutable = from.LoginUIDImmutable },
	},
}

func numericOption(key string, lasting uint32, at func(*audit.Settings) **uint32) auditOption {
	return auditOption{
		key: key, lasting: lasting,
		value: func(s *audit.Settings) *uint32 { return *at(s) },
		take:  func(to, from *audit.Settings) { *at(to) = *at(from) },
	}
}

// ownAuditSettings are the settings that the document itself has.
func ownAuditSettings(a *spec.Audit) audit.Settings {
	return audit.Settings{
		Enabled: a.Enabled, Failure: a.Failure, RateLimit: a.RateLimit,
		BacklogLimit: a.BacklogLimit, BacklogWaitTime: a.BacklogWaitTime, LoginUIDImmutable: a.LoginUIDImmutable,
	}
}

// CheckAuditFiles tells what is wrong with the files of rules of a document.
func (Vocabulary) CheckAuditFiles(a *spec.Audit) []spec.AuditFileProblem {
	return readAuditFiles(a).check(a)
}

// check tells what is wrong with the files, also beside what the document says itself.
func (f *auditFiles) check(a *spec.Audit) (list []spec.AuditFileProblem) {
	wrong := f.wrong
	if len(wrong) == 0 { // a line that cannot be understood may be the one that another one deletes
		_, wrong = audit.Merge(f.list)
	}
	add := func(file string, line, column int, key, reason string) {
		i := slices.IndexFunc(f.list, func(l audit.File) bool { return l.Name == file })
		list = append(list, spec.AuditFileProblem{File: i, Line: line, Column: column, Key: key, Reason: reason})
	}
	for _, e := range wrong {
		add(e.File, e.Line, e.Column, "", e.Reason)
	}
	own := ownAuditSettings(a)
	for _, o := range auditOptions {
		l := f.from[o.key]
		if l == nil {
			continue
		}
		value, declared := *o.value(&f.settings), o.value(&own)
		if o.lasting != 0 && value == o.lasting && !a.AllowIrreversible {
			add(l.File, l.Number, l.Column, "", "only the next boot takes it back: the document needs audit.allow_irreversible: true")
		}
		if declared != nil && *declared != value {
			add(l.File, l.Number, l.Column, o.key, auditOptionWord(o.key, *declared)+" contradicts "+auditOptionWord(o.key, value)+", which is at "+l.Place())
		}
	}
	return list
}

func auditOptionWord(key string, value uint32) string {
	if key == "loginuid_immutable" {
		return auditWord("enabled", value)
	}
	return auditWord(key, value)
}

// errors are what check finds, as errors of the document.
func (f *auditFiles) errors(doc *spec.Document) (errs spec.Errors) {
	for _, p := range f.check(doc.Audit) {
		if p.Key != "" {
			errs = append(errs, doc.Errorf(spec.Path("", "audit", p.Key), "%s", p.Reason))
			continue
		}
		errs = append(errs, &spec.Error{File: f.list[p.File].Name, Line: p.Line, Column: p.Column, Reason: p.Reason})
	}
	return errs
}

// auditSettings are the declared settings: the document's, and those of its files.
func (s *Scope) auditSettings() audit.Settings {
	if s.Spec == nil || s.Spec.Audit == nil {
		return audit.Settings{}
	}
	settings, files := ownAuditSettings(s.Spec.Audit), s.filesOfAudit()
	for _, o := range auditOptions {
		if o.value(&settings) == nil {
			o.take(&settings, &files.settings)
		}
	}
	return settings
}

// auditSettingPath is where a declared setting stands.
func (s *Scope) auditSettingPath(key string) string {
	own := ownAuditSettings(s.Spec.Audit)
	for _, o := range auditOptions {
		if l := s.filesOfAudit().from[key]; o.key == key && o.value(&own) == nil && l != nil {
			return auditLinePath(l)
		}
	}
	return spec.Path("", "audit", key)
}

// filesOfAudit returns what the files of rules say.
func (s *Scope) filesOfAudit() *auditFiles {
	if s.auditFiles == nil {
		s.auditFiles = readAuditFiles(s.Spec.Audit)
	}
	return s.auditFiles
}
