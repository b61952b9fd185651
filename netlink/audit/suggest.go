package audit

import (
	"iter"
	"strings"
)

// closest returns the candidate that was probably meant by a word that is none of
// them, or "": at most two letters of a candidate were added, left out, replaced, or
// changed places with their neighbours, and fewer in short words. Case does not
// matter. Of equally close candidates the first is returned, so their order should
// be stable.
func closest(word string, candidates iter.Seq[string]) string {
	word = strings.ToLower(word)
	best, limit := "", 1+min(2, len(word)/2)
	for c := range candidates {
		if d := editDistance(word, strings.ToLower(c), limit); d < limit {
			best, limit = c, d
		}
	}
	return best
}

// editDistance counts the insertions, deletions, replacements and exchanges of
// neighbours that make b of a, up to limit.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	// Three rows of the matrix, of which row i compares the first i bytes of a.
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range len(b) {
			replaced := last[j]
			if a[i] != b[j] {
				replaced++
			}
			row[j+1] = min(replaced, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return min(row[len(b)], limit)
}
