package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/metrics"
	"github.com/nlapply/nlapply/internal/notify"
	"github.com/nlapply/nlapply/spec"
	"github.com/nlapply/nlapply/watch"
)

func watchCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "watch -f FILE...",
		Short: "Apply a document, and again whenever it or the network changes",
		Long: `nlapply watch applies a document, then sleeps until its files or the network change,
and puts right what differs. SIGHUP makes it read the files and look at once; SIGTERM
and SIGINT end it after the messages that are just being sent.

Below systemd it notifies (Type=notify, notify-reload, WatchdogSec=). --metrics opens
/metrics for Prometheus, /healthz and /readyz. nlapply status asks it how it is.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runWatch(cmd.Context()) },
	}
	a.documentFlags(c)
	a.applyFlags(c)
	c.Flags().BoolVar(&a.observe, "observe", false, "only report what differs, change nothing")
	c.Flags().DurationVar(&a.interval, "interval", defaultInterval, "look at everything so often, for what the kernel does not announce")
	c.Flags().StringVar(&a.metrics, "metrics", "", "serve metrics and health checks at `ADDRESS`, HOST:PORT or unix:PATH")
	return c
}

const defaultInterval = time.Minute

func (a *app) runWatch(ctx context.Context) error {
	if slices.Contains(a.files, "-") {
		return errors.New("watch cannot read standard input again: name a file")
	}
	if a.interval == 0 { // --watch has no flag for it
		a.interval = defaultInterval
	}
	if a.interval < 0 {
		return fmt.Errorf("--interval %v: want more than nothing", a.interval)
	}
	pulse, err := notify.Watchdog()
	if err != nil {
		return err
	}
	if _, err := a.document(); err != nil {
		return err
	}
	log := slog.New(a.logHandler())
	tell, end, err := a.serveMetrics(ctx, log)
	if err != nil {
		return err
	}
	defer end()
	again := make(chan os.Signal, 1)
	signal.Notify(again, unix.SIGHUP)
	defer signal.Stop(again)
	var service notify.Service
	defer context.AfterFunc(ctx, service.Stopping)()
	return watch.Run(ctx, watch.Config{
		Files:       a.files,
		Load:        func() (*spec.Document, error) { return a.document() },
		Observe:     a.observe,
		AllowLoss:   a.allowLoss,
		Interval:    a.interval,
		LockTimeout: a.lockTimeout,
		Again:       again,
		Log:         log,
		Heard:       func(r watch.Round) { tell(r); service.Heard(r) },
		Reloading:   service.Reloading,
		Alive:       service.Alive,
		Pulse:       pulse,
	})
}

// serveMetrics opens the address of --metrics, if there is one. It returns whom to
// tell of rounds, and a function that ends it.
func (a *app) serveMetrics(ctx context.Context, log *slog.Logger) (tell func(watch.Round), end func(), err error) {
	if a.metrics == "" {
		return func(watch.Round) {}, func() {}, nil
	}
	l, err := metrics.Listen(a.metrics)
	if err != nil {
		return nil, nil, fmt.Errorf("--metrics %s: %w", a.metrics, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	m := metrics.New(a.interval)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := m.Serve(ctx, l); err != nil {
			log.Error("metrics are no longer served", "address", a.metrics, "error", err)
		}
	}()
	log.Info("serving metrics", "address", l.Addr().String())
	return m.Heard, func() { cancel(); <-ended }, nil
}

// logHandler writes lines for people, or objects for programs. Those have the parts
// of a line about an object as keys of their own, and times in milliseconds.
func (a *app) logHandler() slog.Handler {
	var options slog.HandlerOptions
	if a.quiet {
		options.Level = slog.LevelWarn
	}
	if a.output == "json" {
		options.ReplaceAttr = func(_ []string, at slog.Attr) slog.Attr {
			if at.Value.Kind() == slog.KindDuration {
				return slog.Float64(at.Key, millis(at.Value.Duration()))
			}
			return at
		}
		return slog.NewJSONHandler(a.stdout, &options)
	}
	options.ReplaceAttr = func(_ []string, at slog.Attr) slog.Attr {
		if slices.Contains(watch.ObjectKeys, at.Key) {
			return slog.Attr{} // the message says it
		}
		return at
	}
	return slog.NewTextHandler(a.stdout, &options)
}
