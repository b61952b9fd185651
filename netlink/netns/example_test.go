package netns_test

import (
	"context"
	"fmt"
	"log"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/netns"
)

func Example() {
	ns, err := netns.Create("red") // as `ip netns add red`
	if err != nil {
		log.Fatal(err)
	}
	defer ns.Close()
	defer netns.Delete("red")

	c, err := netlink.Dial(netlink.Config{NetNS: ns.FD()})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	links := 0
	for _, err := range c.Dump(context.Background(), unix.RTM_GETLINK, allLinks{}) {
		if err != nil {
			log.Fatal(err)
		}
		links++
	}
	fmt.Println("red has links:", links > 0)

	// Programs and files follow the thread.
	err = ns.Do(func() error {
		inside, err := netns.Current()
		if err != nil {
			return err
		}
		defer inside.Close()
		a, _ := ns.ID()
		b, _ := inside.ID()
		fmt.Println("inside:", a == b)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// red has links: true
	// inside: true
}

// allLinks is struct ifinfomsg.
type allLinks struct{}

func (allLinks) AppendTo(e *netlink.Encoder) { e.Grow(unix.SizeofIfInfomsg) }
