package route_test

import (
	"context"
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
