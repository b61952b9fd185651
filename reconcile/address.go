package reconcile

import (
	"context"
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

// Protocols of addresses that the kernel makes itself (IFAPROT_*,
// include/uapi/linux/if_addr.h).
const (
	protoKernelLo = 1
	protoKernelRA = 2
	protoKernelLL = 3
)

// addressFlags are those that a document declares; the others are the kernel's
// state or, like nodad, are lost after the address was made.
const addressFlags = unix.IFA_F_HOMEADDRESS | unix.IFA_F_MANAGETEMPADDR | unix.IFA_F_NOPREFIXROUTE

// ipv6PrefixMetric is IP6_RT_PRIO_ADDRCONF (include/net/ip6_route.h).
const ipv6PrefixMetric = 256

// Addresses that lo has by itself. Their protocol says so only on some kernels.
var (
	loIPv4 = netip.MustParsePrefix("127.0.0.1/8")
	loIPv6 = netip.MustParsePrefix("::1/128")
)

// address is one IP address of one link.
type address struct {
	route.Addr
	link string // declared under that link
	decl int32  // at that place
}

// addressKey is the kernel's identity: IPv4 addresses with another prefix
// length or another peer's network are others, IPv6 addresses are not
// (net/ipv4/devinet.c, __inet_insert_ifa; net/ipv6/addrconf.c, ipv6_add_addr).
type addressKey struct {
	index   int32
	local   netip.Addr
	network netip.Prefix // IPv4 only
}

type addressResource struct{}

func (addressResource) Class() string { return "address" }

func (addressResource) Groups() []uint32 {
	return []uint32{unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR}
}

func (addressResource) Declare(s *Scope) (all []address, err error) {
	for _, name := range sortedKeys(s.Spec.Links) {
		if s.mustWait(name) {
			continue
		}
		for i := range s.Spec.Links[name].Addresses {
			a := declaredAddress(s, name, &s.Spec.Links[name].Addresses[i])
			a.decl = int32(i)
			all = append(all, a)
		}
	}
	return all, nil
}

func declaredAddress(s *Scope, link string, d *spec.Address) address {
	a := address{link: link, Addr: route.Addr{
		Family: unix.AF_INET6, PrefixLen: d.PrefixLen, Index: s.Index(link), Local: d.Local, Peer: d.Peer,
		Broadcast: d.Broadcast, Label: d.Label, Metric: d.Metric, Proto: s.Protocol(),
		ValidLft: route.Forever, PreferredLft: route.Forever,
	}}
	if d.ValidLft != nil {
		a.ValidLft = *d.ValidLft
	}
	if d.PreferredLft != nil {
		a.PreferredLft = *d.PreferredLft
	}
	if d.Protocol != nil {
		a.Proto = *d.Protocol
	}
	for flag, on := range map[uint32]bool{
		unix.IFA_F_NODAD: d.NoDAD, unix.IFA_F_HOMEADDRESS: d.Home,
		unix.IFA_F_MANAGETEMPADDR: d.MngTmpAddr, unix.IFA_F_NOPREFIXROUTE: d.NoPrefixRoute,
	} {
		if on {
			a.Flags |= flag
		}
	}
	if d.Local.Is4() {
		a.Family = unix.AF_INET
		if a.Label == "" {
			a.Label = link
		}
		// What iproute2 sends: default_scope() of ip/ipaddress.c.
		if d.Local.IsLoopback() {
			a.Scope = unix.RT_SCOPE_HOST
		}
	}
	if d.Scope != nil {
		a.Scope = *d.Scope
	}
	return a
}

func (addressResource) Dump(ctx context.Context, s *Scope, _ bool) iter.Seq2[*address, error] {
	return func(yield func(*address, error) bool) {
		c, err := s.Conn()
		if err != nil {
			yield(nil, err)
			return
		}
		a := address{decl: -1}
		for d, err := range c.Addrs(ctx, route.AddrFilter{}) {
			if err != nil {
				yield(nil, err)
				return
			}
			a.Addr = *d
			if !yield(&a, nil) {
				return
			}
		}
	}
}

func (addressResource) Own(a *address) address {
	return address{Addr: *a.Addr.Clone(), link: a.link, decl: a.decl}
}

func (addressResource) Key(a *address) addressKey {
	k := addressKey{index: a.Index, local: a.Local}
	if a.Local.Is4() {
		k.network = a.network()
	}
	return k
}

// network returns the network that the address is in, or its peer.
func (a *address) network() netip.Prefix {
	base := a.Local
	if a.Peer.IsValid() {
		base = a.Peer
	}
	p, _ := base.Prefix(int(a.PrefixLen))
	return p
}

func (addressResource) Maker(s *Scope, a *address) Maker {
	switch {
	case a.Proto == s.Protocol():
		return Ours
	case s.othersProtocol(a.Proto):
		return Other
	case a.Proto == protoKernelLo, a.Proto == protoKernelRA, a.Proto == protoKernelLL,
		a.Flags&unix.IFA_F_PERMANENT == 0,
		a.Local.Is6() && a.Flags&unix.IFA_F_TEMPORARY != 0, // the flag of IPv4's secondary addresses
		a.Index == loIndex && (a.Prefix() == loIPv4 || a.Prefix() == loIPv6):
		return Kernel
	case !s.managesLink(a.Index):
		return Kernel
	}
	return Foreign
}

// managesLink tells whether `prune: all` reaches what is on a link: declared
// links and those that are software.
func (s *Scope) managesLink(index int32) bool {
	l := s.Link(index)
	if l == nil || l.Kind != "" || l.Flags&unix.IFF_LOOPBACK != 0 {
		return true
	}
	return s.declaredAs(l) != ""
}

func (addressResource) Ignored(s *Scope, a *address) bool {
	if s.Spec == nil {
		return false
	}
	return slices.ContainsFunc(s.Spec.Ignore.Addresses, func(m spec.AddressMatch) bool {
		return (!m.Within.IsValid() || m.Within.Contains(a.Local)) &&
			(m.Dev == "" || matchAny([]string{m.Dev}, s.LinkName(a.Index))) &&
			(m.Protocol == nil || *m.Protocol == a.Proto)
	}) || s.Spec.Ignore.Link(s.LinkName(a.Index))
}

// Compare compares what is declared. What the kernel does not change on an
// existing address, although it says that it does, takes a new address.
func (addressResource) Compare(s *Scope, want, have *address) Verdict {
	v := Verdict{}
	differ := func(action Action, name, h, w string) {
		if h == w {
			return
		}
		v.Fields = append(v.Fields, FieldChange{name, h, w})
		if v.Action != Replace {
			v.Action = action
		}
	}
	differ(Change, "metric", number(have.prefixMetric()), number(want.prefixMetric()))
	differ(Change, "valid_lft", lifetime(have.ValidLft), lifetime(want.ValidLft))
	differ(Change, "preferred_lft", preferred(have.PreferredLft, want), preferred(want.PreferredLft, want))
	flags, peer := Change, Change
	if want.Local.Is4() {
		differ(Replace, "scope", route.ScopeName(have.Scope), route.ScopeName(want.Scope))
		differ(Replace, "label", have.Label, want.Label)
		differ(Replace, "broadcast", addr(have.Broadcast), addr(want.Broadcast))
		flags, peer = Replace, Replace
	} else {
		differ(Replace, "prefix length", number(uint32(have.PrefixLen)), number(uint32(want.PrefixLen)))
		differ(Replace, "state", flag(have.Flags&unix.IFA_F_DADFAILED != 0, "dadfailed: another host has the address"), "")
	}
	differ(peer, "peer", addr(have.Peer), addr(want.Peer))
	differ(flags, "flags", flagNames(have.Flags&addressFlags), flagNames(want.Flags&addressFlags))
	return v
}

// prefixMetric is the metric of the prefix route. Of IPv6, 0 stands for the
// kernel's default (net/ipv6/addrconf.c, addrconf_prefix_route).
func (a *address) prefixMetric() uint32 {
	if a.Local.Is6() && a.Metric == 0 {
		return ipv6PrefixMetric
	}
	return a.Metric
}

// lifetime is what is compared of a lifetime: it counts down, so only whether
// it has an end.
func lifetime(seconds uint32) string {
	if seconds == route.Forever {
		return "forever"
	}
	return "finite"
}

// preferred is that of a preferred lifetime. One that ran out by itself is finite;
// that an address is not preferred is declared by 0.
func preferred(seconds uint32, want *address) string {
	if want.PreferredLft == 0 && seconds == 0 {
		return "0"
	}
	return lifetime(seconds)
}

func flagNames(flags uint32) string { return strings.Join(route.AddrFlagNames(flags), ",") }

func flag(on bool, name string) string {
	if on {
		return name
	}
	return ""
}

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

func addr(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func (addressResource) Name(s *Scope, a *address) string {
	name := a.Local.String() + "/" + strconv.Itoa(int(a.PrefixLen))
	if a.Peer.IsValid() {
		name = a.Local.String() + " peer " + a.Peer.String() + "/" + strconv.Itoa(int(a.PrefixLen))
	}
	return name + " dev " + s.LinkName(a.Index)
}

func (addressResource) Path(s *Scope, a *address) string {
	return spec.Path(s.Name, "links", a.link, "addresses", int(a.decl))
}

func (addressResource) Relocate(a *address, index func(int32) int32) { a.Index = index(a.Index) }

func (addressResource) Create(_ *Scope, b *netlink.Batch, a *address) {
	b.Add(unix.RTM_NEWADDR, netlink.Create|netlink.Excl, a.settable())
}

func (addressResource) Change(_ *Scope, b *netlink.Batch, want, have *address) {
	c := *want
	c.Index = have.Index
	if have.Metric != 0 {
		c.Metric = want.prefixMetric() // to IPv6, none is to leave it
	}
	b.Add(unix.RTM_NEWADDR, netlink.Create|netlink.Replace, c.settable())
}

func (addressResource) Delete(_ *Scope, b *netlink.Batch, a *address) {
	b.Add(unix.RTM_DELADDR, 0, &a.Addr)
}

// settable returns the address without the flags that are the kernel's state.
func (a *address) settable() *route.Addr {
	d := a.Addr
	d.Flags &= addressFlags | unix.IFA_F_NODAD
	d.Extra = nil
	return &d
}

// Survives follows net/ipv6/addrconf.c, addrconf_ifdown: IPv6 addresses go when
// the link goes down or changes its VRF; IPv4 ones stay.
func (addressResource) Survives(_ *Scope, a *address, e LinkEvent) bool {
	if e.Index != a.Index {
		return true
	}
	switch e.Kind {
	case LinkRemoved:
		return false
	case LinkDown, LinkNoIPv6, LinkVRF:
		return a.Local.Is4()
	}
	return true
}

func (addressResource) Restorable(_ *Scope, a *address) bool {
	return a.Flags&unix.IFA_F_PERMANENT != 0
}
