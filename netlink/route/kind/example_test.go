package kind_test

import (
	"context"
	"fmt"
	"log"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

// A kind gives a link its attributes, and reads them back.
func Example() {
	ctx := context.Background()
	c, err := route.Dial(netlink.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	want := &kind.Bridge{AgeingTime: new(uint32(1000)), STPState: new(true)} // in 1/100 s
	var e netlink.Encoder
	kind.Encode(&e, want)
	br0 := &route.LinkChange{Name: new("br0"), Kind: want.Name(), Data: e.Bytes()}
	if err := c.Do(ctx, unix.RTM_NEWLINK, netlink.Create|netlink.Excl, br0); err != nil {
		log.Fatal(err)
	}
	defer c.Do(ctx, unix.RTM_DELLINK, 0, &route.LinkChange{Name: new("br0")})
	l, err := c.LinkByName(ctx, "br0")
	if err != nil {
		log.Fatal(err)
	}
	have, ok := kind.New(l.Kind)
	if !ok {
		log.Fatalf("unknown kind %s", l.Kind)
	}
	if _, err := kind.Decode(have, l.Data); err != nil {
		log.Fatal(err)
	}
	fmt.Println(*have.(*kind.Bridge).AgeingTime, kind.Diff(want, have))
	// Output: 1000 []
}

// What a field means, its unit and its default stand in its row.
func ExampleKind_fields() {
	for _, row := range new(kind.BondPort).Fields() {
		fmt.Printf("%s (%v): %s\n", row.Name, row.Default, row.Text)
	}
	// Output:
	// queue_id (0): Queue of the bond that always goes through this port; 0 is none.
	// prio (0): Priority at failover, in modes active-backup, balance-tlb and balance-alb.
	// actor_port_prio (255): LACP priority of the port, in mode 802.3ad (Linux 6.18).
}

// What a link is wanted to be, compared with what it is.
func ExampleDiff() {
	want := &kind.VXLAN{ID: new(uint32(20)), Learning: new(false)} // nil fields are not managed

	// The content of IFLA_INFO_DATA, as route.Link.Data has it.
	var e netlink.Encoder
	kind.Encode(&e, &kind.VXLAN{ID: new(uint32(10)), DstPort: new(uint16(4789)), Learning: new(true)})

	have, ok := kind.New("vxlan")
	if !ok {
		log.Fatal("unknown kind")
	}
	if _, err := kind.Decode(have, e.Bytes()); err != nil {
		log.Fatal(err)
	}
	for _, c := range kind.Diff(want, have) {
		fmt.Printf("%s: %s → %s (%s)\n", c.Name, c.Have, c.Want, c.When)
	}
	// Output:
	// id: 10 → 20 (at creation)
	// learning: on → off (live)
}
