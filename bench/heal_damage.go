package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
)

// The objects of a healBed by their numbers; links are even ones for the MTU and odd
// ones to be set down.
func healAddress(i int) netip.Addr  { return ipv4(10, 1, 0, i+1) }
func healNeighbor(i int) netip.Addr { return ipv4(10, 0, 0, i+10) }
func healRule(i int) uint32         { return uint32(1000 + i) }
func healLink(i int) string         { return fmt.Sprint("l", i) }

// Damages of more than one object: there is no goal for them.
const (
	routeOfLink = "link set down, until its route is back, too"
	wholeLink   = "link with 10 addresses and 100 routes deleted"
)

// A healKind is a kind of damage.
type healKind struct {
	name    string
	objects int
	times   int // 0: as often as the others
	// damage returns a request that damages an object, the event that tells of it and
	// those that tell of the repair.
	damage func(d *damager, i int) (o order, broken match, healed []match)
}

// A match tells whether an event is the one.
type match func(typ uint16, body []byte) bool

// has matches events of a type that have an attribute.
func has(typ uint16, attr uint16, value []byte) match {
	want := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	want = append(binary.NativeEndian.AppendUint16(want, attr), value...)
	return func(t uint16, body []byte) bool { return t == typ && bytes.Contains(body, want) }
}

// ofLink matches events of a link for which f holds.
func ofLink(typ uint16, index int32, f func(body []byte) bool) match {
	return func(t uint16, body []byte) bool {
		return t == typ && len(body) >= unix.SizeofIfInfomsg && body[0] == unix.AF_UNSPEC &&
			int32(binary.NativeEndian.Uint32(body[4:])) == index && f(body)
	}
}

func isUp(body []byte) bool { return binary.NativeEndian.Uint32(body[8:])&unix.IFF_UP != 0 }

func native(x uint32) []byte { return binary.NativeEndian.AppendUint32(nil, x) }

// healKinds are all kinds of damage; the floor knows the first one.
var healKinds = []healKind{
	{"route deleted", healObjects, 0, func(d *damager, i int) (order, match, []match) {
		dst := destination(i)
		r := &route.Route{Family: unix.AF_INET, Table: unix.RT_TABLE_MAIN, Scope: unix.RT_SCOPE_NOWHERE, Dst: netip.PrefixFrom(dst, 32)}
		return order{unix.RTM_DELROUTE, 0, r}, has(unix.RTM_DELROUTE, unix.RTA_DST, dst.AsSlice()), []match{has(unix.RTM_NEWROUTE, unix.RTA_DST, dst.AsSlice())}
	}},
	{"address deleted", healObjects, 0, func(d *damager, i int) (order, match, []match) {
		a := healAddress(i)
		return order{unix.RTM_DELADDR, 0, &route.Addr{Family: unix.AF_INET, PrefixLen: 32, Index: d.index["h"], Local: a}},
			has(unix.RTM_DELADDR, unix.IFA_LOCAL, a.AsSlice()), []match{has(unix.RTM_NEWADDR, unix.IFA_LOCAL, a.AsSlice())}
	}},
	{"rule deleted", healObjects, 0, func(d *damager, i int) (order, match, []match) {
		p := native(healRule(i))
		return order{unix.RTM_DELRULE, 0, &route.Rule{Family: unix.AF_INET, Action: unix.FR_ACT_TO_TBL, Priority: healRule(i), Table: 5000}},
			has(unix.RTM_DELRULE, unix.FRA_PRIORITY, p), []match{has(unix.RTM_NEWRULE, unix.FRA_PRIORITY, p)}
	}},
	{"neighbour deleted", healObjects, 0, func(d *damager, i int) (order, match, []match) {
		a := healNeighbor(i)
		// The event of the deletion is a NEWNEIGH of a failed entry (net/core/neighbour.c,
		// neigh_delete) and then a DELNEIGH.
		return order{unix.RTM_DELNEIGH, 0, &route.Neighbor{Family: unix.AF_INET, Index: d.index["h"], Dst: a}},
			has(unix.RTM_DELNEIGH, unix.NDA_DST, a.AsSlice()), []match{has(unix.RTM_NEWNEIGH, unix.NDA_DST, a.AsSlice())}
	}},
	{"link's MTU changed", healLinks, 0, func(d *damager, i int) (order, match, []match) {
		index := d.index[healLink(2*i)]
		mtu := func(n uint32) match {
			m := has(unix.RTM_NEWLINK, unix.IFLA_MTU, native(n))
			return ofLink(unix.RTM_NEWLINK, index, func(body []byte) bool { return m(unix.RTM_NEWLINK, body) })
		}
		return order{unix.RTM_SETLINK, 0, &route.LinkChange{Index: index, MTU: new(uint32(1400))}}, mtu(1400), []match{mtu(1500)}
	}},
	{"link set down", healLinks, 0, func(d *damager, i int) (order, match, []match) {
		o, down, up, _ := setDown(d, i)
		return o, down, []match{up}
	}},
	{routeOfLink, healLinks, 0, func(d *damager, i int) (order, match, []match) {
		o, down, up, back := setDown(d, i)
		return o, down, []match{up, back}
	}},
	{wholeLink, 1, 3, func(d *damager, i int) (order, match, []match) {
		healed := []match{}
		for j := range 10 {
			healed = append(healed, has(unix.RTM_NEWADDR, unix.IFA_LOCAL, ipv4(10, 10, j, 1).AsSlice()))
		}
		for j := range 100 {
			healed = append(healed, has(unix.RTM_NEWROUTE, unix.RTA_DST, ipv4(10, 11, j, 0).AsSlice()))
		}
		return order{unix.RTM_DELLINK, 0, &route.LinkChange{Name: new("x")}}, has(unix.RTM_DELLINK, unix.IFLA_IFNAME, []byte("x\x00")), healed
	}},
}

