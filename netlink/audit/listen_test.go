package audit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/netlink/nltest"
)

// messageOf is a record as the multicast group has it.
func messageOf(r Record) netlink.Message {
	return netlink.Message{Type: uint16(r.Type), Data: []byte(r.Text)}
}

// listenTo returns a listener and its end in a stand-in for the kernel.
func listenTo(t *testing.T) (*Listener, *nltest.Socket) {
	t.Helper()
	k := new(nltest.Kernel)
	var protocol int
	l, err := Listen(netlink.Config{Transport: func(cfg netlink.Config) (netlink.Socket, error) {
		protocol = cfg.Protocol
		return k.Transport(cfg)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	all, open := k.Sockets()
	if protocol != unix.NETLINK_AUDIT || open != 1 {
		t.Errorf("protocol %d, %d open sockets", protocol, open)
	}
	k.Broadcast(2, netlink.Message{Type: 1300, Data: []byte("of another group")})
	k.Broadcast(unix.AUDIT_NLGRP_READLOG, netlink.Message{Type: unix.NLMSG_NOOP})
	return l, all[len(all)-1]
}

func TestRecords(t *testing.T) {
	l, s := listenTo(t)
	s.Push(messageOf(recordOf(typeCall, 1, 0)), messageOf(recordOf(typeEOE, 1, 0)))
	s.Push(netlink.Message{Type: 1302, Data: []byte("no stamp")})
	s.Fail(unix.ENOBUFS)
	s.Push(messageOf(recordOf(typeCall, 2, 0))) // dropped: it was there before the loss
	var got []string
	for r, err := range l.Records(t.Context()) {
		switch {
		case errors.Is(err, netlink.ErrOverrun):
			got = append(got, "overrun")
			s.Push(messageOf(recordOf(typeUser, 3, 0)))
			continue
		case err != nil && !errors.Is(err, unix.EBADMSG):
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%d %q", r.Type, r.Text))
		if r.Serial == 3 {
			break
		}
	}
	want := []string{`1300 "audit(1700000000.000:1): x=1"`, `1320 "audit(1700000000.000:1): x=1"`, `1302 "no stamp"`, "overrun", `1112 "audit(1700000000.000:3): x=1"`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRecordsKeepQueued(t *testing.T) {
	l, s := listenTo(t)
	l.KeepQueued()
	s.Fail(unix.ENOBUFS)
	s.Push(messageOf(recordOf(typeCall, 1, 0)))
	for r, err := range l.Records(t.Context()) {
		if r.Serial != 1 || err != nil {
			t.Errorf("first %v, %v", r, err)
		}
		break
	}
	for r, err := range l.Records(t.Context()) {
		if !errors.Is(err, netlink.ErrOverrun) {
			t.Errorf("then %v, %v", r, err)
		}
		break
	}
}

func TestRecordsEnd(t *testing.T) {
	l, _ := listenTo(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	last := func(ctx context.Context) (n int, last error) {
		for _, err := range l.Records(ctx) {
			n, last = n+1, err
		}
		return n, last
	}
	if n, err := last(ctx); n != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d, %v", n, err)
	}
	l.Close()
	if n, err := last(t.Context()); n != 1 || !errors.Is(err, os.ErrClosed) {
		t.Errorf("%d, %v", n, err)
	}
	n := 0
	for _, err := range l.Events(t.Context()) {
		if n++; !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	}
	if n != 1 {
		t.Errorf("%d yields of a closed listener", n)
	}
}

func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := listenTo(t)
		start := time.Now()
		go func() {
			s.Push(messageOf(recordOf(typeCall, 1, 0)))
			s.Push(messageOf(recordOf(typeConf, 2, 0))) // nothing will end it
			time.Sleep(time.Second)
			s.Push(messageOf(recordOf(typeTitle, 1, 0)))
			time.Sleep(4 * time.Second)
			s.Push(messageOf(recordOf(typeUser, 3, 0)))
			s.Push(messageOf(recordOf(typeCall, 4, 0)))
			s.Fail(unix.ENOBUFS)
			time.Sleep(time.Second)
			l.Close()
		}()
		var got []string
		for e, err := range l.Events(t.Context()) {
			line := toldEvents(oneEvent(e, err))[0]
			got = append(got, fmt.Sprintf("%v %s", time.Since(start).Round(time.Second), line))
		}
		want := []string{
			"1s 1: 1300 1327", "2s 2: 1305", "5s 3: 1112", "5s " + netlink.ErrOverrun.Error(),
			"6s 4: 1300 incomplete", "6s " + os.ErrClosed.Error(),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// oneEvent yields one event or error.
func oneEvent(e Event, err error) func(func(Event, error) bool) {
	return func(yield func(Event, error) bool) { yield(e, err) }
}

func TestEventsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := listenTo(t)
		s.Push(messageOf(recordOf(typeConf, 1, 0)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got := toldEvents(l.Events(ctx))
		if diff := cmp.Diff([]string{"1: 1305", context.DeadlineExceeded.Error()}, got); diff != "" {
			t.Error(diff)
		}
		s.Push(messageOf(recordOf(typeUser, 2, 0)))
		for e, err := range l.Events(t.Context()) {
			if e.Serial != 2 || err != nil {
				t.Errorf("taken up again: %v, %v", e, err)
			}
			break
		}
	})
}

// refusingJoin is a socket that does not join groups.
type refusingJoin struct {
	netlink.Socket
	err error
}

func (r refusingJoin) Join(uint32) error { return r.err }

func TestListenRefused(t *testing.T) {
	var k nltest.Kernel
	for _, err := range []error{unix.EPERM, unix.EINVAL} {
		_, got := Listen(netlink.Config{Transport: func(cfg netlink.Config) (netlink.Socket, error) {
			s, _ := k.Transport(cfg)
			return refusingJoin{s, err}, nil
		}})
		if !errors.Is(got, err) || strings.Contains(got.Error(), "CAP_AUDIT_READ") != (err == unix.EPERM) {
			t.Errorf("refused with %v: %v", err, got)
		}
	}
	_, got := Listen(netlink.Config{Transport: func(netlink.Config) (netlink.Socket, error) { return nil, unix.EPROTONOSUPPORT }})
	if !errors.Is(got, unix.EPROTONOSUPPORT) {
		t.Errorf("without audit: %v", got)
	}
	if _, open := k.Sockets(); open != 0 {
		t.Errorf("%d sockets are open", open)
	}
}

// A listener in another namespace would hear nothing.
func TestListenElsewhere(t *testing.T) {
	ns, err := netns.New()
	if err != nil {
		t.Skip(err)
	}
	defer ns.Close()
	if isElsewhere(0) {
		t.Skip("this is not the initial network namespace")
	}
	if _, err := Listen(netlink.Config{NetNS: ns.FD()}); err == nil || !strings.Contains(err.Error(), "initial network namespace") {
		t.Errorf("listen in a new namespace: %v", err)
	}
	here, err := netns.Current()
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	if isElsewhere(here.FD()) {
		t.Error("the initial namespace is elsewhere")
	}
	if err := ns.Do(func() error {
		if !isElsewhere(0) || !isElsewhere(ns.FD()) || isElsewhere(here.FD()) {
			return errors.New("wrong")
		}
		return nil
	}); err != nil {
		t.Errorf("asked in a new namespace: %v", err)
	}
}

func TestDecodeUnicast(t *testing.T) {
	text := "audit(1700000000.123:456): op=set x=1"
	// datagram has a header that tells n bytes.
	datagram := func(n int, data string) []byte {
		b := netlink.Message{Type: unix.AUDIT_CONFIG_CHANGE, Data: []byte(data)}.AppendTo(nil)[:unix.NLMSG_HDRLEN+len(data)]
		binary.NativeEndian.PutUint32(b, uint32(n))
		return b
	}
	for _, c := range []struct {
		name string
		in   []byte
		want string
	}{
		{"length of the payload", datagram(len(text), text), text},
		{"length of the message", datagram(len(text)+16, text), text},
		{"padded", datagram(len(text)+16, text+"\x00\x00\x00"), text},
		{"short payload", datagram(3, "abc"), "abc"},
		{"empty", datagram(16, ""), ""},
		{"empty, length of the payload", datagram(0, ""), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			typ, got, err := DecodeUnicast(c.in)
			if typ != unix.AUDIT_CONFIG_CHANGE || string(got) != c.want || err != nil {
				t.Errorf("%d %q, %v", typ, got, err)
			}
		})
	}
	for _, in := range [][]byte{
		nil, make([]byte, 15), datagram(len(text)+17, text), datagram(len(text)+1, text), datagram(len(text)-1, text),
		datagram(20, text), datagram(len(text)+16, text+"four"), datagram(-1, text),
	} {
		if _, text, err := DecodeUnicast(in); !errors.Is(err, unix.EBADMSG) || text != nil {
			t.Errorf("% x: %q, %v", in, text, err)
		}
	}
}
