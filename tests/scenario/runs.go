package scenario

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/nlapply/nlapply/internal/cli"
)

// runsCommand is the name of the test binary under which it runs nlapply several
// times, which is cheaper than as many processes.
const runsCommand = "nlapply-runs"

// An Invocation is one run of nlapply, and what came of it.
type Invocation struct {
	Args           []string
	Status         int
	Stdout, Stderr string
}

// Sequence is the command line of the test binary that makes the runs. It prints
// them as JSON.
func Sequence(list ...Invocation) []string {
	b, err := json.Marshal(list)
	if err != nil {
		panic(err) // strings can be encoded
	}
	return []string{runsCommand, string(b)}
}

// runs makes the runs of its argument.
func runs() {
	var list []Invocation
	if err := json.Unmarshal([]byte(os.Args[1]), &list); err != nil {
		fmt.Fprintln(os.Stderr, "scenario:", err)
		os.Exit(exitFault)
	}
	for i := range list {
		var stdout, stderr bytes.Buffer
		list[i].Status = cli.Main(slices.Clone(list[i].Args), nil, &stdout, &stderr)
		list[i].Stdout, list[i].Stderr = stdout.String(), stderr.String()
	}
	json.NewEncoder(os.Stdout).Encode(list)
}
