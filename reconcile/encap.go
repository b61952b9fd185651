package reconcile

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

// encap writes and reads one type of light-weight tunnel. What is written has
// the form and the order in which the kernel reports it, because routes are
// compared by these bytes.
type encap struct {
	encode func(e *netlink.Encoder, d *spec.Encap)
	decode func(a *netlink.Attrs, d *spec.Encap)
}

var encaps = map[string]encap{
	"mpls": {encodeMPLS, decodeMPLS},
	"seg6": {encodeSeg6, decodeSeg6},
	"ip":   {encodeIP, decodeIP},
}

// encodeEncap returns a declared tunnel as a route carries it.
func encodeEncap(d *spec.Encap) (c route.Encap) {
	if d == nil {
		return c
	}
	c.Type, _ = route.EncapTypeByName(d.Type)
	var e netlink.Encoder
	encaps[d.Type].encode(&e, d)
	c.Data = e.Bytes()
	return c
}

// decodeEncap is the reverse of encodeEncap; false for a type that documents do
// not have.
func decodeEncap(c route.Encap) (*spec.Encap, bool) {
	if c.Type == 0 {
		return nil, true
	}
	d := &spec.Encap{Type: route.EncapTypeName(c.Type)}
	t, known := encaps[d.Type]
	for a := netlink.ReadAttrs(c.Data); known && a.Next(); {
		t.decode(&a, d)
	}
	return d, known
}

// MPLS_IPTUNNEL_* of include/uapi/linux/mpls_iptunnel.h.
const (
	mplsDst = 1
	mplsTTL = 2
)

// encodeMPLS writes a label stack (RFC 3032), the last entry with the
// bottom-of-stack bit.
func encodeMPLS(e *netlink.Encoder, d *spec.Encap) {
	var b []byte
	for i, l := range d.Labels {
		entry := l << 12
		if i == len(d.Labels)-1 {
			entry |= 1 << 8
		}
		b = binary.BigEndian.AppendUint32(b, entry)
	}
	e.Attr(mplsDst, b)
	if d.TTL != 0 {
		e.Uint8(mplsTTL, d.TTL)
	}
}

func decodeMPLS(a *netlink.Attrs, d *spec.Encap) {
	switch a.Type() {
	case mplsDst:
		for b := a.Bytes(); len(b) >= 4; b = b[4:] {
			d.Labels = append(d.Labels, binary.BigEndian.Uint32(b)>>12)
		}
	case mplsTTL:
		d.TTL = a.Uint8()
	}
}

// LWTUNNEL_IP_* of include/uapi/linux/lwtunnel.h.
const (
	ipID    = 1
	ipDst   = 2
	ipSrc   = 3
	ipTTL   = 4
	ipTOS   = 5
	ipFlags = 6
)

// encodeIP writes all that net/ipv4/ip_tunnel_core.c, ip_tun_fill_encap_info
// reports, in its order.
func encodeIP(e *netlink.Encoder, d *spec.Encap) {
	e.BE64(ipID, d.ID)
	e.Addr(ipDst, orAny(d.Dst))
	e.Addr(ipSrc, orAny(d.Src))
	e.Uint8(ipTOS, 0)
	e.Uint8(ipTTL, d.TTL)
	e.Uint16(ipFlags, 0)
}

func orAny(a netip.Addr) netip.Addr {
	if !a.IsValid() {
		return netip.IPv4Unspecified()
	}
	return a
}

func decodeIP(a *netlink.Attrs, d *spec.Encap) {
	switch a.Type() {
	case ipID:
		d.ID = a.BE64()
	case ipDst:
		d.Dst = a.Addr()
	case ipSrc:
		if s := a.Addr(); !s.IsUnspecified() {
			d.Src = s
		}
	case ipTTL:
		d.TTL = a.Uint8()
	}
}

// seg6SRH is SEG6_IPTUNNEL_SRH (include/uapi/linux/seg6_iptunnel.h): the mode
// and a segment routing header (RFC 8754).
const (
	seg6SRH       = 1
	seg6HeaderLen = 8
	seg6Type      = 4 // IPV6_SRCRT_TYPE_4
	seg6SegLen    = 16
)

// seg6Modes are SEG6_IPTUN_MODE_*, from 0.
var seg6Modes = []string{"inline", "encap", "l2encap", "encap.red", "l2encap.red"}

// encodeSeg6 writes the segments, the last one first. Inline mode leaves a free
// place for the packet's own destination, which is the last segment.
func encodeSeg6(e *netlink.Encoder, d *spec.Encap) {
	mode := max(slices.Index(seg6Modes, d.Mode), 0)
	if d.Mode == "" {
		mode = slices.Index(seg6Modes, "encap")
	}
	segs := slices.Clone(d.Segs)
	if mode == 0 {
		segs = append(segs, netip.IPv6Unspecified())
	}
	last := uint8(len(segs) - 1)
	b := binary.NativeEndian.AppendUint32(nil, uint32(mode))
	b = append(b, 0, uint8(len(segs)*seg6SegLen/8), seg6Type, last, last, 0, 0, 0)
	for _, s := range slices.Backward(segs) {
		a := s.As16()
		b = append(b, a[:]...)
	}
	e.Attr(seg6SRH, b)
}

func decodeSeg6(a *netlink.Attrs, d *spec.Encap) {
	b := a.Bytes()
	if a.Type() != seg6SRH || len(b) < 4+seg6HeaderLen {
		return
	}
	if mode := binary.NativeEndian.Uint32(b); mode < uint32(len(seg6Modes)) {
		d.Mode = seg6Modes[mode]
	}
	for b = b[4+seg6HeaderLen:]; len(b) >= seg6SegLen; b = b[seg6SegLen:] {
		d.Segs = append(d.Segs, netip.AddrFrom16([16]byte(b[:seg6SegLen])))
	}
	slices.Reverse(d.Segs)
	if d.Mode == seg6Modes[0] && len(d.Segs) > 0 {
		d.Segs = d.Segs[:len(d.Segs)-1]
	}
}
