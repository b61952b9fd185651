package kind_test

import (
	"fmt"
	"log"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

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
