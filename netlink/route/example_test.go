package route_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
)

// An object is the payload of a message, and is decoded from one.
func Example() {
	var e netlink.Encoder
	(&route.Route{
		Family: unix.AF_INET, Table: 1000, Type: unix.RTN_UNICAST, Protocol: unix.RTPROT_STATIC,
		Dst: netip.MustParsePrefix("10.1.0.0/16"), Gateway: netip.MustParseAddr("2001:db8::1"), OIF: 3,
	}).AppendTo(&e)

	var r route.Route
	if err := r.Decode(e.Bytes()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(r.Dst, "via", r.Gateway, "table", r.Table, "proto", route.ProtocolName(r.Protocol))
	// Output: 10.1.0.0/16 via 2001:db8::1 table 1000 proto static
}

// A dump is an iterator; what it yields is used again for the next step.
func ExampleConn_Links() {
	c, err := route.Dial(netlink.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	for l, err := range c.Links(context.Background()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if l.Type == unix.ARPHRD_LOOPBACK {
			fmt.Println(l.Index, l.Name)
		}
	}
	// Output: 1 lo
}

// Many changes are one batch; each has an outcome of its own.
func ExampleConn_batch() {
	ctx := context.Background()
	c, err := route.Dial(netlink.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	loUp := &route.LinkChange{Index: 1}
	loUp.SetFlags(unix.IFF_UP, true)
	blackhole := &route.Route{
		Family: unix.AF_INET, Table: 1000, Type: unix.RTN_BLACKHOLE, Protocol: unix.RTPROT_STATIC,
		Dst: netip.MustParsePrefix("198.51.100.0/24"),
	}
	defer c.Do(ctx, unix.RTM_DELROUTE, 0, blackhole)
	var b netlink.Batch
	b.Add(unix.RTM_NEWLINK, 0, loUp)
	b.Add(unix.RTM_NEWADDR, netlink.Create|netlink.Replace, &route.Addr{
		Family: unix.AF_INET, Index: 1, Local: netip.MustParseAddr("192.0.2.1"), PrefixLen: 32,
	})
	b.Add(unix.RTM_NEWROUTE, netlink.Create|netlink.Excl, blackhole)
	b.Add(unix.RTM_NEWROUTE, netlink.Create|netlink.Excl, blackhole) // exists by now
	res, err := c.Execute(ctx, &b)
	if err != nil {
		fmt.Println(err) // some outcomes are unknown: only a dump tells
		return
	}
	for i, err := range res.Errors() {
		fmt.Printf("message %d: %v\n", i, err)
	}
	for r, err := range c.Routes(ctx, route.RouteFilter{Table: 1000}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(route.RouteTypeName(r.Type), r.Dst)
	}
	// Output:
	// message 3: file exists
	// blackhole 198.51.100.0/24
}

// Events are payloads of the same objects. The type of the message tells what
// has happened.
func ExampleConn_events() {
	ctx := context.Background()
	c, err := route.Dial(netlink.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	sub, err := c.Subscribe(unix.RTNLGRP_IPV4_ROUTE)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sub.Close()
	r := route.Route{Family: unix.AF_INET, Table: 1001, Type: unix.RTN_BLACKHOLE, Dst: netip.MustParsePrefix("198.51.100.0/24")}
	if err := c.Do(ctx, unix.RTM_NEWROUTE, netlink.Create|netlink.Replace, &r); err != nil {
		fmt.Println(err)
		return
	}
	for m, err := range sub.Messages(ctx) {
		switch {
		case errors.Is(err, netlink.ErrOverrun):
			continue // events were lost: dump
		case err != nil:
			fmt.Println(err)
			return
		}
		if err := r.Decode(m.Data); err != nil || r.Table != 1001 {
			continue
		}
		fmt.Println(route.MessageName(m.Type), r.Dst, "by this client:", m.Port == c.Port())
		break
	}
	// Output: newroute 198.51.100.0/24 by this client: true
}
