package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/nlapply/nlapply/reconcile"
)

func planCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "plan -f FILE...",
		Short: "Print what apply would do; exit status 2 if that is anything",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.runPlan(cmd.Context()) },
	}
	a.documentFlags(c)
	return c
}

func (a *app) runPlan(ctx context.Context) error {
	doc, err := a.document()
	if err != nil {
		return err
	}
	run := reconcile.OpenReadOnly(reconcile.Config{Document: doc})
	defer run.Close()
	plan, err := run.Plan(ctx)
	if err != nil {
		return err
	}
	empty := plan.Empty()
	switch {
	case a.output == "json":
		rep := report{Command: "plan", Verified: empty}
		rep.addPlan(plan)
		a.printJSON(rep)
	case a.quiet && empty:
	case empty:
		a.printPlan(plan)
		fmt.Fprintln(a.stdout, "Nothing to do.")
	default:
		a.printPlan(plan)
	}
	if empty {
		return nil
	}
	return status(exitDiffers)
}
