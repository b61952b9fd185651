package route

import (
	"bytes"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// An Encap is a lightweight tunnel into which a route puts its packets.
type Encap struct {
	Type uint16 // LWTUNNEL_ENCAP_*; 0: none
	Data []byte // attributes of the type, encoded
}

// Equal tells whether both are the same, byte for byte.
func (c Encap) Equal(o Encap) bool { return c.Type == o.Type && bytes.Equal(c.Data, o.Data) }

func (c Encap) appendTo(e *netlink.Encoder) {
	e.Attr(unix.RTA_ENCAP|unix.NLA_F_NESTED, c.Data)
	e.Uint16(unix.RTA_ENCAP_TYPE, c.Type)
}
