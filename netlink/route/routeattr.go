package route

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// decodeRare decodes what few routes have. congestion is the last route's, not
// to allocate an equal one.
func (r *Route) decodeRare(a *netlink.Attrs, congestion string) error {
	switch a.Type() {
	case unix.RTA_MULTIPATH:
		return r.decodeNextHops(a.Bytes())
	case unix.RTA_VIA:
		if r.Gateway = viaAddr(a.Bytes()); !r.Gateway.IsValid() {
			r.Extra = keep(r.Extra, a)
		}
	case unix.RTA_METRICS:
		if !r.Metrics.decode(a.Nested(), congestion) {
			r.Extra = keep(r.Extra, a)
		}
	case RTA_NH_ID:
		r.NHID = a.Uint32()
	case unix.RTA_FLOW:
		r.Realms = a.Uint32()
	case unix.RTA_PREF:
		r.Pref = a.Uint8()
	case unix.RTA_EXPIRES:
		r.Expires = a.Uint32()
	case unix.RTA_CACHEINFO:
		r.Expires = expires(a.Bytes(), r.Expires)
	case unix.RTA_ENCAP_TYPE:
		r.Encap.Type = a.Uint16()
	case unix.RTA_ENCAP:
		r.Encap.Data = a.Bytes()
	case unix.RTA_PAD:
	default:
		r.Extra = keep(r.Extra, a)
	}
	return nil
}

// expires returns rta_expires of struct rta_cacheinfo in seconds, or old if it
// is not set. It is in USER_HZ, which is 100 everywhere; routes that the kernel
// makes for addresses may have nonsense in it, also below zero.
func expires(c []byte, old uint32) uint32 {
	if len(c) < 12 {
		return old
	}
	v := int32(binary.NativeEndian.Uint32(c[8:]))
	if v <= 0 {
		return old
	}
	return uint32(v+99) / 100
}

// appendGateway appends RTA_GATEWAY, or RTA_VIA if the gateway is of another
// family than the route (RFC 8950).
func appendGateway(e *netlink.Encoder, family uint8, gw netip.Addr) {
	if family == unix.AF_INET && gw.Is4() || family == unix.AF_INET6 && gw.Is6() {
		e.Addr(unix.RTA_GATEWAY, gw)
		return
	}
	// struct rtvia { __kernel_sa_family_t rtvia_family; __u8 rtvia_addr[]; }
	var via [18]byte
	n := 18
	if gw.Is4() {
		n = 6
		a := gw.As4()
		copy(via[2:], a[:])
		binary.NativeEndian.PutUint16(via[:], unix.AF_INET)
	} else {
		a := gw.As16()
		copy(via[2:], a[:])
		binary.NativeEndian.PutUint16(via[:], unix.AF_INET6)
	}
	e.Attr(unix.RTA_VIA, via[:n])
}

// viaAddr returns the address in struct rtvia, the zero one if it is no IP
// address (of MPLS routes it may be a link-layer address).
func viaAddr(b []byte) netip.Addr {
	if len(b) < 2 {
		return netip.Addr{}
	}
	switch family := binary.NativeEndian.Uint16(b); {
	case family == unix.AF_INET && len(b) == 6:
		return netip.AddrFrom4([4]byte(b[2:]))
	case family == unix.AF_INET6 && len(b) == 18:
		return netip.AddrFrom16([16]byte(b[2:]))
	}
	return netip.Addr{}
}

// prefix completes a prefix of the message: the address may have been left out
// when it is all zeros. Prefixes of other families than IP that do not look like
// IP are left out (Phonet has addresses of one byte).
func prefix(p netip.Prefix, family, n uint8) (netip.Prefix, error) {
	if n == 0 {
		return netip.Prefix{}, nil
	}
	if p.IsValid() {
		return p, nil
	}
	zeros := netip.IPv4Unspecified()
	switch family {
	case unix.AF_INET:
	case unix.AF_INET6:
		zeros = netip.IPv6Unspecified()
	default:
		return netip.Prefix{}, nil
	}
	if !p.Addr().IsValid() {
		p = netip.PrefixFrom(zeros, int(n))
	}
	if !p.IsValid() {
		return p, fmt.Errorf("prefix length %d of address %v: %w", n, p.Addr(), unix.EBADMSG)
	}
	return p, nil
}
