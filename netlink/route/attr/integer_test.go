package attr

import (
	"encoding/json"
	"math"
	"testing"
)

func TestParseInteger(t *testing.T) {
	for _, tt := range []struct {
		in   any
		want any
		err  string
	}{
		{in: 7, want: int64(7)},
		{in: int64(-7), want: int64(-7)},
		{in: int64(math.MinInt64), want: int64(math.MinInt64)},
		{in: uint64(math.MaxUint64), want: uint64(math.MaxUint64)},
		{in: float64(1e9), want: int64(1e9)},
		{in: float64(1.5), err: "1.5 is not a whole number"},
		{in: math.Inf(1), err: `"+Inf" is not a number`},
		{in: math.NaN(), err: "NaN is not a whole number"},
		{in: json.Number("18446744073709551615"), want: uint64(math.MaxUint64)},
		{in: json.Number("18446744073709551616"), err: "18446744073709551616 is too big"},
		{in: json.Number("1e3"), want: int64(1000)},
		{in: json.Number("1.5"), err: `"1.5" is not a number`},
		{in: "0x10", want: int64(16)},
		{in: "-0", want: int64(0)},
		{in: "017", err: "017 may be meant as octal, write it without the leading 0"},
		{in: "0o17", err: `"0o17" is not a number`},
		{in: "0b11", err: `"0b11" is not a number`},
		{in: "0X10", err: `"0X10" is not a number`},
		{in: "1_000", err: `"1_000" is not a number`},
		{in: "0x1_0", err: `"0x1_0" is not a number`},
		{in: "--1", err: `"--1" is not a number`},
		{in: "+1", want: int64(1)},
		{in: "ten", err: `"ten" is not a number`},
		{in: "", err: `"" is not a number`},
		{in: true, err: "want a number"},
		{in: nil, err: "want a number"},
		{in: []any{1}, err: "want a number"},
	} {
		n, err := parseInteger(tt.in)
		if err != nil || tt.err != "" {
			if err == nil || err.Error() != tt.err {
				t.Errorf("parseInteger(%v): error %v, want %q", tt.in, err, tt.err)
			}
		} else if n.document() != tt.want {
			t.Errorf("parseInteger(%v) = %v, want %v", tt.in, n, tt.want)
		}
	}
}

func TestParseRange(t *testing.T) {
	for _, tt := range []struct {
		in     any
		lo     int64
		hi     uint64
		reason string
	}{
		{in: 16777216, hi: 16777215, reason: "16777216 is out of range 0..16777215"},
		{in: -1, hi: 5, reason: "-1 is out of range 0..5"},
		{in: 1, lo: 2, hi: 5, reason: "1 is out of range 2..5"},
		{in: -6, lo: -5, hi: 5, reason: "-6 is out of range -5..5"},
		{in: -5, lo: -5, hi: 5},
		{in: uint64(math.MaxUint64), hi: math.MaxUint64},
		{in: int64(math.MinInt64), lo: math.MinInt64, hi: 0},
	} {
		_, err := parseRange(tt.in, tt.lo, tt.hi)
		if tt.reason == "" && err != nil || tt.reason != "" && (err == nil || err.Error() != tt.reason) {
			t.Errorf("parseRange(%v, %d, %d): %v, want %q", tt.in, tt.lo, tt.hi, err, tt.reason)
		}
	}
}
