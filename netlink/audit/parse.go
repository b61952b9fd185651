package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Line is what one line of auditctl's syntax says: rules, or something else.
type Line struct {
	// Rules are more than one when the line names several architectures.
	Rules []Rule
	// Delete tells that the rules are to be deleted: -d and -W.
	Delete bool
	// DeleteAll tells that all rules are, or those with Key: -D.
	DeleteAll bool
	Key       string
	// Lenient tells that the lines behind it are tried after a mistake: -c and -i.
	Lenient  bool
	Settings Settings
	// Notes are what is strange about a line and no mistake.
	Notes Problems
}

// IsEmpty tells whether the line says nothing.
func (l *Line) IsEmpty() bool {
	return len(l.Rules) == 0 && !l.DeleteAll && !l.Lenient && l.Settings.IsEmpty()
}

// ParseLine reads the options that auditctl(8) takes in a line, or in a file of
// rules. An error is of type Problems: all that is wrong with the line. What
// auditctl reads by other means than the text it takes from s; nil is this machine.
//
// Beside auditctl's syntax, `arch=b64,b32` stands for one rule for each, `-S none` for
// no system call, and numbers are taken wherever names are.
func ParseLine(line string, s *Syntax) (Line, error) {
	return (&parser{syntax: s, words: split(line), isText: true}).read()
}

// ParseArgs reads a line of which the words are told from each other already: nothing
// in them is escaped.
func ParseArgs(args []string, s *Syntax) (Line, error) {
	words := make([]word, len(args))
	for i, text := range args {
		words[i] = word{text: text, arg: i}
	}
	return (&parser{syntax: s, words: words}).read()
}

func (p *parser) read() (Line, error) {
	for p.next() {
		p.option()
	}
	p.finish()
	if len(p.problems) > 0 {
		slices.SortStableFunc(p.problems, func(a, b Problem) int { return cmp.Or(a.Arg-b.Arg, a.Offset-b.Offset) })
		return Line{}, p.problems
	}
	return p.line, nil
}

// ParseRule reads one rule, or one for each architecture that it names. It is an
// error that the line says something else than rules to be added.
func ParseRule(line string, s *Syntax) ([]Rule, error) {
	l, err := ParseLine(line, s)
	if err != nil {
		return nil, err
	}
	return l.Added()
}

// Added returns the rules of a line that only adds rules; any other one is an error of
// type Problems.
func (l *Line) Added() ([]Rule, error) {
	why := ""
	switch {
	case l.Delete:
		why = "no rule to be added: -d and -W delete one"
	case l.DeleteAll:
		why = "no rule: -D deletes rules"
	case l.Lenient:
		why = "no rule: -c and -i say how a file is read"
	case !l.Settings.IsEmpty():
		why = "no rule, but a setting"
	case len(l.Rules) == 0:
		why = "no rule"
	default:
		return l.Rules, nil
	}
	return nil, Problems{{Text: why}}
}

// parser reads one line.
type parser struct {
	syntax     *Syntax
	words      []word
	isText     bool // the words are of a line, where blanks part them
	at         word // the option, or a part of it
	last       word // what belongs to the last option, and its letter
	lastOption byte
	line       Line
	problems   Problems

	rule    draft
	control bool // an option that stands alone was there
	excused bool // what makes the line a rule is missing, which has been said
}

// draft is the rule of a line as far as it has been read.
type draft struct {
	begun    bool
	at       word // -a, -d or -w
	watch    bool
	vague    bool     // its list, or its action, is not known
	wrong    Problems // what was so before the rule was looked at as a whole
	rule     Rule
	where    []word     // of each field
	archs    []archWord // of all fields arch
	archAt   int        // the first one's place among the fields
	archBad  bool       // there is one that is not known
	syscalls []word
	uring    []word // -U
	keys     []string
	keyAt    word
}

type archWord struct {
	arch Arch
	word word
}

// fail reports a mistake, once: several architectures may have the same one.
func (p *parser) fail(w word, format string, args ...any) {
	problem := Problem{w.arg, w.at, fmt.Sprintf(format, args...)}
	if !slices.Contains(p.problems, problem) {
		p.problems = append(p.problems, problem)
	}
}

func (p *parser) note(w word, format string, args ...any) {
	p.line.Notes = append(p.line.Notes, Problem{w.arg, w.at, fmt.Sprintf(format, args...)})
}

func (p *parser) next() bool {
	if len(p.words) == 0 {
		return false
	}
	p.at, p.words = p.words[0], p.words[1:]
	return true
}

