package route

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// attrFlags are the bits of nla_type that are no part of the type.
const attrFlags = unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER

// cutAttr takes the first attribute off b, which holds at least its header. It is
// netlink.Attrs for routes, of which there are millions: what it returns stays in
// registers. One that does not fit has type 0, which decodeRare refuses.
func cutAttr(b []byte) (typ uint16, value, rest []byte) {
	n := uint(binary.NativeEndian.Uint16(b))
	if n < unix.NLA_HDRLEN || n > uint(len(b)) {
		return 0, nil, nil
	}
	return binary.NativeEndian.Uint16(b[2:]) &^ attrFlags, b[unix.NLA_HDRLEN:n], b[min((n+3)&^3, uint(len(b))):]
}

// number reads four bytes, 0 where there are fewer.
func number(v []byte) uint32 {
	if len(v) < 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(v)
}

// address reads an IP address of 4 or 16 bytes, the zero Addr for other lengths.
func address(v []byte) netip.Addr {
	if len(v) == 4 {
		return netip.AddrFrom4([4]byte(v))
	}
	if len(v) == 16 {
		return netip.AddrFrom16([16]byte(v))
	}
	return netip.Addr{}
}

// routeRoom is what AppendTo needs at most before it comes to what is rare: the
// header, three numbers, three addresses and the gateway.
const routeRoom = unix.SizeofRtMsg + 3*(unix.NLA_HDRLEN+4) + 4*(unix.NLA_HDRLEN+20)

func appendNumber(b []byte, typ uint16, v uint32) []byte {
	return binary.NativeEndian.AppendUint32(appendHeader(b, typ, 4), v)
}

func appendAddress(b []byte, typ uint16, a netip.Addr) []byte {
	if !a.Is4() {
		return appendAddress6(b, typ, a.As16())
	}
	v := a.As4()
	b = appendHeader(b, typ, len(v))
	return append(b, v[0], v[1], v[2], v[3])
}

func appendAddress6(b []byte, typ uint16, v [16]byte) []byte {
	return append(appendHeader(b, typ, len(v)), v[:]...)
}

func appendHeader(b []byte, typ uint16, n int) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(unix.NLA_HDRLEN+n))
	return binary.NativeEndian.AppendUint16(b, typ)
}

// decodeRare decodes what few routes have: the attribute at the beginning of b.
// congestion is the last route's, not to allocate an equal one.
func (r *Route) decodeRare(b, h []byte, congestion string) error {
	a := netlink.ReadAttrs(b)
	if !a.Next() {
		return a.Err()
	}
	switch a.Type() {
	case unix.RTA_SRC:
		r.Src = netip.PrefixFrom(a.Addr(), int(h[2]))
	case unix.RTA_MULTIPATH:
		return r.decodeNextHops(a.Bytes())
	case unix.RTA_VIA:
		if r.Gateway = viaAddr(a.Bytes()); !r.Gateway.IsValid() {
			r.Extra = keep(r.Extra, &a)
		}
	case unix.RTA_METRICS:
		if !r.Metrics.decode(a.Nested(), congestion) {
			r.Extra = keep(r.Extra, &a)
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
		r.Extra = keep(r.Extra, &a)
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
func appendGateway(b []byte, family uint8, gw netip.Addr) []byte {
	if family == unix.AF_INET && gw.Is4() || family == unix.AF_INET6 && gw.Is6() {
		return appendAddress(b, unix.RTA_GATEWAY, gw)
	}
	// struct rtvia { __kernel_sa_family_t rtvia_family; __u8 rtvia_addr[]; }
	if gw.Is4() {
		v := gw.As4()
		b = binary.NativeEndian.AppendUint16(appendHeader(b, unix.RTA_VIA, 2+len(v)), unix.AF_INET)
		return append(append(b, v[:]...), 0, 0)
	}
	v := gw.As16()
	b = binary.NativeEndian.AppendUint16(appendHeader(b, unix.RTA_VIA, 2+len(v)), unix.AF_INET6)
	return append(append(b, v[:]...), 0, 0)
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
