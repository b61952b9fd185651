package route

import (
	"iter"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// bulk makes objects of one class, numbered from 0, and dumps them.
type bulk struct {
	typ  uint16
	make func(n uint16) netlink.Payload
	dump func() error
}

// read reads a dump to its end.
func read[P any](seq iter.Seq2[P, error]) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
	}
	return nil
}

// bulks are all classes that come in great numbers.
func (l *lab) bulks(v *Link) map[string]bulk {
	var metrics Metrics
	metrics.Put(unix.RTAX_MTU, 1300)
	metrics.PutCongestion("cubic")
	gw, gw6 := addr("192.0.2.1"), addr("2001:db8::1")
	hops := []NextHop{{Gateway: gw, OIF: v.Index, Weight: 3}, {Gateway: gw6, OIF: v.Index}, {Gateway: addr("192.0.2.5"), OIF: v.Index, Realms: 7}}
	all := map[string]bulk{}
	for i, r := range []Route{
		{Family: unix.AF_INET, Gateway: gw, OIF: v.Index, Metrics: metrics, PrefSrc: addr("192.0.2.2")},
		{Family: unix.AF_INET, NextHops: hops},
		{Family: unix.AF_INET, Gateway: gw6, OIF: v.Index, TOS: 16, Flags: unix.RTNH_F_ONLINK},
		{Family: unix.AF_INET6, Gateway: gw6, OIF: v.Index, Metrics: metrics},
	} {
		r.Table = 1000 + uint32(i)
		all["route "+string(rune('0'+i))] = bulk{unix.RTM_NEWROUTE, func(n uint16) netlink.Payload {
			r := unicast(r)
			r.Dst = netip.PrefixFrom(numbered(r.Family, n), numbered(r.Family, n).BitLen())
			return r
		}, func() error { return read(l.Routes(l.ctx, RouteFilter{Table: r.Table, Family: r.Family})) }}
	}
	all["address"] = bulk{unix.RTM_NEWADDR, func(n uint16) netlink.Payload {
		return &Addr{Family: unix.AF_INET, PrefixLen: 32, Index: v.Index, Local: numbered(unix.AF_INET, n), Metric: 5}
	}, func() error { return read(l.Addrs(l.ctx, AddrFilter{})) }}
	all["neighbour"] = bulk{unix.RTM_NEWNEIGH, func(n uint16) netlink.Payload {
		return &Neighbor{Family: unix.AF_INET, Index: v.Index, State: unix.NUD_PERMANENT, Dst: numbered(unix.AF_INET, n),
			LLAddr: HardwareAddr{2, 0, 0, 0, 0, 1}, Protocol: 110}
	}, func() error { return read(l.Neighbors(l.ctx, NeighborFilter{})) }}
	all["rule"] = bulk{unix.RTM_NEWRULE, func(n uint16) netlink.Payload {
		return &Rule{Family: unix.AF_INET, Priority: 1000 + uint32(n), IIF: "v0", Action: unix.FR_ACT_TO_TBL, Table: 5, DPort: PortRange{80, 90}}
	}, func() error { return read(l.Rules(l.ctx, unix.AF_INET)) }}
	return all
}

// numbered is an address of its own for each n.
func numbered(family uint8, n uint16) netip.Addr {
	if family == unix.AF_INET {
		return netip.AddrFrom4([4]byte{10, byte(n >> 8), byte(n), 1})
	}
	return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 5, byte(n >> 8), byte(n), 15: 1})
}

func TestDumpsAllocateNothingPerObject(t *testing.T) {
	l, v := routeLab(t)
	for name, b := range l.bulks(v) {
		t.Run(name, func(t *testing.T) {
			allocs := func(n uint16) float64 {
				var batch netlink.Batch
				for i := range n {
					batch.Add(b.typ, netlink.Create, b.make(i))
				}
				res, err := l.Execute(l.ctx, &batch)
				if err != nil || res.Err(int(n)-1) != nil { // those before may be there already
					t.Fatal(err, res.Err(int(n)-1))
				}
				return testing.AllocsPerRun(5, func() {
					if err := b.dump(); err != nil {
						t.Fatal(err)
					}
				})
			}
			few, many := allocs(10), allocs(800)
			if many > few+5 { // one more when a slice of the object grows
				t.Errorf("%v allocations for 10 objects, %v for 800", few, many)
			}
		})
	}
}
