package audit

import (
	"slices"
	"strings"
)

// opAt returns the operator in a text and where it is, -1 for none.
func opAt(text string) (op Op, at, length int) {
	at = strings.IndexAny(text, opLetters)
	if at < 0 {
		return 0, -1, 0
	}
	for _, n := range []int{2, 1} {
		if at+n <= len(text) {
			for op, name := range opNames {
				if name == text[at:at+n] {
					return op, at, n
				}
			}
		}
	}
	return 0, -1, 0
}

// opLetters are those that operators are made of.
const opLetters = "=!<>&"

// field reads FIELD OP VALUE.
func (p *parser) field(w word) {
	if p.spreadOut(w, "-F") {
		return
	}
	op, at, n := opAt(w.text)
	if at <= 0 {
		p.fail(w, "%s: want a field, an operator (=, !=, <, <=, >, >=, &, &=) and a value", quoted(w.text))
		return
	}
	value := w.after(at + n)
	row := fieldNamed(w.text[:at])
	if row == nil {
		p.noField(w, w.text[:at])
		return
	}
	if value.text == "" {
		p.fail(w, "%s has no value", row.name)
		return
	}
	if !row.value.isText() || row.typ.isPath() {
		if meant := misspelledOp(w.text[at:]); meant != "" {
			p.fail(w.after(at), "%s", meant)
			return
		}
	}
	switch row.typ {
	case FieldKey:
		if op != Equal {
			p.fail(w, "a key is given with =")
		}
		p.key(value)
	case FieldArch:
		p.arch(w, value, op)
	default:
		f, err := row.value.parse(p.syntax, value.text)
		if err != nil {
			p.fail(value, "%s: %v", row.name, err)
			return
		}
		f.Type, f.Op = row.typ, op
		p.add(w, f)
	}
}

// arch reads one architecture, or several, of which each gets a rule of its own.
func (p *parser) arch(w, value word, op Op) {
	d := &p.rule
	if len(d.archs) > 0 || d.archBad {
		p.fail(w, "a second arch: a system call has one; for rules for several write arch=b64,b32")
		return
	}
	d.archAt = len(d.rule.Fields)
	p.add(w, Field{Type: FieldArch, Op: op})
	for _, part := range list(value) {
		a, err := ParseArch(part.text, p.syntax.arch())
		if err != nil {
			p.fail(part, "arch: %v", err)
			d.archBad = true
			continue
		}
		if slices.ContainsFunc(d.archs, func(o archWord) bool { return o.arch == a }) {
			p.fail(part, "arch: %s is there twice", part.text)
			continue
		}
		d.archs = append(d.archs, archWord{a, part})
	}
	if len(d.archs) > 1 && op != Equal {
		p.fail(w, "arch: of several only = makes sense")
	}
}

// compare reads -C FIELD OP FIELD.
func (p *parser) compare(w word) {
	if p.spreadOut(w, "-C") || p.hasOption(w) {
		return
	}
	op, at, n := opAt(w.text)
	if meant := misspelledOp(w.text[max(at, 0):]); at > 0 && meant != "" {
		p.fail(w.after(at), "%s", meant)
		return
	}
	if at <= 0 || op != Equal && op != NotEqual {
		p.fail(w, "%s: want two fields with = or != between them", quoted(w.text))
		return
	}
	v, err := compareNumber(w.text[:at], w.text[at+n:])
	if err != nil {
		p.fail(w, "%v", err)
		return
	}
	p.add(w, Field{Type: FieldCompare, Op: op, Value: v})
}