// argument returns what belongs to an option: the rest of its word, or the next one.
func (p *parser) argument(rest string) (word, bool) {
	if rest != "" {
		return p.at.after(len(p.at.text) - len(rest)), true
	}
	if len(p.words) == 0 {
		p.fail(p.at, "%s wants a value", p.at.text)
		return word{}, false
	}
	w := p.words[0]
	p.words = p.words[1:]
	return w, true
}

// options are those with an argument, and what they do.
var options = map[byte]func(*parser, word){
	'a': func(p *parser, w word) { p.begin(w, false, false) },
	'A': func(p *parser, w word) { p.begin(w, true, false) },
	'd': func(p *parser, w word) { p.begin(w, false, true) },
	'w': func(p *parser, w word) { p.watch(w, false) },
	'W': func(p *parser, w word) { p.watch(w, true) },
	'p': (*parser).perm,
	'S': func(p *parser, w word) { p.rule.syscalls = append(p.rule.syscalls, p.names(w)...) },
	'U': func(p *parser, w word) { p.rule.uring = append(p.rule.uring, p.names(w)...) },
	'F': (*parser).field,
	'C': (*parser).compare,
	'k': func(p *parser, w word) { p.key(w) },
	'b': setting("backlog limit", 1<<32-1, func(s *Settings) **uint32 { return &s.BacklogLimit }),
	'e': setting("enabled", 2, func(s *Settings) **uint32 { return &s.Enabled }),
	'f': setting("failure", 2, func(s *Settings) **uint32 { return &s.Failure }),
	'r': setting("rate limit", 1<<32-1, func(s *Settings) **uint32 { return &s.RateLimit }),
}

// flags are options without an argument that a file of rules may hold.
var flags = map[string]func(*parser){
	"-D":                   func(p *parser) { p.line.DeleteAll = true },
	"-c":                   func(p *parser) { p.line.Lenient = true },
	"-i":                   func(p *parser) { p.line.Lenient = true },
	"--loginuid-immutable": func(p *parser) { p.line.Settings.LoginUIDImmutable = new(true) },
}

// elsewhere are auditctl's options that ask or do something at once.
var elsewhere = []string{"-h", "-l", "-m", "-q", "-R", "-s", "-t", "-v", "--reset-lost", "--reset_backlog_wait_time_actual", "--signal"}

func (p *parser) option() {
	text := p.at.text
	if do := flags[text]; do != nil {
		p.control = true
		do(p)
		return
	}
	if name, value, _ := strings.Cut(text, "="); name == "--backlog_wait_time" {
		if w, ok := p.argument(value); ok {
			setting("backlog wait time", 1<<32-1, func(s *Settings) **uint32 { return &s.BacklogWaitTime })(p, w)
		}
		return
	}
	if slices.Contains(elsewhere, text) {
		p.fail(p.at, "%s is nothing to be declared", text)
		if text == "-q" || text == "-m" || text == "-R" {
			p.next()
		}
		return
	}
	if len(text) < 2 || text[0] != '-' || options[text[1]] == nil {
		p.stray()
		return
	}
	if w, ok := p.argument(text[2:]); ok {
		p.last, p.lastOption = w, text[1]
		options[text[1]](p, w)
	}
}

// setting reads the number of a setting.
func setting(what string, limit uint32, at func(*Settings) **uint32) func(*parser, word) {
	return func(p *parser, w word) {
		p.control = true
		v, err := parseUint(w.text)
		if err != nil || v > limit {
			p.fail(w, "%s %s is no number 0..%d%s", what, quoted(w.text), limit, notOctal(w.text))
			return
		}
		*at(&p.line.Settings) = new(v)
	}
}

// list returns the parts of a word between commas.
func list(w word) (parts []word) {
	for {
		n := strings.IndexByte(w.text, ',')
		if n < 0 {
			return append(parts, w)
		}
		parts = append(parts, word{text: w.text[:n], arg: w.arg, at: w.at, escapes: w.escapes})
		w = w.after(n + 1)
	}
}

func (p *parser) begun(w word) bool {
	if p.rule.begun {
		p.fail(w, "a second rule in the line, beside that of %s", p.rule.at.text)
		return false
	}
	p.rule.begun, p.rule.at = true, p.at
	return true
}

