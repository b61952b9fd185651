package spec

import (
	"regexp"
	"strconv"
	"strings"
)

// isSafe tells whether every reader of YAML takes a bare s for one word, inside
// and outside of a flow.
func isSafe(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case isLetter(c), '0' <= c && c <= '9', c == '_', c == '.', c == '/':
		case i > 0 && (c == '@' || c == '+' || c == '-' || c == ':' && i < len(s)-1):
		default:
			return false
		}
	}
	return s != ""
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// isAmbiguous tells whether some version of YAML takes a bare s for a number, a
// time, a boolean or nothing. (To YAML 1.1, 02:00:00:00:00:01 is one number.)
func isAmbiguous(s string) bool {
	switch {
	case s == "":
		return true
	case isLetter(s[0]):
		return len(s) <= len("false") && reserved[strings.ToLower(s)]
	case !strings.Contains(s, "-") && (strings.Contains(s, "/") || strings.Count(s, ".") > 1):
		return false // IPv4 addresses and prefixes: no number has two points or a slash
	}
	// Some readers drop underscores before they look.
	digits := strings.ReplaceAll(s, "_", "")
	_, isInt := strconv.ParseInt(digits, 0, 64)
	_, isFloat := strconv.ParseFloat(digits, 64)
	return isInt == nil || isFloat == nil || ambiguous.MatchString(digits)
}

var reserved = map[string]bool{
	"true": true, "false": true, "on": true, "off": true, "yes": true, "no": true, "y": true, "n": true, "null": true,
}

// ambiguous are numbers, times and constants that strconv does not know.
var ambiguous = regexp.MustCompile(`(?i)^([-+]?[0-9]+(\.[0-9]*)?(e[-+]?[0-9]+)?|[-+]?\.inf|\.nan|[-+]?0[xob][0-9a-f]*|` +
	`[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?|[0-9]{4}-[0-9]{1,2}-[0-9].*)$`)

// isNumber tells whether a bare s is a number to YAML 1.2 and JSON.
func isNumber(s string) bool {
	if s == "" || isLetter(s[0]) {
		return false
	}
	if _, err := parseNumber(s); err == nil || isDecimal(s) {
		return true
	}
	_, err := strconv.ParseFloat(s, 64)
	return err == nil && !strings.ContainsAny(s, "_xX")
}
