package route

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// A NextHop is one of several ways that a route takes.
type NextHop struct {
	Gateway netip.Addr // of either family; zero: on link
	OIF     int32
	Weight  uint16 // 1..256; 0 stands for 1
	Flags   uint8  // RTNH_F_*
	Realms  uint32
	Encap   Encap
	Extra   []byte // attributes that are not known here
}

// maxWeight is what rtnh_hops, one byte of weight - 1, has room for.
const maxWeight = 256

// weight returns the weight in force.
func (h *NextHop) weight() uint16 { return max(h.Weight, 1) }

// Equal tells whether both are the same way. Flags that come and go do not
// count.
func (h *NextHop) Equal(o *NextHop) bool {
	return h.OIF == o.OIF && h.Gateway == o.Gateway && h.weight() == o.weight() &&
		(h.Flags^o.Flags)&^(VolatileFlags&0xff) == 0 && h.Realms == o.Realms &&
		h.Encap.Equal(o.Encap) && bytes.Equal(h.Extra, o.Extra)
}

// appendNextHops appends RTA_MULTIPATH: a struct rtnexthop for each hop, with
// its attributes behind it:
//
//	struct rtnexthop {
//		unsigned short	rtnh_len;
//		unsigned char	rtnh_flags;
//		unsigned char	rtnh_hops;	/* weight - 1 */
//		int		rtnh_ifindex;
//	};
func appendNextHops(e *netlink.Encoder, family uint8, hops []NextHop) {
	multipath := e.BeginPlain(unix.RTA_MULTIPATH)
	for i := range hops {
		h := &hops[i]
		if h.Weight > maxWeight {
			e.Fail(fmt.Errorf("next hop %d: weight %d is over %d: %w", i, h.Weight, maxWeight, unix.EINVAL))
		}
		mark := e.BeginPlain(binary.NativeEndian.Uint16([]byte{h.Flags, uint8(h.weight() - 1)}))
		binary.NativeEndian.PutUint32(e.Grow(4), uint32(h.OIF))
		if h.Gateway.IsValid() {
			e.Fill(appendGateway(e.Room(routeRoom), family, h.Gateway), 0)
		}
		appendUint32(e, unix.RTA_FLOW, h.Realms)
		if h.Encap.Type != 0 {
			h.Encap.appendTo(e)
		}
		e.Raw(h.Extra)
		e.End(mark)
	}
	e.End(multipath)
}

// decodeNextHops decodes RTA_MULTIPATH into r.NextHops.
func (r *Route) decodeNextHops(b []byte) error {
	r.NextHops = r.NextHops[:0]
	for len(b) >= unix.SizeofRtNexthop {
		n := int(binary.NativeEndian.Uint16(b))
		if n < unix.SizeofRtNexthop || n > len(b) {
			return fmt.Errorf("next hop of %d bytes with %d bytes left: %w", n, len(b), unix.EBADMSG)
		}
		if err := r.nextHop().decode(b[:n:n]); err != nil {
			return err
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return nil
}

// nextHop adds an empty hop and returns it. It reuses what earlier ones had.
func (r *Route) nextHop() *NextHop {
	n := len(r.NextHops)
	if n == cap(r.NextHops) {
		r.NextHops = append(r.NextHops, NextHop{})
	} else {
		r.NextHops = r.NextHops[:n+1]
	}
	h := &r.NextHops[n]
	*h = NextHop{Extra: h.Extra[:0]}
	return h
}

// decode decodes one struct rtnexthop and its attributes.
func (h *NextHop) decode(b []byte) error {
	h.Flags, h.Weight = b[2], uint16(b[3])+1
	h.OIF = int32(binary.NativeEndian.Uint32(b[4:]))
	a := netlink.ReadAttrs(b[unix.SizeofRtNexthop:])
	for a.Next() {
		switch a.Type() {
		case unix.RTA_GATEWAY:
			h.Gateway = a.Addr()
		case unix.RTA_VIA:
			if h.Gateway = viaAddr(a.Bytes()); !h.Gateway.IsValid() {
				h.Extra = keep(h.Extra, &a)
			}
		case unix.RTA_FLOW:
			h.Realms = a.Uint32()
		case unix.RTA_ENCAP_TYPE:
			h.Encap.Type = a.Uint16()
		case unix.RTA_ENCAP:
			h.Encap.Data = a.Bytes()
		default:
			h.Extra = keep(h.Extra, &a)
		}
	}
	return a.Err()
}

// flatten moves the only hop into the route, where the kernel reports it too.
func (r *Route) flatten() {
	h := &r.NextHops[0]
	r.Gateway, r.OIF, r.Encap = h.Gateway, h.OIF, h.Encap
	r.Flags |= uint32(h.Flags)
	if h.Realms != 0 {
		r.Realms = h.Realms
	}
	r.Extra = append(r.Extra, h.Extra...)
	r.NextHops = r.NextHops[:0]
}
