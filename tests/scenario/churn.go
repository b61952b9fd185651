package scenario

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// damages are what churn does to the objects of the scenario watch_two_owners, with
// the number of the owner for %[1]d, and what it does to its own.
var damages = []string{
	"addr del 10.%[1]d.0.1/24 dev br%[1]d",
	"addr del 10.%[1]d.0.2/32 dev br%[1]d",
	"addr flush dev br%[1]d",
	"route del 10.%[1]d0.0.0/16",
	"route replace 10.%[1]d0.0.0/16 via 10.%[1]d.0.8",
	"route del 10.%[1]d1.0.0/16 table %[1]d00",
	"route flush table %[1]d00",
	"rule del pref %[1]d00",
	"rule del pref %[1]d01",
	"neigh del 10.%[1]d.0.9 dev br%[1]d",
	"neigh replace 10.%[1]d.0.9 lladdr 02:00:00:00:00:66 dev br%[1]d nud permanent",
	"link set br%[1]d mtu 1400",
	"link set br%[1]d down",
	"link del br%[1]d",
	"link add br%[1]d type bridge",
	"route replace 10.98.%[1]d.0/24 dev mine",
	"route del 10.98.%[1]d.0/24 dev mine",
	"rule add pref 60%[1]d lookup 600",
	"rule del pref 60%[1]d",
	"addr replace 10.78.%[1]d.1/24 dev mine",
	"addr del 10.78.%[1]d.1/24 dev mine",
}

// churn damages the objects of two owners at random, N times; what is not there to
// be damaged is nothing to it.
func churn() {
	if len(os.Args) != 2 {
		fail("usage: churn N")
	}
	n, err := strconv.Atoi(os.Args[1])
	check(err)
	seed := uint64(time.Now().UnixNano())
	fmt.Println("seed", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range n {
		command := fmt.Sprintf(damages[random.IntN(len(damages))], 1+random.IntN(2))
		exec.Command("ip", strings.Fields(command)...).Run()
		time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
	}
}
