package netlink_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/nltest"
)

// With KeepQueued the events before the loss are told before it, and none after
// it is lost unnoticed.
func TestKeepQueued(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	sub, err := c.Subscribe(unix.RTNLGRP_IPV4_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	sub.KeepQueued()
	addRoutes(t, c, 0, 3000)
	next, before := 0, -1
	for m, err := range sub.Messages(within(t, time.Minute)) {
		if errors.Is(err, netlink.ErrOverrun) {
			if before >= 0 {
				t.Fatal("a second overrun without new events")
			}
			before, next = next, 3000
			addRoutes(t, c, 3000, 3100)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if n := destination(m); n != next {
			t.Fatalf("event of route %d, want %d", n, next)
		}
		if next++; next == 3100 {
			break
		}
	}
	if before <= 0 || before >= 3000 {
		t.Errorf("%d events before the overrun, want some of 3000", before)
	}
	for m, err := range sub.Queued(within(t, time.Minute)) {
		t.Errorf("there is more: %v, %v", m, err)
	}
}

func TestQueuedEnds(t *testing.T) {
	k := new(nltest.Kernel)
	c := dialIn(t, netlink.Config{Transport: k.Transport})
	sub, err := c.Subscribe(1)
	if err != nil {
		t.Fatal(err)
	}
	sub.KeepQueued()
	all, _ := k.Sockets()
	s := all[1]
	s.Fail(unix.EINTR)
	s.Push(netlink.Message{Type: 100}, netlink.Message{Type: 101})
	s.Fail(unix.ENOBUFS)
	s.Push(netlink.Message{Type: 102})
	s.Fail(unix.ENOBUFS) // another loss while those before the first are read
	s.Push(netlink.Message{Type: 103})
	var got []uint16
	for m, err := range sub.Queued(within(t, time.Minute)) {
		if err != nil {
			wantIs(t, err, netlink.ErrOverrun)
		}
		got = append(got, m.Type)
	}
	if want := []uint16{100, 101, 102, 103, 0}; !slices.Equal(got, want) {
		t.Errorf("messages %v, want %v (0 is the overrun)", got, want)
	}
}

// Queued ends also when more comes as fast as it is read.
func TestQueuedIsBounded(t *testing.T) {
	k := &nltest.Kernel{ReadBuffer: 10_000}
	c := dialIn(t, netlink.Config{Transport: k.Transport})
	sub, err := c.Subscribe(1)
	if err != nil {
		t.Fatal(err)
	}
	all, _ := k.Sockets()
	all[1].Push(netlink.Message{Type: 100})
	told := 0
	for range sub.Queued(within(t, time.Minute)) {
		if told++; told > 10_000 {
			t.Fatal("10000 events, and no end")
		}
		all[1].Push(netlink.Message{Type: 100})
	}
}

// Those who come faster than they are read cannot put the overrun off for ever.
func TestKeepQueuedIsBounded(t *testing.T) {
	k := &nltest.Kernel{ReadBuffer: 10_000}
	c := dialIn(t, netlink.Config{Transport: k.Transport})
	sub, err := c.Subscribe(1)
	if err != nil {
		t.Fatal(err)
	}
	sub.KeepQueued()
	all, _ := k.Sockets()
	all[1].Fail(unix.ENOBUFS)
	all[1].Push(netlink.Message{Type: 100})
	told := 0
	for _, err := range sub.Messages(within(t, time.Minute)) {
		if errors.Is(err, netlink.ErrOverrun) {
			return
		}
		if told++; told > 10_000 {
			t.Fatal("10000 events, and the overrun is not told")
		}
		all[1].Push(netlink.Message{Type: 100})
	}
}
