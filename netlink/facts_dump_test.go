package netlink_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/testns"
	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/nltest"
)

func TestK06LargeDatagrams(t *testing.T) {
	var mu sync.Mutex
	largest := 0
	tap := &nltest.Tap{Recv: func(b []byte) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		largest = max(largest, len(b))
		return b, nil
	}}
	c, _ := dial(t, netlink.Config{Transport: tap.Transport})
	addRoutes(t, c, 0, 5000)
	largest = 0
	if n, err := count(within(t, time.Minute), c, unix.RTM_GETROUTE, routeDump(0, 0)); n < 5000 || err != nil {
		t.Fatalf("%d routes, %v", n, err)
	}
	if largest < 30_000 {
		t.Errorf("largest datagram %d bytes, want about 32 KiB", largest)
	}
}

func TestK06Truncation(t *testing.T) {
	_, ns := dial(t, netlink.Config{})
	s := open(t, netlink.Config{NetNS: ns.FD()})
	if err := s.Send(request(unix.RTM_GETLINK, netlink.Dump, 1, allLinks)); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Recv(make([]byte, 100), true); n <= 100 || err != nil {
		t.Errorf("receive into 100 bytes: %d, %v; want the whole datagram's length", n, err)
	}

	big := make([]byte, 100_000)
	k := &nltest.Kernel{Answer: func(s *nltest.Socket, requests []netlink.Message) {
		r := requests[0]
		if r.Flags&netlink.Dump == netlink.Dump {
			s.Push(nltest.Part(r, unix.RTM_NEWLINK, big), nltest.Done(r, 0, nil))
			return
		}
		s.Push(nltest.Object(r, unix.RTM_NEWLINK, big))
		s.Push(nltest.Ack(r))
	}}
	c := dialIn(t, netlink.Config{Transport: k.Transport})
	ctx := within(t, time.Minute)
	_, err := count(ctx, c, unix.RTM_GETLINK, allLinks)
	wantIs(t, err, unix.EMSGSIZE)
	if n, err := count(ctx, c, unix.RTM_GETLINK, allLinks); n != 1 || err != nil {
		t.Errorf("second dump: %d, %v; want the buffer to have grown", n, err)
	}
	_, err = c.Get(ctx, unix.RTM_GETLINK, 0, allLinks)
	wantIs(t, err, netlink.ErrUnknown)
	if m, err := c.Get(ctx, unix.RTM_GETLINK, 0, allLinks); len(m.Data) != len(big) || err != nil {
		t.Errorf("second request: %d bytes, %v", len(m.Data), err)
	}
}

func TestK07DumpInterrupted(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	ctx := within(t, time.Minute)
	const addresses = 4000
	var b netlink.Batch
	for n := range addresses {
		b.Add(unix.RTM_NEWADDR, netlink.Create|netlink.Excl, address(1, nth(n)))
	}
	if _, err := c.Execute(ctx, &b); err != nil {
		t.Fatal(err)
	}
	n := 0
	var last error
	for _, err := range c.Dump(ctx, unix.RTM_GETADDR, allAddresses) {
		if last != nil {
			t.Fatalf("dump went on after %v", last)
		}
		if last = err; err != nil {
			continue
		}
		if n++; n == 1 {
			if err := c.Do(ctx, unix.RTM_NEWADDR, netlink.Create|netlink.Excl, address(1, nth(addresses))); err != nil {
				t.Fatal(err)
			}
		}
	}
	wantIs(t, last, netlink.ErrDumpInterrupted)
	if n < addresses {
		t.Errorf("an interrupted dump yielded %d addresses of %d", n, addresses)
	}
	if _, err := count(ctx, c, unix.RTM_GETADDR, allAddresses); err != nil {
		t.Errorf("the next dump: %v", err)
	}
}

// TestK07RoutesAreNeverFlagged shows why ErrDumpInterrupted proves little.
func TestK07RoutesAreNeverFlagged(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	addRoutes(t, c, 0, 5000)
	n := 0
	for _, err := range c.Dump(within(t, time.Minute), unix.RTM_GETROUTE, routeDump(unix.RT_TABLE_MAIN, 0)) {
		if err != nil {
			t.Fatalf("%v: the doc of Dump says that this does not happen", err)
		}
		if n++; n%1000 == 1 {
			addRoutes(t, c, 5000+n, 5000+n+10)
		}
	}
}

func TestK07InterruptedOnDoneOnly(t *testing.T) {
	k := &nltest.Kernel{Answer: func(s *nltest.Socket, requests []netlink.Message) {
		done := nltest.Done(requests[0], 0, nil)
		done.Flags |= netlink.DumpInterrupted
		s.Push(nltest.Part(requests[0], unix.RTM_NEWLINK, nil))
		s.Push(done)
	}}
	c := dialIn(t, netlink.Config{Transport: k.Transport})
	n, err := count(within(t, time.Minute), c, unix.RTM_GETLINK, allLinks)
	wantIs(t, err, netlink.ErrDumpInterrupted)
	if n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
}

