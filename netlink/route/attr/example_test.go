package attr_test

import (
	"fmt"
	"math"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route/attr"
)

// vrf is a kind of links with one attribute.
type vrf struct{ Table *uint32 }

func (v *vrf) Fields() attr.Fields {
	return attr.Fields{
		attr.Uint32("table", unix.IFLA_VRF_TABLE, &v.Table).AtCreation().Range(1, math.MaxUint32),
	}
}

// One row gives the document's key, its check, the wire format and the comparison.
func ExampleFields() {
	var want, have vrf
	row, _ := want.Fields().Lookup("table")
	fmt.Println(row.Value.Set("main")) // as a document may have it
	fmt.Println(row.Value.Set(10))

	var e netlink.Encoder
	want.Fields().Encode(&e, nil)
	fmt.Printf("% x\n", e.Bytes())

	have.Table = new(uint32(20))
	for _, c := range attr.Diff(want.Fields(), have.Fields()) {
		fmt.Printf("%s: %s → %s (%s)\n", c.Name, c.Have, c.Want, c.When)
	}
	// Output:
	// "main" is not a number
	// <nil>
	// 08 00 01 00 0a 00 00 00
	// table: 20 → 10 (at creation)
}
