package spec

import (
	"io"
	"regexp"
	"strconv"
	"strings"

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
	case strings.Contains(reason, "expected key"), strings.Contains(reason, "expected '-' indicator"):
		return &syntaxError{p.misfit(err), "the indentation fits nothing above, or a ':' or '-' is missing"}
	case strings.Contains(reason, "expected ',' or"):
		at, bracket := p.unclosed(line + min(len(m[1]), 1))
		return &syntaxError{at, "the " + bracket + " is not closed, or a ',' is missing"}
	case strings.HasPrefix(reason, "unknown anchor"):
		name := strings.Trim(strings.TrimSuffix(strings.TrimPrefix(reason, "unknown anchor "), " referenced"), "'")
		return &syntaxError{max(strings.Index(p.text, "*"+name), 0), "unknown anchor " + name}
	case strings.Contains(reason, "mapping values are not allowed"):
		return &syntaxError{p.within(line, ": ", 1), "a second ':' in one line, quote the text or begin a new line"}
	case strings.Contains(reason, "unexpected end of stream"):
		return &syntaxError{p.within(line, "\"", 0), "the quoted text does not end"}
	case strings.Contains(reason, "cannot start any token") && strings.HasPrefix(strings.TrimLeft(p.line(line), " "), "\t"):
		return &syntaxError{p.within(line, "\t", 0), "a tab cannot indent"}
	}
	return &syntaxError{p.within(line, "", 0), reason}
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

// within returns the offset of a mark in a line, after skipping some of them, or of
// the line's first word.
func (p *yamlParser) within(line int, mark string, skip int) int {
	line = min(line, len(p.lines)-1)
	text, at := p.line(line), 0
	for range skip {
		if i := strings.Index(text[at:], mark); i >= 0 {
			at += i + len(mark)
		}
	}
	if i := strings.Index(text[at:], mark); mark != "" && i >= 0 {
		return p.lines[line] + at + i
	}
	return p.lines[line] + len(text) - len(strings.TrimLeft(text, " "))
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
		return p.within(line, "", 0), "bracket"
	}
	return p.lines[line] + first, text[first : first+1]
}

// misfit finds the line that fits nothing above it: the last one without which the
// library has another opinion of the text.
func (p *yamlParser) misfit(want error) int {
	read := &byteReader{text: p.text}
	_ = parseAll(read)
	line := len(p.lines) - 1
	for line > 0 && p.lines[line] >= read.at {
		line--
	}
	for ; line > 0; line-- {
		if err := parseAll(strings.NewReader(p.text[:p.lines[line]])); err.Error() != want.Error() {
			break
		}
	}
	return p.within(line, "", 0)
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
