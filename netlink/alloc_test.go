package netlink_test

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// plainRoute is blackhole without a closure, which would count as an allocation.
type plainRoute struct{ n int }

func (r *plainRoute) AppendTo(e *netlink.Encoder) {
	b := e.Grow(unix.SizeofRtMsg)
	b[0], b[1], b[4], b[5], b[7] = unix.AF_INET, 32, unix.RT_TABLE_MAIN, unix.RTPROT_STATIC, unix.RTN_BLACKHOLE
	e.Addr(unix.RTA_DST, nth(r.n))
}

func TestK15EncodeAllocatesNothing(t *testing.T) {
	var b netlink.Batch
	r := new(plainRoute)
	fill := func() {
		b.Reset()
		for r.n = range 1000 {
			b.Add(unix.RTM_NEWROUTE, netlink.Create, r)
		}
	}
	fill()
	if n := testing.AllocsPerRun(10, fill); n != 0 {
		t.Errorf("%v allocations for 1000 messages, want none", n)
	}
}

func TestK15BatchAllocatesNothingPerMessage(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	ctx := within(t, time.Minute)
	var b netlink.Batch
	r := new(plainRoute)
	execute := func(n int) float64 {
		return testing.AllocsPerRun(5, func() {
			b.Reset()
			for r.n = range n {
				b.Add(unix.RTM_NEWROUTE, netlink.Create|netlink.Replace, r)
			}
			if _, err := c.Execute(ctx, &b); err != nil {
				t.Fatal(err)
			}
		})
	}
	few, many := execute(200), execute(10_000)
	if many > few {
		t.Errorf("%v allocations for 200 messages, %v for 10000; want the same", few, many)
	}
}

func TestK15DumpAllocatesNothingPerMessage(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	ctx := within(t, time.Minute)
	sum := 0
	dump := func() float64 {
		return testing.AllocsPerRun(5, func() {
			for m, err := range c.Dump(ctx, unix.RTM_GETROUTE, routeDump(unix.RT_TABLE_MAIN, 0)) {
				if err != nil {
					t.Fatal(err)
				}
				a := netlink.ReadAttrs(m.Data[unix.SizeofRtMsg:])
				for a.Next() {
					sum += int(a.Uint32())
				}
			}
		})
	}
	addRoutes(t, c, 0, 10)
	few := dump()
	addRoutes(t, c, 10, 10_000)
	if many := dump(); many > few {
		t.Errorf("%v allocations for 10 routes, %v for 10000; want the same", few, many)
	}
}

func BenchmarkBatchAdd(b *testing.B) {
	var batch netlink.Batch
	r := new(plainRoute)
	b.ReportAllocs()
	for b.Loop() {
		if batch.Len() == 1000 {
			batch.Reset()
		}
		r.n++
		batch.Add(unix.RTM_NEWROUTE, netlink.Create, r)
	}
}

// BenchmarkDump reads 100000 routes; ns/route is the figure.
func BenchmarkDump(b *testing.B) {
	c, _ := dial(b, netlink.Config{})
	const routes = 100_000
	addRoutes(b, c, 0, routes)
	b.ReportAllocs()
	for b.Loop() {
		if n, err := count(b.Context(), c, unix.RTM_GETROUTE, routeDump(unix.RT_TABLE_MAIN, 0)); n != routes || err != nil {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/routes, "ns/route")
}

// BenchmarkExecute replaces 10000 routes that exist.
func BenchmarkExecute(b *testing.B) {
	c, _ := dial(b, netlink.Config{})
	const routes = 10_000
	var batch netlink.Batch
	r := new(plainRoute)
	for r.n = range routes {
		batch.Add(unix.RTM_NEWROUTE, netlink.Create|netlink.Replace, r)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Execute(b.Context(), &batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/routes, "ns/route")
}

func BenchmarkDo(b *testing.B) {
	c, _ := dial(b, netlink.Config{})
	r := new(plainRoute)
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Do(b.Context(), unix.RTM_NEWROUTE, netlink.Create|netlink.Replace, r); err != nil {
			b.Fatal(err)
		}
	}
}
