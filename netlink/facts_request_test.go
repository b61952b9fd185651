package netlink_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/nltest"
)

// The tests TestK01 to TestK16 show the facts of kernels that this package is
// built on: first the kernel's behaviour, where a raw socket can show it, then
// that a client does not stumble over it.

// open opens a raw socket in the test's own namespace.
func open(t *testing.T, cfg netlink.Config) netlink.Socket {
	t.Helper()
	s, err := netlink.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// request encodes a message as it goes over the wire.
func request(typ uint16, flags netlink.Flags, seq uint32, p payload) []byte {
	var e netlink.Encoder
	p(&e)
	return netlink.Message{Type: typ, Flags: flags | netlink.Request, Seq: seq, Data: e.Bytes()}.AppendTo(nil)
}

// receive returns all messages that are queued, and the errors in between.
func receive(t *testing.T, s netlink.Socket) (messages []netlink.Message, errs []error) {
	t.Helper()
	buf := make([]byte, 64<<10)
	for {
		n, err := s.Recv(buf, false)
		if errors.Is(err, unix.EAGAIN) {
			return messages, errs
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for m, err := range netlink.ReadMessages(buf[:n]) {
			if err != nil {
				t.Fatal(err)
			}
			messages = append(messages, m.Clone())
		}
	}
}

func TestK01OneDumpPerSocket(t *testing.T) {
	c, ns := dial(t, netlink.Config{})
	const routes = 2000
	addRoutes(t, c, 0, routes)

	s := open(t, netlink.Config{NetNS: ns.FD()})
	for seq := uint32(1); seq <= 2; seq++ {
		if err := s.Send(request(unix.RTM_GETROUTE, netlink.Dump, seq, routeDump(0, 0))); err != nil {
			t.Fatal(err)
		}
	}
	messages, _ := receive(t, s)
	busy := slices.ContainsFunc(messages, func(m netlink.Message) bool {
		return m.Seq == 2 && m.Type == unix.NLMSG_ERROR
	})
	if !busy {
		t.Error("the kernel ran two dumps on one socket")
	}

	ctx := within(t, time.Minute)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if n, err := count(ctx, c, unix.RTM_GETROUTE, routeDump(unix.RT_TABLE_MAIN, 0)); n != routes || err != nil {
				t.Errorf("a dump among others yielded %d routes, want %d: %v", n, routes, err)
			}
		})
		wg.Go(func() {
			if err := c.Do(ctx, unix.RTM_NEWROUTE, netlink.Create|netlink.Excl, blackhole(7)); !errors.Is(err, unix.EEXIST) {
				t.Errorf("a request among dumps: %v, want EEXIST", err)
			}
		})
	}
	wg.Wait()
}

func TestK01DumpLeftMidway(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	addRoutes(t, c, 0, 2000)
	ctx := within(t, time.Minute)
	for range 10 {
		for range c.Dump(ctx, unix.RTM_GETROUTE, routeDump(0, 0)) {
			break
		}
		if n, err := count(ctx, c, unix.RTM_GETROUTE, routeDump(unix.RT_TABLE_MAIN, 0)); n != 2000 || err != nil {
			t.Fatalf("dump after one that was left: %d routes, %v", n, err)
		}
	}
}

