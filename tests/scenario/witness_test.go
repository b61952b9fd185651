package scenario

import (
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
)

// What a plan accounts for, and what it does not.
func TestWitness(t *testing.T) {
	const printed = `+ link br0 kind bridge
~ link eth0 mtu 1500 → 1400   goes down and up with v10, interrupts 2 addresses, 1 route, put back
- link v0   with its peer far in red
+ address 192.0.2.1/24 dev br0
- route 10.0.0.0/8 via 192.0.2.9 dev br0
- rule 100 from 10.0.0.0/8 lookup main
`
	names := map[int32][]string{1: {"br0"}, 2: {"eth0"}, 3: {"v10"}, 4: {"v0"}, 5: {"far"}, 6: {"other"}}
	before := map[int32]*route.Link{6: {Index: 6, Name: "other", MTU: 1500, Flags: unix.IFF_UP}}
	link := func(index int32, change func(*route.Link)) heard {
		l := &route.Link{Index: index, Name: names[index][0], MTU: 1500, Flags: unix.IFF_UP}
		change(l)
		return heard{typ: unix.RTM_NEWLINK, link: l}
	}
	addr := func(index int32, a string, proto uint8) heard {
		return heard{typ: unix.RTM_DELADDR, addr: &route.Addr{Index: index, Local: netip.MustParseAddr(a), Proto: proto}}
	}
	rt := func(oif int32, dst string, protocol uint8) heard {
		return heard{typ: unix.RTM_DELROUTE, rt: &route.Route{OIF: oif, Dst: netip.MustParsePrefix(dst), Protocol: protocol, Type: unix.RTN_UNICAST}}
	}
	rule := func(priority uint32) heard {
		return heard{typ: unix.RTM_NEWRULE, rule: &route.Rule{Priority: priority}}
	}
	for name, c := range map[string]struct {
		heard heard
		told  bool
	}{
		"link with a line":             {link(1, func(*route.Link) {}), true},
		"link that goes with another":  {link(3, func(l *route.Link) { l.Flags = 0 }), true},
		"peer":                         {link(5, func(*route.Link) {}), true},
		"link without a line":          {link(6, func(l *route.Link) { l.MTU = 1400 }), false},
		"carrier":                      {link(6, func(l *route.Link) { l.Flags |= unix.IFF_RUNNING; l.OperState = 6 }), true},
		"address with a line":          {addr(1, "192.0.2.1", 0), true},
		"address whose prefix is told": {addr(1, "192.0.2.11", 0), false},
		"address that is interrupted":  {addr(2, "198.51.100.1", 110), true},
		"address without a line":       {addr(6, "198.51.100.1", 110), false},
		"address of the kernel":        {addr(6, "fe80::1", route.IFAPROT_KERNEL_LL), true},
		"route with a line":            {rt(1, "10.0.0.0/8", 110), true},
		"route that is interrupted":    {rt(2, "10.9.0.0/16", 12), true},
		"route without a line":         {rt(6, "10.9.0.0/16", 12), false},
		"route of the kernel":          {rt(6, "10.9.0.0/16", unix.RTPROT_KERNEL), true},
		"rule with a line":             {rule(100), true},
		"rule without a line":          {rule(10), false},
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			w := &ear{names: names, addrs: map[addrKey]bool{}}
			if why := w.accounts(readPlan(printed), before, c.heard); (why == "") != c.told {
				t.Errorf("told %v, want %v: %s", why == "", c.told, why)
			}
		})
	}
}
