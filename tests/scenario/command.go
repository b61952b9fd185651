package scenario

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/nlapply/nlapply/internal/cli"
	"github.com/nlapply/nlapply/tests/fault"
)

// exitFault is the exit status of a command that was given a fault which there is not.
const exitFault = 71

// exitUntold is the exit status of an apply that did what it had not said.
const exitUntold = 70

// nlapply is the command itself. What it does must be in the plan that it prints.
func nlapply() {
	if err := fault.Install(); err != nil {
		fmt.Fprintln(os.Stderr, "scenario:", err)
		os.Exit(exitFault)
	}
	w := newWitness(os.Args[1:])
	var printed bytes.Buffer
	code := cli.Main(os.Args[1:], os.Stdin, io.MultiWriter(os.Stdout, &printed), os.Stderr)
	for _, event := range w.Untold(printed.String()) {
		fmt.Fprintln(os.Stderr, "scenario: the plan does not say:", event)
		code = exitUntold
	}
	os.Exit(code)
}
