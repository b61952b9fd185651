// Package cli is the command nlapply: one file for each of its commands. It is
// the only package of the project that prints.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/reconcile"
	"github.com/nlapply/nlapply/spec"
)

// Exit statuses, as `nlapply help` lists them.
const (
	exitOK       = 0 // done, or nothing to do
	exitFailed   = 1 // bad input or environment; nothing was changed
	exitDiffers  = 2 // plan, status: there is something to do
	exitUnproven = 4 // something was changed, and the result is not what the file says
)

// status is an error that only carries an exit status: all has been said.
type status int

func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// app is one invocation.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	colour         bool

	files       []string
	netns       string
	output      string
	quiet       bool
	full        bool
	allowLoss   bool
	watch       bool
	observe     bool
	interval    time.Duration
	metrics     string
	lockTimeout time.Duration
}

// Main runs the command with the arguments behind its name and returns its exit
// status.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, colour: wantsColour(stdout)}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if wantsJSON(args) { // also when the mistake stands before it
		a.output = "json"
	}
	var st status
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &st):
		return int(st)
	}
	a.fail(err)
	return exitFailed
}

// commands are all commands beside the bare one.
var commands = []func(*app) *cobra.Command{
	applyCommand, planCommand, watchCommand, statusCommand, dumpCommand, deleteCommand, monitorCommand, auditCommand, validateCommand, schemaCommand, versionCommand,
}

func (a *app) root() *cobra.Command {
	c := &cobra.Command{
		Use:   "nlapply -f FILE...",
		Short: "Make the kernel's network state equal a file",
		Long: `nlapply compares a YAML file (links, addresses, routes, rules, neighbours, bridge
tables, sysctls, namespaces) with what the kernel reports over netlink, prints the
difference as a plan, sends the fewest messages that close it, and proves the result.

Exit status: 0 done or nothing to do; 1 bad input or environment, nothing was changed;
2 plan or status found differences; 4 something was changed and the kernel still differs from the file.`,
		Example:       "  nlapply plan -f net.yaml\n  nlapply -f net.yaml\n  nlapply watch -f net.yaml",
		Args:          noSuchCommand,
		SilenceErrors: true,

		SuggestionsMinimumDistance: 2,
		SilenceUsage:               true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(a.files) == 0 {
				return cmd.Help()
			}
			if a.watch {
				return a.runWatch(cmd.Context())
			}
			return a.runApply(cmd.Context(), false)
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return a.enter(cmd.Flags().Changed("netns"))
		},
	}
	p := c.PersistentFlags()
	p.StringVarP(&a.netns, "netns", "n", "", "enter the namespace `NAME` first")
	p.StringVarP(&a.output, "output", "o", "text", "`FORMAT` of the output: text or json")
	p.BoolVarP(&a.quiet, "quiet", "q", false, "print nothing on success")
	completeFlag(c, "output", func() []string { return []string{"text", "json"} })
	completeFlag(c, "netns", func() []string { names, _ := netns.List(); return names })
	a.documentFlags(c)
	a.applyFlags(c)
	c.Flags().BoolVar(&a.watch, "watch", false, "go on, and keep it true")
	for _, make := range commands {
		c.AddCommand(make(a))
	}
	return c
}

// noSuchCommand refuses what is no command.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if names := cmd.SuggestionsFor(args[0]); len(names) > 0 {
		hint = ", did you mean " + names[0] + "?"
	}
	return fmt.Errorf("unknown command %q%s", args[0], hint)
}

// completeFlag tells shells which values a flag takes.
func completeFlag(c *cobra.Command, flag string, values func() []string) {
	err := c.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // no such flag
	}
}

func (a *app) documentFlags(c *cobra.Command) {
	c.Flags().StringArrayVarP(&a.files, "file", "f", nil, "`FILE` or directory of the document, - for standard input; may be repeated")
	c.Flags().BoolVar(&a.full, "full", false, "print all lines of a long plan")
}

func (a *app) applyFlags(c *cobra.Command) {
	c.Flags().BoolVar(&a.allowLoss, "allow-loss", false, "also take down what cannot be put back")
	c.Flags().DurationVar(&a.lockTimeout, "lock-timeout", 0, "wait so long for another run of the same owner")
}

// document reads the files that -f names.
func (a *app) document() (*spec.Document, error) {
	if len(a.files) == 0 {
		return nil, errors.New("no document: name one with -f FILE")
	}
	return spec.Load(a.files, a.stdin, reconcile.Vocabulary{})
}

// fail prints an error.
func (a *app) fail(err error) {
	if a.output == "json" {
		a.printJSON(report{Errors: errorList(err)})
		return
	}
	for _, e := range errorList(err) {
		fmt.Fprintln(a.stderr, e.text())
	}
}

// wantsJSON tells whether a command line that cannot be understood asks for
// JSON.
func wantsJSON(args []string) bool {
	for i, arg := range args {
		switch arg {
		case "--":
			return false
		case "-ojson", "-o=json", "--output=json":
			return true
		case "-o", "--output":
			return i+1 < len(args) && args[i+1] == "json"
		}
	}
	return false
}

// wantsColour tells whether to use colour: on a terminal, unless NO_COLOR is
// set (no-color.org).
func wantsColour(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