func TestK02StrangersEventIsNoAnswer(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	sub, err := c.Subscribe(unix.RTNLGRP_IPV4_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	addRoutes(t, c, 0, 1)
	for m, err := range sub.Messages(within(t, time.Minute)) {
		if err != nil {
			t.Fatal(err)
		}
		if m.Port != c.Port() || m.Seq == 0 {
			t.Errorf("event has port %d and number %d, want the requester's: port %d", m.Port, m.Seq, c.Port())
		}
		break
	}

	k := &nltest.Kernel{Answer: func(s *nltest.Socket, requests []netlink.Message) {
		stranger := requests[0]
		stranger.Port++
		s.Push(nltest.Object(stranger, unix.RTM_NEWROUTE, []byte("not ours")))
		s.Push(nltest.Refuse(stranger, unix.EPERM, nil))
		kernels := requests[0]
		kernels.Port = 0
		s.Push(nltest.Object(kernels, unix.RTM_NEWROUTE, []byte("not ours")))
		s.Push(nltest.Object(requests[0], unix.RTM_NEWROUTE, []byte("ours")), nltest.Ack(requests[0]))
	}}
	fake := dialIn(t, netlink.Config{Transport: k.Transport})
	m, err := fake.Get(within(t, time.Minute), unix.RTM_GETROUTE, 0, blackhole(0))
	if err != nil || string(m.Data) != "ours" {
		t.Errorf("answer %q, %v", m.Data, err)
	}
	if n := fake.Stats().Dropped; n != 3 {
		t.Errorf("%d messages dropped, want 3", n)
	}
}

// TestK02SequenceNumbersWrap comes to the end of the numbers in the middle of
// batches. The kernel's own events have number 0.
func TestK02SequenceNumbersWrap(t *testing.T) {
	var mu sync.Mutex
	seen := make(map[uint32]bool)
	tap := &nltest.Tap{Send: func(b []byte, next func([]byte) error) error {
		mu.Lock()
		defer mu.Unlock()
		for m, err := range netlink.ReadMessages(b) {
			if err != nil || m.Seq == 0 || seen[m.Seq] {
				t.Errorf("request with number %d, used before %v: %v", m.Seq, seen[m.Seq], err)
			}
			seen[m.Seq] = true
		}
		return next(b)
	}}
	c, _ := dial(t, netlink.Config{Transport: tap.Transport})
	addRoutes(t, c, 0, 250)
	clear(seen)
	netlink.SetSeq(c, math.MaxUint32-777)
	var wg sync.WaitGroup
	for w := range 10 {
		wg.Go(func() {
			outcomes := make([]error, 100)
			addEach(within(t, time.Minute), c, w, outcomes, w*100)
			for i, err := range outcomes {
				if n := w*100 + i; errors.Is(err, unix.EEXIST) != (n < 250) {
					t.Errorf("route %d: %v", n, err)
				}
			}
		})
	}
	wg.Wait()
	if !seen[1] || len(seen) != 1000 {
		t.Errorf("%d numbers, from the beginning again: %v", len(seen), seen[1])
	}
}

func TestK03AckFlood(t *testing.T) {
	c, ns := dial(t, netlink.Config{})
	s := open(t, netlink.Config{NetNS: ns.FD()})
	const flood = 3000
	for n := range flood {
		if err := s.Send(request(unix.RTM_NEWROUTE, netlink.Create|netlink.Ack, uint32(n+1), blackhole(n))); err != nil {
			t.Fatal(err)
		}
	}
	acks, errs := receive(t, s)
	if len(errs) != 1 || !errors.Is(errs[0], unix.ENOBUFS) || len(acks) >= flood {
		t.Errorf("flood: %d acknowledgements, errors %v; want fewer and one ENOBUFS", len(acks), errs)
	}
	if n, err := count(within(t, time.Minute), c, unix.RTM_GETROUTE, routeDump(unix.RT_TABLE_MAIN, 0)); n != flood || err != nil {
		t.Errorf("%d routes, want all %d: %v", n, flood, err)
	}

	// The same from a client, in a batch and from many goroutines: nothing is lost.
	addRoutes(t, c, flood, 2*flood)
	var wg sync.WaitGroup
	for g := range 1000 {
		wg.Go(func() {
			if err := c.Do(t.Context(), unix.RTM_NEWROUTE, netlink.Create|netlink.Excl, blackhole(2*flood+g)); err != nil {
				t.Errorf("route %d: %v", g, err)
			}
		})
	}
	wg.Wait()
	if n := c.Stats().Overruns; n != 0 {
		t.Errorf("%d overruns, want none", n)
	}
}

func TestK04ErrorsBySequenceNumber(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	const n = 10_000
	addRoutes(t, c, 0, n)
	var b netlink.Batch
	for i := range n {
		b.Add(unix.RTM_NEWROUTE, netlink.Create|netlink.Excl, blackhole(i))
	}
	res, err := c.Execute(within(t, time.Minute), &b)
	if got := tally(&res, n); got != "ok 0, EEXIST 10000" || err != nil {
		t.Errorf("all refused: %s, %v", got, err)
	}
	b.Reset()
	for i := range n {
		if i%3 == 0 {
			b.Add(unix.RTM_NEWROUTE, netlink.Create|netlink.Excl, blackhole(i))
		} else {
			b.Add(unix.RTM_DELROUTE, 0, blackhole(i))
		}
	}
	res, err = c.Execute(within(t, time.Minute), &b)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if failed := res.Err(i) != nil; failed != (i%3 == 0) {
			t.Fatalf("message %d: %v", i, res.Err(i))
		}
	}
}