// begin reads LIST,ACTION in either order.
func (p *parser) begin(w word, prepend, remove bool) {
	if !p.begun(w) {
		return
	}
	p.line.Delete = remove
	r := &p.rule.rule
	r.Prepend = prepend
	parts := list(w)
	if len(parts) != 2 || parts[0].text == "" || parts[1].text == "" {
		p.rule.vague = true
		p.fail(w, "%s: want a list and an action, such as always,exit%s", quoted(w.text), p.blankAfterComma())
		return
	}
	list, isList := ParseList(parts[0].text)
	action, isAction := parseAction(parts[1].text)
	if isList != nil && isAction != nil {
		list, isList = ParseList(parts[1].text)
		action, isAction = parseAction(parts[0].text)
		slices.Reverse(parts)
	}
	if isList != nil {
		p.fail(parts[0], "%v", isList)
	}
	if isAction != nil {
		p.fail(parts[1], "%v", isAction)
	}
	r.List, r.Action = list, action
	p.rule.vague = isList != nil || isAction != nil
}

// watch reads the path of -w.
func (p *parser) watch(w word, remove bool) {
	if !p.begun(w) {
		return
	}
	p.line.Delete = remove
	p.rule.watch = true
	p.rule.rule.List, p.rule.rule.Action = Exit, Always
	name, typ := w.text, FieldPath
	if p.syntax.isDir(name) {
		typ = FieldDir
	}
	if len(name) > 1 {
		name = strings.TrimRight(name, "/")
	}
	p.add(w, Field{Type: typ, Op: Equal, Text: name})
	p.add(w, Field{Type: FieldPerm, Op: Equal, Value: Read | Write | Execute | Attribute})
}

// perm reads -p, which only a watch can have; the last one counts.
func (p *parser) perm(w word) {
	f, err := permValue{}.parse(p.syntax, w.text)
	switch i := slices.IndexFunc(p.rule.rule.Fields, func(f Field) bool { return f.Type == FieldPerm }); {
	case err != nil:
		p.fail(w, "-p: %v", err)
	case p.excused && !p.rule.begun:
	case !p.rule.watch || i < 0:
		p.fail(p.at, "-p goes with -w; elsewhere it is -F perm=")
	default:
		p.rule.rule.Fields[i].Value = f.Value
	}
}

func (p *parser) add(w word, f Field) {
	p.rule.rule.Fields = append(p.rule.rule.Fields, f)
	p.rule.where = append(p.rule.where, w)
}

func (p *parser) key(w word) {
	d := &p.rule
	if len(d.keys) == 0 {
		d.keyAt = w
	}
	if n := len(w.text); p.isText && n > 1 && w.text[0] == w.text[n-1] && strings.IndexByte(`"'`, w.text[0]) >= 0 {
		p.noteOnce(w, "the quotes are a part of the key")
	}
	d.keys = append(d.keys, strings.Split(w.text, KeySeparator)...)
}

// finish makes the rules of what has been read.
func (p *parser) finish() {
	d := &p.rule
	if p.line.DeleteAll && !d.begun {
		p.line.Key, d.keys = strings.Join(d.keys, KeySeparator), nil
	}
	if !d.begun {
		if stray := len(d.rule.Fields) + len(d.syscalls) + len(d.uring) + len(d.keys); stray > 0 && !p.excused {
			p.fail(word{}, "neither -a LIST,ACTION nor -w PATH")
		}
		return
	}
	if p.control {
		p.fail(d.at, "a rule and a setting in one line")
	}
	d.wrong = slices.Clone(p.problems)
	if len(d.archs) == 0 {
		p.rules(archWord{p.syntax.arch(), word{}}, d.rule)
	}
	for _, a := range d.archs {
		r := *d.rule.Clone()
		r.Fields[d.archAt].Value = uint32(a.arch)
		p.rules(a, r)
	}
	p.unknownEverywhere()
}

// rules completes the rule of one architecture and adds it.
func (p *parser) rules(a archWord, r Rule) {
	d := &p.rule
	if d.vague {
		return // what it may have is not known
	}
	r.SetKeys(d.keys)
	some := p.syscalls(a.arch, &r)
	for _, problem := range r.Check() {
		at := d.keyAt
		if problem.Field >= 0 && problem.Field < len(d.where) {
			at = d.where[problem.Field]
		} else if problem.Field < 0 {
			at = d.at
		}
		if !slices.ContainsFunc(d.wrong, func(o Problem) bool { return o.Arg == at.arg && o.Offset == at.at }) {
			p.fail(at, "%s", problem.Text)
		}
	}
	if some {
		p.line.Rules = append(p.line.Rules, r)
	}
}
