package reconcile

import (
	"slices"
	"testing"

	"github.com/nlapply/nlapply/netlink/audit"
)

// TestStale shows how rules are planned that watch another directory than the one at their
// path: those that are declared are made anew, the others go, and both are told.
func TestStale(t *testing.T) {
	s, table, err := declaredAudit(t, true, "  rules:\n    - -a always,exit -F dir=/etc -k declared\n", map[string]string{})
	if err != nil {
		t.Fatal(err)
	}
	var have []audit.Rule
	for _, text := range []string{
		"-a always,exit -F dir=/etc -k declared -k nlapply:nlapply",
		"-a always,exit -F dir=/usr -k gone -k nlapply:nlapply",
		"-a always,exit -F dir=/etc -k foreign",
	} {
		rules, err := audit.ParseRule(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		have = append(have, rules...)
	}
	s.run.anchors = map[audit.Meaning][]auditAnchor{have[0].Meaning(): {{1, 1}}, have[1].Meaning(): {{1, 1}}}
	if err := table.plan(s, have); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for st := range table.steps(s) {
		lines = append(lines, st.String())
	}
	if want := []string{
		"- audit -a always,exit -F dir=/usr -F key=gone",
		"± audit -a always,exit -F dir=/etc -F key=declared   made anew: another directory has its path now",
	}; !slices.Equal(lines, want) {
		t.Errorf("%q, want %q", lines, want)
	}
	if table.sharedTree != "/etc" || len(table.sharedNotes()) != 1 {
		t.Errorf("shared tree %q", table.sharedTree)
	}
	for _, c := range table.changes {
		if c.Delete && !c.Early {
			t.Errorf("%s comes after what is added", c.Change)
		}
	}
}
