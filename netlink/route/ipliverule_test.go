package route

import (
	"fmt"
	"net/netip"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// rulesOfIP are rules of all kinds, as arguments of ip.
var rulesOfIP = []string{
	"rule add priority 10 from 10.1.0.0/16 to 10.2.0.0/24 tos 0x10 fwmark 0x10/0xff iif v0 oif v1 table 1000 protocol 99",
	"rule add priority 11 not from 192.0.2.1 ipproto tcp sport 10-20 dport 443 table main", "rule add priority 12 fwmark 7 prohibit",
	"rule add priority 13 uidrange 5-9 tun_id 77 table 9 suppress_prefixlength 3 suppress_ifgroup 4",
	"rule add priority 14 goto 32000", "rule add priority 15 nop", "rule add priority 16 to 10.0.0.0/8 unreachable",
	"rule add priority 17 l3mdev", "rule add priority 18 blackhole", "rule add priority 19 table 5 realms 3/4",
	"rule add priority 20 fwmark 0/0xff table 6", "-6 rule add priority 21 from 2001:db8::/32 to 2001:db8:1::1 ipproto udp dport 53 table 8",
	"-6 rule add priority 22 table 4294967295", "rule add priority 23 table 255 protocol static", "rule add priority 24 ipproto 200 table 252",
	"rule add priority 0 table 5", "-6 rule add priority 25 not iif lo suppress_prefixlength 0 table main",
}

func TestRulesAsIPShowsThem(t *testing.T) {
	l := newLab(t)
	l.made("ip", rulesOfIP)
	for family, flag := range map[uint8]string{unix.AF_INET: "-4", unix.AF_INET6: "-6"} {
		decoded, all := steady(l, l.Rules(l.ctx, family), func() []map[string]any { return l.json("ip", flag, "rule", "show") })
		if len(all) != len(decoded) {
			t.Fatalf("ip shows %d rules, %d were decoded", len(all), len(decoded))
		}
		for i, ip := range all {
			l.compare(fmt.Sprint("rule ", decoded[i].Priority), ip, showRule(decoded[i]))
		}
	}
}

func showRule(r *Rule) shown {
	s := shown{"priority": r.Priority, "src": "all", "protocol": ProtocolName(r.Protocol)}
	showSelector(s, "src", r.From)
	showSelector(s, "dst", r.To)
	if r.Flags&unix.FIB_RULE_INVERT != 0 {
		s["not"] = nil
	}
	put(s, "iif", r.IIF)
	put(s, "oif", r.OIF)
	if r.TOS != 0 {
		s["tos"] = fmt.Sprintf("%#02x", r.TOS)
	}
	if r.FwMark != 0 || r.FwMask != 0 {
		s["fwmark"] = showHex(r.FwMark)
		if r.FwMask != none {
			s["fwmask"] = fmt.Sprintf("%#x", r.FwMask)
		}
	}
	switch r.IPProto {
	case 0:
	case unix.IPPROTO_TCP:
		s["ipproto"] = "tcp"
	case unix.IPPROTO_UDP:
		s["ipproto"] = "udp"
	default:
		s["ipproto"] = "ipproto-" + strconv.Itoa(int(r.IPProto))
	}
	showPorts(s, "sport", r.SPort)
	showPorts(s, "dport", r.DPort)
	if r.HasUIDRange {
		s["uid_start"], s["uid_end"] = r.UIDRange.Start, r.UIDRange.End
	}
	put(s, "tun_id", r.TunID)
	if r.L3MDev {
		s["l3mdev"] = nil
	}
	if r.Table != 0 {
		s["table"] = TableName(r.Table)
	}
	if r.HasSuppressPrefixLen {
		s["suppress_prefixlen"] = r.SuppressPrefixLen
	}
	if r.HasSuppressIfGroup {
		s["suppress_ifgroup"] = strconv.Itoa(int(r.SuppressIfGroup))
	}
	if r.Realms != 0 {
		s["flow_from"], s["flow_to"] = strconv.Itoa(int(r.Realms>>16)), strconv.Itoa(int(r.Realms&0xffff))
	}
	showAction(s, r)
	return s
}

func showAction(s shown, r *Rule) {
	switch r.Action {
	case unix.FR_ACT_TO_TBL:
	case unix.FR_ACT_GOTO:
		s["goto"] = r.Goto
	case unix.FR_ACT_NOP:
		s["nop"] = nil
	default:
		s["action"] = RuleActionName(r.Action)
	}
	if r.Flags&unix.FIB_RULE_UNRESOLVED != 0 {
		s["unresolved"] = nil
	}
	if r.Flags&unix.FIB_RULE_IIF_DETACHED != 0 {
		s["iif_detached"] = nil
	}
	if r.Flags&unix.FIB_RULE_OIF_DETACHED != 0 {
		s["oif_detached"] = nil
	}
}

// showHex shows a number as C's %#x does.
func showHex(n uint32) string {
	if n == 0 {
		return "0"
	}
	return fmt.Sprintf("%#x", n)
}

func showSelector(s shown, key string, p netip.Prefix) {
	if !p.IsValid() {
		return
	}
	s[key] = p.Addr()
	if !p.IsSingleIP() {
		s[key+"len"] = p.Bits()
	}
}

func showPorts(s shown, key string, p PortRange) {
	switch {
	case p == PortRange{}:
	case p.Start == p.End:
		s[key] = p.Start
	default:
		s[key+"_start"], s[key+"_end"] = p.Start, p.End
	}
}
