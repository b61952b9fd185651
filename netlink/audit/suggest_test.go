package audit

import (
	"slices"
	"strings"
	"testing"
)

func TestClosest(t *testing.T) {
	for _, tt := range []struct{ word, candidates, want string }{
		{"opne", "close pipe2 open openat", "open"},     // an exchange is one change
		{"openta", "open openat openat2", "openat"},     // not two, as open is away
		{"fchmodat3", "fchmodat fchmodat2", "fchmodat"}, // the first of equals
		{"OPENAT", "open openat", "openat"},
		{"syscal", "PATH SYSCALL", "SYSCALL"},
		{"x86-64", "i386 x86_64", "x86_64"},
		{"unlinka", "unlink unlinkat", "unlink"},
		{"xx", "uid gid pid", ""}, // short words have to be closer
		{"ud", "uid gid pid", "uid"},
		{"a", "b c", ""},
		{"", "b c", ""},
		{"frobnicate", "open close", ""},
		{"opens", "", ""},
	} {
		if got := closest(tt.word, slices.Values(strings.Fields(tt.candidates))); got != tt.want {
			t.Errorf("closest(%q, %s) = %q, want %q", tt.word, tt.candidates, got, tt.want)
		}
	}
}

func TestEditDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b        string
		limit, want int
	}{
		{"", "", 3, 0}, {"abc", "abc", 3, 0}, {"abc", "ab", 3, 1}, {"ab", "abc", 3, 1}, {"abc", "axc", 3, 1},
		{"abc", "acb", 3, 1}, {"abcd", "badc", 3, 2}, {"abc", "", 4, 3}, {"", "abcdef", 3, 3}, {"abcdef", "uvwxyz", 3, 3},
	} {
		if got := editDistance(tt.a, tt.b, tt.limit); got != tt.want {
			t.Errorf("editDistance(%q, %q, %d) = %d, want %d", tt.a, tt.b, tt.limit, got, tt.want)
		}
		if got := editDistance(tt.b, tt.a, tt.limit); got != tt.want {
			t.Errorf("editDistance(%q, %q, %d) = %d, want %d", tt.b, tt.a, tt.limit, got, tt.want)
		}
	}
}
