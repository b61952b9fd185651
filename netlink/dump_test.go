package netlink_test

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/testns"
	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/nltest"
)

// dumpFaults are what a kernel may answer to the request of a dump.
var dumpFaults = []struct {
	name   string
	answer func(s *nltest.Socket, r netlink.Message)
	n      int
	errs   []error
	reused bool // the socket is good for another dump
}{
	{"complete", func(s *nltest.Socket, r netlink.Message) {
		s.Push(nltest.Part(r, 16, nil), nltest.Part(r, 16, nil))
		s.Push(nltest.Done(r, 0, nil))
	}, 2, nil, true},
	{"unpadded at the end of a datagram", func(s *nltest.Socket, r netlink.Message) {
		s.PushBytes(nltest.Part(r, 16, []byte("odd!!")).AppendTo(nil)[:unix.NLMSG_HDRLEN+5])
		s.PushBytes(nltest.Done(r, 0, nil).AppendTo(nil))
	}, 1, nil, true},
	{"empty", func(s *nltest.Socket, r netlink.Message) { s.Push(nltest.Done(r, 0, nil)) }, 0, nil, true},
	{"DONE without a code", func(s *nltest.Socket, r netlink.Message) {
		done := nltest.Done(r, 0, nil)
		done.Data = nil
		s.Push(done)
	}, 0, nil, true},
	{"refused", func(s *nltest.Socket, r netlink.Message) { s.Push(nltest.Refuse(r, unix.EBUSY, nil)) },
		0, []error{unix.EBUSY}, true},
	{"error in DONE after an interruption", func(s *nltest.Socket, r netlink.Message) {
		part := nltest.Part(r, 16, nil)
		part.Flags |= netlink.DumpInterrupted
		s.Push(part)
		s.Push(nltest.Done(r, unix.ENODEV, nil))
	}, 1, []error{unix.ENODEV, netlink.ErrDumpInterrupted}, true},
	{"strangers in between", func(s *nltest.Socket, r netlink.Message) {
		stranger, late := r, r
		stranger.Port++
		late.Seq--
		s.Push(nltest.Part(r, 16, nil), nltest.Part(stranger, 16, nil), nltest.Done(stranger, 0, nil), nltest.Done(late, 0, nil))
		s.Push(nltest.Part(r, 16, nil), nltest.Done(r, 0, nil))
	}, 2, nil, true},
	{"interrupted receive", func(s *nltest.Socket, r netlink.Message) {
		s.Fail(unix.EINTR)
		s.Push(nltest.Done(r, 0, nil))
	}, 0, nil, true},
	{"overrun", func(s *nltest.Socket, r netlink.Message) {
		s.Push(nltest.Part(r, 16, nil))
		s.Fail(unix.ENOBUFS)
		s.Push(nltest.Done(r, 0, nil))
	}, 1, []error{netlink.ErrOverrun, unix.ENOBUFS}, false},
	{"NLMSG_OVERRUN", func(s *nltest.Socket, r netlink.Message) {
		s.Push(nltest.Object(r, unix.NLMSG_OVERRUN, nil))
	}, 0, []error{netlink.ErrOverrun}, false},
	{"no message", func(s *nltest.Socket, r netlink.Message) {
		s.Push(nltest.Part(r, 16, nil))
		s.PushBytes(make([]byte, 17))
	}, 1, []error{unix.EBADMSG}, false},
	{"never ends", func(s *nltest.Socket, r netlink.Message) { s.Push(nltest.Part(r, 16, nil)) },
		1, []error{context.DeadlineExceeded}, false},
}

func TestFaultsOfADump(t *testing.T) {
	for _, test := range dumpFaults {
		t.Run(test.name, func(t *testing.T) {
			k := &nltest.Kernel{Answer: func(s *nltest.Socket, requests []netlink.Message) { test.answer(s, requests[0]) }}
			c := dialIn(t, netlink.Config{Transport: k.Transport})
			limit := time.Minute
			if slices.Contains(test.errs, context.DeadlineExceeded) {
				limit = 2 * time.Second
			}
			for range 2 {
				n, err := count(within(t, limit), c, unix.RTM_GETLINK, allLinks)
				if n != test.n || (err == nil) != (test.errs == nil) {
					t.Errorf("%d messages, %v; want %d", n, err, test.n)
				}
				wantIs(t, err, test.errs...)
			}
			all, open := k.Sockets()
			if reused := len(all) == 2 && open == 2; reused != test.reused {
				t.Errorf("%d sockets, %d open; want reused %v", len(all), open, test.reused)
			}
		})
	}
}

