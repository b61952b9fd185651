package reconcile

import (
	"encoding/binary"
	"math"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

// Attributes of light-weight tunnels (include/uapi/linux/mpls_iptunnel.h and
// seg6_iptunnel.h, lwtunnel.h).
const (
	mplsIPTunnelDst = 1
	mplsIPTunnelTTL = 2
	lwtIPID         = 1
	lwtIPDst        = 2
	lwtIPSrc        = 3
	lwtIPTTL        = 4
)

// encodeEncap returns a declared tunnel as a route carries it. Types other than
// these are refused when the document is read.
func encodeEncap(d *spec.Encap) (c route.Encap) {
	if d == nil {
		return c
	}
	encode, ok := encaps[d.Type]
	if !ok {
		return c
	}
	c.Type, _ = route.EncapTypeByName(d.Type)
	var e netlink.Encoder
	encode(&e, d)
	c.Data = e.Bytes()
	return c
}

var encaps = map[string]func(e *netlink.Encoder, d *spec.Encap){
	"mpls": func(e *netlink.Encoder, d *spec.Encap) {
		e.Attr(mplsIPTunnelDst, mplsStack(d.Labels))
		if d.TTL != 0 {
			e.Uint8(mplsIPTunnelTTL, d.TTL)
		}
	},
	// The kernel reports every attribute, so every one is written.
	"ip": func(e *netlink.Encoder, d *spec.Encap) {
		e.BE64(lwtIPID, d.ID)
		e.Addr(lwtIPDst, d.Dst)
		if d.Src.IsValid() {
			e.Addr(lwtIPSrc, d.Src)
		}
		e.Uint8(lwtIPTTL, d.TTL)
	},
}

// mplsStack writes labels as a label stack (RFC 3032), the last one with the
// bottom-of-stack bit.
func mplsStack(labels []uint32) []byte {
	var b []byte
	for i, l := range labels {
		entry := l << 12
		if i == len(labels)-1 {
			entry |= 1 << 8
		}
		b = binary.BigEndian.AppendUint32(b, entry)
	}
	return b
}

var _ = unix.RTA_ENCAP
var _ = math.MaxUint8
