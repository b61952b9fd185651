package route

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// A Route is a route: the payload of RTM_NEWROUTE and RTM_DELROUTE. The next hop
// is in the route itself (Gateway, OIF, Encap), or there are two or more in
// NextHops, or NHID names a nexthop object.
type Route struct {
	Family   uint8
	TOS      uint8 // IPv4 only
	Protocol uint8 // who made it: RTPROT_*
	Scope    uint8 // RT_SCOPE_*; always 0 for IPv6. It counts in deletions
	Type     uint8 // RTN_*
	Pref     uint8 // ICMPV6_ROUTER_PREF_*

	Table    uint32 // also above 255
	Priority uint32 // metric. IPv4: 0 is a metric; IPv6: 0 stands for 1024
	Flags    uint32 // RTM_F_* and, of the only hop, RTNH_F_*
	NHID     uint32 // nexthop object; 0: none
	Realms   uint32 // source realm in the upper half
	Expires  uint32 // seconds left; 0: never. IPv6 only
	OIF      int32  // index of the link; 0: none

	Dst     netip.Prefix // zero: all of the family (Decode never yields another of length 0)
	Src     netip.Prefix // of the packet, IPv6 only; zero: any
	Gateway netip.Addr   // of either family; zero: on link
	PrefSrc netip.Addr   // zero: the kernel chooses

	NextHops []NextHop // nil, or at least two
	Encap    Encap
	Metrics  Metrics

	// Extra has the attributes that are not known here. A nest with something
	// unknown in it is also here as a whole.
	Extra []byte
}

// VolatileFlags are those of Route.Flags and NextHop.Flags that the kernel sets
// by itself and that come and go.
const VolatileFlags = unix.RTNH_F_DEAD | unix.RTNH_F_PERVASIVE | unix.RTNH_F_OFFLOAD | unix.RTNH_F_LINKDOWN |
	unix.RTNH_F_UNRESOLVED | unix.RTNH_F_TRAP | unix.RTM_F_OFFLOAD | unix.RTM_F_TRAP | unix.RTM_F_OFFLOAD_FAILED

// Equal tells whether both are the same route made by the same protocol. Flags
// that come and go do not count, nor do seconds left and, with a nexthop object,
// the hops that it has at the moment.
func (r *Route) Equal(o *Route) bool {
	return r.Table == o.Table && r.Priority == o.Priority && sameDst(r.Dst, o.Dst) && r.Family == o.Family &&
		r.TOS == o.TOS && r.Type == o.Type && r.Scope == o.Scope && r.Protocol == o.Protocol &&
		r.Pref == o.Pref && r.Realms == o.Realms && r.NHID == o.NHID && (r.NHID != 0 || r.sameHops(o)) &&
		r.PrefSrc == o.PrefSrc && sameDst(r.Src, o.Src) && (r.Expires == 0) == (o.Expires == 0) &&
		(r.Flags^o.Flags)&^VolatileFlags == 0 &&
		r.Metrics.Set == o.Metrics.Set && (r.Metrics.Set == 0 || r.Metrics == o.Metrics) && bytes.Equal(r.Extra, o.Extra)
}

// sameDst takes every prefix of length 0 for the zero one.
func sameDst(a, b netip.Prefix) bool { return a == b || a.Bits() <= 0 && b.Bits() <= 0 }

func (r *Route) sameHops(o *Route) bool {
	if len(r.NextHops) != len(o.NextHops) || r.OIF != o.OIF || r.Gateway != o.Gateway || !r.Encap.Equal(o.Encap) {
		return false
	}
	for i := range r.NextHops {
		if !r.NextHops[i].Equal(&o.NextHops[i]) {
			return false
		}
	}
	return true
}

// Clone returns a copy that shares nothing with r.
func (r *Route) Clone() *Route {
	c := *r
	c.NextHops = slices.Clone(r.NextHops)
	for i := range c.NextHops {
		c.NextHops[i].Encap.Data = clone(c.NextHops[i].Encap.Data)
		c.NextHops[i].Extra = clone(c.NextHops[i].Extra)
	}
	c.Encap.Data, c.Extra = clone(r.Encap.Data), clone(r.Extra)
	return &c
}

