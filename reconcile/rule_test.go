package reconcile

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

func TestRuleName(t *testing.T) {
	for _, test := range []struct {
		rule spec.Rule
		want string
	}{{
		spec.Rule{
			Family: unix.AF_INET, Priority: 100, From: netip.MustParsePrefix("203.0.113.0/24"), FwMark: 0x10, FwMask: 0xff,
			Action: spec.ActionLookup, Table: 100,
		},
		"100 from 203.0.113.0/24 fwmark 0x10/0xff lookup 100",
	}, {
		spec.Rule{
			Family: unix.AF_INET, Priority: 110, Not: true, IIF: "eth1", IPProto: unix.IPPROTO_TCP, DPort: spec.PortRange{From: 443, To: 443},
			Action: spec.ActionLookup, Table: 254, SuppressPrefixLength: new(uint32(0)),
		},
		"110 not iif eth1 ipproto tcp dport 443 lookup main suppress_prefixlength 0",
	}, {
		spec.Rule{
			Family: unix.AF_INET6, Priority: 5, To: netip.MustParsePrefix("2001:db8::/32"), TOS: 0x10, OIF: "eth0",
			FwMark: 7, FwMask: 1<<32 - 1, UIDRange: &spec.Range{From: 1, To: 2}, IPProto: 99,
			SPort: spec.PortRange{From: 1, To: 9}, TunID: 3, Action: spec.ActionGoto, Goto: 10,
		},
		"5 to 2001:db8::/32 tos 0x10 fwmark 0x7 oif eth0 uidrange 1-2 ipproto 99 sport 1-9 tun_id 3 goto 10",
	}, {
		spec.Rule{Family: unix.AF_INET6, Priority: 7, Action: spec.ActionBlackhole, SuppressIfGroup: new(uint32(9))},
		"7 family inet6 blackhole suppress_ifgroup 9",
	}, {
		spec.Rule{Family: unix.AF_INET, Priority: 1000, L3MDev: true, Action: spec.ActionLookup, Realms: 3<<16 | 4},
		"1000 l3mdev realms 3/4",
	}} {
		o := ruleObject{Rule: declaredRule(ruleScope(0), &test.rule)}
		if got := (ruleResource{}).Name(nil, &o); got != test.want {
			t.Errorf("have %q, want %q", got, test.want)
		}
	}
}

// TestRuleDescribe reads back what was declared.
func TestRuleDescribe(t *testing.T) {
	s := ruleScope(0)
	declared := []spec.Rule{
		{Family: unix.AF_INET, Priority: 100, From: netip.MustParsePrefix("10.1.1.1/8"), Action: spec.ActionLookup, Table: 5, Realms: 7},
		{Family: unix.AF_INET6, Priority: 101, Action: spec.ActionGoto, Goto: 300, Not: true, FwMark: 1, FwMask: 3},
		{Family: unix.AF_INET, Priority: 102, Action: spec.ActionNop, UIDRange: &spec.Range{From: 0, To: 9}, Protocol: new(uint8(0))},
		{
			Family: unix.AF_INET, Priority: 103, Action: spec.ActionLookup, L3MDev: true, SuppressPrefixLength: new(uint32(0)),
			SuppressIfGroup: new(uint32(1)), SPort: spec.PortRange{From: 1, To: 2}, IIF: "a", OIF: "b", TOS: 4, IPProto: 6, TunID: 1,
		},
	}
	var doc spec.Namespace
	for i := range declared {
		ruleResource{}.Describe(s, &ruleObject{Rule: declaredRule(s, &declared[i])}, &doc)
	}
	ruleResource{}.Describe(s, &ruleObject{Rule: rule("32766 table 254 proto 2")}, &doc)
	if diff := cmp.Diff(declared, doc.Rules, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Error("rules (-declared +described):\n" + diff)
	}
}

// TestRuleKey: what makes no difference is none.
func TestRuleKey(t *testing.T) {
	base := rule("100 from 10.0.0.0/8 table 5")
	for _, test := range []struct {
		name string
		edit func(*route.Rule)
		same bool
	}{
		{"the protocol", func(r *route.Rule) { r.Protocol = 3 }, true},
		{"host bits", func(r *route.Rule) { r.From = netip.MustParsePrefix("10.1.1.1/8") }, true},
		{"flags of the kernel", func(r *route.Rule) { r.Flags = unix.FIB_RULE_UNRESOLVED }, true},
		{"all destinations", func(r *route.Rule) { r.To = netip.MustParsePrefix("0.0.0.0/0") }, true},
		{"not", func(r *route.Rule) { r.Flags = unix.FIB_RULE_INVERT }, false},
		{"the table", func(r *route.Rule) { r.Table = 6 }, false},
		{"a mark of zero", func(r *route.Rule) { r.FwMask = 1 }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := base
			test.edit(&r)
			if same := keyOfRule(&r) == keyOfRule(&base); same != test.same {
				t.Errorf("have %v, want %v", same, test.same)
			}
		})
	}
	a, b := rule("100 goto 200"), rule("100 goto 200")
	a.Table = unix.RT_TABLE_MAIN // as iproute2 sends it
	if keyOfRule(&a) != keyOfRule(&b) {
		t.Error("the table of a rule that looks into none")
	}
}
