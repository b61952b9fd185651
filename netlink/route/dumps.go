package route

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// linkRequest is the payload of RTM_GETLINK.
type linkRequest struct {
	family uint8
	index  int32
	name   string
	mask   uint32 // RTEXT_FILTER_*
	nsid   *int32 // of the namespace to look into; nil: this one
}

func (q linkRequest) AppendTo(e *netlink.Encoder) {
	appendIfInfo(e, q.family, 0, q.index, 0, 0)
	if q.name != "" {
		e.String(nameKey(q.name), q.name)
	}
	e.Uint32(unix.IFLA_EXT_MASK, q.mask)
	if q.nsid != nil {
		e.Uint32(unix.IFLA_TARGET_NETNSID, uint32(*q.nsid))
	}
}

// Links yields all links, without statistics and virtual functions.
func (c *Conn) Links(ctx context.Context) iter.Seq2[*Link, error] {
	return dump(ctx, c, unix.RTM_GETLINK, unix.RTM_NEWLINK, linkRequest{mask: RTEXT_FILTER_SKIP_STATS},
		func(*Link) bool { return true })
}

// LinkByIndex returns one link. If there is none, the error matches unix.ENODEV.
func (c *Conn) LinkByIndex(ctx context.Context, index int32) (*Link, error) {
	if index <= 0 { // to the kernel that is no index
		return nil, fmt.Errorf("link %d: %w", index, unix.ENODEV)
	}
	l, err := c.link(ctx, linkRequest{index: index, mask: RTEXT_FILTER_SKIP_STATS})
	if err != nil {
		return nil, fmt.Errorf("link %d: %w", index, err)
	}
	return l, nil
}

// LinkByName returns the link with this name or alternative name. If there is
// none, the error matches unix.ENODEV.
func (c *Conn) LinkByName(ctx context.Context, name string) (*Link, error) {
	if !canBeName(name) {
		return nil, fmt.Errorf("link with a name of %d bytes: %w", len(name), unix.ENODEV)
	}
	l, err := c.link(ctx, linkRequest{name: name, mask: RTEXT_FILTER_SKIP_STATS})
	if err != nil {
		return nil, fmt.Errorf("link %s: %w", name, err)
	}
	return l, nil
}

// LinksByName is LinkByName for many links, in few sends. The result has a link
// for each name, nil for those that do not exist.
func (c *Conn) LinksByName(ctx context.Context, names []string) ([]*Link, error) {
	var b netlink.Batch
	var asked []int // positions in names
	for i, name := range names {
		if canBeName(name) {
			b.Add(unix.RTM_GETLINK, netlink.Echo, linkRequest{name: name, mask: RTEXT_FILTER_SKIP_STATS})
			asked = append(asked, i)
		}
	}
	res, err := c.Execute(ctx, &b)
	if err != nil && !errors.Is(err, netlink.ErrUnknown) {
		return nil, err
	}
	found := make([]*Link, len(names))
	for n, i := range asked {
		l, err := c.answer(ctx, &res, n, names[i])
		if err != nil && !errors.Is(err, unix.ENODEV) {
			return nil, err
		}
		found[i] = l
	}
	return found, nil
}

// answer returns the link in the n-th answer. One that is not there was lost, and
// is asked for again.
func (c *Conn) answer(ctx context.Context, res *netlink.Result, n int, name string) (*Link, error) {
	m, ok := res.Echo(n)
	err := res.Err(n)
	if !ok && (err == nil || errors.Is(err, netlink.ErrUnknown)) {
		return c.LinkByName(ctx, name)
	}
	l := new(Link)
	if ok {
		err = l.Decode(m.Data)
	}
	if err != nil {
		return nil, fmt.Errorf("link %s: %w", name, err)
	}
	return l, nil
}

// canBeName tells whether a link can have this name at all.
func canBeName(name string) bool { return name != "" && len(name) < altIfNameSize }

func (c *Conn) link(ctx context.Context, q linkRequest) (*Link, error) {
	m, err := c.Get(ctx, unix.RTM_GETLINK, 0, q)
	if err != nil {
		return nil, err
	}
	l := new(Link)
	return l, l.Decode(m.Data)
}

// BridgeVLANs yields the bridges and bridge ports that have VLANs. A kernel
// without VLAN filtering yields none.
func (c *Conn) BridgeVLANs(ctx context.Context) iter.Seq2[*BridgeVLANs, error] {
	return dump(ctx, c, unix.RTM_GETLINK, unix.RTM_NEWLINK,
		linkRequest{family: unix.AF_BRIDGE, mask: RTEXT_FILTER_BRVLAN_COMPRESSED},
		func(v *BridgeVLANs) bool { return len(v.VLANs) > 0 })
}

// An AddrFilter says which addresses to dump. Zero fields let all pass.
type AddrFilter struct {
	Family uint8 // 0: IPv4 and IPv6
	Index  int32 // of the link; if it does not exist, the error matches unix.ENODEV
}

// AppendTo appends the payload of RTM_GETADDR.
func (f AddrFilter) AppendTo(e *netlink.Encoder) {
	d := Addr{Family: f.Family, Index: f.Index}
	d.appendHeader(e)
}

