package route

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestRules(t *testing.T) {
	l := newLab(t)
	l.ip("link", "set", "lo", "up")
	rules := map[string]Rule{
		"from":         {From: pfx("203.0.113.0/24")},
		"to":           {Family: unix.AF_INET6, To: pfx("2001:db8::/32"), From: pfx("2001:db8:1::1/128")},
		"mark":         {FwMark: 0x10, FwMask: 0xff},
		"whole mark":   {FwMark: 7, FwMask: math.MaxUint32},
		"links":        {IIF: "lo", OIF: "gone"},
		"not":          {From: pfx("10.0.0.0/8"), Flags: unix.FIB_RULE_INVERT},
		"tos":          {TOS: 16},
		"ports":        {IPProto: unix.IPPROTO_TCP, SPort: PortRange{1000, 2000}, DPort: PortRange{443, 443}},
		"uids":         {UIDRange: UIDRange{0, 0}, HasUIDRange: true},
		"tunnel":       {TunID: 5000000000},
		"suppress":     {HasSuppressPrefixLen: true, SuppressPrefixLen: 0, HasSuppressIfGroup: true, SuppressIfGroup: 3},
		"realms":       {Realms: 1<<16 | 2},
		"goto":         {Action: unix.FR_ACT_GOTO, Goto: 30000},
		"goto missing": {Action: unix.FR_ACT_GOTO, Goto: 30001},
		"nop":          {Action: unix.FR_ACT_NOP},
		"unreachable":  {Action: unix.FR_ACT_UNREACHABLE, From: pfx("10.0.0.1/32")},
		"prohibit":     {Action: unix.FR_ACT_PROHIBIT, From: pfx("10.0.0.2/32")},
		"blackhole":    {Action: unix.FR_ACT_BLACKHOLE, From: pfx("10.0.0.3/32")},
		"big table":    {Table: 1 << 20},
		"l3mdev":       {L3MDev: true},
	}
	l.ip("rule", "add", "pref", "30000", "lookup", "main")
	before := collect(t, l.Rules(l.ctx, 0))
	prio := uint32(100)
	for name, r := range rules {
		prio++
		t.Run(name, func(t *testing.T) {
			r.Priority, r.Protocol = prio, 110
			if r.Family == 0 {
				r.Family = unix.AF_INET
			}
			if r.Action == 0 {
				r.Action = unix.FR_ACT_TO_TBL
				if r.Table == 0 && !r.L3MDev {
					r.Table = 200
				}
			}
			l.must(unix.RTM_NEWRULE, create, &r)
			got := l.rule(prio)
			if got == nil {
				t.Fatal("not in the dump")
			}
			if !got.Equal(&r) {
				t.Errorf("not equal (-want +got)\n%s", cmp.Diff(&r, got, same))
			}
			if len(got.Extra) > 0 {
				t.Logf("this kernel has more attributes: % x", got.Extra)
			}
			l.checkRule(&r)
			l.must(unix.RTM_DELRULE, 0, got)
			if diff := cmp.Diff(before, collect(t, l.Rules(l.ctx, 0)), same); diff != "" {
				t.Errorf("after deletion (-want +got)\n%s", diff)
			}
		})
	}
}

// rule returns the rule of a priority from a dump.
func (l *lab) rule(priority uint32) *Rule {
	l.Helper()
	for _, r := range collect(l, l.Rules(l.ctx, 0)) {
		if r.Priority == priority {
			return r
		}
	}
	return nil
}

// checkRule compares a rule with what ip shows.
func (l *lab) checkRule(r *Rule) {
	l.Helper()
	family := "-4"
	if r.Family == unix.AF_INET6 {
		family = "-6"
	}
	for _, shown := range l.json("ip", family, "rule", "show") {
		if shown["priority"] != float64(r.Priority) {
			continue
		}
		if r.From.IsValid() {
			l.want(shown, "src", r.From.Addr())
		}
		if r.IPProto != 0 {
			l.want(shown, "dport", r.DPort.Start)
			l.want(shown, "sport_start", r.SPort.Start)
		}
		if r.OIF != "" {
			l.want(shown, "oif", r.OIF)
		}
		if r.Action == unix.FR_ACT_TO_TBL && !r.L3MDev {
			l.want(shown, "table", r.Table)
		}
		return
	}
	l.Errorf("ip does not show rule %d", r.Priority)
}

// The default rules of both families and no others: multicast routing has rules
// of its own.
func TestRuleFamilies(t *testing.T) {
	l := newLab(t)
	for family, want := range map[uint8]int{0: 5, unix.AF_INET: 3, unix.AF_INET6: 2} {
		if got := collect(t, l.Rules(l.ctx, family)); len(got) != want {
			t.Errorf("%d rules of family %d, want %d", len(got), family, want)
		}
	}
}
