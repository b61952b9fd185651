package main

import (
	"math"
	"slices"
	"testing"
)

func TestTypesIn(t *testing.T) {
	tests := []struct {
		name, call string
		want       []uint64
	}{
		{"sendmsg", `7 sendmsg(3<NETLINK:[ROUTE:7]>, {msg_iov=[{iov_base=[{nlmsg_len=0x20, nlmsg_type=0x12, nlmsg_flags=0x301}]`, []uint64{18}},
		{"write", `7 write(9<NETLINK:[ROUTE:7]>, "\x10\x00\x00\x00\x12\x00\x01\x03\x01\x00\x00\x00\x00\x00\x00\x00` +
			`\x12\x00\x00\x00\x18\x00\x01\x03\x01\x00\x00\x00\x00\x00\x00\x00\xaa\xaa\x00\x00", 36) = 36`, []uint64{18, 24}},
		{"cut short", `7 write(9<NETLINK:[ROUTE:7]>, "\x10\x00\x00"..., 36) = 36`, []uint64{16}},
		{"other file", `7 write(1<pipe:[5]>, "\x10\x00\x00\x00\x12\x00\x01\x03\x01\x00\x00\x00\x00\x00\x00\x00", 16) = 16`, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := typesIn(test.call); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestSignificant(t *testing.T) {
	for want, x := range map[string]float64{"0.57": 0.567, "1.00": 1, "12.3": 12.34, "123": 123.4, "1234": 1234, "": math.NaN()} {
		if got := significant(x, 3); got != want {
			t.Errorf("%v: got %s, want %s", x, got, want)
		}
	}
}

func TestRatio(t *testing.T) {
	r := &Result{Workload: &Workload{Variants: make([]Variant, 2)}, Samples: [][]Sample{
		{{NS: 10}, {NS: 20}, {NS: 100}},
		{{NS: 20}, {NS: 30}, {NS: 400}},
	}}
	// The median of 2, 1.5 and 4, not 30 / 20.
	if got := r.ratio(1, 0); got != 2 {
		t.Errorf("got %v, want 2", got)
	}
	if got := r.ratio(1, -1); !math.IsNaN(got) {
		t.Errorf("without the other: got %v", got)
	}
}
