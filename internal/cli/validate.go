package cli

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/nlapply/nlapply/reconcile"
	"github.com/nlapply/nlapply/spec"
)

func validateCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "validate -f FILE...",
		Short: "Check a document without looking at the kernel",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if _, err := a.document(); err != nil {
				return err
			}
			if a.output == "json" {
				a.printJSON(report{Command: "validate"})
			} else if !a.quiet {
				fmt.Fprintln(a.stdout, "The document is valid.")
			}
			return nil
		},
	}
	a.documentFlags(c)
	return c
}

func schemaCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the document's JSON Schema, for editors",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b, err := spec.Schema(reconcile.Vocabulary{})
			if err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "%s\n", b)
			return nil
		},
	}
}

func versionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run: func(*cobra.Command, []string) {
			version, goVersion := "unknown", ""
			if info, ok := debug.ReadBuildInfo(); ok {
				version, goVersion = info.Main.Version, info.GoVersion
			}
			if a.output == "json" {
				a.printJSON(map[string]string{"version": version, "go": goVersion})
				return
			}
			fmt.Fprintf(a.stdout, "nlapply %s (%s)\n", version, goVersion)
		},
	}
}
