package cli

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/wire"
	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/audit"
)

// eventFilter says which events are printed, and how.
type eventFilter struct {
	key   string
	types []audit.MessageType
	raw   bool
}

func (f *eventFilter) takes(e *audit.Event) bool {
	hasKey := func(r audit.Record) bool { return slices.Contains(r.Keys(), f.key) }
	hasType := func(r audit.Record) bool { return slices.Contains(f.types, r.Type) }
	return (f.key == "" || slices.ContainsFunc(e.Records, hasKey)) && (len(f.types) == 0 || slices.ContainsFunc(e.Records, hasType))
}

func auditEventsCommand(a *app) *cobra.Command {
	var filter eventFilter
	var types []string
	c := &cobra.Command{
		Use:   "events",
		Short: "Print audit events as the kernel makes them",
		Long: `Events prints what the kernel records, until it is interrupted: an event has the records of one system
call, or of one thing that happened otherwise. It listens beside auditd and does not disturb it. The
first line of an event begins with its time and serial number, its further records are indented. What
programs chose (paths, arguments) is decoded, and in quotes where it has blanks or cannot be
printed; system calls, architectures and errors have names. An event that the kernel does not end, which
are those of processes that began before audit was first on, comes two seconds late.

Records that were lost because they came faster than they were read are reported on standard error.
"incomplete" says that records of an event may be missing.

With --raw the lines are those of auditd's log, which ausearch and aureport read. With -o json a line is
an object: time, serial, incomplete, keys, and records: type, fields (an object; of a key that comes
twice, the first one), arch, syscall, error, args, address and path where the record tells them, and raw with --raw.`,
		Example: "  nlapply audit events\n  nlapply audit events --key identity -o json\n  nlapply audit events --type EXECVE,USER_LOGIN\n  nlapply audit events --raw | ausearch -i",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var errs []error
			for _, name := range types {
				t, err := audit.ParseMessageType(name)
				if err != nil {
					errs = append(errs, fmt.Errorf("--type: %w", err))
				}
				filter.types = append(filter.types, t)
			}
			if err := errors.Join(errs...); err != nil {
				return err
			}
			return a.runAuditEvents(cmd.Context(), &filter)
		},
	}
	c.Flags().StringVar(&filter.key, "key", "", "print only events with the key `KEY`")
	c.Flags().StringSliceVar(&types, "type", nil, "print only events with a record of the `TYPE,...`")
	c.Flags().BoolVar(&filter.raw, "raw", false, "print the records as they come")
	return c
}

// auditBuffer is the size of the receive buffer that is asked for.
const auditBuffer = 8 << 20

func (a *app) runAuditEvents(ctx context.Context, filter *eventFilter) error {
	signal.Ignore(unix.SIGPIPE) // the write says it
	l, err := audit.Listen(netlink.Config{ReadBuffer: auditBuffer, Transport: wire.Transport})
	if err != nil {
		return noAudit(err)
	}
	l.KeepQueued()
	a.warnIfOff(ctx)
	return untilStopped(ctx, func() error {
		defer l.Close()
		return a.printAuditEvents(ctx, l, filter)
	})
}

// warnIfOff says why nothing will come, where that can be asked.
func (a *app) warnIfOff(ctx context.Context) {
	c, err := dialAudit()
	if err != nil {
		return
	}
	defer c.Close()
	if s, err := c.Status(ctx); err == nil && s.Enabled == audit.Disabled {
		fmt.Fprintln(a.stderr, "nlapply: audit is off: there are no records until it is on")
	}
}

// printAuditEvents prints until the context ends or nobody reads.
func (a *app) printAuditEvents(ctx context.Context, l *audit.Listener, filter *eventFilter) error {
	for e, err := range l.Events(ctx) {
		switch {
		case ctx.Err() != nil && len(e.Records) == 0:
			return nil
		case errors.Is(err, netlink.ErrOverrun):
			fmt.Fprintln(a.stderr, "nlapply: records were lost: they came faster than they were read")
			continue
		case errors.Is(err, unix.EBADMSG):
			fmt.Fprintln(a.stderr, "nlapply:", err)
			continue
		case err != nil:
			return err
		case !filter.takes(&e):
			continue
		}
		if err := a.printAuditEvent(&e, filter.raw); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) printAuditEvent(e *audit.Event, raw bool) error {
	switch {
	case a.output == "json":
		return a.writeJSON(describeEvent(e, raw))
	case raw:
		return a.write(rawEvent(e))
	}
	return a.write(eventText(e))
}

func (a *app) write(text string) error {
	_, err := a.stdout.Write([]byte(text))
	return err
}

// rawEvent is an event in the lines of auditd's log (log_format = RAW).
func rawEvent(e *audit.Event) string {
	var b strings.Builder
	for _, r := range e.Records {
		fmt.Fprintf(&b, "type=%s msg=%s\n", logType(r.Type), r.Text)
	}
	return b.String()
}

// logType is the name of a type as auditd's log has it.
func logType(t audit.MessageType) string {
	if name := t.String(); name[0] > '9' {
		return name
	}
	return fmt.Sprintf("UNKNOWN[%d]", int(t))
}
