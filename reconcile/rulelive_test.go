package reconcile

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/testns"
	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
)

// anyRule uses every selector that the simulation knows.
func anyRule(rnd *rand.Rand, family uint8) route.Rule {
	r := randomRule(rnd)
	r.Family, r.Protocol = family, []uint8{0, 12, 110}[rnd.IntN(3)]
	some := func() bool { return rnd.IntN(5) == 0 }
	if family == unix.AF_INET6 && r.From.IsValid() {
		r.From = netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 1, byte(rnd.IntN(2))}), 32)
	}
	if some() {
		r.To = netip.MustParsePrefix("10.1.1.1/8") // keeps its host bits
		if family == unix.AF_INET6 {
			r.To = netip.MustParsePrefix("2001:db8::1/32")
		}
	}
	if some() {
		r.IIF = []string{"lo", "absent"}[rnd.IntN(2)]
	}
	if some() {
		r.OIF = "lo"
	}
	if some() {
		r.TOS = 0x10
	}
	if some() {
		r.IPProto = unix.IPPROTO_TCP
		r.DPort = []route.PortRange{{Start: 80, End: 80}, {Start: 80, End: 90}}[rnd.IntN(2)]
	}
	if some() {
		r.HasUIDRange = true // 0, the only one that every user namespace has
	}
	if some() {
		r.SuppressPrefixLen, r.HasSuppressPrefixLen = uint32(rnd.IntN(2)), true
	}
	if some() {
		r.TunID = 7
	}
	if some() && family == unix.AF_INET {
		r.Realms = 3
	}
	return r
}

// TestRuleSimulation shows that the kernel adds and deletes rules as fakeRules
// does.
func TestRuleSimulation(t *testing.T) {
	ns := testns.New(t)
	c, err := route.Dial(netlink.Config{NetNS: ns.FD()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		fake := kernelRules(t, c, family)
		for range 3000 {
			r := anyRule(rnd, family)
			var got, want error
			switch rnd.IntN(4) {
			case 0:
				got = c.Do(context.Background(), unix.RTM_NEWRULE, netlink.Create, &r)
				want = fake.add(r, false)
			case 1:
				got = c.Do(context.Background(), unix.RTM_NEWRULE, netlink.Create|netlink.Excl, &r)
				want = fake.add(r, true)
			default:
				got = c.Do(context.Background(), unix.RTM_DELRULE, 0, &r)
				want = fake.remove(r)
			}
			if !errors.Is(got, want) {
				t.Fatalf("rule %s proto %d: have %v, want %v; rules\n%v", ruleResource{}.Name(nil, &ruleObject{Rule: r}), r.Protocol, got, want, fake)
			}
		}
		if diff := cmp.Diff(fake.String(), kernelRules(t, c, family).String()); diff != "" {
			t.Errorf("rules (-simulated +kernel):\n%s", diff)
		}
	}
}

func kernelRules(t *testing.T, c *route.Conn, family uint8) (all fakeRules) {
	t.Helper()
	for r, err := range c.Rules(context.Background(), family) {
		if err != nil {
			t.Fatal(err)
		}
		r.Flags &^= route.VolatileRuleFlags
		all = append(all, *r.Clone())
	}
	return all
}