// Addrs yields addresses.
func (c *Conn) Addrs(ctx context.Context, f AddrFilter) iter.Seq2[*Addr, error] {
	return dump(ctx, c, unix.RTM_GETADDR, unix.RTM_NEWADDR, f, func(d *Addr) bool {
		return isIP(d.Family, f.Family) && (f.Index == 0 || d.Index == f.Index)
	})
}

// A RouteFilter says which routes to dump. Zero fields let all pass.
type RouteFilter struct {
	Family   uint8 // 0: IPv4 and IPv6
	Protocol uint8
	Type     uint8
	Table    uint32 // a table that does not exist is empty
	OIF      int32  // one of the hops
}

// AppendTo appends the payload of RTM_GETROUTE.
func (f RouteFilter) AppendTo(e *netlink.Encoder) {
	table := uint8(unix.RT_TABLE_COMPAT)
	if f.Table < 256 {
		table = uint8(f.Table)
	}
	e.Fixed([]byte{f.Family, 0, 0, 0, table, f.Protocol, 0, f.Type, 0, 0, 0, 0})
	appendUint32(e, unix.RTA_TABLE, f.Table)
	appendIndex(e, unix.RTA_OIF, f.OIF, f.OIF != 0)
}

func (f *RouteFilter) match(r *Route) bool {
	return isIP(r.Family, f.Family) &&
		(f.Table == 0 || r.Table == f.Table) &&
		(f.Protocol == 0 || r.Protocol == f.Protocol) &&
		(f.Type == 0 || r.Type == f.Type) &&
		(f.OIF == 0 || r.uses(f.OIF))
}

// uses tells whether r leads through the link. Of a nexthop object only the
// kernel knows.
func (r *Route) uses(index int32) bool {
	return r.OIF == index || r.NHID != 0 ||
		slices.ContainsFunc(r.NextHops, func(h NextHop) bool { return h.OIF == index })
}

// Routes yields routes, without cached ones.
func (c *Conn) Routes(ctx context.Context, f RouteFilter) iter.Seq2[*Route, error] {
	seq := dump(ctx, c, unix.RTM_GETROUTE, unix.RTM_NEWROUTE, f, f.match)
	if f.Table != 0 {
		return withoutENOENT(seq)
	}
	return seq
}

// Rules yields rules in the order in which they are tried. Family 0 is IPv4 and
// IPv6.
func (c *Conn) Rules(ctx context.Context, family uint8) iter.Seq2[*Rule, error] {
	return dump(ctx, c, unix.RTM_GETRULE, unix.RTM_NEWRULE, familyRequest(family), func(r *Rule) bool {
		return isIP(r.Family, family)
	})
}

// familyRequest is a payload of struct fib_rule_hdr.
type familyRequest uint8

func (q familyRequest) AppendTo(e *netlink.Encoder) {
	e.Fixed([]byte{uint8(q), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
}

// A NeighborFilter says which neighbours to dump. Zero fields let all pass.
type NeighborFilter struct {
	Family uint8 // 0: IPv4 and IPv6
	Proxy  bool  // only proxy entries; otherwise there are none of them
	Index  int32 // of the link
	Master int32 // of the link's master
}

// AppendTo appends the payload of RTM_GETNEIGH.
func (f NeighborFilter) AppendTo(e *netlink.Encoder) {
	flags := uint8(0)
	if f.Proxy {
		flags = unix.NTF_PROXY
	}
	appendNdMsg(e, f.Family, 0, 0, flags, 0)
	appendIndex(e, unix.NDA_IFINDEX, f.Index, f.Index != 0)
	appendIndex(e, unix.NDA_MASTER, f.Master, f.Master != 0)
}

// Neighbors yields entries of the neighbour tables.
func (c *Conn) Neighbors(ctx context.Context, f NeighborFilter) iter.Seq2[*Neighbor, error] {
	return dump(ctx, c, unix.RTM_GETNEIGH, unix.RTM_NEWNEIGH, f, func(n *Neighbor) bool {
		return isIP(n.Family, f.Family) && n.IsProxy() == f.Proxy && (f.Index == 0 || n.Index == f.Index)
	})
}

// An FDBFilter says which forwarding entries to dump. Zero fields let all pass.
type FDBFilter struct {
	Index  int32 // of the bridge port or VXLAN
	Master int32 // of the bridge: its own entries and those of its ports
}

// AppendTo appends the payload of RTM_GETNEIGH.
func (f FDBFilter) AppendTo(e *netlink.Encoder) {
	appendNdMsg(e, unix.AF_BRIDGE, f.Index, 0, 0, 0)
	appendIndex(e, unix.NDA_MASTER, f.Master, f.Master != 0)
}

// FDB yields the forwarding entries of bridges and VXLANs.
func (c *Conn) FDB(ctx context.Context, f FDBFilter) iter.Seq2[*Neighbor, error] {
	return dump(ctx, c, unix.RTM_GETNEIGH, unix.RTM_NEWNEIGH, f, func(n *Neighbor) bool {
		return n.Family == unix.AF_BRIDGE && (f.Index == 0 || n.Index == f.Index)
	})
}