func TestK10ErrorInDone(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	ctx := within(t, time.Minute)
	n, err := count(ctx, c, unix.RTM_GETROUTE, payload(func(e *netlink.Encoder) {
		rtMsg(e, 0, 0, 0, 0)
		e.Uint32(unix.RTA_TABLE, 777)
	}))
	wantIs(t, err, unix.ENOENT)
	var refusal *netlink.Error
	if n != 0 || !errors.As(err, &refusal) || !strings.Contains(refusal.Text, "FIB table does not exist") {
		t.Errorf("dump of a missing table: %d routes, %v", n, err)
	}
	_, err = count(ctx, c, unix.RTM_GETROUTE, payload(func(e *netlink.Encoder) {
		rtMsg(e, 0, 0, 0, 0)
		e.Addr(unix.RTA_DST, nth(1))
	}))
	wantIs(t, err, unix.EINVAL)
	if !errors.As(err, &refusal) || refusal.Text == "" || refusal.Type != unix.RTM_GETROUTE {
		t.Errorf("dump with an attribute that is no filter: %v", err)
	}
	if n, err := count(ctx, c, unix.RTM_GETLINK, allLinks); n == 0 || err != nil {
		t.Errorf("dump after a refused one: %d links, %v", n, err)
	}
}

func TestK11FilterInTheKernel(t *testing.T) {
	strict, ns := dial(t, netlink.Config{})
	lax := dialIn(t, netlink.Config{NetNS: ns.FD(), Lax: true})
	ctx := within(t, time.Minute)
	addRoutes(t, strict, 0, 100)
	for name, test := range map[string]struct {
		c    *netlink.Client
		want int
	}{"strict": {strict, 0}, "lax": {lax, 100}} {
		n := 0
		for m, err := range test.c.Dump(ctx, unix.RTM_GETROUTE, routeDump(0, unix.RTPROT_BIRD)) {
			if err != nil {
				t.Fatal(err)
			}
			if m.Flags&netlink.DumpFiltered != 0 {
				t.Errorf("%s: a message is marked as filtered", name)
			}
			n++
		}
		if n != test.want {
			t.Errorf("%s: %d routes of a protocol that has none, want %d", name, n, test.want)
		}
	}
	for m, err := range strict.Dump(ctx, unix.RTM_GETROUTE, routeDump(0, unix.RTPROT_STATIC)) {
		if err != nil || m.Flags&netlink.DumpFiltered == 0 {
			t.Fatalf("flags %v, %v; want dump-filtered", m.Flags, err)
		}
	}
	// One byte, as struct rtgenmsg, is no header for a strict kernel.
	_, err := count(ctx, strict, unix.RTM_GETROUTE, payload(func(e *netlink.Encoder) { e.Fixed([]byte{unix.AF_INET}) }))
	wantIs(t, err, unix.EINVAL)
}

func TestK14Policy(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	ctx := within(t, time.Minute)
	err := c.Do(ctx, unix.RTM_NEWLINK, netlink.Create, link(0, 0, 0, "sixteen-letters-"))
	wantIs(t, err, unix.ERANGE)
	var refusal *netlink.Error
	if !errors.As(err, &refusal) {
		t.Fatal(err)
	}
	if refusal.Policy == nil || refusal.Policy.MaxLength != 15 || len(refusal.Path) != 1 || refusal.Path[0] != unix.IFLA_IFNAME {
		t.Errorf("path %v, policy %+v; want IFLA_IFNAME and a limit of 15 bytes", refusal.Path, refusal.Policy)
	}

	// Inside IFLA_LINKINFO and IFLA_INFO_DATA: an id of two bytes.
	err = c.Do(ctx, unix.RTM_NEWLINK, netlink.Create, payload(func(e *netlink.Encoder) {
		link(0, 0, 0, "br0")(e)
		info := e.Begin(unix.IFLA_LINKINFO)
		e.String(unix.IFLA_INFO_KIND, "bridge")
		data := e.Begin(unix.IFLA_INFO_DATA)
		e.Uint32(unix.IFLA_BR_AGEING_TIME, 100)
		e.Uint16(unix.IFLA_BR_FORWARD_DELAY, 1)
		e.End(data)
		e.End(info)
	}))
	wantIs(t, err, unix.ERANGE)
	if !errors.As(err, &refusal) {
		t.Fatal(err)
	}
	t.Log(err)
	if got := refusal.Path; len(got) != 3 || got[0] != unix.IFLA_LINKINFO || got[1] != unix.IFLA_INFO_DATA || got[2] != unix.IFLA_BR_FORWARD_DELAY {
		t.Errorf("path %v, want IFLA_LINKINFO, IFLA_INFO_DATA, IFLA_BR_FORWARD_DELAY", got)
	}
	if refusal.Seq == 0 || refusal.Type != unix.RTM_NEWLINK {
		t.Errorf("message type %d, number %d", refusal.Type, refusal.Seq)
	}
}

