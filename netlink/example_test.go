package netlink_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// ifInfo is the fixed part of a link message, and its name.
type ifInfo struct {
	Index int32
	Name  string
}

// AppendTo makes ifInfo a netlink.Payload.
func (i ifInfo) AppendTo(e *netlink.Encoder) {
	fixed := e.Grow(unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(fixed[4:], uint32(i.Index))
	if i.Name != "" {
		e.String(unix.IFLA_IFNAME, i.Name)
	}
}

func Example() {
	c, err := netlink.Dial(netlink.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	for m, err := range c.Dump(context.Background(), unix.RTM_GETLINK, ifInfo{}) {
		if err != nil {
			log.Fatal(err)
		}
		a := netlink.ReadAttrs(m.Data[unix.SizeofIfInfomsg:])
		for a.Next() {
			if a.Type() == unix.IFLA_IFNAME && a.String() == "lo" {
				fmt.Println("found lo")
			}
		}
		if a.Err() != nil {
			log.Fatal(a.Err())
		}
	}
	// Output: found lo
}

func ExampleClient_Do() {
	c, err := netlink.Dial(netlink.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	err = c.Do(context.Background(), unix.RTM_GETLINK, 0, ifInfo{Name: "a-name-that-is-too-long"})
	var refusal *netlink.Error
	if errors.As(err, &refusal) {
		fmt.Println(refusal)
		fmt.Println(errors.Is(err, unix.ERANGE), refusal.Path[0] == unix.IFLA_IFNAME)
	}
	// Output:
	// numerical result out of range: Attribute failed policy validation (attribute 3, allowed up to 15 bytes)
	// true true
}

func ExampleClient_Get() {
	c, err := netlink.Dial(netlink.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	m, err := c.Get(context.Background(), unix.RTM_GETLINK, 0, ifInfo{Index: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Type == unix.RTM_NEWLINK)
	// Output: true
}

func ExampleClient_Execute() {
	c, err := netlink.Dial(netlink.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	var b netlink.Batch
	b.Add(unix.RTM_DELLINK, 0, ifInfo{Name: "nosuch"})
	b.Add(unix.RTM_NEWLINK, 0, ifInfo{Name: "lo"}) // changes nothing
	res, err := c.Execute(context.Background(), &b)
	if err != nil {
		log.Fatal(err) // some outcomes are unknown
	}
	for i, err := range res.Errors() {
		fmt.Println(i, err)
	}
	// Output: 0 no such device
}

func ExampleClient_Subscribe() {
	c, err := netlink.Dial(netlink.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	sub, err := c.Subscribe(unix.RTNLGRP_LINK)
	if err != nil {
		log.Fatal(err)
	}
	defer sub.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // a program would go on
	for m, err := range sub.Messages(ctx) {
		switch {
		case errors.Is(err, netlink.ErrOverrun):
			fmt.Println("events were lost: dump")
		case err != nil:
			fmt.Println(err)
		default:
			fmt.Println("link event", m.Type)
		}
	}
	// Output: context canceled
}
