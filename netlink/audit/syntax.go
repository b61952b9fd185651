package audit

import (
	"os"
	"os/user"
	"strconv"
	"strings"
)

// A Syntax says how the rules of a machine are read. The zero value reads those of
// this machine, as auditctl(8) does.
type Syntax struct {
	// Arch is what b64 and b32 and system calls without an architecture are meant
	// for; zero is this machine's.
	Arch Arch
	// UserID and GroupID return the ids of names; nil asks this machine.
	UserID, GroupID func(name string) (uint32, error)
	// IsDir tells whether a path of -w is a directory, of which all below is
	// watched; nil looks.
	IsDir func(path string) bool
}

func (s *Syntax) arch() Arch {
	if s == nil || s.Arch == 0 {
		return Native()
	}
	return s.Arch
}

func (s *Syntax) user(name string) (uint32, error) {
	if s != nil && s.UserID != nil {
		return s.UserID(name)
	}
	u, err := user.Lookup(name)
	if err != nil {
		return 0, err
	}
	return parseUint(u.Uid)
}

func (s *Syntax) group(name string) (uint32, error) {
	if s != nil && s.GroupID != nil {
		return s.GroupID(name)
	}
	g, err := user.LookupGroup(name)
	if err != nil {
		return 0, err
	}
	return parseUint(g.Gid)
}

func (s *Syntax) isDir(path string) bool {
	if s != nil && s.IsDir != nil {
		return s.IsDir(path)
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// A word is a part of a line between blanks.
type word struct {
	text string
	arg  int // of those of ParseArgs
	at   int // in the line, or in the argument
	// escapes are the places in text before which the line has a backslash more.
	escapes []int
}

// after returns what is behind the first n bytes of the word.
func (w word) after(n int) word {
	rest := word{text: w.text[n:], arg: w.arg, at: w.at + n}
	for _, at := range w.escapes {
		if at < n {
			rest.at++
		} else {
			rest.escapes = append(rest.escapes, at-n)
		}
	}
	return rest
}

const blanks = " \t\r\n"

func isBlank(c byte) bool { return strings.IndexByte(blanks, c) >= 0 }

// split returns the words of a line. A backslash makes a blank behind it part of the
// word, and only there two of them are one; there are no quotes.
func split(line string) (words []word) {
	for i := 0; i < len(line); {
		if isBlank(line[i]) {
			i++
			continue
		}
		w := word{at: i}
		var b strings.Builder
		for i < len(line) && !isBlank(line[i]) {
			n := run(line[i:])
			if n == 0 {
				b.WriteByte(line[i])
				i++
				continue
			}
			i += n
			kept := n
			switch {
			case i == len(line):
				kept = (n + 1) / 2
			case isBlank(line[i]):
				kept = n / 2
			}
			for at := range n - kept {
				w.escapes = append(w.escapes, b.Len()+at)
			}
			b.WriteString(line[i-kept : i])
			if i < len(line) && isBlank(line[i]) && n%2 != 0 {
				b.WriteByte(line[i])
				i++
			}
		}
		w.text = b.String()
		words = append(words, w)
	}
	return words
}

// run returns how many backslashes s begins with.
func run(s string) int { return len(s) - len(strings.TrimLeft(s, `\`)) }

// escape is the inverse of split for one word.
func escape(text string) string {
	if !strings.ContainsAny(text, blanks+`\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		n := run(text[i:])
		b.WriteString(text[i : i+n])
		i += n
		if i == len(text) || isBlank(text[i]) {
			b.WriteString(text[i-n : i]) // else they would escape the blank
		}
		if i == len(text) {
			break
		}
		if isBlank(text[i]) {
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// quoted is a text as errors show it.
func quoted(text string) string { return strconv.Quote(text) }
