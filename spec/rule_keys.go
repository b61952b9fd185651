package spec

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

var (
	actionWords = []string{"nop", "blackhole", "unreachable", "prohibit"}
	action      = enum(actionWords, []Action{ActionNop, ActionBlackhole, ActionUnreachable, ActionProhibit})
	family      = enum([]string{"inet", "inet6"}, []uint8{unix.AF_INET, unix.AF_INET6})
	group       = named("group", uint32(0), math.MaxUint32, func(n *Names) *NameTable { return &n.Groups })
)

var ruleObject = define(object[Rule]{
	what:  "a rule",
	check: (*decoder).checkRule,
	keys: []key[Rule]{
		must(value("priority", "1 to 32765, or above 32767", rulePriority, func(r *Rule) *uint32 { return &r.Priority })),
		withDefault(value("family", "inet (default) or inet6, where no address tells", family, func(r *Rule) *uint8 { return &r.Family }),
			func(r *Rule) bool { return r.Family == unix.AF_INET || r.From.IsValid() || r.To.IsValid() }),
		value("not", "applies to packets that all of the rest together does not match", boolean, func(r *Rule) *bool { return &r.Not }),
		value("from", "the source prefix", selector, func(r *Rule) *netip.Prefix { return &r.From }),
		value("to", "the destination prefix", selector, func(r *Rule) *netip.Prefix { return &r.To }),
		value("iif", "the incoming link", linkName, func(r *Rule) *string { return &r.IIF }),
		value("oif", "the outgoing link of packets of this host", linkName, func(r *Rule) *string { return &r.OIF }),
		fwmark,
		value("tos", "the type of service", dsfield, func(r *Rule) *uint8 { return &r.TOS }),
		value("ipproto", "the protocol's name or number", ipProto, func(r *Rule) *uint8 { return &r.IPProto }),
		value("sport", "a source port or A-B", ports, func(r *Rule) *PortRange { return &r.SPort }),
		value("dport", "a destination port or A-B", ports, func(r *Rule) *PortRange { return &r.DPort }),
		pointer("uidrange", "the sender's user ids, A-B", uids, func(r *Rule) **Range { return &r.UIDRange }),
		value("tun_id", "the id of the tunnel that the packet came through", number[uint64](1, math.MaxUint64), func(r *Rule) *uint64 { return &r.TunID }),
		value("l3mdev", "look up the table of the packet's VRF", boolean, func(r *Rule) *bool { return &r.L3MDev }),
		withDefault(value("type", "nop, blackhole, unreachable or prohibit instead of a table", action, func(r *Rule) *Action { return &r.Action }),
			func(r *Rule) bool { return r.Action == ActionLookup || r.Action == ActionGoto }),
		withDefault(value("table", "the table's number or name, main where absent", table, func(r *Rule) *uint32 { return &r.Table }),
			func(r *Rule) bool { return r.Action != ActionLookup || r.L3MDev || r.Table == unix.RT_TABLE_MAIN }),
		value("goto", "the priority of the rule to go on with", number[uint32](1, math.MaxUint32), func(r *Rule) *uint32 { return &r.Goto }),
		pointer("suppress_prefixlength", "ignore routes with a prefix of this length or shorter", number[uint32](0, 128),
			func(r *Rule) **uint32 { return &r.SuppressPrefixLength }),
		pointer("suppress_ifgroup", "ignore routes through links of this group", group, func(r *Rule) **uint32 { return &r.SuppressIfGroup }),
		value("realms", "FROM/TO or TO (IPv4)", realms, func(r *Rule) *uint32 { return &r.Realms }),
		pointer("protocol", "the rule's own mark instead of the document's", protocol, func(r *Rule) **uint8 { return &r.Protocol }),
	},
})

// rulePriority keeps clear of the kernel's own rules at 0, 32766 and 32767.
var rulePriority = func() format[uint32] {
	f := number[uint32](1, math.MaxUint32)
	read := f.read
	f.read = func(d *decoder, n ref, v *uint32) bool {
		if !read(d, n, v) {
			return false
		}
		if *v == 32766 || *v == 32767 {
			return d.fail(n, "%d is the kernel's own, want 1..32765 or more than 32767", *v)
		}
		return true
	}
	return f
}()

// selector is a prefix or `all`. Host bits stay: the kernel keeps them too.
var selector = func() format[netip.Prefix] {
	f := prefix
	f.read = func(d *decoder, n ref, v *netip.Prefix) bool {
		if s := d.t.shape(n); (s == isPlain || s == isText) && d.t.string(n) == "all" {
			return true
		}
		return prefix.read(d, n, v)
	}
	return f
}()

// fwmark is MARK or MARK/MASK.
var fwmark = key[Rule]{
	name: "fwmark", doc: "the packet's mark, MARK or MARK/MASK", schema: schema{"type": []string{"integer", "string"}},
	read: func(d *decoder, n ref, r *Rule) bool {
		if s := d.t.shape(n); s != isPlain && s != isText {
			return d.want(n, "MARK or MARK/MASK")
		}
		mark, mask, masked := strings.Cut(d.t.string(n), "/")
		x, ok := d.number(n, mark, 0, math.MaxUint32)
		y := uint64(math.MaxUint32)
		if ok && masked {
			y, ok = d.number(n, mask, 1, math.MaxUint32)
		}
		r.FwMark, r.FwMask = uint32(x), uint32(y)
		return ok
	},
	write: func(w *writer, r *Rule) {
		if r.FwMask == 0 {
			return
		}
		w.key("fwmark")
		s := fmt.Sprintf("%#x", r.FwMark)
		if r.FwMask != math.MaxUint32 {
			s += fmt.Sprintf("/%#x", r.FwMask)
		}
		w.raw(s)
	},
}

