package spec

import "net/netip"

// Neighbor is a permanent neighbour, or an address that the host answers for.
type Neighbor struct {
	To       netip.Addr
	LLAddr   HardwareAddr // nil with Proxy
	Dev      string
	Router   bool
	Proxy    bool
	Protocol *uint8 // nil: the document's
}
