package reconcile

import (
	"math"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
)

// deletes tells whether a request to delete v, with all that v is, takes u. To
// the kernel zero is a wildcard in it, and neither `not` nor the target of a
// goto counts (net/core/fib_rules.c, rule_find). Both have the same family and
// priority.
func deletes(v, u *route.Rule) bool {
	return compares(v, u) && wild(v.Action, u.Action) && wild(v.Table, u.Table) && wild(v.FwMark, u.FwMark) &&
		wild(v.Protocol, u.Protocol) && wild(v.IIF, u.IIF) && wild(v.OIF, u.OIF) && wild(v.FwMask, u.FwMask) &&
		wild(v.TunID, u.TunID) && wild(v.IPProto, u.IPProto) && (!v.L3MDev || u.L3MDev) &&
		(!v.HasUIDRange || u.HasUIDRange && v.UIDRange == u.UIDRange) &&
		(!v.HasSuppressPrefixLen || suppressLen(v) == suppressLen(u)) &&
		(!v.HasSuppressIfGroup || suppressGroup(v) == suppressGroup(u)) &&
		(v.SPort == route.PortRange{} || v.SPort == u.SPort && v.SPortMask == u.SPortMask) &&
		(v.DPort == route.PortRange{} || v.DPort == u.DPort && v.DPortMask == u.DPortMask) &&
		(len(v.Extra) == 0 || slices.Equal(v.Extra, u.Extra))
}

// exists tells whether the kernel refuses to add x with NLM_F_EXCL because of r:
// here selectors without an address, without a type of service or realms match
// all (net/core/fib_rules.c, rule_exists), so that not only equal rules do.
func exists(x, r *route.Rule) bool {
	return compares(x, r) && x.Action == r.Action && x.Table == r.Table && x.FwMark == r.FwMark &&
		x.Protocol == r.Protocol && x.IIF == r.IIF && x.OIF == r.OIF && x.FwMask == r.FwMask &&
		x.TunID == r.TunID && x.IPProto == r.IPProto && x.L3MDev == r.L3MDev &&
		x.HasUIDRange == r.HasUIDRange && x.UIDRange == r.UIDRange &&
		suppressLen(x) == suppressLen(r) && suppressGroup(x) == suppressGroup(r) &&
		x.SPort == r.SPort && x.DPort == r.DPort && x.SPortMask == r.SPortMask && x.DPortMask == r.DPortMask
}

// compares is the part that belongs to the family (net/ipv4/fib_rules.c,
// fib4_rule_compare; net/ipv6/fib6_rules.c, fib6_rule_compare): addresses as they
// were given, host bits included.
func compares(x, r *route.Rule) bool {
	return (x.From.Bits() <= 0 || x.From == r.From) && (x.To.Bits() <= 0 || x.To == r.To) && wild(x.TOS, r.TOS) &&
		(x.Family != unix.AF_INET || wild(x.Realms, r.Realms))
}

// wild tells whether v is zero, which matches everything, or u.
func wild[T comparable](v, u T) bool {
	var zero T
	return v == zero || v == u
}

func suppressLen(r *route.Rule) uint32 {
	if !r.HasSuppressPrefixLen {
		return math.MaxUint32
	}
	return r.SuppressPrefixLen
}

func suppressGroup(r *route.Rule) uint32 {
	if !r.HasSuppressIfGroup {
		return math.MaxUint32
	}
	return r.SuppressIfGroup
}

// twins finds rules for which the kernel takes another one. A rule is found under
// its addresses, and without one or both of them, which is how one without an
// address looks.
type twins map[twinKey][]*route.Rule

type twinKey struct {
	ruleKey
	protocol uint8
}

// newTwinKey leaves out what the kernel does not compare, or not always.
func newTwinKey(r *route.Rule) twinKey {
	k := keyOfRule(r)
	k.tos, k.realms, k.target, k.invert, k.extra = 0, 0, 0, false, ""
	return twinKey{k, r.Protocol}
}

func (t twins) add(r *route.Rule) {
	k := newTwinKey(r)
	t[k] = append(t[k], r)
	whole := k
	if k.from.IsValid() {
		k.from = netip.Prefix{}
		t[k] = append(t[k], r)
	}
	if k = whole; k.to.IsValid() {
		k.to = netip.Prefix{}
		t[k] = append(t[k], r)
	}
	if whole.from.IsValid() && whole.to.IsValid() {
		k.from = netip.Prefix{}
		t[k] = append(t[k], r)
	}
}

func (t twins) has(x *route.Rule) bool {
	return slices.ContainsFunc(t[newTwinKey(x)], func(r *route.Rule) bool { return exists(x, r) })
}