// ipProtos are the protocols that have names everywhere.
var ipProtos = map[string]uint8{
	"icmp": unix.IPPROTO_ICMP, "igmp": unix.IPPROTO_IGMP, "ipip": unix.IPPROTO_IPIP, "tcp": unix.IPPROTO_TCP,
	"udp": unix.IPPROTO_UDP, "dccp": unix.IPPROTO_DCCP, "gre": unix.IPPROTO_GRE, "esp": unix.IPPROTO_ESP,
	"ah": unix.IPPROTO_AH, "ipv6-icmp": unix.IPPROTO_ICMPV6, "sctp": unix.IPPROTO_SCTP, "udplite": unix.IPPROTO_UDPLITE,
	"ospf": 89, "vrrp": 112, "l2tp": 115,
}

var ipProto = func() format[uint8] {
	names := &Names{Protocols: NameTable{numbers: map[string]uint32{}, names: map[uint32]string{}}}
	for name, n := range ipProtos {
		names.Protocols.add(uint32(n), name)
	}
	return named("IP protocol", uint8(1), 255, func(*Names) *NameTable { return &names.Protocols })
}()

// ports is a port or a range of them.
var ports = format[PortRange]{
	read: func(d *decoder, n ref, v *PortRange) bool {
		from, to, ok := d.span(n, 1, math.MaxUint16)
		*v = PortRange{uint16(from), uint16(to)}
		return ok
	},
	write:  func(w *writer, v *PortRange) { w.span(uint64(v.From), uint64(v.To)) },
	schema: spanSchema(1, math.MaxUint16),
}

var uids = format[Range]{
	read: func(d *decoder, n ref, v *Range) bool {
		from, to, ok := d.span(n, 0, math.MaxUint32)
		*v = Range{uint32(from), uint32(to)}
		return ok
	},
	write:  func(w *writer, v *Range) { w.span(uint64(v.From), uint64(v.To)) },
	schema: spanSchema(0, math.MaxUint32),
}

// span reads a number or a range A-B.
func (d *decoder) span(n ref, lowest, highest uint64) (from, to uint64, ok bool) {
	if s := d.t.shape(n); s != isPlain && s != isText {
		return 0, 0, d.want(n, "a number or a range A-B")
	}
	a, b, isRange := strings.Cut(d.t.string(n), "-")
	if a == "" || !isRange {
		a, b = d.t.string(n), d.t.string(n)
	}
	from, ok = d.number(n, a, lowest, highest)
	if !ok {
		return 0, 0, false
	}
	to, ok = d.number(n, b, lowest, highest)
	if ok && from > to {
		return 0, 0, d.fail(n, "the range %d-%d is upside down", from, to)
	}
	return from, to, ok
}

func (w *writer) span(from, to uint64) {
	if from == to {
		w.number(from)
		return
	}
	w.text(strconv.FormatUint(from, 10) + "-" + strconv.FormatUint(to, 10))
}

func spanSchema(lowest, highest uint64) schema {
	return schema{"anyOf": []any{
		schema{"type": "integer", "minimum": lowest, "maximum": highest},
		schema{"type": "string", "pattern": "^(0x[0-9a-fA-F]+|[0-9]+)(-(0x[0-9a-fA-F]+|[0-9]+))?$"},
	}}
}

// checkRule completes a rule with what absent keys mean and looks for mistakes
// between keys.
func (d *decoder) checkRule(n ref, r *Rule) {
	d.checkRuleFamily(n, r)
	if !d.has(n, "type") {
		r.Action = ActionLookup
	}
	var does []string
	for _, key := range []string{"type", "goto", "l3mdev", "table"} {
		if d.has(n, key) && (key != "l3mdev" || r.L3MDev) {
			does = append(does, key)
		}
	}
	if len(does) > 1 {
		d.failKey(n, does[1], "a rule has one of type, goto, l3mdev and table")
		return
	}
	switch {
	case d.has(n, "goto"):
		r.Action = ActionGoto
		if r.Goto != 0 && r.Priority != 0 && r.Goto <= r.Priority {
			d.failKey(n, "goto", "%d does not lie behind the rule's own priority %d", r.Goto, r.Priority)
		}
	case r.Action == ActionLookup && !r.L3MDev && !d.has(n, "table"):
		r.Table = unix.RT_TABLE_MAIN
	}
}

func (d *decoder) checkRuleFamily(n ref, r *Rule) {
	written := r.Family
	r.Family = unix.AF_INET
	switch {
	case r.From.IsValid() && r.To.IsValid() && r.From.Addr().Is4() != r.To.Addr().Is4():
		d.failKey(n, "to", "%s is no %s prefix as from is", r.To, familyName(r.From.Addr()))
		return
	case r.From.Addr().Is6() || r.To.Addr().Is6():
		r.Family = unix.AF_INET6
	case !r.From.IsValid() && !r.To.IsValid() && written != 0:
		r.Family = written
	}
	if written != 0 && written != r.Family {
		d.failKey(n, "family", "contradicts the addresses")
	}
	if r.TOS&3 != 0 {
		d.failKey(n, "tos", "the lower two bits are ECN's, no rule can ask for them")
	}
	if r.Family == unix.AF_INET6 {
		d.onlyFor(n, "IPv4", "realms")
	} else if l := r.SuppressPrefixLength; l != nil && *l > 32 {
		d.failKey(n, "suppress_prefixlength", "%d is out of range 0..32", *l)
	}
}
