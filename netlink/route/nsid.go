package route

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// NoNSID is the id of a network namespace that has none here.
const NoNSID = unix.NETNSA_NSID_NOT_ASSIGNED

// An NSID is the id that one network namespace has in another: the payload of
// RTM_NEWNSID and RTM_GETNSID.
type NSID struct {
	ID    int32 // NoNSID: none, or the kernel shall choose
	FD    int32 // of the namespace, in requests; see HasFD
	HasFD bool
	Extra []byte // attributes that are not known here
}

// AppendTo appends the payload.
func (n *NSID) AppendTo(e *netlink.Encoder) {
	e.Fixed([]byte{unix.AF_UNSPEC}) // struct rtgenmsg
	appendIndex(e, unix.NETNSA_FD, n.FD, n.HasFD)
	e.Uint32(unix.NETNSA_NSID, uint32(n.ID))
	e.Raw(n.Extra)
}

// Decode resets n and fills it from a payload.
func (n *NSID) Decode(b []byte) error {
	*n = NSID{ID: NoNSID, Extra: n.Extra[:0]}
	_, rest := split(b, unix.NLMSG_ALIGNTO)
	a := netlink.ReadAttrs(rest)
	for a.Next() {
		switch a.Type() {
		case unix.NETNSA_NSID:
			n.ID = a.Int32()
		case unix.NETNSA_FD:
			n.FD, n.HasFD = a.Int32(), true
		default:
			n.Extra = keep(n.Extra, &a)
		}
	}
	return a.Err()
}

// getNSID asks for the id of a namespace. Strict checking takes no NETNSA_NSID
// together with the descriptor.
type getNSID int

func (fd getNSID) AppendTo(e *netlink.Encoder) {
	e.Fixed([]byte{unix.AF_UNSPEC})
	e.Uint32(unix.NETNSA_FD, uint32(fd))
}

// NSID returns the id that the namespace behind fd has in the namespace of c,
// NoNSID if none.
func (c *Conn) NSID(ctx context.Context, fd int) (int32, error) {
	m, err := c.Get(ctx, unix.RTM_GETNSID, 0, getNSID(fd))
	if err != nil {
		return NoNSID, fmt.Errorf("namespace id: %w", err)
	}
	var n NSID
	err = n.Decode(m.Data)
	return n.ID, err
}

// SetNSID gives the namespace behind fd an id in the namespace of c; with NoNSID
// the kernel chooses. If it has one, the error matches unix.EEXIST.
func (c *Conn) SetNSID(ctx context.Context, fd int, id int32) error {
	if err := c.Do(ctx, unix.RTM_NEWNSID, 0, &NSID{ID: id, FD: int32(fd), HasFD: true}); err != nil {
		return fmt.Errorf("namespace id %d: %w", id, err)
	}
	return nil
}

// LinkInNSID returns one link of the namespace that has an id here
// (IFLA_TARGET_NETNSID). If there is no such link, the error matches
// unix.ENODEV; if there is no such id, unix.EINVAL.
func (c *Conn) LinkInNSID(ctx context.Context, id, index int32) (*Link, error) {
	l, err := c.link(ctx, linkRequest{index: index, mask: RTEXT_FILTER_SKIP_STATS, nsid: &id})
	if err != nil {
		return nil, fmt.Errorf("link %d in namespace %d: %w", index, id, err)
	}
	return l, nil
}
