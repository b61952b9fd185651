package cli

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/audit"
	"github.com/nlapply/nlapply/reconcile"
	"github.com/nlapply/nlapply/spec"
)

func auditImportCommand(a *app) *cobra.Command {
	var owner string
	c := &cobra.Command{
		Use:   "import [FILE...]",
		Short: "Write the kernel's audit rules, or those of auditctl's files, as a document",
		Long: `Import without a FILE writes a document of the rules that the kernel has and of its settings. Applied
to the same kernel it changes nothing; to one without rules it makes the same ones, byte for byte but for
the key that marks them. Rules of --owner are written without that key, all others as they are.

With files of rules (audit.rules(7)), directories of which it takes *.rules in the order of their names,
or - for standard input, it writes a document of what these say: rules as they stand there with the
comments above them, -A in front of those before it, and -b, -e, -f, -r, --backlog_wait_time and
--loginuid-immutable as settings. What a document has no words for (-D, -d, -W, -c, -i), and
what is there twice, is a note on standard error. All mistakes of all files are reported at once.

What only the next boot takes back (-e 2, -f 2, --loginuid-immutable) is written, but not the
allow_irreversible: true that the document then needs.`,
		Example: "  nlapply audit import > audit.yaml\n  nlapply audit import /etc/audit/rules.d > audit.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := spec.CheckOwner(owner); err != nil {
				return err
			}
			return a.runAuditImport(cmd.Context(), owner, args)
		},
	}
	ownerFlag(c, &owner, "write the document of the owner `NAME`")
	return c
}

func (a *app) runAuditImport(ctx context.Context, owner string, files []string) error {
	i := &auditImport{owner: owner, seen: map[audit.Meaning]string{}}
	var err error
	if len(files) == 0 {
		err = i.takeKernel(ctx)
	} else {
		err = i.takeFiles(files, a.stdin)
	}
	if err != nil {
		return err
	}
	if owner != spec.DefaultOwner {
		i.note("nlapply", "the document needs the protocol: of owner %s, too, which its other files have", owner)
	}
	b, err := i.document()
	if err != nil {
		return err
	}
	if a.output == "json" {
		if b, err = yamlToJSON(b); err != nil {
			return err
		}
	}
	if !a.quiet {
		for _, n := range i.notes {
			fmt.Fprintln(a.stderr, n)
		}
	}
	_, err = a.stdout.Write(b)
	return err
}

// auditImport collects what a document is to declare.
type auditImport struct {
	owner    string
	settings spec.Audit
	rules    []importedRule
	seen     map[audit.Meaning]string // where the kernel's first rule of a meaning is
	notes    []string
}

// importedRule is a rule of the document, and the comments above it.
type importedRule struct {
	text     string
	comments []string
}

func (i *auditImport) note(where, format string, args ...any) {
	i.notes = append(i.notes, where+": "+fmt.Sprintf(format, args...))
}

// takeKernel takes what the kernel has.
func (i *auditImport) takeKernel(ctx context.Context) error {
	c, err := dialAudit()
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := c.Status(ctx)
	if err != nil {
		return fmt.Errorf("status: %w", err)
	}
	f, err := c.Features(ctx)
	if err != nil {
		return fmt.Errorf("features: %w", err)
	}
	rules, err := kernelRules(ctx, c)
	if err != nil {
		return err
	}
	i.settings = spec.Audit{Enabled: &s.Enabled, Failure: &s.Failure, RateLimit: &s.RateLimit, BacklogLimit: &s.BacklogLimit}
	if s.Features&unix.AUDIT_FEATURE_BITMAP_BACKLOG_WAIT_TIME != 0 {
		i.settings.BacklogWaitTime = &s.BacklogWaitTime
	}
	if f.LoginUIDImmutable {
		i.settings.LoginUIDImmutable = &f.LoginUIDImmutable // false could not be declared where it is true
	}
	i.warnIrreversible("nlapply")
	at := places(rules)
	for n := range rules {
		r, _ := reconcile.UnmarkAuditRule(&rules[n], i.owner)
		where := fmt.Sprintf("nlapply: %s rule %d", r.List, at[n])
		if err := i.takeKernelRule(where, r); err != nil {
			return err
		}
	}
	return nil
}

// takeKernelRule takes a rule, unless one that does the same comes before it.
func (i *auditImport) takeKernelRule(where string, r *audit.Rule) error {
	text := r.String()
	if !utf8.ValidString(text) {
		return fmt.Errorf("%s: a document is UTF-8, which %q is not", strings.TrimPrefix(where, "nlapply: "), text)
	}
	again, err := audit.ParseRule(text, nil)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", strings.TrimPrefix(where, "nlapply: "), text, err)
	}
	if !i.isNew(where, r) {
		return nil
	}
	if !again[0].IsSame(r) {
		i.note(where, "its keys come last in the document: the kernel takes that for another rule, which does the same")
	}
	i.rules = append(i.rules, importedRule{text: text})
	return nil
}

// isNew tells whether a rule is the first one of its meaning: a document has each once, and
// of two in the kernel the second never decides.
func (i *auditImport) isNew(where string, r *audit.Rule) bool {
	m := r.Meaning()
	before, twice := i.seen[m]
	if twice {
		i.note(where, "left out: the same rule as %s", strings.TrimPrefix(before, "nlapply: "))
		return false
	}
	i.seen[m] = where
	return true
}

// warnIrreversible notes what the document needs allow_irreversible for.
func (i *auditImport) warnIrreversible(where string) {
	s := &i.settings
	is := audit.Settings{Enabled: s.Enabled, Failure: s.Failure, LoginUIDImmutable: s.LoginUIDImmutable}
	if is.IsIrreversible() {
		i.note(where, "the document has what only the next boot takes back: it needs allow_irreversible: true, which is for you to add")
	}
}

// document returns the document as YAML.
func (i *auditImport) document() ([]byte, error) {
	d := &spec.Document{Version: 1, Owner: i.owner}
	d.Audit = &i.settings
	for _, r := range i.rules {
		d.Audit.Rules = append(d.Audit.Rules, spec.AuditRule{Text: r.text})
	}
	b, err := d.Marshal()
	if err != nil {
		return nil, err
	}
	return i.commented(string(b)), nil
}

// commented puts the comments above their rules, of which each is a line.
func (i *auditImport) commented(yaml string) []byte {
	var b strings.Builder
	rest := i.rules
	for line := range strings.Lines(yaml) {
		indent, _, isRule := strings.Cut(line, `- "`)
		if isRule && strings.Trim(indent, " ") == "" && len(rest) > 0 {
			for _, c := range rest[0].comments {
				b.WriteString(strings.TrimRight(indent+"# "+comment(c), " ") + "\n")
			}
			rest = rest[1:]
		}
		b.WriteString(line)
	}
	return []byte(b.String())
}

// comment returns what YAML takes in a comment.
func comment(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) && r != '\t' {
			return '?'
		}
		return r
	}, strings.TrimSpace(s))
}
