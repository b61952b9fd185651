package spec_test

import (
	"fmt"
	"strings"

	"github.com/nlapply/nlapply/spec"
)

// The vocabulary of this example knows no kinds; the engine's knows them all.
func ExampleLoad() {
	text := `version: 1
links:
  eth0: {mtu: 9000, addresses: [192.0.2.2/24]}
routes:
  - {to: default, via: 192.0.2.1, table: 254, metric: 0}
`
	doc, err := spec.Load([]string{"-"}, strings.NewReader(text), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(*doc.Links["eth0"].MTU, doc.Routes[0].To)
	minimal, _ := doc.Marshal()
	fmt.Print(string(minimal))
	// Output:
	// 9000 0.0.0.0/0
	// version: 1
	// links:
	//   eth0:
	//     mtu: 9000
	//     addresses: [192.0.2.2/24]
	// routes:
	//   - {to: default, via: 192.0.2.1}
}

// All mistakes are told at once, each with its place.
func ExampleErrors() {
	text := `version: 1
links:
  eth0:
    mtuu: 9000
    addresses: [192.0.2.2/33]
`
	_, err := spec.Load([]string{"-"}, strings.NewReader(text), nil)
	fmt.Println(err)
	// Output:
	// -:4:5: links.eth0.mtuu: unknown key, did you mean mtu?
	// -:5:17: links.eth0.addresses[0]: "192.0.2.2/33": the prefix length of IPv4 is 0..32
}

func ExampleDocument_Errorf() {
	doc, err := spec.Load([]string{"-"}, strings.NewReader("version: 1\nroutes:\n  - {to: default, dev: eth1}\n"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(doc.Errorf(spec.Path("", "routes", 0, "dev"), "link %s neither exists nor is declared", "eth1"))
	// Output:
	// -:3:24: routes[0].dev: link eth1 neither exists nor is declared
}
