package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/wire"
	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/audit"
	"github.com/nlapply/nlapply/spec"
)

// auditCommands are the commands below nlapply audit.
var auditCommands = []func(*app) *cobra.Command{
	auditListCommand, auditStatusCommand, auditEventsCommand, auditImportCommand, auditExplainCommand,
}

func auditCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "audit",
		Short: "Look at the Linux audit system: rules, settings, records",
		Long: `The commands below nlapply audit look at the audit system and change nothing; the key audit: of a
document declares its rules and settings. A machine has one audit system: network namespaces have none
of their own. list, status, events and import need the initial user and PID namespaces and
CAP_AUDIT_CONTROL; events needs CAP_AUDIT_READ instead, and the initial network namespace. explain, and
import of files, need nothing.`,
		Args:                       noSuchCommand,
		SuggestionsMinimumDistance: 2,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, make := range auditCommands {
		c.AddCommand(make(a))
	}
	return c
}

// dialAudit opens a connection to the audit system.
func dialAudit() (*audit.Conn, error) {
	c, err := wire.DialAudit(netlink.Config{})
	return c, noAudit(err)
}

// noAudit says why there is no audit system at all (kernel/audit.c, audit_init).
func noAudit(err error) error {
	if errors.Is(err, unix.EPROTONOSUPPORT) {
		return fmt.Errorf("the kernel has no audit system, or was booted with audit=0: %w", err)
	}
	return err
}

// kernelRules are the rules that the kernel has, in its order.
func kernelRules(ctx context.Context, c *audit.Conn) (rules []audit.Rule, err error) {
	for r, err := range c.Rules(ctx) {
		if err != nil {
			return nil, fmt.Errorf("rules: %w", err)
		}
		rules = append(rules, *r.Clone())
	}
	return rules, nil
}

// ownerPrefix begins the key that says whose a rule is (reconcile/audit.go).
const ownerPrefix = "nlapply:"

// ownerOf returns the owner that a rule's keys name, "" when they name none.
func ownerOf(r *audit.Rule) string {
	for _, key := range r.Keys() {
		if owner, ok := strings.CutPrefix(key, ownerPrefix); ok {
			return owner
		}
	}
	return ""
}

// ownerFlag adds the flag --owner.
func ownerFlag(c *cobra.Command, owner *string, doc string) {
	c.Flags().StringVar(owner, "owner", spec.DefaultOwner, doc)
}
