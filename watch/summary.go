package watch

import (
	"fmt"
	"strings"
)

// maxNamed is how many links a summary names.
const maxNamed = 3

// Summary says in one line what is in force, and what is not right:
//
//	12 objects of 3 files in force, 1 contested, waiting for link eth1
func (r *Round) Summary() string {
	total := 0
	for _, n := range r.Objects {
		total += n
	}
	verb := "in force"
	if r.Observe {
		verb = "observed"
	}
	parts := []string{count(total, "object") + " of " + count(len(r.Document.Files), "file") + " " + verb}
	if r.Failed {
		parts = append(parts, "failed: "+firstLine(r.Err))
	}
	if len(r.Rest) > 0 {
		parts = append(parts, count(len(r.Rest), "difference"))
	}
	for _, why := range []string{contested, refused, ignored} {
		n := 0
		for _, h := range r.Held {
			if h.Why == why {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprint(n, " ", why))
		}
	}
	if n := len(r.Waiting); n > 0 {
		names := strings.Join(r.Waiting[:min(n, maxNamed)], ", ")
		if n > maxNamed {
			names += fmt.Sprintf(" and %d more", n-maxNamed)
		}
		parts = append(parts, "waiting for link "+names)
	}
	if len(r.Invalid) > 0 {
		parts = append(parts, "edited files refused: "+firstLine(r.Invalid[0]))
	}
	return strings.Join(parts, ", ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprint(n, " ", what, "s")
}

// firstLine keeps the line of an error that there is room for.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