// TestK14RefusalsWithTexts fills the receive buffer with the longest refusals
// there are.
func TestK14RefusalsWithTexts(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	const n = 1000
	for name, p := range map[string]payload{
		"policy": link(0, 0, 0, "sixteen-letters-"),
		"nested policy": func(e *netlink.Encoder) {
			link(0, 0, 0, "br0")(e)
			info := e.Begin(unix.IFLA_LINKINFO)
			e.String(unix.IFLA_INFO_KIND, "bridge")
			data := e.Begin(unix.IFLA_INFO_DATA)
			e.Uint16(unix.IFLA_BR_FORWARD_DELAY, 1)
			e.End(data)
			e.End(info)
		},
	} {
		var b netlink.Batch
		for range n {
			b.Add(unix.RTM_NEWLINK, netlink.Create, p)
		}
		res, err := c.Execute(within(t, time.Minute), &b)
		if got := tally(&res, n); got != "ok 0, ERANGE 1000" || err != nil {
			t.Errorf("%s: %s, %v", name, got, err)
		}
		var refusal *netlink.Error
		if !errors.As(res.Err(n-1), &refusal) || refusal.Policy == nil || refusal.Text == "" {
			t.Errorf("%s: %v", name, res.Err(n-1))
		}
	}
}

// oif returns the output interface of an RTM_NEWROUTE or RTM_DELROUTE message.
func oif(m netlink.Message) uint32 {
	a := netlink.ReadAttrs(m.Data[unix.SizeofRtMsg:])
	for a.Next() {
		if a.Type() == unix.RTA_OIF {
			return a.Uint32()
		}
	}
	return 0
}

// upLink makes a link that is up, with an address, and returns its index.
func upLink(t *testing.T) (c *netlink.Client, index uint32) {
	t.Helper()
	c, ns := dial(t, netlink.Config{})
	testns.Run(t, ns, "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
	testns.Run(t, ns, "ip", "link", "set", "v1", "up")
	testns.Run(t, ns, "ip", "link", "set", "v0", "up")
	testns.Run(t, ns, "ip", "address", "add", "192.0.2.1/24", "dev", "v0")
	testns.Run(t, ns, "ip", "route", "add", "198.51.100.0/24", "via", "192.0.2.2")
	m, err := c.Get(within(t, time.Minute), unix.RTM_GETLINK, 0, link(0, 0, 0, "v0"))
	if err != nil {
		t.Fatal(err)
	}
	return c, binary.NativeEndian.Uint32(m.Data[4:])
}

func TestK08IPv4RoutesVanishSilently(t *testing.T) {
	c, index := upLink(t)
	sub, err := c.Subscribe(unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_NEIGH)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	ctx := within(t, time.Minute)
	if err := c.Do(ctx, unix.RTM_NEWLINK, 0, link(int32(index), 0, unix.IFF_UP, "")); err != nil {
		t.Fatal(err)
	}
	addRoutes(t, c, 0, 1) // its event comes after all others
	for m, err := range sub.Messages(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if m.Type == unix.RTM_DELROUTE && oif(m) == index {
			t.Error("the kernel reports an IPv4 route that went with its link: watchers need not dump on that any more")
		}
		if m.Type == unix.RTM_NEWROUTE && oif(m) == 0 {
			break
		}
	}
	if n, err := count(ctx, c, unix.RTM_GETROUTE, routeDump(unix.RT_TABLE_MAIN, 0)); n != 1 || err != nil {
		t.Errorf("%d routes are left, %v; want only the one without a device", n, err)
	}
}

func TestK09ReplaceTakesTheFirstRoute(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	ctx := within(t, time.Minute)
	typed := func(typ uint8) payload {
		return func(e *netlink.Encoder) {
			rtMsg(e, 32, unix.RT_TABLE_MAIN, unix.RTPROT_STATIC, typ)
			e.Addr(unix.RTA_DST, nth(1))
		}
	}
	sub, err := c.Subscribe(unix.RTNLGRP_IPV4_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	for _, step := range []struct {
		flags netlink.Flags
		p     payload
		want  int // routes afterwards
	}{
		{netlink.Create | netlink.Excl, typed(unix.RTN_BLACKHOLE), 1},
		{netlink.Create | netlink.Append, typed(unix.RTN_PROHIBIT), 2},
		{netlink.Create | netlink.Replace, typed(unix.RTN_UNREACHABLE), 2},
	} {
		if err := c.Do(ctx, unix.RTM_NEWROUTE, step.flags, step.p); err != nil {
			t.Fatal(err)
		}
		if n, err := count(ctx, c, unix.RTM_GETROUTE, routeDump(unix.RT_TABLE_MAIN, 0)); n != step.want || err != nil {
			t.Errorf("after %v: %d routes, %v; want %d", step.flags, n, err, step.want)
		}
	}
	var last netlink.Flags
	events := 0
	for m, err := range sub.Messages(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		last = m.Flags
		if events++; events == 3 {
			break
		}
	}
	if last&netlink.Replace == 0 {
		t.Errorf("event of the replacement has flags %v, want replace", last)
	}
}
