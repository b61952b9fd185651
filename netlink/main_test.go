package netlink_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/testns"
	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/netns"
)

func TestMain(m *testing.M) { testns.Main(m) }

// payload is a Payload for tests, which would not be worth a type.
type payload func(e *netlink.Encoder)

func (p payload) AppendTo(e *netlink.Encoder) { p(e) }

// link is struct ifinfomsg and a name, if there is one.
func link(index int32, flags, change uint32, name string) payload {
	return func(e *netlink.Encoder) {
		b := e.Grow(unix.SizeofIfInfomsg)
		binary.NativeEndian.PutUint32(b[4:], uint32(index))
		binary.NativeEndian.PutUint32(b[8:], flags)
		binary.NativeEndian.PutUint32(b[12:], change)
		if name != "" {
			e.String(unix.IFLA_IFNAME, name)
		}
	}
}

// allLinks requests all links.
var allLinks = link(0, 0, 0, "")

// blackhole is the IPv4 route to 10.0.0.0/8's n-th address that drops packets. It
// needs no device, so it can be added in an empty namespace.
func blackhole(n int) payload {
	return func(e *netlink.Encoder) {
		rtMsg(e, 32, unix.RT_TABLE_MAIN, unix.RTPROT_STATIC, unix.RTN_BLACKHOLE)
		e.Addr(unix.RTA_DST, nth(n))
	}
}

func rtMsg(e *netlink.Encoder, dstLen, table, protocol, typ uint8) {
	e.Fixed([]byte{unix.AF_INET, dstLen, 0, 0, table, protocol, unix.RT_SCOPE_UNIVERSE, typ, 0, 0, 0, 0})
}

func nth(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
}

// routeDump requests the IPv4 routes of a table and a protocol; 0 means all.
func routeDump(table, protocol uint8) payload {
	return func(e *netlink.Encoder) { rtMsg(e, 0, table, protocol, 0) }
}

// address is an IPv4 address on the link with the given index.
func address(index int32, a netip.Addr) payload {
	return func(e *netlink.Encoder) {
		b := e.Grow(unix.SizeofIfAddrmsg)
		b[0], b[1] = unix.AF_INET, 32
		binary.NativeEndian.PutUint32(b[4:], uint32(index))
		e.Addr(unix.IFA_LOCAL, a)
	}
}

// allAddresses requests all IPv4 addresses.
var allAddresses = payload(func(e *netlink.Encoder) { e.Grow(unix.SizeofIfAddrmsg)[0] = unix.AF_INET })

// dial opens a client in a namespace of the test's own.
func dial(t testing.TB, cfg netlink.Config) (*netlink.Client, *netns.NS) {
	t.Helper()
	ns := testns.New(t)
	cfg.NetNS = ns.FD()
	return dialIn(t, cfg), ns
}

func dialIn(t testing.TB, cfg netlink.Config) *netlink.Client {
	t.Helper()
	c, err := netlink.Dial(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// within is a context that ends a test that hangs.
func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// addRoutes adds blackhole routes lo to hi-1.
func addRoutes(t testing.TB, c *netlink.Client, lo, hi int) {
	t.Helper()
	var b netlink.Batch
	for n := lo; n < hi; n++ {
		b.Add(unix.RTM_NEWROUTE, netlink.Create|netlink.Excl, blackhole(n))
	}
	res, err := c.Execute(within(t, time.Minute), &b)
	if err != nil {
		t.Fatal(err)
	}
	for i, err := range res.Errors() {
		t.Fatalf("route %d: %v", lo+i, err)
	}
}

// count counts what a dump yields before its error.
func count(ctx context.Context, c *netlink.Client, typ uint16, p netlink.Payload) (n int, err error) {
	for _, err := range c.Dump(ctx, typ, p) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// wantIs reports when err does not match all of the targets.
func wantIs(t testing.TB, err error, targets ...error) {
	t.Helper()
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Errorf("error %v, want one that matches %v", err, target)
		}
	}
}

// tally counts the outcomes of a batch as "ok 3, EEXIST 2, unknown 1".
func tally(res *netlink.Result, n int) string {
	var ok, unknown, other int
	refused := map[unix.Errno]int{}
	for i := range n {
		var refusal *netlink.Error
		switch err := res.Err(i); {
		case err == nil:
			ok++
		case errors.Is(err, netlink.ErrUnknown):
			unknown++
		case errors.As(err, &refusal):
			refused[refusal.Errno]++
		default:
			other++
		}
	}
	s := fmt.Sprintf("ok %d", ok)
	for errno, n := range refused {
		s += fmt.Sprintf(", %s %d", unix.ErrnoName(errno), n)
	}
	if unknown > 0 {
		s += fmt.Sprintf(", unknown %d", unknown)
	}
	if other > 0 {
		s += fmt.Sprintf(", other %d", other)
	}
	return s
}
