package reconcile

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
)

// Name writes a rule in the words of `ip rule add`.
func (ruleResource) Name(_ *Scope, r *ruleObject) string {
	var b strings.Builder
	b.WriteString(number(r.Priority))
	word := func(format string, args ...any) {
		b.WriteByte(' ')
		fmt.Fprintf(&b, format, args...)
	}
	if r.Family == unix.AF_INET6 && r.From.Bits() <= 0 && r.To.Bits() <= 0 {
		word("family inet6")
	}
	ruleSelectors(&r.Rule, word)
	ruleAction(&r.Rule, word)
	return b.String()
}

type wordFunc func(format string, args ...any)

func ruleSelectors(r *route.Rule, word wordFunc) {
	if r.Flags&unix.FIB_RULE_INVERT != 0 {
		word("not")
	}
	if r.From.Bits() > 0 {
		word("from %s", r.From)
	}
	if r.To.Bits() > 0 {
		word("to %s", r.To)
	}
	if r.TOS != 0 {
		word("tos %#x", r.TOS)
	}
	switch r.FwMask {
	case 0:
	case 1<<32 - 1:
		word("fwmark %#x", r.FwMark)
	default:
		word("fwmark %#x/%#x", r.FwMark, r.FwMask)
	}
	for _, d := range []struct{ word, name string }{{"iif", r.IIF}, {"oif", r.OIF}} {
		if d.name != "" {
			word("%s %s", d.word, d.name)
		}
	}
	if r.HasUIDRange {
		word("uidrange %d-%d", r.UIDRange.Start, r.UIDRange.End)
	}
	if r.IPProto != 0 {
		word("ipproto %s", route.IPProtoName(r.IPProto))
	}
	rulePorts(word, "sport", r.SPort)
	rulePorts(word, "dport", r.DPort)
	if r.TunID != 0 {
		word("tun_id %d", r.TunID)
	}
}

func rulePorts(word wordFunc, name string, p route.PortRange) {
	switch {
	case p == route.PortRange{}:
	case p.Start == p.End:
		word("%s %d", name, p.Start)
	default:
		word("%s %d-%d", name, p.Start, p.End)
	}
}

func ruleAction(r *route.Rule, word wordFunc) {
	switch {
	case r.L3MDev:
		word("l3mdev")
	case r.Action == unix.FR_ACT_TO_TBL:
		word("lookup %s", tableName(r.Table))
	case r.Action == unix.FR_ACT_GOTO:
		word("goto %d", r.Goto)
	default:
		word("%s", route.RuleActionName(r.Action))
	}
	if r.HasSuppressPrefixLen {
		word("suppress_prefixlength %d", r.SuppressPrefixLen)
	}
	if r.HasSuppressIfGroup {
		word("suppress_ifgroup %d", r.SuppressIfGroup)
	}
	if r.Realms != 0 && r.Family == unix.AF_INET {
		word("realms %d/%d", r.Realms>>16, r.Realms&0xffff)
	}
}
