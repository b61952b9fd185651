package netlink_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/nltest"
)

// destination returns the n of the blackhole route that m is about.
func destination(m netlink.Message) int {
	a := netlink.ReadAttrs(m.Data[unix.SizeofRtMsg:])
	for a.Next() {
		if a.Type() == unix.RTA_DST {
			b := a.Bytes()
			return int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		}
	}
	return -1
}

func TestK12OverrunIsAnEvent(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	sub, err := c.Subscribe(unix.RTNLGRP_IPV4_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	addRoutes(t, c, 0, 3000)
	overruns, after := 0, -1
	for m, err := range sub.Messages(within(t, time.Minute)) {
		if errors.Is(err, netlink.ErrOverrun) {
			if overruns++; overruns > 1 {
				t.Fatal("a second overrun without new events")
			}
			// From here on nothing may be lost unnoticed.
			addRoutes(t, c, 3000, 3100)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		n := destination(m)
		if overruns == 0 {
			t.Fatalf("event of route %d before the overrun was reported", n)
		}
		if after < 0 && n != 3000 || after >= 0 && n != after+1 {
			t.Fatalf("event of route %d after that of route %d", n, after)
		}
		if after = n; after == 3099 {
			break
		}
	}
	if overruns != 1 {
		t.Errorf("%d overruns, want 1", overruns)
	}
}

func TestSubscriptionReadBuffer(t *testing.T) {
	c, _ := dial(t, netlink.Config{ReadBuffer: 100_000})
	sub, err := c.Subscribe(unix.RTNLGRP_IPV4_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	if n, err := sub.SetReadBuffer(150_000); n != 300_000 || err != nil {
		t.Errorf("receive buffer %d, %v; want 300000", n, err)
	}
	if n, err := sub.SetReadBuffer(0); n != 300_000 || err != nil {
		t.Errorf("receive buffer %d, %v; want it unchanged", n, err)
	}
}

func TestSubscriptionGroups(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	// The groups mask of bind(2) has no room for this one.
	sub, err := c.Subscribe(unix.RTNLGRP_NEXTHOP, unix.RTNLGRP_BRVLAN, unix.RTNLGRP_STATS)
	if err == nil {
		defer sub.Close()
	}
	if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINVAL) {
		t.Error(err)
	}
	if _, err := c.Subscribe(1 << 20); err == nil {
		t.Error("joined a group that does not exist")
	}
}

func TestSubscriptionEnds(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	sub, err := c.Subscribe(unix.RTNLGRP_LINK)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for _, err := range sub.Messages(ctx) {
		wantIs(t, err, context.DeadlineExceeded)
	}
	// It can be taken up again, and ends with Close.
	time.AfterFunc(20*time.Millisecond, func() { sub.Close() })
	ended := false
	for _, err := range sub.Messages(t.Context()) {
		wantIs(t, err, os.ErrClosed)
		ended = true
	}
	if !ended {
		t.Error("the iteration over a closed subscription ended without an error")
	}
}

func TestSubscribeWithAClosedClient(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	before, err := c.Subscribe(unix.RTNLGRP_LINK)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if sub, err := c.Subscribe(unix.RTNLGRP_LINK); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a new one: %v, want %v", err, os.ErrClosed)
		sub.Close()
	}
	// One that was there lives on, until it is closed once.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for _, err := range before.Messages(ctx) {
		wantIs(t, err, context.DeadlineExceeded)
	}
	if err := before.Close(); err != nil {
		t.Error(err)
	}
	wantIs(t, before.Close(), os.ErrClosed)
	_, err = before.SetReadBuffer(100_000)
	wantIs(t, err, os.ErrClosed)
}

func TestSubscriptionKeepsTheRestOfADatagram(t *testing.T) {
	k := new(nltest.Kernel)
	c := dialIn(t, netlink.Config{Transport: k.Transport})
	sub, err := c.Subscribe(1)
	if err != nil {
		t.Fatal(err)
	}
	k.Broadcast(1, netlink.Message{Type: 100}, netlink.Message{Type: 101}, netlink.Message{Type: 102})
	for want := uint16(100); want <= 102; want++ {
		for m, err := range sub.Messages(within(t, time.Minute)) {
			if m.Type != want || err != nil {
				t.Errorf("message %d, %v; want %d", m.Type, err, want)
			}
			break
		}
	}
}

func TestSubscriptionFaults(t *testing.T) {
	k := new(nltest.Kernel)
	c := dialIn(t, netlink.Config{Transport: k.Transport})
	sub, err := c.Subscribe(1)
	if err != nil {
		t.Fatal(err)
	}
	all, _ := k.Sockets()
	s := all[1]
	s.Fail(unix.EINTR)
	s.Push(netlink.Message{Type: 100})
	s.PushBytes([]byte("no message"))
	s.Push(netlink.Message{Type: 101, Data: make([]byte, 100_000)}) // truncated
	s.Fail(unix.ENOBUFS)
	s.Push(netlink.Message{Type: 102}) // older than the overrun: dropped
	s.Fail(unix.ENOBUFS)               // another one while those are dropped
	s.Push(netlink.Message{Type: 103})

	var got []uint16
	overruns := 0
	for m, err := range sub.Messages(within(t, time.Minute)) {
		if err == nil {
			got = append(got, m.Type)
			if m.Type == 104 {
				break
			}
			continue
		}
		wantIs(t, err, netlink.ErrOverrun)
		if overruns++; overruns == 4 {
			s.Push(netlink.Message{Type: 104})
		}
	}
	if len(got) != 2 || got[0] != 100 || overruns != 4 {
		t.Errorf("messages %v, overruns %d; want 100 and 104, and an overrun for each of 4 losses", got, overruns)
	}
}
