// Command fetch makes programs of the tests available, for scripts:
//
//	eval "$(go run ./tests/fetch ip ping)"
//
// It brings what is missing and prints the environment in which a shell finds
// it. Without arguments it brings everything.
package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/nlapply/nlapply/tests/tools"
)

func main() {
	if err := fetch(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "fetch:", err)
		fmt.Println("false") // what the shell evaluates fails too
		os.Exit(1)
	}
}

func fetch(names []string) error {
	cache, err := tools.OpenCache()
	if err != nil {
		return err
	}
	programs := slices.DeleteFunc(slices.Clone(tools.Programs), func(p tools.Program) bool {
		return len(names) > 0 && !slices.Contains(names, p.Name)
	})
	if err := cache.Ensure(programs); err != nil {
		return err
	}
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH"} {
		if v := os.Getenv(name); v != "" {
			fmt.Printf("export %s='%s'\n", name, v)
		}
	}
	return nil
}
