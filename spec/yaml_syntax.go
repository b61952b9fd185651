package spec

import (
	"io"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// yamlError is what the library says: at best a line, and where its parser (not its
// scanner) gave up, the line before that of the innermost map or list.
var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// syntax finds the place of a syntax error.
func (p *yamlParser) syntax(err error) *syntaxError {
	m := yamlError.FindStringSubmatch(strings.ReplaceAll(err.Error(), "\n", " "))
	if m == nil {
		return &syntaxError{0, err.Error()}
	}
	line, _ := strconv.Atoi(m[1])
	line, reason := max(line-1, 0), m[2]
	switch {
	case strings.Contains(reason, "expected ',' or"):
		at, bracket := p.unclosed(line + min(len(m[1]), 1))
		return &syntaxError{at, "the " + bracket + " is not closed, or a ',' is missing"}
	case strings.HasPrefix(reason, "unknown anchor"):
		name := strings.Trim(strings.TrimSuffix(strings.TrimPrefix(reason, "unknown anchor "), " referenced"), "'")
		return &syntaxError{max(strings.Index(p.text, "*"+name), 0), "unknown anchor " + name + ", quote the text if none is meant"}
	case strings.Contains(reason, "unexpected end of stream"):
		return &syntaxError{p.openQuote(line), "the quoted text does not end"}
	case strings.Contains(reason, "could not find expected ':'"):
		return &syntaxError{p.within(line, ""), reason}
	}
	return p.explain(p.stop(err), reason)
}

// explain puts the library's reason for stopping at an offset into a person's words.
func (p *yamlParser) explain(at int, reason string) *syntaxError {
	line, _ := slices.BinarySearch(p.lines, at+1)
	line--
	c := p.text[at]
	switch {
	case strings.Contains(reason, "tab character"), c == '\t':
		return &syntaxError{p.within(line, "\t"), "a tab cannot indent"}
	case strings.Contains(reason, "mapping values are not allowed") && !strings.Contains(p.text[p.lines[line]:at], ":"):
		return &syntaxError{at, "a ':' is missing in the line above, or this text must be in quotes"}
	case strings.Contains(reason, "mapping values are not allowed"):
		return &syntaxError{at, "a second ':' in one line, quote the text or begin a new line"}
	case strings.Contains(reason, "cannot start any token"), strings.Contains(reason, "alphabetic or numeric character"),
		c == ':' && strings.Contains(reason, "node content"):
		return &syntaxError{at, "a text that begins with " + string(c) + " must be in quotes here"}
	case (c == '[' || c == '{') && strings.Contains(reason, "node content"):
		return &syntaxError{at, "the " + string(c) + " is not closed"}
	case strings.Contains(reason, "node content"):
		return &syntaxError{at, "a value is missing"}
	case strings.IndexByte("}],", c) >= 0:
		return &syntaxError{at, "the " + string(c) + " fits nothing before it"}
	case strings.Contains(reason, "expected key"), strings.Contains(reason, "expected '-' indicator"),
		strings.Contains(reason, "<document start>"):
		return &syntaxError{p.within(line, ""), "the indentation fits nothing above, or a ':' or '-' is missing"}
	}
	return &syntaxError{at, reason}
}

// line returns the text of a line, counted from 0.
func (p *yamlParser) line(line int) string {
	line = min(line, len(p.lines)-1)
	end := len(p.text)
	if line+1 < len(p.lines) {
		end = p.lines[line+1]
	}
	return p.text[p.lines[line]:end]
}

// within returns the offset of a mark in a line, or of the line's first word.
func (p *yamlParser) within(line int, mark string) int {
	line = min(line, len(p.lines)-1)
	text := p.line(line)
	if i := strings.Index(text, mark); mark != "" && i >= 0 {
		return p.lines[line] + i
	}
	return p.lines[line] + len(text) - len(strings.TrimLeft(text, " "))
}

// openQuote returns the quotation mark of a line that has no end in it.
func (p *yamlParser) openQuote(line int) int {
	line = min(line, len(p.lines)-1)
	text, open := p.line(line), -1
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case open < 0 && (c == '"' || c == '\''):
			open = i
		case open >= 0 && c == '\\' && text[open] == '"':
			i++
		case open >= 0 && c == text[open]:
			open = -1
		}
	}
	if open < 0 {
		return p.within(line, "")
	}
	return p.lines[line] + open
}

// unclosed returns the bracket of a line that is not closed in it, or else the
// line's first.
func (p *yamlParser) unclosed(line int) (offset int, bracket string) {
	line = min(line, len(p.lines)-1)
	text := p.line(line)
	var open []int
	first, quote := -1, byte(0)
	for i := range len(text) {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '{' || c == '[':
			open = append(open, i)
			if first < 0 {
				first = i
			}
		case (c == '}' || c == ']') && len(open) > 0:
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		first = open[len(open)-1]
	}
	if first < 0 {
		return p.within(line, ""), "bracket"
	}
	return p.lines[line] + first, text[first : first+1]
}

// stop returns where the library gives up: the last character of the shortest
// beginning of the text of which it has the same opinion.
func (p *yamlParser) stop(want error) int {
	read := &byteReader{text: p.text}
	_ = parseAll(read)
	same := func(end int) bool {
		return parseAll(strings.NewReader(p.text[:end])).Error() == want.Error()
	}
	line := len(p.lines) - 1
	for line > 0 && (p.lines[line] >= read.at || same(p.lines[line])) {
		line--
	}
	start, end := p.lines[line], read.at
	if line+1 < len(p.lines) {
		end = min(end, p.lines[line+1])
	}
	end = start + 1 + sort.Search(max(end-start-1, 0), func(i int) bool { return same(start + 1 + i) })
	for end = min(end, len(p.text)); end > 0; {
		if end--; utf8.RuneStart(p.text[end]) {
			break
		}
	}
	return end
}

// parseAll parses a stream up to its end, which is io.EOF, or its first mistake.
func parseAll(r io.Reader) error {
	dec := yaml.NewDecoder(r)
	for {
		var doc yaml.Node
		if err := decodeNode(dec, &doc); err != nil {
			return err
		}
	}
}

// byteReader hands out one byte at a time, so that it is known how far was read.
type byteReader struct {
	text string
	at   int
}

func (r *byteReader) Read(b []byte) (int, error) {
	if r.at == len(r.text) {
		return 0, io.EOF
	}
	n := copy(b[:min(1, len(b))], r.text[r.at:])
	r.at += n
	return n, nil
}
