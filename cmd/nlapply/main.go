// Command nlapply makes the kernel's network state equal a file. See
// `nlapply help`.
package main

import (
	"os"

	"github.com/nlapply/nlapply/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
