package reconcile

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"iter"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

// neighborObject is one entry of a neighbour table, or one proxy entry.
type neighborObject struct {
	route.Neighbor
	decl int32 // in the document; -1 for what was observed
}

// neighborKey is the kernel's: proxy entries have a table of their own
// (net/core/neighbour.c, pneigh_lookup).
type neighborKey struct {
	dst   netip.Addr
	index int32
	proxy bool
}

type neighborResource struct{}

func (neighborResource) Class() string { return "neighbor" }

func (neighborResource) Groups() []uint32 {
	return []uint32{unix.RTNLGRP_NEIGH, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR}
}

func (neighborResource) Declare(s *Scope) ([]neighborObject, error) {
	all := make([]neighborObject, 0, len(s.Spec.Neighbors))
	var errs []error
	for i := range s.Spec.Neighbors {
		d := &s.Spec.Neighbors[i]
		if s.mustWait(d.Dev) {
			continue
		}
		n := neighborObject{Neighbor: declaredNeighbor(s, d), decl: int32(i)}
		if n.Index != 0 { // else it is gone with its link, in a deletion
			all = append(all, n)
		} else {
			errs = append(errs, s.missing(spec.Path(s.Name, "neighbors", i, "dev"), d.Dev))
		}
	}
	return all, errors.Join(errs...)
}

func declaredNeighbor(s *Scope, d *spec.Neighbor) route.Neighbor {
	n := route.Neighbor{
		Family: unix.AF_INET6, Index: s.Index(d.Dev), State: unix.NUD_PERMANENT, Protocol: s.Protocol(),
		Dst: d.To, LLAddr: route.HardwareAddr(d.LLAddr),
	}
	if d.To.Is4() {
		n.Family = unix.AF_INET
	}
	if d.Protocol != nil {
		n.Protocol = *d.Protocol
	}
	if d.Router {
		n.Flags |= unix.NTF_ROUTER
	}
	if d.Proxy {
		n.Flags |= unix.NTF_PROXY
	}
	return n
}

func (neighborResource) Dump(ctx context.Context, s *Scope, _ bool) iter.Seq2[*neighborObject, error] {
	return func(yield func(*neighborObject, error) bool) {
		c, err := s.Conn()
		if err != nil {
			yield(nil, err)
			return
		}
		o := neighborObject{decl: -1}
		for _, proxy := range []bool{false, true} {
			for n, err := range c.Neighbors(ctx, route.NeighborFilter{Proxy: proxy}) {
				if err != nil {
					yield(nil, err)
					return
				}
				o.Neighbor = *n
				if !yield(&o, nil) {
					return
				}
			}
		}
	}
}

func (neighborResource) Own(n *neighborObject) neighborObject {
	return neighborObject{*n.Clone(), n.decl}
}

func (neighborResource) Key(n *neighborObject) neighborKey {
	return neighborKey{dst: n.Dst, index: n.Index, proxy: n.IsProxy()}
}

// Maker takes for the kernel's what it learns and forgets by itself, the NOARP
// entries that it makes for multicast and for links without ARP
// (net/ipv4/arp.c, arp_constructor), and what a routing daemon keeps
// (NTF_EXT_LEARNED).
func (neighborResource) Maker(s *Scope, n *neighborObject) Maker {
	switch {
	case s.othersProtocol(n.Protocol):
		return Other
	case n.Flags&unix.NTF_EXT_LEARNED != 0, !n.IsConfigured():
		return Kernel
	case n.Protocol == s.Protocol():
		return Ours
	case n.State&unix.NUD_NOARP != 0, !s.managesLink(n.Index):
		return Kernel
	}
	return Foreign
}

// Ignored follows the link: neighbours have no list of their own.
func (neighborResource) Ignored(s *Scope, n *neighborObject) bool {
	return s.Spec != nil && s.Spec.Ignore.Link(s.LinkName(n.Index))
}

func (neighborResource) Compare(_ *Scope, want, have *neighborObject) Verdict {
	var v Verdict
	differ := func(name, have, want string) {
		if have != want {
			v.Fields = append(v.Fields, FieldChange{name, have, want})
			v.Action = Change
		}
	}
	if !want.IsProxy() { // a proxy entry has neither an address nor a state
		if !bytes.Equal(have.LLAddr, want.LLAddr) {
			differ("lladdr", have.LLAddr.String(), want.LLAddr.String())
		}
		differ("state", neighborState(have.State), neighborState(want.State))
	}
	h, w := have.Flags&unix.NTF_ROUTER != 0, want.Flags&unix.NTF_ROUTER != 0
	if h != w {
		differ("router", strconv.FormatBool(h), strconv.FormatBool(w))
	}
	return v
}

