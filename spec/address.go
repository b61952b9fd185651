package spec

import "net/netip"

// Address is an IP address of a link.
type Address struct {
	Local     netip.Addr
	Peer      netip.Addr // invalid without a peer
	PrefixLen uint8      // of Peer where there is one, of Local otherwise
	Broadcast netip.Addr // invalid: none
	Label     string     // "": the link's name
	Scope     *uint8     // RT_SCOPE_*; nil: what the kernel and iproute2 make of it
	Metric    uint32     // of the prefix route; 0: the kernel's default

	ValidLft, PreferredLft *uint32 // seconds; nil: forever

	NoDAD, Home, MngTmpAddr, NoPrefixRoute bool

	Protocol *uint8 // nil: the document's
}

// Prefix returns Local with the prefix length. It is not masked.
func (a *Address) Prefix() netip.Prefix { return netip.PrefixFrom(a.Local, int(a.PrefixLen)) }