// setDown returns a request that sets a link down, the event of that, the event of
// the link going up again, and that of the route through it coming back.
func setDown(d *damager, i int) (o order, down, up, back match) {
	index := d.index[healLink(2*i+1)]
	return order{unix.RTM_SETLINK, 0, &route.LinkChange{Index: index, Change: unix.IFF_UP}},
		ofLink(unix.RTM_NEWLINK, index, func(b []byte) bool { return !isUp(b) }),
		ofLink(unix.RTM_NEWLINK, index, isUp),
		has(unix.RTM_NEWROUTE, unix.RTA_DST, ipv4(10, 9, 2*i+1, 0).AsSlice())
}

// A damager damages objects, listens to the kernel's events, and takes the time
// between the event of a damage and that of its repair.
type damager struct {
	c     *route.Conn
	fd    int
	index map[string]int32
	ended chan struct{}

	mu      sync.Mutex // guards all following fields
	changes int        // events of what somebody asked for
	lost    error
	broken  match
	healed  []match
	began   time.Time
	done    chan time.Duration
	closed  bool
}

// newDamager begins to listen in a stage.
func newDamager(s *Stage) (d *damager, err error) {
	d = &damager{index: map[string]int32{}, ended: make(chan struct{}), done: make(chan time.Duration, 1)}
	if err := s.ns.Do(func() (err error) {
		d.fd, err = listenRaw()
		return err
	}); err != nil {
		return nil, err
	}
	if d.c, err = route.Dial(netlink.Config{NetNS: s.ns.FD()}); err != nil {
		return nil, err
	}
	for l, err := range d.c.Links(context.Background()) {
		if err != nil {
			return nil, err
		}
		d.index[l.Name] = l.Index
	}
	go d.listen()
	return d, nil
}

func (d *damager) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	<-d.ended
	unix.Close(d.fd)
	d.c.Close()
}

// changed returns how many events there were of what somebody asked for.
func (d *damager) changed() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changes
}

// damage damages one object and returns how long the repair took.
func (d *damager) damage(k healKind, i int) (time.Duration, error) {
	o, broken, healed := k.damage(d, i)
	d.mu.Lock()
	d.broken, d.healed, d.began = broken, healed, time.Time{}
	d.mu.Unlock()
	if err := d.c.Do(context.Background(), o.typ, o.flags, o.payload); err != nil {
		return 0, err
	}
	select {
	case t := <-d.done:
		return t, nil
	case <-time.After(30 * time.Second):
		d.mu.Lock()
		defer d.mu.Unlock()
		return 0, fmt.Errorf("not healed after 30 s (the damage was seen: %v, %d events missing, %v)", !d.began.IsZero(), len(d.healed), d.lost)
	}
}

// listen reads events on a thread of its own until close.
func (d *damager) listen() {
	runtime.LockOSThread() // and never unlocked: the thread ends with its priority
	defer close(d.ended)
	// Where it may, it comes before everybody else, so that the time at which it reads
	// an event is that of the event.
	unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}, 0)
	buf := make([]byte, 1<<16)
	for {
		n, err := unix.Read(d.fd, buf)
		now := time.Now()
		d.mu.Lock()
		closed := d.closed
		if errors.Is(err, unix.ENOBUFS) {
			d.lost = err
		}
		for b := buf[:max(n, 0)]; len(b) >= unix.NLMSG_HDRLEN; {
			h, size := header(b)
			if h.Pid != 0 { // else it is the kernel's own doing: an entry that grew old
				d.changes++
			}
			d.note(now, h.Type, b[unix.NLMSG_HDRLEN:min(int(h.Len), len(b))])
			b = b[min(size, len(b)):]
		}
		d.mu.Unlock()
		if closed {
			return
		}
	}
}

// note compares an event with what is waited for.
func (d *damager) note(now time.Time, typ uint16, body []byte) {
	switch {
	case d.broken == nil:
	case d.began.IsZero():
		if d.broken(typ, body) {
			d.began = now
		}
	default:
		for i, m := range d.healed {
			if m(typ, body) {
				d.healed = append(d.healed[:i], d.healed[i+1:]...)
				break
			}
		}
		if len(d.healed) == 0 {
			d.broken = nil
			d.done <- now.Sub(d.began)
		}
	}
}

// foreignProtocol marks the routes that are nobody's business: bgp.
const foreignProtocol = 186

// listenRaw opens a socket that hears everything but foreign routes, which the
// kernel is told to leave out.
func listenRaw() (fd int, err error) {
	fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return 0, err
	}
	// The type is the 16 bits at 4, in the order of the machine: its first byte is all
	// of it on those that are little endian. rtm_protocol is the byte at 21.
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 4},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.RTM_NEWROUTE, Jt: 1},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.RTM_DELROUTE, Jf: 2},
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 21},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: foreignProtocol, Jt: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0xffffffff},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
	err = errors.Join(
		unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<20),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000}),
		unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}),
	)
	for _, group := range []int{unix.RTNLGRP_LINK, unix.RTNLGRP_NEIGH, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV4_RULE} {
		err = errors.Join(err, unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, group))
	}
	if err != nil {
		unix.Close(fd)
	}
	return fd, err
}
