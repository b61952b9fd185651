package netlink_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// TestEchoOfLinks creates more links than have echoes that fit the default
// receive buffer at once. Kernels before v6.2 echo no links at all
// (net/core/rtnetlink.c, rtnl_newlink).
func TestEchoOfLinks(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	var b netlink.Batch
	const links = 120
	for n := range links {
		b.Add(unix.RTM_NEWLINK, netlink.Create|netlink.Excl|netlink.Echo, payload(func(e *netlink.Encoder) {
			link(0, 0, 0, fmt.Sprintf("br%d", n))(e)
			info := e.Begin(unix.IFLA_LINKINFO)
			e.String(unix.IFLA_INFO_KIND, "bridge")
			e.End(info)
		}))
	}
	res, err := c.Execute(within(t, time.Minute), &b)
	if err != nil {
		t.Fatal(err)
	}
	for i, err := range res.Errors() {
		t.Fatalf("link %d: %v", i, err)
	}
	if n := c.Stats().Overruns; n != 0 {
		t.Errorf("%d overruns", n)
	}
	if _, ok := res.Echo(0); !ok {
		t.Skip("the kernel echoes no links")
	}
	seen := make(map[uint32]bool)
	for i := range links {
		m, ok := res.Echo(i)
		if !ok || m.Type != unix.RTM_NEWLINK {
			t.Fatalf("link %d: no echo", i)
		}
		index := binary.NativeEndian.Uint32(m.Data[4:])
		if index == 0 || seen[index] {
			t.Errorf("link %d has index %d", i, index)
		}
		seen[index] = true
	}
}

func TestEchoOfARoute(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	m, err := c.Get(within(t, time.Minute), unix.RTM_NEWROUTE, netlink.Create|netlink.Echo, blackhole(5))
	if err != nil || m.Type != unix.RTM_NEWROUTE || destination(m) != 5 {
		t.Errorf("echo %v, %v", m, err)
	}
}
