package route

import (
	"fmt"
	"iter"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// aliases differ in one attribute each from another route or rule.
var aliases = []string{
	"route append 10.1.0.0/24 via 192.0.2.10 dev v0 metric 50 proto 110 table 1000",
	"route append 10.1.0.0/24 via 192.0.2.9 dev v0 metric 50 proto 111 table 1000",
	"route append 10.1.0.0/24 via 192.0.2.9 dev v0 metric 50 proto 110 table 1000 mtu 1300",
	"route append unreachable 10.1.0.0/24 metric 50 table 1000",
	"route append 10.3.0.0/16 table 1000 nexthop via 192.0.2.9 dev v0 weight 4 nexthop via 192.0.2.10 dev v0 weight 256 onlink",
	"route add 10.7.0.0/16 table 1000 via 192.0.2.9",
	"route add 10.20.0.0/16 table 1000 encap ip id 7 dst 203.0.113.1 via 192.0.2.9 dev v0",
	"route append 10.20.0.0/16 table 1000 encap ip id 8 dst 203.0.113.1 via 192.0.2.9 dev v0",
	"-6 route add 2001:db8:4::/48 table 1000 via 2001:db8::9 dev v0 metric 5",
	"-6 route add 2001:db8:f::/48 encap ip6 id 7 dst 2001:db8::77 via 2001:db8::9 dev v0 table 1000",
	"rule add priority 12 fwmark 8 prohibit", "rule add priority 12 fwmark 8/0xff prohibit", "rule add priority 12 prohibit",
	"rule add priority 13 uidrange 5-9 table 9", "rule add priority 13 table 9", "rule add priority 13 table 9 suppress_prefixlength 0",
	"rule add priority 23 table 255 protocol boot", "rule add priority 24 table 252",
}

// deletable is an object of a dump.
type deletable[T any] interface {
	cloner[T]
	netlink.Payload
}

// deleteEach deletes every object as it was dumped, and makes it again: nothing
// else may go, and the same must come back.
func deleteEach[T any, P deletable[T]](l *lab, typ uint16, seq iter.Seq2[P, error], equal func(a, b P) bool) {
	l.Helper()
	for _, p := range collect(l, seq) {
		before := collect(l, seq)
		l.must(typ+1, 0, p)
		if gone := minus(before, collect(l, seq), equal); len(gone) != 1 || !equal(gone[0], p) {
			l.Errorf("the deletion of %+v has deleted %+v", p, gone)
		}
		l.must(typ, netlink.Create|netlink.Append, p)
		after := collect(l, seq)
		if lost, more := minus(before, after, equal), minus(after, before, equal); len(lost)+len(more) > 0 {
			l.Errorf("made again, %+v is %+v", lost, more)
		}
	}
}

// minus returns what is in a and not in b.
func minus[P any](a, b []P, equal func(x, y P) bool) (left []P) {
	used := make([]bool, len(b))
next:
	for _, x := range a {
		for i, y := range b {
			if !used[i] && equal(x, y) {
				used[i] = true
				continue next
			}
		}
		left = append(left, x)
	}
	return left
}

func TestDumpedIsTheKeyOfItsDeletion(t *testing.T) {
	l, _ := routeLab(t)
	l.made("ip", routesOfIP)
	l.made("ip", rulesOfIP)
	l.made("ip", aliases)
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		t.Run(fmt.Sprint("family ", family), func(t *testing.T) {
			deleteEach(l, unix.RTM_NEWROUTE, l.Routes(l.ctx, RouteFilter{Family: family, Table: 1000}), (*Route).Equal)
			deleteEach(l, unix.RTM_NEWRULE, l.Rules(l.ctx, family), (*Rule).Equal)
		})
	}
}
