package spec

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// boolean is true or false; iproute2's on and off mean the same.
var boolean = format[bool]{
	read: func(d *decoder, n ref, v *bool) bool {
		if s := d.t.shape(n); s == isPlain || s == isText {
			switch word := d.t.string(n); {
			case word == "true" && s == isPlain || word == "on":
				*v = true
				return true
			case word == "false" && s == isPlain || word == "off":
				*v = false
				return true
			}
		}
		return d.want(n, "true or false")
	},
	write:  func(w *writer, v *bool) { w.bool(*v) },
	schema: schema{"enum": []any{true, false, "on", "off"}},
}

type unsigned interface {
	~uint8 | ~uint16 | ~uint32 | ~uint64
}

// number is a whole number, decimal or hexadecimal.
func number[V unsigned](lowest, highest V) format[V] {
	return format[V]{
		read: func(d *decoder, n ref, v *V) bool {
			if d.t.shape(n) != isPlain {
				return d.want(n, "a number")
			}
			x, ok := d.number(n, d.t.string(n), uint64(lowest), uint64(highest))
			*v = V(x)
			return ok
		},
		write:  func(w *writer, v *V) { w.number(uint64(*v)) },
		schema: schema{"type": "integer", "minimum": uint64(lowest), "maximum": uint64(highest)},
	}
}

// number reads a number that is all or a part of the scalar at n, whose mistakes
// it reports.
func (d *decoder) number(n ref, text string, lowest, highest uint64) (uint64, bool) {
	x, err := parseNumber(text)
	switch {
	case errors.Is(err, strconv.ErrRange) || strings.HasPrefix(text, "-") && isDecimal(text[1:]),
		err == nil && (x < lowest || x > highest):
		return 0, d.fail(n, "%s is out of range %d..%d", shorten(text), lowest, highest)
	case errors.Is(err, strconv.ErrSyntax):
		return 0, d.want(n, "a number")
	case err != nil:
		return 0, d.fail(n, "%v", err)
	}
	return x, true
}

// parseNumber reads a decimal or hexadecimal number. One that begins with 0 means
// one thing to YAML 1.1 and C and another to people.
func parseNumber(s string) (uint64, error) {
	digits, base := s, 10
	if hex, ok := strings.CutPrefix(s, "0x"); ok {
		digits, base = hex, 16
	} else if len(s) > 1 && s[0] == '0' && isDecimal(s) {
		return 0, fmt.Errorf("%s may be meant as octal, write it without the leading 0", s)
	}
	if strings.ContainsAny(digits, "+_") {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseUint(digits, base, 64)
}

func isDecimal(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// named is a number that has names in iproute2's files. kind says what it is.
func named[V unsigned](kind string, lowest, highest V, table func(*Names) *NameTable) format[V] {
	return format[V]{
		read: func(d *decoder, n ref, v *V) bool {
			if s := d.t.shape(n); s != isPlain && s != isText {
				return d.want(n, "the name or number of a "+kind)
			}
			text := d.t.string(n)
			x, known := table(d.names).Number(text)
			if !known && (text == "" || text[0] != '-' && (text[0] < '0' || text[0] > '9')) {
				return d.fail(n, "unknown %s %s%s", kind, quote(text), didYouMean(text, table(d.names).sorted()))
			}
			if known {
				text = strconv.FormatUint(uint64(x), 10)
			}
			y, ok := d.number(n, text, uint64(lowest), uint64(highest))
			*v = V(y)
			return ok
		},
		write: func(w *writer, v *V) {
			if name, ok := table(w.names).Name(uint32(*v)); ok {
				w.text(name)
				return
			}
			w.number(uint64(*v))
		},
		schema: schema{"anyOf": []any{
			schema{"type": "integer", "minimum": uint64(lowest), "maximum": uint64(highest)},
			schema{"type": "string", "minLength": 1},
		}},
	}
}

// enum is one of a few words; its value is what words maps it to.
func enum[V comparable](words []string, values []V) format[V] {
	return format[V]{
		read: func(d *decoder, n ref, v *V) bool {
			if s := d.t.shape(n); s == isPlain || s == isText {
				if i := slices.Index(words, d.t.string(n)); i >= 0 {
					*v = values[i]
					return true
				}
			}
			return d.want(n, oneOf(words))
		},
		write: func(w *writer, v *V) {
			if i := slices.Index(values, *v); i >= 0 {
				w.text(words[i])
				return
			}
			w.quoted(fmt.Sprint(*v))
		},
		schema: schema{"enum": words},
	}
}

// oneOf lists words: "a, b or c".
func oneOf(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// text is a string that passes a check (nil: any). A bare word of YAML is one too,
// unless it reads as something else.
func text(what string, check func(string) error) format[string] {
	return format[string]{
		read: func(d *decoder, n ref, v *string) bool {
			s, ok := d.word(n, what)
			if !ok {
				return false
			}
			if check != nil {
				if err := check(s); err != nil {
					return d.fail(n, "%v", err)
				}
			}
			*v = s
			return true
		},
		write:  func(w *writer, v *string) { w.text(*v) },
		schema: schema{"type": "string"},
	}
}

// word returns the string at n.
func (d *decoder) word(n ref, what string) (string, bool) {
	switch d.t.shape(n) {
	case isText:
		return d.t.string(n), true
	case isPlain:
		s := d.t.string(n)
		if s == "true" || s == "false" || isNumber(s) {
			return "", d.fail(n, "want %s, have %s: quote it", what, s)
		}
		return s, true
	}
	return "", d.want(n, what)
}

// parsed is the format of what is written as a string and means something else.
func parsed[V any](what string, s schema, parse func(string) (V, error), write func(V) string) format[V] {
	return format[V]{
		read: func(d *decoder, n ref, v *V) bool {
			if s := d.t.shape(n); s != isText && s != isPlain {
				return d.want(n, what)
			}
			x, err := parse(d.t.string(n))
			if err != nil {
				return d.fail(n, "%v", err)
			}
			*v = x
			return true
		},
		write:  func(w *writer, v *V) { w.text(write(*v)) },
		schema: s,
	}
}