// neighborState is what is compared of a state: whether the entry is ours to set.
func neighborState(state uint16) string {
	switch {
	case state&unix.NUD_PERMANENT != 0:
		return "permanent"
	case state&unix.NUD_NOARP != 0:
		return "noarp"
	}
	return "learned"
}

// Name writes an entry in the words of `ip neighbor`.
func (neighborResource) Name(s *Scope, n *neighborObject) string {
	name := n.Dst.String()
	switch {
	case n.IsProxy():
		name = "proxy " + name
	case len(n.LLAddr) > 0:
		name += " lladdr " + n.LLAddr.String()
	}
	if n.Index != 0 { // there are proxy entries for all links
		name += " dev " + s.LinkName(n.Index)
	}
	if n.Flags&unix.NTF_ROUTER != 0 {
		name += " router"
	}
	return name
}

func (neighborResource) Path(s *Scope, n *neighborObject) string {
	return spec.Path(s.Name, "neighbors", int(n.decl))
}

func (neighborResource) Relocate(n *neighborObject, index func(int32) int32) {
	n.Index = index(n.Index)
}

// Create replaces what the kernel may have learned since: an entry is also made
// by a request that is refused for want of an address.
func (neighborResource) Create(_ *Scope, b *netlink.Batch, n *neighborObject) {
	b.Add(unix.RTM_NEWNEIGH, netlink.Create|netlink.Replace, &n.Neighbor)
}

func (r neighborResource) Change(s *Scope, b *netlink.Batch, want, _ *neighborObject) {
	r.Create(s, b, want)
}

func (neighborResource) Delete(_ *Scope, b *netlink.Batch, n *neighborObject) {
	b.Add(unix.RTM_DELNEIGH, 0, &n.Neighbor)
}

// Rank sorts entries by address: the kernel has them in a hash table.
func (neighborResource) Rank(_ *Scope, n *neighborObject) int64 {
	b := n.Dst.As16()
	rank := int64(binary.BigEndian.Uint32(b[12:]))
	if n.Family == unix.AF_INET6 {
		rank |= int64(binary.BigEndian.Uint32(b[8:])&(1<<30-1)|1<<30) << 32
	}
	return rank + 1
}

// Survives follows net/core/neighbour.c, neigh_ifdown: a link that goes down
// loses all entries, permanent and proxy ones as well. A change of the VRF takes
// the link down and up.
func (neighborResource) Survives(_ *Scope, n *neighborObject, e LinkEvent) bool {
	if e.Index != n.Index {
		return true
	}
	switch e.Kind {
	case LinkRemoved, LinkDown, LinkVRF:
		return false
	case LinkAddress: // neigh_changeaddr: permanent ones, too
		return n.Flags&unix.NTF_PROXY != 0
	case LinkNoIPv6:
		return n.Family != unix.AF_INET6
	case LinkNoIPv4: // arp_ifdown, by fib_disable_ip
		return n.Family != unix.AF_INET
	}
	return true
}

// Restorable leaves entries alone whose maker puts them back.
func (neighborResource) Restorable(_ *Scope, n *neighborObject) bool {
	switch n.Protocol {
	case unix.RTPROT_KERNEL, unix.RTPROT_REDIRECT, unix.RTPROT_RA, unix.RTPROT_DHCP:
		return false
	}
	return n.ExtFlags&route.NTF_EXT_MANAGED == 0
}

// Describe leaves out entries without an address of their own, which another
// program has the kernel resolve.
func (r neighborResource) Describe(s *Scope, n *neighborObject, doc *spec.Namespace) {
	if r.Maker(s, n) == Kernel || n.Index == 0 || !n.IsProxy() && n.State&unix.NUD_PERMANENT == 0 {
		return
	}
	d := spec.Neighbor{
		To: n.Dst, Dev: s.LinkName(n.Index), Router: n.Flags&unix.NTF_ROUTER != 0, Proxy: n.IsProxy(),
		Protocol: foreignProtocol(s, n.Protocol),
	}
	if !d.Proxy {
		d.LLAddr = spec.HardwareAddr(bytes.Clone(n.LLAddr))
	}
	doc.Neighbors = append(doc.Neighbors, d)
}
