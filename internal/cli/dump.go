package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/nlapply/nlapply/reconcile"
)

func dumpCommand(a *app) *cobra.Command {
	var cfg reconcile.DumpConfig
	c := &cobra.Command{
		Use:   "dump",
		Short: "Print the kernel's state as a document",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.runDump(cmd.Context(), cfg) },
	}
	c.Flags().StringVar(&cfg.Owner, "owner", "", "write the document of the owner `NAME`")
	c.Flags().BoolVar(&cfg.Owned, "owned", false, "print only what the owner made")
	return c
}

func (a *app) runDump(ctx context.Context, cfg reconcile.DumpConfig) error {
	doc, err := reconcile.Dump(ctx, cfg)
	if err != nil {
		return err
	}
	b, err := doc.Marshal()
	if err != nil {
		return err
	}
	if a.output == "json" {
		if b, err = yamlToJSON(b); err != nil {
			return err
		}
	}
	_, err = a.stdout.Write(b)
	return err
}
