package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/nlapply/nlapply/netlink/audit"
	"github.com/nlapply/nlapply/reconcile"
)

// ruleStanding says how a rule stands among those of the kernel.
type ruleStanding struct {
	Error     string         `json:"error,omitempty"`    // why the kernel could not be asked
	Present   bool           `json:"present"`            // it has a rule that does the same
	Position  int            `json:"position,omitempty"` // of that in its list
	Of        int            `json:"of"`                 // how many the list has
	Owner     string         `json:"owner,omitempty"`    // of the rule that it has
	OtherKeys bool           `json:"other_keys,omitempty"`
	Keys      []string       `json:"keys,omitempty"` // of the rule that it has
	Shadows   []shadowingOne `json:"shadowed_by,omitempty"`
}

// shadowingOne is a rule that comes first.
type shadowingOne struct {
	Always   bool   `json:"always"` // whatever happens; else in some cases
	List     string `json:"list"`
	Position int    `json:"position"`
	Text     string `json:"text"`
}

// askKernel returns the rules that the kernel has.
func askKernel(ctx context.Context) ([]audit.Rule, error) {
	c, err := dialAudit()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return kernelRules(ctx, c)
}

// standing looks for a rule among those of the kernel.
func standing(r *audit.Rule, rules []audit.Rule) ruleStanding {
	var s ruleStanding
	at := places(rules)
	found := slices.IndexFunc(rules, func(o audit.Rule) bool { return unowned(&o).Meaning() == unowned(r).Meaning() })
	if found < 0 {
		found = slices.IndexFunc(rules, func(o audit.Rule) bool { return keyless(&o).Meaning() == keyless(r).Meaning() })
		s.OtherKeys = found >= 0
	}
	if found >= 0 {
		s.Present, s.Position = true, at[found]
		s.Owner, s.Keys = ownerOf(&rules[found]), rules[found].Keys()
	}
	for i := range rules {
		o := &rules[i]
		if o.List == r.List {
			s.Of++
		}
		if i == found || found >= 0 && i > found {
			continue
		}
		if shadows, always := r.ShadowedBy(o); shadows {
			s.Shadows = append(s.Shadows, shadowingOne{always, o.List.String(), at[i], o.String()})
		}
	}
	return s
}

// unowned returns a rule without what marks it.
func unowned(r *audit.Rule) *audit.Rule {
	c := r.Clone()
	c.Fields = slices.DeleteFunc(c.Fields, func(f audit.Field) bool { return reconcile.IsAuditMark(r.List, f) })
	c.SetKeys(slices.DeleteFunc(r.Keys(), func(k string) bool { return strings.HasPrefix(k, ownerPrefix) }))
	return c
}

func keyless(r *audit.Rule) *audit.Rule {
	c := r.Clone()
	c.SetKeys(nil)
	return c
}

// text is the standing in lines.
func (s *ruleStanding) text(r *audit.Rule) (lines []string) {
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	switch {
	case s.Error != "":
		say("the kernel was not asked: %s", s.Error)
		return lines
	case !s.Present:
		say("the kernel does not have it; its list %s has %s", r.List, plural(s.Of, "rule"))
	case s.OtherKeys:
		say("the kernel has it with other keys (%s), at place %d of %d of the list %s", strings.Join(s.Keys, ", "), s.Position, s.Of, r.List)
	case s.Owner != "":
		say("the kernel has it, made for owner %s, at place %d of %d of the list %s", s.Owner, s.Position, s.Of, r.List)
	default:
		say("the kernel has it, at place %d of %d of the list %s", s.Position, s.Of, r.List)
	}
	for _, o := range s.Shadows {
		how := "may decide before it"
		if o.Always {
			how = "always decides before it"
		}
		say("%s rule %d %s: %s", o.List, o.Position, how, o.Text)
	}
	return lines
}
