package scenario

import (
	"os"

	"github.com/nlapply/nlapply/internal/cli"
)

// nlapply is the command itself.
func nlapply() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
