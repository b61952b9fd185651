package route

import (
	"encoding/binary"
	"math"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// Forever is the lifetime of an address without one.
const Forever = math.MaxUint32

// An Addr is an IP address of a link: the payload of RTM_NEWADDR and RTM_DELADDR.
type Addr struct {
	Family    uint8
	PrefixLen uint8  // of Peer where there is one
	Scope     uint8  // RT_SCOPE_*; IPv6 computes it from the address
	Proto     uint8  // who made it (IFA_PROTO, kernel 5.18); 0: not said
	Flags     uint32 // IFA_F_*
	Index     int32

	Local     netip.Addr
	Peer      netip.Addr // the other end's; zero: none
	Broadcast netip.Addr // zero: none. The kernel makes up none
	Anycast   netip.Addr // only in dumps of anycast addresses
	Multicast netip.Addr // only in dumps of multicast addresses
	Label     string     // IPv4 only; the kernel fills in the link's name
	Metric    uint32     // of the prefix route; 0: the kernel's default

	// Seconds, Forever without end. ValidLft 0 stands for Forever in both, so
	// the zero Addr has no end. PreferredLft 0 is a deprecated address.
	ValidLft, PreferredLft uint32

	Extra []byte // attributes that are not known here
}

const sizeofCacheInfo = 16 // struct ifa_cacheinfo: preferred, valid, created, updated

// Prefix returns Local with the prefix length.
func (d *Addr) Prefix() netip.Prefix { return netip.PrefixFrom(d.Local, int(d.PrefixLen)) }

// Clone returns a copy that shares nothing with d.
func (d *Addr) Clone() *Addr {
	c := *d
	c.Extra = clone(d.Extra)
	return &c
}

// AppendTo appends the payload. The kernel deletes the first address that has
// all the attributes given, so it is given all.
func (d *Addr) AppendTo(e *netlink.Encoder) {
	d.appendHeader(e)
	e.Addr(unix.IFA_LOCAL, d.Local)
	if d.Peer.IsValid() {
		e.Addr(unix.IFA_ADDRESS, d.Peer)
	} else {
		e.Addr(unix.IFA_ADDRESS, d.Local)
	}
	e.Addr(unix.IFA_BROADCAST, d.Broadcast)
	e.Addr(unix.IFA_ANYCAST, d.Anycast)
	e.Addr(unix.IFA_MULTICAST, d.Multicast)
	appendString(e, unix.IFA_LABEL, d.Label)
	appendUint32(e, unix.IFA_RT_PRIORITY, d.Metric)
	if d.Proto != 0 {
		e.Uint8(IFA_PROTO, d.Proto)
	}
	e.Uint32(unix.IFA_FLAGS, d.Flags) // ifa_flags has only eight of the bits
	if d.ValidLft != 0 && (d.ValidLft != Forever || d.PreferredLft != Forever) {
		var c [sizeofCacheInfo]byte
		binary.NativeEndian.PutUint32(c[0:], d.PreferredLft)
		binary.NativeEndian.PutUint32(c[4:], d.ValidLft)
		e.Attr(unix.IFA_CACHEINFO, c[:])
	}
	e.Raw(d.Extra)
}

// appendHeader appends struct ifaddrmsg.
func (d *Addr) appendHeader(e *netlink.Encoder) {
	h := [unix.SizeofIfAddrmsg]byte{d.Family, d.PrefixLen, uint8(d.Flags), d.Scope}
	binary.NativeEndian.PutUint32(h[4:], uint32(d.Index))
	e.Fixed(h[:])
}

// Decode resets d and fills it from a payload.
func (d *Addr) Decode(b []byte) error {
	label := d.Label
	*d = Addr{ValidLft: Forever, PreferredLft: Forever, Extra: d.Extra[:0]}
	h, rest := split(b, unix.SizeofIfAddrmsg)
	d.Family, d.PrefixLen, d.Flags, d.Scope = h[0], h[1], uint32(h[2]), h[3]
	d.Index = int32(binary.NativeEndian.Uint32(h[4:]))
	a := netlink.ReadAttrs(rest)
	for a.Next() {
		if a.Type() == unix.IFA_LABEL {
			d.Label = again(label, a.CString())
		} else {
			d.decodeAttr(&a)
		}
	}
	// A plain IPv6 address comes as IFA_ADDRESS only, a plain IPv4 one as both.
	if !d.Local.IsValid() {
		d.Local = d.Peer
	}
	if d.Peer == d.Local {
		d.Peer = netip.Addr{}
	}
	// Of an IPv4 address without end only the flag is reported
	// (net/ipv4/devinet.c, inet_fill_ifaddr).
	if d.Family == unix.AF_INET && d.Flags&unix.IFA_F_PERMANENT != 0 && d.Flags&unix.IFA_F_DEPRECATED != 0 {
		d.PreferredLft = 0
	}
	return a.Err()
}

func (d *Addr) decodeAttr(a *netlink.Attrs) {
	switch a.Type() {
	case unix.IFA_LOCAL:
		d.Local = a.Addr()
	case unix.IFA_ADDRESS:
		d.Peer = a.Addr()
	case unix.IFA_BROADCAST:
		d.Broadcast = a.Addr()
	case unix.IFA_ANYCAST:
		d.Anycast = a.Addr()
	case unix.IFA_MULTICAST:
		d.Multicast = a.Addr()
	case unix.IFA_FLAGS:
		d.Flags = a.Uint32()
	case unix.IFA_RT_PRIORITY:
		d.Metric = a.Uint32()
	case IFA_PROTO:
		d.Proto = a.Uint8()
	case unix.IFA_CACHEINFO:
		if c := a.Bytes(); len(c) >= 8 {
			d.PreferredLft = binary.NativeEndian.Uint32(c[0:])
			d.ValidLft = binary.NativeEndian.Uint32(c[4:])
		}
	default:
		d.Extra = keep(d.Extra, a)
	}
}