func TestDumpEndsWithItsContext(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	addRoutes(t, c, 0, 3000)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last error
	for _, err := range c.Dump(ctx, unix.RTM_GETROUTE, routeDump(0, 0)) {
		if last = err; err == nil {
			n++
		}
		cancel()
	}
	wantIs(t, last, context.Canceled)
	if n == 0 || n >= 3000 {
		t.Errorf("%d routes before the context was seen", n)
	}
	for range c.Dump(ctx, unix.RTM_GETROUTE, routeDump(0, 0)) {
		n = -1
	}
	if n != -1 {
		t.Error("a dump with a context that is over yielded no error")
	}
}

func TestDumpOfAClosedClient(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	addRoutes(t, c, 0, 3000)
	var last error
	for _, err := range c.Dump(t.Context(), unix.RTM_GETROUTE, routeDump(0, 0)) {
		c.Close()
		last = err
	}
	wantIs(t, last, os.ErrClosed)
}

// TestSocketsStayInOneNamespace makes a client on a thread that is elsewhere, and
// uses it on others: what it opens later is where it was made, too.
func TestSocketsStayInOneNamespace(t *testing.T) {
	testns.Enter(t)
	c := dialIn(t, netlink.Config{})
	if err := c.Do(t.Context(), unix.RTM_NEWLINK, 0, link(1, 0, 0, "here")); err != nil {
		t.Fatal(err)
	}
	elsewhere := make(chan *netlink.Subscription)
	go func() { // on another thread
		defer close(elsewhere)
		for m, err := range c.Dump(t.Context(), unix.RTM_GETLINK, allLinks) {
			if err != nil || name(m) == "lo" {
				t.Errorf("the dump has the link %s, %v; want only what is in the client's namespace", name(m), err)
			}
		}
		sub, err := c.Subscribe(unix.RTNLGRP_LINK)
		if err != nil {
			t.Error(err)
			return
		}
		elsewhere <- sub
	}()
	sub := <-elsewhere
	if sub == nil {
		return
	}
	defer sub.Close()
	if err := c.Do(t.Context(), unix.RTM_NEWLINK, 0, link(1, 0, 0, "there")); err != nil {
		t.Fatal(err)
	}
	for m, err := range sub.Messages(within(t, time.Second)) {
		if err != nil || name(m) != "there" {
			t.Errorf("event of %s, %v", name(m), err)
		}
		break
	}
}

// TestDescriptorOfANamespaceIsReused breaks the rule that Config.NetNS stays open.
func TestDescriptorOfANamespaceIsReused(t *testing.T) {
	c, ns := dial(t, netlink.Config{})
	if err := c.Do(t.Context(), unix.RTM_NEWLINK, 0, link(1, 0, 0, "here")); err != nil {
		t.Fatal(err)
	}
	if err := unix.Dup3(testns.New(t).FD(), ns.FD(), unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	for m, err := range c.Dump(t.Context(), unix.RTM_GETLINK, allLinks) {
		if err != nil || name(m) == "lo" {
			t.Errorf("the dump has the link %s, %v; want only what is in the client's namespace", name(m), err)
		}
	}
}

// name returns the name in a link message.
func name(m netlink.Message) string {
	if len(m.Data) < unix.SizeofIfInfomsg {
		return ""
	}
	a := netlink.ReadAttrs(m.Data[unix.SizeofIfInfomsg:])
	for a.Next() {
		if a.Type() == unix.IFLA_IFNAME {
			return a.String()
		}
	}
	return ""
}

func TestDumpPanics(t *testing.T) {
	k := &nltest.Kernel{Answer: func(s *nltest.Socket, requests []netlink.Message) {
		s.Push(nltest.Part(requests[0], 16, nil))
	}}
	c := dialIn(t, netlink.Config{Transport: k.Transport})
	func() {
		defer func() { recover() }()
		for range c.Dump(t.Context(), unix.RTM_GETLINK, allLinks) {
			panic("in the loop's body")
		}
	}()
	if _, open := k.Sockets(); open != 1 {
		t.Errorf("%d sockets are open, want only that for requests", open)
	}
}
