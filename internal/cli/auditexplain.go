package cli

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/nlapply/nlapply/netlink/audit"
)

// explanation is what a rule means, in JSON.
type explanation struct {
	auditRule
	Effect   string       `json:"effect"`
	Calls    string       `json:"calls,omitempty"`
	Meanings []fieldMeant `json:"meanings,omitempty"`
	Pitfalls []string     `json:"pitfalls,omitempty"`
	Kernel   ruleStanding `json:"kernel"`
	rule     *audit.Rule
}

type fieldMeant struct {
	Field   string `json:"field"`
	Meaning string `json:"meaning"`
}

func auditExplainCommand(a *app) *cobra.Command {
	var words []string
	return &cobra.Command{
		Use:   "explain [-o FORMAT] RULE",
		Short: "Say in words what an audit rule means, and what is wrong with it",
		Long: `Explain says what a rule of auditctl's syntax means: list and action, system calls with their numbers,
each condition, what it costs and which pitfalls it has on this machine, and, where the kernel can
be asked, whether it has the rule, at which place of its list, and which rules decide before it.
Mistakes are reported all at once, with their columns, and end it with status 1.

The rule is one argument, or one for each word. With -o json it is one object: rules, a list of
objects as those of nlapply audit list, with effect, calls, meanings (field, meaning), pitfalls and
kernel (present, position, of, owner, other_keys, keys, shadowed_by, or error where it could not be asked).
Mistakes are errors with line (1), column and reason.`,
		Example: "  nlapply audit explain '-w /etc/passwd -p wa -k identity'\n  nlapply audit explain -o json -a always,exit -F arch=b64,b32 -S openat -F exit=-EACCES -k access",
		// A rule looks like flags.
		DisableFlagParsing: true,
		PersistentPreRunE: func(cmd *cobra.Command, args []string) (err error) {
			if words, err = a.ownFlags(cmd, args); err != nil {
				return err
			}
			return a.enter(cmd.Flags().Changed("netns"))
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if help, _ := cmd.Flags().GetBool("help"); help {
				return cmd.Help()
			}
			if len(words) == 0 {
				return errors.New("no rule: nlapply audit explain '-w /etc/passwd -p wa'")
			}
			return a.runAuditExplain(cmd.Context(), ruleLine(words))
		},
	}
}

// ownFlags takes nlapply's own flags, of which auditctl has none for a rule, out of the
// arguments, and returns the rest.
func (a *app) ownFlags(cmd *cobra.Command, args []string) (rest []string, err error) {
	cmd.InitDefaultHelpFlag()
	for len(args) > 0 {
		arg := args[0]
		if arg == "--" {
			return append(rest, args[1:]...), nil
		}
		name, _, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		f := cmd.Flags().Lookup(name)
		if len(arg) > 1 && arg[0] == '-' && arg[1] != '-' && !strings.Contains(arg, " ") {
			f, hasValue = cmd.Flags().ShorthandLookup(arg[1:2]), len(arg) > 2
		}
		if f == nil || arg[0] != '-' {
			rest, args = append(rest, arg), args[1:]
			continue
		}
		n := 1
		if f.Value.Type() != "bool" && !hasValue {
			n = min(2, len(args))
		}
		if err := cmd.Flags().Parse(args[:n]); err != nil {
			return nil, err
		}
		args = args[n:]
	}
	return rest, nil
}

// ruleLine puts words to a line; one alone is the line.
func ruleLine(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	line := make([]string, len(words))
	for i, w := range words {
		line[i] = strings.ReplaceAll(w, " ", `\ `)
	}
	return strings.Join(line, " ")
}

func (a *app) runAuditExplain(ctx context.Context, line string) error {
	var names []string
	rules, notes, err := parseWatched(line, &names)
	var problems audit.Problems
	if errors.As(err, &problems) {
		a.printProblems(line, problems)
		return status(exitFailed)
	}
	have, kernelErr := askKernel(ctx)
	var list []explanation
	for i := range rules {
		r := &rules[i]
		e, err := explain(r)
		if err != nil {
			return err
		}
		e.Pitfalls = slices.Concat(r.Pitfalls(rules), r.PathPitfalls(), namePitfalls(names), otherNotes(notes))
		if e.Kernel = standing(&rules[i], have); kernelErr != nil {
			e.Kernel = ruleStanding{Error: kernelErr.Error()}
		}
		list = append(list, e)
	}
	if a.output == "json" {
		a.printJSON(struct {
			Rules []explanation `json:"rules"`
		}{list})
		return nil
	}
	for i := range list {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		a.printExplanation(&list[i])
	}
	return nil
}