func TestK05LargeMessages(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	huge := func(e *netlink.Encoder) {
		link(0, 0, 0, "nosuch")(e)
		for range 4 {
			e.Attr(unix.IFLA_IFALIAS, make([]byte, 60_000))
		}
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	err = unix.Sendto(fd, make([]byte, 212992), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	wantIs(t, err, unix.EMSGSIZE)

	var b netlink.Batch
	for n := range 10 {
		b.Add(unix.RTM_NEWROUTE, netlink.Create|netlink.Excl, blackhole(n))
	}
	b.Add(unix.RTM_SETLINK, 0, payload(huge))
	b.Add(unix.RTM_SETLINK, 0, payload(func(e *netlink.Encoder) {
		link(0, 0, 0, "nosuch")(e)
		e.Attr(unix.IFLA_IFALIAS, make([]byte, 1<<16))
	}))
	for n := range 10 {
		b.Add(unix.RTM_DELROUTE, 0, blackhole(n))
	}
	res, err := c.Execute(within(t, time.Minute), &b)
	if err != nil {
		t.Fatal(err)
	}
	var refusal *netlink.Error
	for i, err := range res.Errors() {
		switch i {
		case 10:
			if !errors.As(err, &refusal) {
				t.Errorf("message of 240 kB: %v, want the kernel's own refusal", err)
			}
		case 11:
			wantIs(t, err, unix.EMSGSIZE) // attribute over 64 KiB
		default:
			t.Errorf("message %d: %v", i, err)
		}
	}
}

// TestK05DatagramsAreSplit has a send buffer as small as net.core.wmem_max can
// make it: a batch goes in more datagrams, and only a message that is too large
// by itself stays unsent, with those behind it.
func TestK05DatagramsAreSplit(t *testing.T) {
	var mu sync.Mutex
	largest := 0
	tap := &nltest.Tap{Send: func(b []byte, next func([]byte) error) error {
		mu.Lock()
		defer mu.Unlock()
		if len(b) > 1000 {
			return unix.EMSGSIZE
		}
		largest = max(largest, len(b))
		return next(b)
	}}
	c, _ := dial(t, netlink.Config{Transport: tap.Transport})
	addRoutes(t, c, 0, 500)
	if got := c.Stats().Sent[unix.RTM_NEWROUTE]; got != 500 || largest == 0 {
		t.Errorf("sent %d messages, want 500, in up to %d bytes", got, largest)
	}
	b := batchOf(30, netlink.Create|netlink.Replace)
	b.Add(unix.RTM_SETLINK, 0, payload(func(e *netlink.Encoder) { e.Attr(unix.IFLA_IFALIAS, make([]byte, 2000)) }))
	b.Add(unix.RTM_DELROUTE, 0, blackhole(0))
	res, err := c.Execute(within(t, time.Minute), b)
	wantIs(t, err, unix.EMSGSIZE)
	for i := range b.Len() {
		if unsent := errors.Is(res.Err(i), unix.EMSGSIZE); unsent != (i >= 30) {
			t.Errorf("message %d: %v", i, res.Err(i))
		}
	}
}

func TestK13AuditAnswersAfterItsAcknowledgement(t *testing.T) {
	k := &nltest.Kernel{Answer: func(s *nltest.Socket, requests []netlink.Message) {
		s.Push(nltest.Ack(requests[0]))
		requests[0].Port = 0
		go func() {
			time.Sleep(5 * time.Millisecond)
			s.Push(nltest.Object(requests[0], unix.AUDIT_GET, []byte("status")))
		}()
	}}
	c := dialIn(t, netlink.Config{Protocol: unix.NETLINK_AUDIT, Transport: k.Transport})
	for range 3 {
		m, err := c.Get(within(t, time.Minute), unix.AUDIT_GET, 0, nil)
		if err != nil || string(m.Data) != "status" {
			t.Errorf("answer %q, %v", m.Data, err)
		}
	}
	// A request without an answer ends with its acknowledgement.
	if err := c.Do(within(t, time.Minute), unix.AUDIT_SET, 0, nil); err != nil {
		t.Error(err)
	}
	// An answer that never comes ends with the context.
	ctx, cancel := context.WithCancel(t.Context())
	k.Answer = func(s *nltest.Socket, requests []netlink.Message) {
		s.Push(nltest.Ack(requests[0]))
		cancel()
	}
	_, err := c.Get(ctx, unix.AUDIT_GET, 0, nil)
	wantIs(t, err, netlink.ErrUnknown, context.Canceled)
}

// TestK13Audit asks the kernel itself, which takes it only from the first user
// and process namespaces.
func TestK13Audit(t *testing.T) {
	c, err := netlink.Dial(netlink.Config{Protocol: unix.NETLINK_AUDIT})
	if errors.Is(err, unix.EPROTONOSUPPORT) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 3 {
		m, err := c.Get(within(t, time.Minute), unix.AUDIT_GET, 0, nil)
		if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ECONNREFUSED) {
			t.Skip(err)
		}
		if err != nil || m.Type != unix.AUDIT_GET || m.Port != 0 || len(m.Data) < 32 {
			t.Errorf("answer of type %d from port %d with %d bytes, %v", m.Type, m.Port, len(m.Data), err)
		}
	}
	if _, err := count(within(t, time.Minute), c, unix.AUDIT_LIST_RULES, nil); err != nil {
		t.Error(err)
	}
}

func TestK13AuditList(t *testing.T) {
	k := &nltest.Kernel{Answer: func(s *nltest.Socket, requests []netlink.Message) {
		ack := nltest.Ack(requests[0])
		requests[0].Port = 0
		s.Push(ack)
		s.Push(nltest.Part(requests[0], unix.AUDIT_LIST_RULES, nil))
		s.Push(nltest.Part(requests[0], unix.AUDIT_LIST_RULES, nil), nltest.Done(requests[0], 0, nil))
	}}
	c := dialIn(t, netlink.Config{Protocol: unix.NETLINK_AUDIT, Transport: k.Transport})
	if n, err := count(within(t, time.Minute), c, unix.AUDIT_LIST_RULES, nil); n != 2 || err != nil {
		t.Errorf("%d rules, %v", n, err)
	}
}

func TestK16UnknownLinkKind(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	err := c.Do(within(t, time.Minute), unix.RTM_NEWLINK, netlink.Create|netlink.Excl, payload(func(e *netlink.Encoder) {
		link(0, 0, 0, "x0")(e)
		info := e.Begin(unix.IFLA_LINKINFO)
		e.String(unix.IFLA_INFO_KIND, "nosuchkind")
		e.End(info)
	}))
	wantIs(t, err, unix.EOPNOTSUPP)
	if err == nil || err.Error() != "operation not supported: Unknown device type" {
		t.Errorf("error %q", err)
	}
}
