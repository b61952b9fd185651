package audit

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// A File is what a file of rules says (audit.rules(7)).
type File struct {
	Name  string
	Lines []FileLine
	Notes []*FileError // what is strange about it and no mistake
}

// A FileLine is a line that says something.
type FileLine struct {
	Line
	File   string
	Number int // from 1; that of its first word, where lines are continued
	Column int // where it begins, in bytes, from 1
	// Text is the line as it stands there, with those that it goes on in. Comments are the lines of comments since the last one that says something,
	// without their #.
	Text     string
	Comments []string
}

// Place returns FILE:LINE:COLUMN.
func (l *FileLine) Place() string { return fmt.Sprintf("%s:%d:%d", l.File, l.Number, l.Column) }

func (l *FileLine) errorf(format string, args ...any) *FileError {
	return &FileError{l.File, l.Number, l.Column, fmt.Sprintf(format, args...)}
}

// A FileError is what is wrong with a file of rules, or strange, and where.
type FileError struct {
	File   string
	Line   int // from 1
	Column int // in bytes, from 1
	Reason string
}

// Error returns FILE:LINE:COLUMN: reason.
func (e *FileError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Reason)
}

// maxLine is how long auditctl's lines may be.
const maxLine = 6144

// ParseFile reads a file of rules: options of auditctl(8) a line. Lines that begin with
// # are comments, and a line that ends with a backslash goes on in the next one. It
// returns what is right, and all that is wrong; s is as in ParseLine.
func ParseFile(name string, text []byte, s *Syntax) (f File, errs []*FileError) {
	f.Name = name
	scan := bufio.NewScanner(bytes.NewReader(text))
	scan.Buffer(nil, max(len(text), 1)+1)
	var comments []string
	for number := 1; scan.Scan(); number++ {
		l := joined{first: number}
		l.add(scan.Text())
		for l.goesOn() && scan.Scan() {
			number++
			l.add(scan.Text())
		}
		trimmed := strings.TrimLeft(l.text, blanks)
		if trimmed == "" {
			continue
		}
		if trimmed[0] == '#' {
			comments = append(comments, strings.TrimSpace(strings.TrimLeft(trimmed, "#")))
			continue
		}
		if len(l.text) > maxLine {
			errs = append(errs, &FileError{name, l.first, 1, fmt.Sprintf("a line of %d bytes: auditctl takes %d", len(l.text), maxLine)})
			continue
		}
		line, err := ParseLine(l.text, s)
		f.Notes = append(f.Notes, l.errors(name, line.Notes)...)
		if problems, ok := err.(Problems); ok {
			errs = append(errs, l.errors(name, problems)...)
			continue
		}
		if !line.IsEmpty() {
			number, column := l.place(len(l.text) - len(trimmed))
			f.Lines = append(f.Lines, FileLine{line, name, number, column, l.written(), comments})
		}
		comments = nil
	}
	return f, errs
}

// joined is a line with those that it goes on in.
type joined struct {
	text   string
	first  int
	starts []int // in text, of each line
}

func (l *joined) add(line string) {
	if l.goesOn() {
		l.text = l.text[:len(l.text)-1]
	}
	l.starts = append(l.starts, len(l.text))
	l.text += line
}

// written is the text without blanks around it, and with one where those of a line that
// goes on meet those of the next.
func (l *joined) written() string {
	text := l.text
	for _, at := range slices.Backward(l.starts[1:]) {
		left, right := strings.TrimRight(text[:at], blanks), strings.TrimLeft(text[at:], blanks)
		if len(left)+len(right) < len(text) {
			left += " "
		}
		text = left + right
	}
	return strings.Trim(text, blanks)
}

// goesOn tells whether the last line ends with a backslash, and is no comment.
func (l *joined) goesOn() bool {
	last := l.text
	if len(l.starts) > 0 {
		last = l.text[l.starts[len(l.starts)-1]:]
	}
	return run(reversed(last))%2 == 1 && !strings.HasPrefix(strings.TrimLeft(l.text, blanks), "#")
}

func reversed(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// errors gives problems their places in a file.
func (l *joined) errors(file string, problems Problems) (list []*FileError) {
	for _, p := range problems {
		number, column := l.place(p.Offset)
		list = append(list, &FileError{file, number, column, p.Text})
	}
	return list
}

// place returns the line and the column of an offset.
func (l *joined) place(offset int) (line, column int) {
	i := len(l.starts) - 1
	for i > 0 && l.starts[i] > offset {
		i--
	}
	return l.first + i, offset - l.starts[i] + 1
}
