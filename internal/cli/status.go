package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/nlapply/nlapply/spec"
	"github.com/nlapply/nlapply/watch"
)

func statusCommand(a *app) *cobra.Command {
	var owner string
	c := &cobra.Command{
		Use:   "status",
		Short: "Ask a running watch how it is; exit status 2 if something is not as declared",
		Long: `nlapply status asks the nlapply watch of an owner in this network namespace what is in
force, what differs, what is contested, refused or waited for, and what is wrong with
the files as they are now. (One that only observes cannot be asked.)

Exit status: 0 all is as the files declare; 1 nobody watches, or the watcher does not
answer; 2 something differs, is contested, refused, ignored or waited for, the last look
failed, or the files as they are now are not valid.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runStatus(cmd.Context(), owner) },
	}
	c.Flags().StringVar(&owner, "owner", spec.DefaultOwner, "ask the watcher of the owner `NAME`")
	return c
}

func (a *app) runStatus(ctx context.Context, owner string) error {
	s, err := watch.Ask(ctx, owner)
	if err != nil {
		return err
	}
	switch {
	case a.output == "json":
		a.printJSON(s)
	case !a.quiet || !s.Well():
		a.printStatus(s)
	}
	if s.Well() {
		return nil
	}
	return status(exitDiffers)
}

func (a *app) printStatus(s *watch.Status) {
	now := time.Now()
	fmt.Fprintf(a.stdout, "owner %s: %s\n", s.Owner, s.Summary)
	fmt.Fprintf(a.stdout, "  in force since %s (document %d of pid %d): %s\n", clock(s.Since, now), s.Document, s.PID, strings.Join(s.Files, " "))
	if !s.Last.IsZero() {
		success := "never"
		if !s.LastSuccess.IsZero() {
			success = ago(s.LastSuccess, now)
		}
		fmt.Fprintf(a.stdout, "  last look %s, last success %s; %s, %s, %d overruns\n",
			ago(s.Last, now), success, plural(s.Rounds, "look"), changes(s.Changes), s.Overruns)
	}
	if s.Error != "" {
		fmt.Fprintln(a.stdout, "the last look failed:")
		for line := range strings.Lines(s.Error) {
			fmt.Fprintln(a.stdout, "  "+strings.TrimSpace(line))
		}
	}
	if len(s.Drift) > 0 {
		fmt.Fprintln(a.stdout, "to be done:")
	}
	for i, st := range s.Drift {
		if i == linesPerClass && !a.full {
			fmt.Fprintf(a.stdout, "  … %d more\n", len(s.Drift)-i)
			break
		}
		fmt.Fprintln(a.stdout, "  "+a.paint(st))
	}
	if len(s.Held) > 0 {
		fmt.Fprintln(a.stdout, "contested, or left alone for a while:")
	}
	for _, h := range s.Held {
		next := ""
		if !h.Until.IsZero() {
			next = ", next try " + clock(h.Until, now)
		}
		fmt.Fprintf(a.stdout, "  %s %s since %s%s: %s\n", h.Object, h.Why, clock(h.Since, now), next, h.Detail)
	}
	for _, l := range s.Waiting {
		fmt.Fprintln(a.stdout, "waiting for link "+l)
	}
	if len(s.Invalid) > 0 {
		fmt.Fprintln(a.stdout, "the files as they are now are not in force:")
	}
	for _, e := range s.Invalid {
		fmt.Fprintln(a.stdout, "  "+e.Error())
	}
}

// clock prints a time of the last hours by the clock alone.
func clock(t, now time.Time) string {
	if d := now.Sub(t); d < 12*time.Hour && d > -12*time.Hour {
		return t.Local().Format(time.TimeOnly)
	}
	return t.Local().Format(time.DateTime)
}

func ago(t, now time.Time) string {
	return now.Sub(t).Round(100*time.Millisecond).String() + " ago"
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprint(n, " ", what, "s")
}