// parseWatched reads a rule and takes down the names of users and groups that it has.
func parseWatched(line string, names *[]string) ([]audit.Rule, audit.Problems, error) {
	id := func(what, name, digits string, err error) (uint32, error) {
		if err != nil {
			return 0, err
		}
		n, err := strconv.ParseUint(digits, 10, 32)
		*names = append(*names, fmt.Sprintf("%s %s (%s)", what, name, digits))
		return uint32(n), err
	}
	l, err := audit.ParseLine(line, &audit.Syntax{
		UserID: func(name string) (uint32, error) {
			u, err := user.Lookup(name)
			if err != nil {
				return 0, err
			}
			return id("user", name, u.Uid, err)
		},
		GroupID: func(name string) (uint32, error) {
			g, err := user.LookupGroup(name)
			if err != nil {
				return 0, err
			}
			return id("group", name, g.Gid, err)
		},
	})
	if err != nil {
		return nil, nil, err
	}
	rules, err := l.Added()
	return rules, l.Notes, err
}

// otherNotes are those of the parser that no pitfall says better.
func otherNotes(notes audit.Problems) (texts []string) {
	for _, n := range notes {
		if !strings.HasPrefix(n.Text, "without arch") {
			texts = append(texts, n.Text)
		}
	}
	return texts
}

// namePitfalls are those of users and groups that were read as numbers.
func namePitfalls(names []string) (texts []string) {
	for _, name := range names {
		texts = append(texts, name+" is a number from when the rule is loaded on: if it changes in the user database, the rule does not")
	}
	return texts
}

// explain says what a rule means, but not what is wrong with it.
func explain(r *audit.Rule) (e explanation, err error) {
	e.rule = r
	if e.auditRule, err = describeRule(r, 0); err != nil {
		return e, err
	}
	e.Effect, e.Calls = ruleEffect(r), syscallMeaning(r)
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Type == audit.FieldKey {
			continue
		}
		e.Meanings = append(e.Meanings, fieldMeant{f.String(), fieldMeaning(f)})
	}
	return e, nil
}

func (a *app) printExplanation(e *explanation) {
	say := func(format string, args ...any) { fmt.Fprintf(a.stdout, format+"\n", args...) }
	say("%s", e.Text)
	end := ", if"
	if e.Calls == "" && len(e.Meanings) == 0 {
		end = ", whatever it is"
	}
	say("%s%s", e.Effect, end)
	calls := "system call"
	if e.rule.List == audit.IOURing {
		calls = "operation"
	}
	width := len(calls)
	for _, m := range e.Meanings {
		width = max(width, utf8.RuneCountInString(m.Field))
	}
	if e.Calls != "" {
		say("  %-*s  %s", width, calls, e.Calls)
	}
	for _, m := range e.Meanings {
		say("  %-*s  %s", width, m.Field, m.Meaning)
	}
	if len(e.Keys) > 0 {
		say("the records bear the key %s", strings.Join(e.Keys, ", "))
	}
	for _, p := range e.Pitfalls {
		say("beware: %s", p)
	}
	for _, line := range e.Kernel.text(e.rule) {
		say("%s", line)
	}
}

// printProblems prints mistakes, each with the line and a caret under it.
func (a *app) printProblems(line string, problems audit.Problems) {
	if a.output == "json" {
		var r report
		for _, p := range problems {
			r.Errors = append(r.Errors, errorReport{Line: 1, Column: p.Offset + 1, Reason: p.Text})
		}
		a.printJSON(r)
		return
	}
	for _, p := range problems {
		fmt.Fprintf(a.stderr, "nlapply: column %d: %s\n  %s\n  %s\n", p.Offset+1, p.Text, line, marker(line, p.Offset))
	}
}

// marker is carets under the word that begins at an offset.
func marker(line string, offset int) string {
	offset = min(offset, len(line))
	blank := func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}
	word := line[offset:]
	if end := strings.IndexAny(word, " \t,"); end >= 0 {
		word = word[:end]
	}
	return strings.Map(blank, line[:offset]) + strings.Repeat("^", max(utf8.RuneCountInString(word), 1))
}