// AppendTo appends the payload. All that the kernel compares when it looks for
// the route to delete is in it: what is left out is a wildcard there.
func (r *Route) AppendTo(e *netlink.Encoder) {
	table := uint8(unix.RT_TABLE_COMPAT)
	if r.Table < 256 {
		table = uint8(r.Table)
	}
	dst, src := bits(r.Dst), bits(r.Src)
	b := e.Room(routeRoom)
	b = append(b, r.Family, dst, src, r.TOS, table, r.Protocol, r.Scope, r.Type)
	b = binary.NativeEndian.AppendUint32(b, r.Flags)
	if dst != 0 {
		b = appendAddress(b, unix.RTA_DST, r.Dst.Addr())
	}
	b = appendNumber(b, unix.RTA_TABLE, r.Table)
	if r.OIF != 0 && r.NHID == 0 {
		b = appendNumber(b, unix.RTA_OIF, uint32(r.OIF))
	}
	if r.Priority != 0 {
		b = appendNumber(b, unix.RTA_PRIORITY, r.Priority)
	}
	if r.PrefSrc.IsValid() {
		b = appendAddress(b, unix.RTA_PREFSRC, r.PrefSrc)
	}
	if src != 0 {
		b = appendAddress(b, unix.RTA_SRC, r.Src.Addr())
	}
	if r.Gateway.IsValid() && r.NHID == 0 {
		b = appendGateway(b, r.Family, r.Gateway)
	}
	e.Fill(b, unix.SizeofRtMsg)
	r.appendRare(e)
}

// appendRare appends what few routes have.
func (r *Route) appendRare(e *netlink.Encoder) {
	if r.NHID != 0 {
		e.Uint32(RTA_NH_ID, r.NHID) // together with hops it is refused
	} else if len(r.NextHops) > 0 {
		appendNextHops(e, r.Family, r.NextHops)
	}
	if r.Encap.Type != 0 && r.NHID == 0 {
		r.Encap.appendTo(e)
	}
	if r.Metrics.Set != 0 {
		r.Metrics.appendTo(e)
	}
	appendUint32(e, unix.RTA_FLOW, r.Realms)
	appendUint32(e, unix.RTA_EXPIRES, r.Expires)
	if r.Pref != 0 {
		e.Uint8(unix.RTA_PREF, r.Pref)
	}
	if len(r.Extra) > 0 {
		e.Raw(r.Extra)
	}
}

// bits returns the length of a prefix, 0 for the zero prefix.
func bits(p netip.Prefix) uint8 { return uint8(max(p.Bits(), 0)) }

// Decode resets r and fills it from a payload. It reuses the slices of r;
// Encap.Data points into b.
func (r *Route) Decode(b []byte) error {
	hops, extra, congestion := r.NextHops[:0], r.Extra[:0], r.Metrics.Congestion
	*r = Route{} // with the slices inside, the compiler would make a copy of it first
	r.NextHops, r.Extra = hops, extra
	h, rest := split(b, unix.SizeofRtMsg)
	r.Family, r.TOS, r.Table, r.Protocol, r.Scope, r.Type = h[0], h[3], uint32(h[4]), h[5], h[6], h[7]
	r.Flags = binary.NativeEndian.Uint32(h[8:])
	for len(rest) >= unix.NLA_HDRLEN {
		typ, v, next := cutAttr(rest)
		switch typ {
		case unix.RTA_TABLE:
			r.Table = number(v)
		case unix.RTA_DST:
			r.Dst = netip.PrefixFrom(address(v), int(h[1]))
		case unix.RTA_PRIORITY:
			r.Priority = number(v)
		case unix.RTA_OIF:
			r.OIF = int32(number(v))
		case unix.RTA_GATEWAY:
			r.Gateway = address(v)
		case unix.RTA_PREFSRC:
			r.PrefSrc = address(v)
		default:
			if err := r.decodeRare(rest[:len(rest)-len(next)], h, congestion); err != nil {
				return err
			}
		}
		rest = next
	}
	if len(r.NextHops) == 1 {
		r.flatten()
	}
	if r.Dst.IsValid() && h[1] != 0 && !r.Src.IsValid() && h[2] == 0 {
		return nil // nearly all
	}
	var dst, src error
	r.Dst, dst = prefix(r.Dst, r.Family, h[1])
	r.Src, src = prefix(r.Src, r.Family, h[2])
	return cmp.Or(dst, src)
}
