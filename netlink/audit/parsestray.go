package audit

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"
)

// stray reports a word that is no option, with what it was probably meant for, and leaves
// out those behind it that are none either.
func (p *parser) stray() {
	if open := p.last; p.isText && opensQuote(open.text) && open.at < p.at.at {
		p.unquote(open)
		return
	}
	p.fail(p.at, "%s is no option of a rule%s", quoted(p.at.text), p.meant())
	rest := p.at.text != "" && p.at.text[0] == '#'
	for len(p.words) > 0 && (rest || !strings.HasPrefix(p.words[0].text, "-")) {
		p.next()
	}
}

// meant guesses what a stray word is.
func (p *parser) meant() string {
	text := p.at.text
	_, at, _ := opAt(text)
	switch {
	case strings.HasPrefix(text, "#"):
		return ": a comment has a line of its own"
	case hasDash(text):
		p.excused = p.excused || !p.rule.begun
		return ": it begins with another dash than -"
	case strings.HasPrefix(text, "-"):
		return suggestion(text, optionNames())
	case isRuleWord(text) && !p.rule.begun:
		p.excused = true
		if strings.Contains(text, ",") {
			return ": -a is missing before it"
		}
		return ""
	case at > 0 && fieldNamed(text[:at]) != nil:
		return ": -F is missing before it"
	case strings.HasPrefix(text, "/") && !p.rule.begun:
		p.excused = true
		return ": -w is missing before it"
	}
	return p.blankIn()
}

// blankIn guesses that a word belongs to that before it.
func (p *parser) blankIn() string {
	if !p.isText || p.last.text == "" {
		return ""
	}
	option, value := p.lastOption, p.last.text
	if _, at, n := opAt(value); option == 'F' && at > 0 {
		if row := fieldNamed(value[:at]); row == nil || !row.value.isText() {
			return ""
		}
		value = value[at+n:]
	}
	switch option {
	case 'S', 'U':
		return ": names stand behind commas, without blanks, or have a -" + string(option) + " each"
	case 'w', 'W', 'k', 'F':
		return ": a blank is written with a backslash: " + value + `\ ` + p.at.text
	}
	return ""
}

// opensQuote tells whether a word begins what somebody wanted to quote.
func opensQuote(text string) bool {
	return strings.Count(text, `"`)%2 == 1 || strings.Count(text, `'`)%2 == 1
}

// unquote reports quotes around several words.
func (p *parser) unquote(open word) {
	text := open.text + `\ ` + p.at.text
	for !opensQuote(p.at.text) && p.next() {
		text += `\ ` + p.at.text
	}
	p.fail(open, `rules have no quotes, a blank is written with a backslash: %s`, strings.NewReplacer(`"`, "", `'`, "").Replace(text))
}

// hasDash tells whether a text begins with a dash that some programs make of -.
func hasDash(text string) bool {
	return slices.ContainsFunc([]string{"‐", "‑", "‒", "–", "—", "−"}, func(dash string) bool { return strings.HasPrefix(text, dash) })
}

// isRuleWord tells whether a word is what -a takes, or half of it.
func isRuleWord(text string) bool {
	for part := range strings.SplitSeq(text, ",") {
		_, isList := ParseList(part)
		_, isAction := parseAction(part)
		if isList != nil && isAction != nil {
			return false
		}
	}
	return true
}

func optionNames() iter.Seq[string] {
	return func(yield func(string) bool) {
		names := slices.Concat(slices.Collect(maps.Keys(flags)), elsewhere, []string{"--backlog_wait_time"})
		for letter := range options {
			names = append(names, "-"+string(letter))
		}
		slices.Sort(names)
		for _, name := range names {
			if !yield(name) {
				return
			}
		}
	}
}

// blankAfterComma explains a part of a list that is missing, where the next word is it,
// and leaves that out.
func (p *parser) blankAfterComma() string {
	if !p.isText || !strings.HasSuffix(p.last.text, ",") || len(p.words) == 0 || strings.HasPrefix(p.words[0].text, "-") {
		return ""
	}
	p.last = p.words[0]
	p.words = p.words[1:]
	return ", without a blank between them"
}

// spreadOut reports a condition with blanks around its operator, and takes what belongs
// to it.
func (p *parser) spreadOut(w word, option string) bool {
	if !p.isText || len(p.words) == 0 {
		return false
	}
	text, next := w.text, p.words[0].text
	_, at, n := opAt(text)
	switch {
	case at > 0 && at+n == len(text) && !strings.HasPrefix(next, "-"): // auid>= 1000
		p.words = p.words[1:]
		text += next
	case at < 0 && next != "" && strings.IndexByte(opLetters, next[0]) >= 0: // auid >=1000
		p.words = p.words[1:]
		text += next
		if strings.Trim(next, opLetters) == "" && len(p.words) > 0 { // auid >= 1000
			text += p.words[0].text
			p.words = p.words[1:]
		}
	default:
		return false
	}
	if _, at, _ := opAt(text); at > 0 {
		letters := text[at : len(text)-len(strings.TrimLeft(text[at:], opLetters))]
		text = text[:at] + cmp.Or(meantOps[letters], letters) + text[at+len(letters):]
	}
	p.fail(w, "no blanks stand around the operator: %s %s", option, text)
	return true
}

// noField reports the name of a field that is none.
func (p *parser) noField(w word, name string) {
	if p.hasOption(w) {
		return
	}
	if strings.TrimLeft(name, `"'`) != name {
		p.fail(w, "rules have no quotes: %s", strings.Trim(w.text, `"'`))
		return
	}
	_, err := ParseFieldType(name)
	p.fail(w, "%v", err)
}

// hasOption reports a condition that has the option with it, where that is known already.
func (p *parser) hasOption(w word) bool {
	option, rest, cut := strings.Cut(w.text, " ")
	if !cut || option != "-F" && option != "-C" {
		return false
	}
	p.fail(w, "%s: it stands here without %s: %s", quoted(w.text), option, strings.TrimLeft(rest, blanks))
	return true
}

// meantOps are what people write for operators.
var meantOps = map[string]string{
	"==": "=", "===": "=", "=>": ">=", "=<": "<=", "=!": "!=", "!==": "!=", "<>": "!=", "&&": "&", "=&": "&=", ">>": ">", "<<": "<",
}

// misspelledOp explains what begins like an operator and goes on like one, "" for
// operators.
func misspelledOp(text string) string {
	letters := text[:len(text)-len(strings.TrimLeft(text, opLetters))]
	if slices.Contains(slices.Collect(maps.Values(opNames)), letters) {
		return ""
	}
	meant := meantOps[letters]
	if meant == "" {
		return letters + " is no operator"
	}
	return letters + " is no operator: did you mean " + meant + "?"
}
