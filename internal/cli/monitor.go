package cli

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/monitor"
	"github.com/nlapply/nlapply/netlink/netns"
)

func monitorCommand(a *app) *cobra.Command {
	var cfg monitor.Config
	var timestamp bool
	c := &cobra.Command{
		Use:   "monitor [CLASS...]",
		Short: "Print what changes in network namespaces, as it happens",
		Long: `Monitor prints one line for every change that the kernel announces, in the words of
ip -o monitor and bridge monitor, until it is interrupted. Without a CLASS it prints all:
` + classList() + `.

Behind a link stands what changed. A line "overrun" says that the kernel dropped events, because
they came faster than they were read. What happens in a new namespace before it was found
is not printed.

With -o json a line is an object: time, namespace ("" for that of the command), event (new, del,
overrun, error), class, portid and process of the netlink socket that caused it where the
kernel and /proc tell, the object with the keys of ip -j, and changed (name, old, new).`,
		Example:   "  nlapply monitor\n  nlapply monitor link route --all-namespaces\n  nlapply monitor --namespaces red,blue -o json",
		ValidArgs: classWords(),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if cfg.Classes, err = classes(args); err != nil {
				return err
			}
			return a.runMonitor(cmd.Context(), cfg, timestamp)
		},
	}
	c.Flags().StringSliceVar(&cfg.Namespaces, "namespaces", nil, "also follow the namespaces `NAME,...`, now or when they appear")
	c.Flags().BoolVar(&cfg.AllNamespaces, "all-namespaces", false, "also follow all namespaces that have a name")
	c.Flags().BoolVarP(&timestamp, "timestamp", "t", false, "print the time in front of every line")
	c.Flags().IntVar(&cfg.ReadBuffer, "rcvbuf", 0, "`BYTES` of receive buffer in each namespace, if the kernel grants it (default 8 MiB)")
	completeFlag(c, "namespaces", func() []string { names, _ := netns.List(); return names })
	return c
}

func classWords() (words []string) {
	for _, c := range monitor.Classes() {
		words = append(words, string(c))
	}
	return words
}

func classList() string { return strings.Join(classWords(), ", ") }

// classes reads the arguments; none is nil.
func classes(args []string) (list []monitor.Class, err error) {
	for _, arg := range args {
		if !slices.Contains(monitor.Classes(), monitor.Class(arg)) {
			return nil, fmt.Errorf("unknown class %q: want some of %s", arg, classList())
		}
		list = append(list, monitor.Class(arg))
	}
	return list, nil
}

// lingers is how long an event that is being printed is waited for at the end:
// who reads the output may have stopped reading.
const lingers = time.Second

func (a *app) runMonitor(ctx context.Context, cfg monitor.Config, timestamp bool) error {
	if cfg.ReadBuffer < 0 {
		return fmt.Errorf("--rcvbuf %d: is negative", cfg.ReadBuffer)
	}
	signal.Ignore(unix.SIGPIPE) // the write says it
	m, err := monitor.Open(cfg)
	if err != nil {
		return err
	}
	return untilStopped(ctx, func() error {
		defer m.Close()
		return a.printEvents(ctx, m, timestamp)
	})
}

// untilStopped runs what prints until the context ends or nobody reads, which is no
// error; a reader who does not take what is left is not waited for.
func untilStopped(ctx context.Context, print func() error) (err error) {
	printed := make(chan error, 1)
	go func() { printed <- print() }()
	select {
	case err = <-printed:
	case <-ctx.Done():
		select {
		case err = <-printed:
		case <-time.After(lingers):
			return nil
		}
	}
	if errors.Is(err, unix.EPIPE) {
		return nil
	}
	return err
}

// printEvents prints until the context ends or nobody reads.
func (a *app) printEvents(ctx context.Context, m *monitor.Monitor, timestamp bool) error {
	for e := range m.Events(ctx) {
		line, err := a.eventLine(e, timestamp)
		if err != nil {
			return err
		}
		if _, err := a.stdout.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) eventLine(e *monitor.Event, timestamp bool) ([]byte, error) {
	if a.output == "json" {
		return e.MarshalJSON() // json.Marshal would escape < and > in names
	}
	text := e.String()
	if timestamp {
		text = e.Time.Format("[2006-01-02T15:04:05.000000] ") + text // as ip -ts
	}
	return []byte(text), nil
}
