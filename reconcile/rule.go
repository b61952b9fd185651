package reconcile

import (
	"context"
	"iter"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

// ruleObject is one rule of policy routing.
type ruleObject struct {
	route.Rule
	decl int32 // in the document; -1 for what was observed
	nth  int32 // of equal ones, from 0
	// twin says that the kernel takes the rule for one that will be there when
	// it is added, so that it is added without NLM_F_EXCL.
	twin bool
}

// ruleKey is everything that a rule is but its protocol, which does nothing. The
// kernel has no key for rules: they are a list in which equal ones may stand.
type ruleKey struct {
	nth                            int32
	from, to                       netip.Prefix
	iif, oif, extra                string
	tunID                          uint64
	uids                           route.UIDRange
	priority, table, target        uint32
	mark, mask, realms             uint32
	suppressLen, suppressGroup     uint32
	sport, dport                   route.PortRange
	sportMask, dportMask           uint16
	family, action, tos, ipproto   uint8
	invert, l3mdev, hasUIDs        bool
	hasSuppressLen, hasSuppressGrp bool
}

type ruleResource struct{}

func (ruleResource) Class() string { return "rule" }

func (ruleResource) Groups() []uint32 {
	return []uint32{unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE}
}

func (r ruleResource) Declare(s *Scope) ([]ruleObject, error) {
	all := make([]ruleObject, len(s.Spec.Rules))
	for i := range all {
		all[i] = ruleObject{Rule: declaredRule(s, &s.Spec.Rules[i]), decl: int32(i)}
	}
	r.enumerate(all)
	return all, nil
}

// enumerate tells equal rules apart.
func (ruleResource) enumerate(all []ruleObject) {
	count := make(map[ruleKey]int32, len(all))
	for i := range all {
		k := all[i].key()
		all[i].nth = count[k]
		count[k]++
	}
}

func declaredRule(s *Scope, d *spec.Rule) route.Rule {
	r := route.Rule{
		Family: d.Family, Action: uint8(d.Action), Protocol: s.Protocol(), TOS: d.TOS,
		Priority: d.Priority, Table: d.Table, Goto: d.Goto, From: selected(d.From), To: selected(d.To),
		IIF: d.IIF, OIF: d.OIF, FwMark: d.FwMark, FwMask: d.FwMask, IPProto: d.IPProto,
		SPort: route.PortRange{Start: d.SPort.From, End: d.SPort.To},
		DPort: route.PortRange{Start: d.DPort.From, End: d.DPort.To},
		TunID: d.TunID, L3MDev: d.L3MDev, Realms: d.Realms,
	}
	if d.Protocol != nil {
		r.Protocol = *d.Protocol
	}
	if d.Not {
		r.Flags = unix.FIB_RULE_INVERT
	}
	if u := d.UIDRange; u != nil {
		r.UIDRange, r.HasUIDRange = route.UIDRange{Start: u.From, End: u.To}, true
	}
	if d.SuppressPrefixLength != nil {
		r.SuppressPrefixLen, r.HasSuppressPrefixLen = *d.SuppressPrefixLength, true
	}
	if d.SuppressIfGroup != nil {
		r.SuppressIfGroup, r.HasSuppressIfGroup = *d.SuppressIfGroup, true
	}
	return r
}

// selected returns the zero prefix for one that selects everything.
func selected(p netip.Prefix) netip.Prefix {
	if p.Bits() <= 0 {
		return netip.Prefix{}
	}
	return p
}

// Dump reads until it reads the same twice: a dump of rules that meets a change
// misses others, which did not change, and nothing tells so
// (net/core/fib_rules.c, dump_rules, skips as many as it had before).
func (r ruleResource) Dump(ctx context.Context, s *Scope, _ bool) iter.Seq2[*ruleObject, error] {
	return func(yield func(*ruleObject, error) bool) {
		rules, err := s.readRules(ctx)
		for err == nil {
			var again []ruleObject
			again, err = s.readRules(ctx)
			if err == nil && slices.EqualFunc(rules, again, func(a, b ruleObject) bool { return a.Equal(&b.Rule) }) {
				break
			}
			rules = again
		}
		if err != nil {
			yield(nil, err)
			return
		}
		r.enumerate(rules)
		for i := range rules {
			if !yield(&rules[i], nil) {
				return
			}
		}
	}
}

func (s *Scope) readRules(ctx context.Context) (all []ruleObject, err error) {
	c, err := s.Conn()
	if err != nil {
		return nil, err
	}
	for r, err := range c.Rules(ctx, unix.AF_UNSPEC) {
		if err != nil {
			return nil, err
		}
		r.Flags &^= route.VolatileRuleFlags
		all = append(all, ruleObject{Rule: *r.Clone(), decl: -1})
	}
	return all, nil
}

// Own keeps r as it is: Dump yields copies.
func (ruleResource) Own(r *ruleObject) ruleObject { return *r }

func (ruleResource) Key(r *ruleObject) ruleKey {
	k := r.key()
	k.nth = r.nth
	return k
}

// key is the same for equal rules.
func (r *ruleObject) key() ruleKey { return keyOfRule(&r.Rule) }

func keyOfRule(r *route.Rule) ruleKey {
	k := ruleKey{
		from: selected(r.From).Masked(), to: selected(r.To).Masked(), iif: r.IIF, oif: r.OIF, extra: string(r.Extra),
		tunID: r.TunID, uids: r.UIDRange, priority: r.Priority, target: r.Goto,
		mark: r.FwMark & r.FwMask, mask: r.FwMask,
		suppressLen: r.SuppressPrefixLen, suppressGroup: r.SuppressIfGroup,
		sport: r.SPort, dport: r.DPort, sportMask: r.SPortMask, dportMask: r.DPortMask,
		family: r.Family, action: r.Action, tos: r.TOS, ipproto: r.IPProto,
		invert: r.Flags&unix.FIB_RULE_INVERT != 0, l3mdev: r.L3MDev, hasUIDs: r.HasUIDRange,
		hasSuppressLen: r.HasSuppressPrefixLen, hasSuppressGrp: r.HasSuppressIfGroup,
	}
	if r.Action == unix.FR_ACT_TO_TBL { // iproute2 gives a table to other rules, too
		k.table = r.Table
	}
	if r.Family == unix.AF_INET {
		k.realms = r.Realms // IPv6 has none
	}
	return k
}

// defaultRules are what the kernel makes for every namespace
// (net/ipv4/fib_rules.c, fib_default_rules_init; net/ipv6/fib6_rules.c) and with
// the first VRF (drivers/net/vrf.c, vrf_add_fib_rules). People who deleted one
// make it again by hand: it is as indispensable then.
var defaultRules = []ruleKey{
	{action: unix.FR_ACT_TO_TBL, priority: 32766, table: unix.RT_TABLE_MAIN},
	{action: unix.FR_ACT_TO_TBL, priority: 32767, table: unix.RT_TABLE_DEFAULT},
	{action: unix.FR_ACT_TO_TBL, priority: 1000, l3mdev: true},
}

func (ruleResource) Maker(s *Scope, r *ruleObject) Maker {
	// Priority 0 is the local table's: without it the host has no addresses.
	if s.othersProtocol(r.Protocol) {
		return Other
	}
	if r.Protocol == unix.RTPROT_KERNEL || r.Priority == 0 {
		return Kernel
	}
	if r.Protocol == s.Protocol() {
		return Ours
	}
	k := r.key()
	k.family = 0
	if slices.Contains(defaultRules, k) {
		return Kernel
	}
	return Foreign
}

func (ruleResource) Ignored(s *Scope, r *ruleObject) bool {
	return s.Spec != nil && slices.ContainsFunc(s.Spec.Ignore.Rules, func(m spec.RuleMatch) bool {
		return (m.Priority == nil || m.Priority.Contains(r.Priority)) &&
			(m.Table == nil || *m.Table == r.Table) &&
			(m.Protocol == nil || *m.Protocol == r.Protocol)
	})
}

// Compare finds nothing: the key is all that a rule is.
func (ruleResource) Compare(*Scope, *ruleObject, *ruleObject) Verdict { return Verdict{} }

func (ruleResource) Path(s *Scope, r *ruleObject) string {
	return spec.Path(s.Name, "rules", int(r.decl))
}

// Relocate does nothing: rules name links, they need not exist.
func (ruleResource) Relocate(*ruleObject, func(int32) int32) {}

// Create adds a rule behind all of its priority. Without NLM_F_EXCL the kernel
// adds whatever it is told to, so it is left out only where that is meant.
func (ruleResource) Create(_ *Scope, b *netlink.Batch, r *ruleObject) {
	flags := netlink.Create | netlink.Excl
	if r.twin {
		flags = netlink.Create
	}
	b.Add(unix.RTM_NEWRULE, flags, &r.Rule)
}

// Change is never asked for: see Compare.
func (ruleResource) Change(*Scope, *netlink.Batch, *ruleObject, *ruleObject) {}

// Delete deletes the first rule that the kernel finds for r; Diff sees to it
// that r is the first.
func (ruleResource) Delete(_ *Scope, b *netlink.Batch, r *ruleObject) {
	b.Add(unix.RTM_DELRULE, 0, &r.Rule)
}

// Describe leaves rules out that the document has no words for.
func (rr ruleResource) Describe(s *Scope, r *ruleObject, doc *spec.Namespace) {
	if rr.Maker(s, r) == Kernel || len(r.Extra) > 0 || r.SPortMask != 0 || r.DPortMask != 0 {
		return
	}
	k := r.key()
	d := spec.Rule{
		Family: r.Family, Priority: r.Priority, Not: k.invert, From: selected(r.From), To: selected(r.To),
		IIF: r.IIF, OIF: r.OIF, FwMark: r.FwMark, FwMask: r.FwMask, TOS: r.TOS, IPProto: r.IPProto,
		SPort: spec.PortRange{From: r.SPort.Start, To: r.SPort.End},
		DPort: spec.PortRange{From: r.DPort.Start, To: r.DPort.End},
		TunID: r.TunID, L3MDev: r.L3MDev, Action: spec.Action(r.Action), Table: k.table, Goto: r.Goto,
		Realms: k.realms, Protocol: foreignProtocol(s, r.Protocol),
	}
	if r.HasUIDRange {
		d.UIDRange = &spec.Range{From: r.UIDRange.Start, To: r.UIDRange.End}
	}
	if r.HasSuppressPrefixLen {
		d.SuppressPrefixLength = new(r.SuppressPrefixLen)
	}
	if r.HasSuppressIfGroup {
		d.SuppressIfGroup = new(r.SuppressIfGroup)
	}
	doc.Rules = append(doc.Rules, d)
}
