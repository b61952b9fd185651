package attr

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

var errNoNumber = errors.New("want a number")

// integer is a number of the document: anything from -2^63 to 2^64-1.
type integer struct {
	neg bool
	abs uint64
}

func signed(n int64) integer {
	if n < 0 {
		return integer{neg: true, abs: -uint64(n)}
	}
	return integer{abs: uint64(n)}
}

// parseInteger takes every form in which a decoder of YAML or JSON, or Go code,
// may hand over a whole number. Strings may be written in hexadecimal.
func parseInteger(v any) (integer, error) {
	switch v := v.(type) {
	case int:
		return signed(int64(v)), nil
	case int64:
		return signed(v), nil
	case uint64:
		return integer{abs: v}, nil
	case float64:
		if v != math.Trunc(v) {
			return integer{}, fmt.Errorf("%v is not a whole number", v)
		}
		return parseText(strconv.FormatFloat(v, 'f', -1, 64))
	case json.Number:
		return parseText(v.String())
	case string:
		return parseText(v)
	}
	return integer{}, errNoNumber
}

func parseText(s string) (integer, error) {
	digits, neg := strings.CutPrefix(s, "-")
	digits, hex := strings.CutPrefix(digits, "0x")
	base := 10
	if hex {
		base = 16
	}
	abs, err := strconv.ParseUint(digits, base, 64)
	if err == nil && !hex && len(digits) > 1 && digits[0] == '0' {
		return integer{}, fmt.Errorf("%s may be meant as octal, write it without the leading 0", s)
	}
	if errors.Is(err, strconv.ErrRange) {
		return integer{}, fmt.Errorf("%s is too big", s)
	}
	if f, e := strconv.ParseFloat(s, 64); err != nil && e == nil && !strings.Contains(s, "_") && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return signed(int64(f)), nil // 1e3
	}
	if err != nil {
		return integer{}, fmt.Errorf("%q is not a number", s)
	}
	return integer{neg: neg && abs != 0, abs: abs}, nil
}

// within tells whether n lies in lo..hi.
func (n integer) within(lo int64, hi uint64) bool {
	if n.neg {
		return lo < 0 && n.abs <= -uint64(lo)
	}
	return n.abs <= hi && (lo <= 0 || n.abs >= uint64(lo))
}

// document returns n as Value.Get does: an int64, or a uint64 above its range.
func (n integer) document() any {
	switch {
	case n.neg:
		return -int64(n.abs)
	case n.abs > math.MaxInt64:
		return n.abs
	}
	return int64(n.abs)
}

func (n integer) String() string { return fmt.Sprint(n.document()) }

// parseRange is parseInteger and within, with the reason.
func parseRange(v any, lo int64, hi uint64) (integer, error) {
	n, err := parseInteger(v)
	if err != nil {
		return n, err
	}
	if !n.within(lo, hi) {
		return n, fmt.Errorf("%v is out of range %d..%d", n, lo, hi)
	}
	return n, nil
}
