package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/nlapply/nlapply/netlink/audit"
	"github.com/nlapply/nlapply/reconcile"
)

// ruleFilter says which rules are listed.
type ruleFilter struct {
	owner string
	owned bool
	key   string
}

func (f *ruleFilter) takes(r *audit.Rule) bool {
	_, owned := reconcile.UnmarkAuditRule(r, f.owner)
	return (owned || !f.owned) && (f.key == "" || slices.Contains(r.Keys(), f.key))
}

func auditListCommand(a *app) *cobra.Command {
	var filter ruleFilter
	c := &cobra.Command{
		Use:   "list",
		Short: "Print the kernel's audit rules in their order",
		Long: `List prints the rules that the kernel has, a line each, in the kernel's order: by list, and within a
list in the order in which they are tried. Other than auditctl -l it loses nothing: each line is what
auditctl takes for the very same rule, with numbers for users and groups. Rules that nlapply made bear
the key nlapply:OWNER.

With -o json it is one object: rules, a list of objects with position (in the list, from 1), list, action,
arch, syscalls (a list of names, or of numbers without one, or "all"), fields (field, op, value, or other
for the id it is compared with), keys, owner, text, and raw (the kernel's struct audit_rule_data in base64,
also for what is no UTF-8).`,
		Example: "  nlapply audit list\n  nlapply audit list --owned\n  nlapply audit list --key identity -o json",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.runAuditList(cmd.Context(), &filter) },
	}
	ownerFlag(c, &filter.owner, "whose rules --owned prints: of the owner `NAME`")
	c.Flags().BoolVar(&filter.owned, "owned", false, "print only what the owner made")
	c.Flags().StringVar(&filter.key, "key", "", "print only rules with the key `KEY`")
	return c
}

func (a *app) runAuditList(ctx context.Context, filter *ruleFilter) error {
	c, err := dialAudit()
	if err != nil {
		return err
	}
	defer c.Close()
	rules, err := kernelRules(ctx, c)
	if err != nil {
		return err
	}
	at := places(rules)
	list := []auditRule{}
	for i := range rules {
		if !filter.takes(&rules[i]) {
			continue
		}
		d, err := describeRule(&rules[i], at[i])
		if err != nil {
			return err
		}
		list = append(list, d)
	}
	if a.output == "json" {
		a.printJSON(struct {
			Rules []auditRule `json:"rules"`
		}{list})
		return nil
	}
	for _, d := range list {
		if _, err := fmt.Fprintln(a.stdout, d.Text); err != nil {
			return err
		}
	}
	return nil
}
