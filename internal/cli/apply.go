package cli

import (
	"context"
	"fmt"
	"os/signal"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/reconcile"
	"github.com/nlapply/nlapply/watch"
)

func applyCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "apply -f FILE...",
		Short: "Apply a document; the same as nlapply -f",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.runApply(cmd.Context(), false) },
	}
	a.documentFlags(c)
	a.applyFlags(c)
	return c
}

func deleteCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "delete -f FILE...",
		Short: "Remove what a document declares and its owner made",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.runApply(cmd.Context(), true) },
	}
	a.documentFlags(c)
	a.applyFlags(c)
	return c
}

// runApply applies or deletes.
func (a *app) runApply(ctx context.Context, deletes bool) error {
	// The session that the change is typed in may end by it: what was begun is
	// carried out all the same.
	signal.Ignore(unix.SIGHUP, unix.SIGPIPE)
	began := time.Now()
	doc, err := a.document()
	if err != nil {
		return err
	}
	run, err := reconcile.Open(ctx, reconcile.Config{
		Document: doc, Delete: deletes, AllowLoss: a.allowLoss, LockTimeout: a.lockTimeout,
	})
	if err != nil {
		return err
	}
	defer run.Close()
	if w := watch.Running(doc.Owner); w != "" {
		fmt.Fprintf(a.stderr, "nlapply: warning: %s watches a document of owner %s: that document will win\n", w, doc.Owner)
	}
	plan, err := run.Plan(ctx)
	if err != nil {
		return err
	}
	rep := report{Command: "apply"}
	if deletes {
		rep.Command = "delete"
	}
	if a.output == "json" {
		rep.addPlan(plan)
	} else if !a.quiet {
		a.printPlan(plan)
	}
	res, err := run.Apply(ctx, plan)
	rep.Changes, rep.Changed, rep.Verified = res.Changes, res.Changed, res.Verified
	rep.Millis = millis(time.Since(began))
	if err != nil {
		return a.applyFailed(&rep, res, err)
	}
	switch {
	case a.output == "json":
		a.printJSON(rep)
	case a.quiet:
	case res.Changes == 0:
		fmt.Fprintln(a.stdout, "Nothing to do, verified.")
	default:
		fmt.Fprintf(a.stdout, "%s applied in %.0f ms, verified.\n", changes(res.Changes), rep.Millis)
	}
	return nil
}

// applyFailed says what went wrong and what is true now.
func (a *app) applyFailed(rep *report, res *reconcile.Result, err error) error {
	st := status(exitFailed)
	if res.Changed {
		st = exitUnproven
	}
	rep.Errors, rep.Unknown = errorList(err), res.Unknown
	rep.Rest = res.Rest
	if a.output == "json" {
		a.printJSON(rep)
		return st
	}
	for _, e := range rep.Errors {
		fmt.Fprintln(a.stderr, e.text())
	}
	fmt.Fprintf(a.stderr, "nlapply: %s applied", changes(res.Changes))
	switch {
	case len(res.Rest) > 0:
		fmt.Fprint(a.stderr, "; what the kernel still lacks:")
	case res.Unknown:
		fmt.Fprint(a.stderr, "; what the kernel still lacks is not known")
	}
	fmt.Fprintln(a.stderr)
	for i, s := range res.Rest {
		if i == linesPerClass && !a.full {
			fmt.Fprintf(a.stderr, "  … %d more\n", len(res.Rest)-i)
			break
		}
		fmt.Fprintln(a.stderr, "  "+s.String())
	}
	return st
}
