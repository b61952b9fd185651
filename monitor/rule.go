package monitor

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
)

// writeRule writes a rule in the order of iproute2, ip/iprule.c, print_rule. What
// family it is of, ip does not say.
func writeRule(v *view, payload []byte) (f Fields, err error) {
	var r route.Rule
	if err := r.Decode(payload); err != nil {
		return nil, err
	}
	f.as("priority", r.Priority, fmt.Sprintf("%d:", r.Priority))
	f.hidden("family", familyName(r.Family))
	f.flag("not", r.Flags&unix.FIB_RULE_INVERT != 0)
	f.named("from", "src", ruleAddress(r.From))
	if r.From.Bits() > 0 {
		f.hidden("srclen", r.From.Bits())
	}
	if r.To.Bits() > 0 {
		f.named("to", "dst", ruleAddress(r.To))
		f.hidden("dstlen", r.To.Bits())
	}
	v.ruleSelectors(&f, &r)
	v.ruleAction(&f, &r)
	if proto := nameOf(v.names.Protocols, r.Protocol); r.Protocol > unix.RTPROT_BOOT || r.Protocol == unix.RTPROT_REDIRECT {
		f.named("proto", "protocol", proto)
	} else {
		f.hidden("protocol", proto)
	}
	f.unknownAttrs(r.Extra)
	return f, nil
}

func ruleAddress(p netip.Prefix) string { return prefixText(p, "all") }

func (v *view) ruleSelectors(f *Fields, r *route.Rule) {
	if r.TOS != 0 {
		f.put("tos", dsfield(v, r.TOS))
	}
	if r.FwMask != 0 {
		f.hidden("fwmark", fmt.Sprintf("%#x", r.FwMark))
		text := fmt.Sprintf("fwmark %#x", r.FwMark)
		if r.FwMask != 1<<32-1 {
			text += fmt.Sprintf("/%#x", r.FwMask)
		}
		f.as("fwmask", fmt.Sprintf("%#x", r.FwMask), text)
	}
	if r.IIF != "" {
		f.put("iif", r.IIF)
		f.flagAs("[detached]", "iif_detached", r.Flags&unix.FIB_RULE_IIF_DETACHED != 0)
	}
	if r.OIF != "" {
		f.put("oif", r.OIF)
		f.flagAs("[detached]", "oif_detached", r.Flags&unix.FIB_RULE_OIF_DETACHED != 0)
	}
	f.flagAs("lookup [l3mdev-table]", "l3mdev", r.L3MDev)
	if r.HasUIDRange {
		f.as("uid_start", r.UIDRange.Start, fmt.Sprintf("uidrange %d-%d", r.UIDRange.Start, r.UIDRange.End))
		f.hidden("uid_end", r.UIDRange.End)
	}
	if r.IPProto != 0 {
		f.put("ipproto", route.IPProtoName(r.IPProto))
	}
	portField(f, "sport", r.SPort, r.SPortMask)
	portField(f, "dport", r.DPort, r.DPortMask)
	if r.TunID != 0 {
		f.put("tun_id", r.TunID)
	}
}

// flagAs is flag for one that is printed with other words than its key.
func (f *Fields) flagAs(words, key string, is bool) {
	if is {
		f.as(key, true, words)
	}
}

func portField(f *Fields, key string, p route.PortRange, mask uint16) {
	switch {
	case p == route.PortRange{}:
	case p.Start != p.End:
		f.as(key+"_start", p.Start, fmt.Sprintf("%s %d-%d", key, p.Start, p.End))
		f.hidden(key+"_end", p.End)
	case mask != 0:
		f.as(key, p.Start, fmt.Sprintf("%s %d/%#x", key, p.Start, mask))
		f.hidden(key+"_mask", mask)
	default:
		f.put(key, p.Start)
	}
}

func (v *view) ruleAction(f *Fields, r *route.Rule) {
	if r.Table != 0 {
		f.named("lookup", "table", nameOf(v.names.Tables, r.Table))
	}
	if r.HasSuppressPrefixLen {
		f.named("suppress_prefixlength", "suppress_prefixlen", r.SuppressPrefixLen)
	}
	if r.HasSuppressIfGroup {
		f.named("suppress_ifgroup", "suppress_ifgroup", nameOf(v.names.Groups, r.SuppressIfGroup))
	}
	if r.Realms != 0 {
		realmsField(f, v, r.Realms)
	}
	switch r.Action {
	case unix.FR_ACT_TO_TBL:
	case unix.FR_ACT_GOTO:
		f.put("goto", r.Goto)
		f.flagAs("[unresolved]", "unresolved", r.Flags&unix.FIB_RULE_UNRESOLVED != 0)
	default:
		f.bare("action", route.RuleActionName(r.Action))
	}
}
