package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/spec"
	"github.com/nlapply/nlapply/watch"
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
	c.Flags().BoolVar(&a.observe, "observe", false, "only report what differs, change nothing")
	c.Flags().DurationVar(&a.interval, "interval", time.Minute, "look at everything so often, for what the kernel does not announce")
	return c
}

func (a *app) runWatch(ctx context.Context) error {
	if slices.Contains(a.files, "-") {
		return errors.New("watch cannot read standard input again: name a file")
	}
	if _, err := a.document(); err != nil {
		return err
	}
	again := make(chan os.Signal, 1)
	signal.Notify(again, unix.SIGHUP)
	defer signal.Stop(again)
	return watch.Run(ctx, watch.Config{
		Files:       a.files,
		Load:        func() (*spec.Document, error) { return a.document() },
		Observe:     a.observe,
		AllowLoss:   a.allowLoss,
		Interval:    a.interval,
		LockTimeout: a.lockTimeout,
		Again:       again,
		Log:         slog.New(a.logHandler()),
	})
}

func (a *app) logHandler() slog.Handler {
	var options slog.HandlerOptions
	if a.quiet {
		options.Level = slog.LevelWarn
	}
	if a.output == "json" {
		return slog.NewJSONHandler(a.stdout, &options)
	}
	return slog.NewTextHandler(a.stdout, &options)
}
