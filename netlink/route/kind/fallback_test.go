package kind_test

import (
	"net/netip"
	"testing"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

func TestForeignFallback(t *testing.T) {
	addr := func(typ uint16, a string) []byte {
		var e netlink.Encoder
		e.Addr(typ, netip.MustParseAddr(a))
		return e.Bytes()
	}
	flag := func(typ uint16) []byte {
		var e netlink.Encoder
		e.Flag(typ)
		return e.Bytes()
	}
	for _, test := range []struct {
		about, kind string
		data        []byte
		want        bool
	}{
		{"sit0", "sit", addr(3, "0.0.0.0"), true},
		{"a tunnel with an end", "sit", addr(3, "192.0.2.1"), false},
		{"what says nothing of identity", "ipip", addr(17, "192.0.2.1"), true},
		{"a tunnel with a key", "erspan", addr(4, "0.0.0.7"), false},
		{"an external one", "ip6gre", flag(18), false},
		{"a kind without fallback", "xfrm", nil, false},
	} {
		if got := kind.IsForeignFallback(test.kind, test.data); got != test.want {
			t.Errorf("%s: %t, want %t", test.about, got, test.want)
		}
	}
}
