package cli

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/nlapply/nlapply/reconcile"
	"github.com/nlapply/nlapply/spec"
)

func watchCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "watch -f FILE...",
		Short: "Apply a document, and again whenever it or the network changes",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.runWatch(cmd.Context()) },
	}
	a.documentFlags(c)
	a.applyFlags(c)
	return c
}

func (a *app) runWatch(ctx context.Context) error {
	if _, err := a.document(); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(a.stdout, nil))
	if a.output == "json" {
		log = slog.New(slog.NewJSONHandler(a.stdout, nil))
	}
	for _, f := range a.files {
		if f == "-" {
			return fmt.Errorf("watch cannot read standard input again: name a file")
		}
	}
	return reconcile.Watch(ctx, reconcile.WatchConfig{
		Files:       a.files,
		Load:        func() (*spec.Document, error) { return a.document() },
		AllowLoss:   a.allowLoss,
		LockTimeout: a.lockTimeout,
		Log:         log,
	})
}
