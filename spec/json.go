package spec

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonParser reads JSON (RFC 8259) into a tree. It exists because encoding/json
// takes the last of two equal keys without a word, matches keys in any case and
// knows no places; what it accepts is compared with encoding/json by a fuzz test.
type jsonParser struct {
	tree
	at int
}

// syntaxError is a place that cannot be read.
type syntaxError struct {
	offset int
	reason string
}

// parseJSON reads a file that holds one JSON value.
func parseJSON(text string) (*tree, *syntaxError) {
	p := jsonParser{tree: tree{text: text}}
	// Every node is a quoted string, or has a comma or a closing bracket behind it.
	p.nodes = make([]node, 0, strings.Count(text, `"`)/2+strings.Count(text, ",")+
		2*strings.Count(text, "}")+2*strings.Count(text, "]")+1)
	p.roots = []ref{0}
	if err := p.value(0); err != nil {
		return nil, err
	}
	if p.space(); p.at < len(text) {
		return nil, p.unexpected("the end of the file")
	}
	return &p.tree, nil
}

func (p *jsonParser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// peek skips blanks and returns the next byte, 0 at the end.
func (p *jsonParser) peek() byte {
	p.space()
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *jsonParser) unexpected(want string) *syntaxError {
	if p.at >= len(p.text) {
		return &syntaxError{len(p.text), "the file ends early, want " + want}
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.at:])
	return &syntaxError{p.at, fmt.Sprintf("unexpected %q, want %s", r, want)}
}

func (p *jsonParser) value(depth int) *syntaxError {
	c := p.peek()
	switch {
	case c == '{' || c == '[':
		if depth == maxDepth {
			return &syntaxError{p.at, "nested too deeply"}
		}
		if c == '{' {
			return p.object(depth)
		}
		return p.list(depth)
	case c == '"':
		return p.quoted()
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	}
	return p.literal()
}

func (p *jsonParser) object(depth int) *syntaxError {
	n := p.open(isMap, p.at)
	p.at++
	if p.peek() == '}' {
		p.at++
		return nil
	}
	for {
		if p.peek() != '"' {
			return p.unexpected("a key in quotes")
		}
		if err := p.quoted(); err != nil {
			return err
		}
		if p.peek() != ':' {
			return p.unexpected("':' behind the key")
		}
		p.at++
		if err := p.value(depth + 1); err != nil {
			return err
		}
		switch p.peek() {
		case ',':
			p.at++
		case '}':
			p.at++
			p.close(n)
			return nil
		default:
			return p.unexpected("',' or '}'")
		}
	}
}

func (p *jsonParser) list(depth int) *syntaxError {
	n := p.open(isList, p.at)
	p.at++
	if p.peek() == ']' {
		p.at++
		return nil
	}
	for {
		if err := p.value(depth + 1); err != nil {
			return err
		}
		switch p.peek() {
		case ',':
			p.at++
		case ']':
			p.at++
			p.close(n)
			return nil
		default:
			return p.unexpected("',' or ']'")
		}
	}
}

func (p *jsonParser) literal() *syntaxError {
	for _, word := range []string{"true", "false", "null"} {
		if strings.HasPrefix(p.text[p.at:], word) {
			shape := isPlain
			if word == "null" {
				shape = isNull
			}
			p.scalar(shape, p.at, p.at, p.at+len(word))
			p.at += len(word)
			return nil
		}
	}
	return p.unexpected("a value")
}

func (p *jsonParser) number() *syntaxError {
	start := p.at
	if p.text[p.at] == '-' {
		p.at++
	}
	zero := p.at
	if p.digits() == 0 {
		return p.unexpected("a digit")
	}
	if p.text[zero] == '0' && p.at > zero+1 {
		return &syntaxError{start, "a number does not begin with 0"}
	}
	if p.at < len(p.text) && p.text[p.at] == '.' {
		p.at++
		if p.digits() == 0 {
			return p.unexpected("a digit")
		}
	}
	if p.at < len(p.text) && p.text[p.at]|0x20 == 'e' {
		p.at++
		if p.at < len(p.text) && (p.text[p.at] == '+' || p.text[p.at] == '-') {
			p.at++
		}
		if p.digits() == 0 {
			return p.unexpected("a digit")
		}
	}
	p.scalar(isPlain, start, start, p.at)
	return nil
}

func (p *jsonParser) digits() int {
	start := p.at
	for p.at < len(p.text) && '0' <= p.text[p.at] && p.text[p.at] <= '9' {
		p.at++
	}
	return p.at - start
}

// quoted reads a string; one without escapes stays where it is.
func (p *jsonParser) quoted() *syntaxError {
	start := p.at
	for i := start + 1; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == '"':
			p.scalar(isText, start, start+1, i)
			p.at = i + 1
			return nil
		case c == '\\':
			return p.escaped(start, i)
		case c < ' ':
			return &syntaxError{i, "a control character in a string"}
		}
	}
	return &syntaxError{start, "the string does not end"}
}

// escaped reads a string whose first escape stands at i.
func (p *jsonParser) escaped(start, i int) *syntaxError {
	text := []byte(p.text[start+1 : i])
	for i < len(p.text) {
		switch c := p.text[i]; {
		case c == '"':
			p.scalarText(isText, start, string(text))
			p.at = i + 1
			return nil
		case c < ' ':
			return &syntaxError{i, "a control character in a string"}
		case c != '\\':
			text = append(text, c)
			i++
		default:
			r, size := escape(p.text[i:])
			if size == 0 {
				return &syntaxError{i, "no escape that JSON knows"}
			}
			text = utf8.AppendRune(text, r)
			i += size
		}
	}
	return &syntaxError{start, "the string does not end"}
}

const (
	escapes   = `"\/bfnrt`
	unescaped = "\"\\/\b\f\n\r\t"
)

// escape reads one escape; size 0 tells that it is none.
func escape(s string) (r rune, size int) {
	if len(s) < 2 {
		return 0, 0
	}
	if i := strings.IndexByte(escapes, s[1]); i >= 0 {
		return rune(unescaped[i]), 2
	}
	r, ok := escapeUnit(s)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	low, ok := escapeUnit(s[6:])
	if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// escapeUnit reads \uXXXX.
func escapeUnit(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[2:6], 16, 16)
	return rune(n), err == nil
}
