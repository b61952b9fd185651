package reconcile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlapply/nlapply/spec"
)

// declaredAudit loads a document beside files of rules, and declares it. Without check
// it is one that nobody has looked at yet.
func declaredAudit(t *testing.T, check bool, audit string, files map[string]string) (*Scope, *auditTable, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	files["net.yaml"] = "version: 1\naudit:\n" + audit
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var v spec.Vocabulary
	if check {
		v = Vocabulary{}
	}
	doc, err := spec.Load([]string{"net.yaml"}, nil, v)
	if err != nil {
		t.Fatal(err)
	}
	s := &Scope{Spec: &doc.Namespace, Exists: true, run: OpenReadOnly(Config{Document: doc})}
	table := newAuditTable().(*auditTable)
	return s, table, table.declare(s)
}

func TestAuditFilesDeclared(t *testing.T) {
	s, table, err := declaredAudit(t, true, `  backlog_limit: 64
  rate_limit: 5
  rules_files: [r.d/*.rules]
  rules:
    - -a always,exit -F uid=3
    - -a always,exit -F uid=1
    - -A never,exit -F uid=4
    - -a always,exit -F arch=b64,b32 -F uid=5
`, map[string]string{
		"r.d/9.rules":  "-D\n-b 64\n-e 0\n-f 0\n-a always,exit -F uid=1\n-i\n",
		"r.d/10.rules": "  -A always,exit -F uid=2\n-a always,exit -F uid=1\n-e 1\n--backlog_wait_time 7\n-f 1\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range table.declared {
		got = append(got, s.run.place(r.path)+" "+r.rule.String())
	}
	want := []string{
		"net.yaml:9:7 -a never,exit -F uid=4",
		"r.d/10.rules:1:3 -a always,exit -F uid=2",
		"r.d/9.rules:5:1 -a always,exit -F uid=1",
		"net.yaml:7:7 -a always,exit -F uid=3",
	}
	if diff := cmp.Diff(want, got[:4]); diff != "" || len(got) != 6 {
		t.Error(len(got), diff)
	}
	wantNotes := []string{
		"r.d/9.rules:1:1: -D is left out: reconciling is replacement, and other rules go with prune: {audit: all} only",
		"r.d/9.rules:6:1: -c and -i are left out: mistakes are found before anything is changed",
		"r.d/10.rules:2:1: left out: the same audit rule as at r.d/9.rules:5:1",
		"net.yaml:8:7: left out: the same audit rule as at r.d/9.rules:5:1",
	}
	if diff := cmp.Diff(wantNotes, table.remarks); diff != "" {
		t.Error(diff)
	}
	settings := s.auditSettings()
	got = nil
	for _, o := range auditOptions {
		if v := o.value(&settings); v != nil {
			got = append(got, fmt.Sprint(o.key, " ", auditOptionWord(o.key, *v), " ", s.run.place(s.auditSettingPath(o.key))))
		}
	}
	want = []string{
		"enabled true r.d/10.rules:3:1", "failure printk r.d/10.rules:5:1", "rate_limit 5 net.yaml:4:15",
		"backlog_limit 64 net.yaml:3:18", "backlog_wait_time 7 r.d/10.rules:4:1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	e := s.run.newStepError(Step{Action: Create, Class: AuditClass, Object: "-a always,exit -F uid=2", Path: table.declared[1].path}, os.ErrPermission)
	if got := e.Error(); !strings.HasPrefix(got, "r.d/10.rules:1:3: audit -a always,exit -F uid=2: ") {
		t.Error(got)
	}
}

// TestAuditFilesWrong declares documents that the vocabulary has not seen.
func TestAuditFilesWrong(t *testing.T) {
	mark := strings.Repeat("k", 250)
	_, table, err := declaredAudit(t, false, `  enabled: true
  rules_files: [a.rules, b.rules]
  rules: [-w /x -p r, '-A always,exit -F perm=r -F path=/x']
`, map[string]string{
		"a.rules": "-e 2\n-d always,user -F uid=1\n",
		"b.rules": "--loginuid-immutable\n -w /y -p r -k " + mark + "\n",
	})
	want := []string{
		"a.rules:2:1: there is no such rule before this line: -a always,user -F uid=1",
		"a.rules:1:1: only the next boot takes it back: the document needs audit.allow_irreversible: true",
		"net.yaml:3:12: audit.enabled: true contradicts locked, which is at a.rules:1:1",
		"b.rules:1:1: only the next boot takes it back: the document needs audit.allow_irreversible: true",
		"net.yaml:5:23: audit.rules[1]: the same rule is declared twice, first at net.yaml:5:11",
		"b.rules:2:2: with the ",
	}
	if err == nil {
		t.Fatalf("%+v", table.declared)
	}
	got := strings.Split(err.Error(), "\n")
	for i := range want {
		if i >= len(got) || !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("want %s in\n%s", want[i], err)
		}
	}
	if len(got) != len(want) {
		t.Error(err)
	}
}
