package kind

import (
	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route/attr"
	"golang.org/x/sys/unix"
)

// Veth is one end of a virtual Ethernet cable. It has no rows: all there is to
// say about it is its peer, at creation.
type Veth struct {
	Peer *Peer // nil: the kernel names the peer and makes it beside the link
}

// A Peer is the other end of a veth as it is made together with this one. A dump
// does not report it; the peer is a link of its own there.
type Peer struct {
	Name    string // "" lets the kernel choose
	NetNSFD int    // an open namespace, 0 for that of the link
	Extra   []byte // further attributes of the peer, encoded (IFLA_ADDRESS, IFLA_MTU, ...)
}

// Name returns "veth".
func (*Veth) Name() string { return "veth" }

// Fields returns no rows.
func (*Veth) Fields() attr.Fields { return nil }

// encodeCreate appends VETH_INFO_PEER: a struct ifinfomsg and attributes, as in
// RTM_NEWLINK itself. On an existing link the kernel refuses it.
func (v *Veth) encodeCreate(e *netlink.Encoder) {
	if v.Peer == nil {
		return
	}
	nest := e.Begin(vethInfoPeer)
	e.Grow(unix.SizeofIfInfomsg)
	if v.Peer.Name != "" {
		e.String(unix.IFLA_IFNAME, v.Peer.Name)
	}
	if v.Peer.NetNSFD != 0 {
		e.Uint32(unix.IFLA_NET_NS_FD, uint32(v.Peer.NetNSFD))
	}
	e.Raw(v.Peer.Extra)
	e.End(nest)
}

func (v *Veth) setPeer(p *Peer) { v.Peer = p }
