package spec

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// Glob returns the files that a path or a glob names, as filepath.Match does, in the
// order of `ls -v`. A path that is no glob and does not exist is an error matching
// fs.ErrNotExist; a glob that nothing matches is none, but a directory that cannot be
// read is. As for a shell, a name that begins with a dot is matched by such a glob only.
func Glob(pattern string) (names []string, err error) {
	if _, err := filepath.Match(pattern, ""); err != nil {
		return nil, err
	}
	if path, ok := plain(pattern); ok {
		if _, err := os.Lstat(path); err != nil {
			return nil, err
		}
		return []string{path}, nil
	}
	names, err = glob(pattern)
	slices.SortFunc(names, compareVersions)
	return names, err
}

// globSigns are the characters of which filepath.Match makes more than they are.
const globSigns = `*?[\`

// notClass is the beginning of what a shell matches with no character of a list.
var notClass = regexp.MustCompile(`((?:^|[^\\])(?:\\\\)*)\[!`)

// plain returns the path that a pattern stands for, if it is no glob: of its signs only
// the backslash is there, which takes the others their meaning.
func plain(pattern string) (path string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch {
		case pattern[i] == '\\' && i+1 < len(pattern):
			i++
		case strings.IndexByte(globSigns, pattern[i]) >= 0:
			return "", false
		}
		b.WriteByte(pattern[i])
	}
	return b.String(), true
}

// literal is the inverse of plain.
func literal(path string) string {
	var b strings.Builder
	for i := range len(path) {
		if strings.IndexByte(globSigns, path[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(path[i])
	}
	return b.String()
}

// glob is Glob without the order.
func glob(pattern string) (names []string, err error) {
	dir, file := filepath.Split(pattern)
	file = notClass.ReplaceAllString(file, "${1}[^")
	path, ok := plain(dir)
	above := []string{path}
	if !ok {
		if above, err = glob(strings.TrimRight(dir, "/")); err != nil {
			return nil, err
		}
	}
	for _, dir := range above {
		if dir != "" {
			dir = strings.TrimRight(dir, "/") + "/"
		}
		entries, err := os.ReadDir(cmp.Or(dir, "."))
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return nil, err
		}
		for _, e := range entries {
			hidden := strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(file, ".")
			if ok, _ := filepath.Match(file, e.Name()); ok && !hidden {
				names = append(names, dir+e.Name())
			}
		}
	}
	return names, nil
}

// compareVersions orders names as `ls -v` does (gnulib, lib/filevercmp.c): numbers in
// them by their values, letters before other characters, and endings such as .rules
// only where the rest is the same.
func compareVersions(a, b string) int {
	if order := compareDots(a, b); order != 0 {
		return order
	}
	if order := compareParts(a[:len(a)-ending(a)], b[:len(b)-ending(b)]); order != 0 {
		return order
	}
	if order := compareParts(a, b); order != 0 {
		return order
	}
	return strings.Compare(a, b)
}

// compareDots puts the empty name first, then ".", "..", and others with a dot in front.
func compareDots(a, b string) int {
	rank := func(s string) int {
		i := slices.Index([]string{"", ".", ".."}, s)
		switch {
		case i >= 0:
			return i
		case s[0] == '.':
			return 3
		}
		return 4
	}
	return rank(a) - rank(b)
}

// ending returns the length of (\.[A-Za-z~][A-Za-z0-9~]*)* at the end of a name, of
// which at least a byte is left.
func ending(s string) int {
	start := 0
	for i := 0; i < len(s); {
		i++
		start = i
		for i+1 < len(s) && s[i] == '.' && (isLetter(s[i+1]) || s[i+1] == '~') {
			for i += 2; i < len(s) && (isLetter(s[i]) || isDigit(s[i]) || s[i] == '~'); i++ {
			}
		}
		if i == len(s) {
			break
		}
	}
	return len(s) - start
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// compareParts compares what is no number and what is one in turns.
func compareParts(a, b string) int {
	for a != "" || b != "" {
		for a != "" && !isDigit(a[0]) || b != "" && !isDigit(b[0]) {
			if x, y := weight(a), weight(b); x != y {
				return x - y
			}
			a, b = a[1:], b[1:] // neither is at its end: only that has its weight
		}
		var x, y string
		x, a = cutNumber(a)
		y, b = cutNumber(b)
		if len(x) != len(y) {
			return len(x) - len(y)
		}
		if x != y {
			return strings.Compare(x, y)
		}
	}
	return 0
}

// weight is the place of the first byte of s among others.
func weight(s string) int {
	switch {
	case s == "":
		return -1
	case isDigit(s[0]):
		return 0
	case isLetter(s[0]):
		return int(s[0])
	case s[0] == '~':
		return -2
	}
	return int(s[0]) + 256
}

// cutNumber returns the digits in front of s, without zeros, and the rest.
func cutNumber(s string) (number, rest string) {
	rest = strings.TrimLeft(s, "0123456789")
	return strings.TrimLeft(s[:len(s)-len(rest)], "0"), rest
}
