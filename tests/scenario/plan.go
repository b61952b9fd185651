package scenario

import (
	"regexp"
	"slices"
	"strings"
)

// plan is what was printed.
type plan struct {
	text  string
	links []string // the lines of links
}

func readPlan(printed string) plan {
	p := plan{text: printed}
	for line := range strings.Lines(printed) {
		if reLinkLine.MatchString(line) {
			p.links = append(p.links, line)
		}
	}
	return p
}

var (
	reLinkLine = regexp.MustCompile(`^(?:[^ ]+: )?[-+~±] link `)
	reWord     = regexp.MustCompile(`[^\s,;]+`)
)

// has tells whether some line has these words.
func (p plan) has(words string) bool {
	at := strings.Index(p.text, words)
	for at >= 0 {
		rest := p.text[at+len(words):]
		if rest == "" || !strings.ContainsAny(rest[:1], "0123456789abcdef.:") {
			return true
		}
		next := strings.Index(rest, words)
		if next < 0 {
			return false
		}
		at += len(words) + next
	}
	return false
}

// hasRoute tells whether some line is about a route to dst.
func (p plan) hasRoute(dst string) bool {
	return regexp.MustCompile(`(?m)\broute ([a-z]+ )?` + regexp.QuoteMeta(dst) + `(/32|/128)?( |$)`).MatchString(p.text)
}

// hasLink tells whether the line of a link names one of these.
func (p plan) hasLink(names []string) bool {
	return slices.ContainsFunc(p.links, func(line string) bool { return mentions(line, names) })
}

func mentions(line string, names []string) bool {
	return slices.ContainsFunc(reWord.FindAllString(line, -1), func(word string) bool { return slices.Contains(names, word) })
}

// suffers tells whether the line of one of these links says that it affects objects
// of a class.
func (p plan) suffers(class string, names []string) bool {
	word := regexp.MustCompile(`(interrupts|takes|loses).*\b` + class)
	return slices.ContainsFunc(p.links, func(line string) bool {
		return mentions(line, names) && word.MatchString(line)
	})
}
