package route

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// rulesSent are what commands of testdata/rule.txt send.
var rulesSent = map[string]Rule{
	"ip rule add pref 100 from 203.0.113.0/24 fwmark 0x10/0xff lookup 100 protocol 110": {
		Family: unix.AF_INET, Action: unix.FR_ACT_TO_TBL, Priority: 100, Table: 100, Protocol: 110,
		From: pfx("203.0.113.0/24"), FwMark: 0x10, FwMask: 0xff,
	},
	"ip rule add pref 110 not from all iif v0 ipproto tcp dport 443 lookup main suppress_prefixlength 0": {
		Family: unix.AF_INET, Action: unix.FR_ACT_TO_TBL, Priority: 110, Table: unix.RT_TABLE_MAIN,
		Flags: unix.FIB_RULE_INVERT, IIF: "v0", IPProto: unix.IPPROTO_TCP, DPort: PortRange{443, 443},
		HasSuppressPrefixLen: true,
	},
	"ip rule add pref 120 to 10.0.0.0/8 oif gone tos 0x10 sport 1000-2000 uidrange 0-0 lookup 1000": {
		Family: unix.AF_INET, Action: unix.FR_ACT_TO_TBL, Priority: 120, Table: 1000, TOS: 16,
		To: pfx("10.0.0.0/8"), OIF: "gone", SPort: PortRange{1000, 2000}, HasUIDRange: true,
	},
	"ip rule add pref 130 fwmark 7 goto 200": {
		Family: unix.AF_INET, Action: unix.FR_ACT_GOTO, Priority: 130, Goto: 200, FwMark: 7, FwMask: math.MaxUint32,
	},
	"ip rule add pref 140 tun_id 5000000000 lookup 100 realms 1/2": {
		Family: unix.AF_INET, Action: unix.FR_ACT_TO_TBL, Priority: 140, Table: 100, TunID: 5000000000, Realms: 1<<16 | 2,
	},
	"ip rule add pref 150 l3mdev": {
		Family: unix.AF_INET, Action: unix.FR_ACT_TO_TBL, Priority: 150, L3MDev: true,
	},
	"ip rule add pref 160 from 198.51.100.7 blackhole": {
		Family: unix.AF_INET, Action: unix.FR_ACT_BLACKHOLE, Priority: 160, From: pfx("198.51.100.7/32"),
	},
	"ip rule add pref 170 suppress_ifgroup 5 lookup main": {
		Family: unix.AF_INET, Action: unix.FR_ACT_TO_TBL, Priority: 170, Table: unix.RT_TABLE_MAIN,
		SuppressIfGroup: 5, HasSuppressIfGroup: true,
	},
	"ip -6 rule add pref 180 to 2001:db8::/32 prohibit": {
		Family: unix.AF_INET6, Action: unix.FR_ACT_PROHIBIT, Priority: 180, To: pfx("2001:db8::/32"),
	},
}

func TestRuleSent(t *testing.T) { expect(t, "rule", rulesSent) }

// What the kernel reports equals what was sent.
func TestRuleReported(t *testing.T) {
	reported := map[uint32]*Rule{}
	for _, x := range readFixtures(t, "rule") {
		for _, m := range x.received {
			var r Rule
			if err := r.Decode(m.Data); err != nil {
				t.Fatal(err)
			}
			reported[r.Priority] = r.Clone()
		}
	}
	for command, want := range rulesSent {
		t.Run(command, func(t *testing.T) {
			got, ok := reported[want.Priority]
			if !ok {
				t.Fatal("not reported")
			}
			if !got.Equal(&want) {
				t.Errorf("not equal (-want +got)\n%s", cmp.Diff(&want, got, same))
			}
		})
	}
	if r := reported[120]; r == nil || r.Flags&unix.FIB_RULE_OIF_DETACHED == 0 {
		t.Errorf("the rule for a missing link is not marked as detached")
	}
}

// Fields whose zero value has a meaning must not get lost.
func TestRuleZeros(t *testing.T) {
	for name, give := range map[string]Rule{
		"priority 0":         {},
		"uid 0":              {HasUIDRange: true},
		"suppress default":   {HasSuppressPrefixLen: true},
		"suppress group 0":   {HasSuppressIfGroup: true},
		"mark 0 with a mask": {FwMask: 0xff},
		"mark without mask":  {FwMark: 1},
		"port mask":          {DPort: PortRange{16, 16}, DPortMask: 0xfff0},
	} {
		t.Run(name, func(t *testing.T) {
			var got Rule
			if err := got.Decode(encode(t, &give)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(give, got, same); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
