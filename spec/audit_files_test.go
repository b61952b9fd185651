package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func writeFile(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}

// TestAuditFiles loads a document with files of rules, and asks for all that comes of
// them.
func TestAuditFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	net := "version: 1\naudit: {rules_files: ['*.d/*.rules', last.rules, r.d/9.rules], rules: [-w /x]}\n"
	writeFile(t, "conf/net.yaml", net, 0o644)
	writeFile(t, "conf/r.d/10.rules", "-w /b\n -b 5\n", 0o600)
	writeFile(t, "conf/r.d/9.rules", "-w /a\n", 0o660)
	writeFile(t, "conf/r.d/90.old", "-w /old\n", 0o600)
	writeFile(t, "conf/last.rules", "# nothing", 0o600)
	if err := os.Symlink("9.rules", "conf/r.d/100.rules"); err != nil {
		t.Fatal(err)
	}
	d, err := load([]string{"conf/net.yaml"}, nil, testVocabulary, builtin)
	if err != nil {
		t.Fatal(err)
	}
	want := &Audit{
		RulesFiles: []string{"conf/*.d/*.rules", "conf/last.rules", "conf/r.d/9.rules"},
		Files:      []AuditFile{{"conf/r.d/9.rules", "-w /a\n"}, {"conf/r.d/10.rules", "-w /b\n -b 5\n"}, {"conf/last.rules", "# nothing"}},
		Rules:      []AuditRule{{Text: "-w /x"}},
	}
	if diff := cmp.Diff(want, d.Audit); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"conf/net.yaml", "conf/r.d/9.rules", "conf/r.d/10.rules", "conf/last.rules"}, d.Files); diff != "" {
		t.Error(diff)
	}
	sum := sha256.Sum256([]byte(net + "-w /a\n-w /b\n -b 5\n# nothing"))
	if got := d.Digest(); got != hex.EncodeToString(sum[:]) {
		t.Error(got)
	}
	if n := d.Count()["audit rule"]; n != 3 {
		t.Errorf("%d rules", n)
	}
	for path, want := range map[string]string{
		AuditFilePath("conf/r.d/10.rules", 2):        "conf/r.d/10.rules:2:2: no",
		AuditFilePath("conf/r.d/10.rules", 1) + ".x": "conf/r.d/10.rules:1:1: no",
		AuditFilePath("conf/r.d/10.rules", 9):        "conf/net.yaml:2:22: audit.rules_files[conf/r.d/10.rules:9]: no",
		AuditFilePath("conf/nosuch", 1):              "conf/net.yaml:2:22: audit.rules_files[conf/nosuch:1]: no",
		Path("", "audit", "rules", 0):                "conf/net.yaml:2:72: audit.rules[0]: no",
	} {
		if got := d.Errorf(path, "no").Error(); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	checkRoundTrip(t, d)
}

// TestAuditFilesRefused loads files that others may have written, or that are none.
func TestAuditFilesRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "world.rules", "-w /a\n", 0o606)
	writeFile(t, "other.rules", "-w /a\n", 0o600)
	if err := syscall.Mkfifo("fifo.rules", 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nosuch", "link.rules"); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"fifo.rules is not a regular file", "link.rules cannot be read: no such file or directory", "world.rules can be written by everybody",
	}
	if os.Chown("other.rules", 12345, -1) == nil {
		want = append(want[:2:2], "other.rules belongs to the user 12345: want root, or who runs nlapply", want[2])
	}
	d, err := loadText("version: 1\naudit:\n  rules_files: ['*.rules']\n")
	var got []string
	for line := range strings.Lines(err.Error()) {
		got = append(got, strings.TrimSpace(strings.TrimPrefix(line, "-:3:17: audit.rules_files[0]: ")))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// What it names is known all the same, so that it can be watched.
	if d == nil || d.Audit == nil || !cmp.Equal(d.Audit, &Audit{RulesFiles: []string{"*.rules"}}) {
		t.Errorf("%+v", d)
	}
}

// TestAuditFilesUnreadable has a glob in a directory that the user may not read.
func TestAuditFilesUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read every directory")
	}
	t.Chdir(t.TempDir())
	if err := os.Mkdir("rules.d", 0); err != nil {
		t.Fatal(err)
	}
	_, err := loadText("version: 1\naudit:\n  rules_files: ['rules.d/*.rules']\n")
	if err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Error(err)
	}
}

// TestAuditFilesBeside has a directory with characters of globs in its name.
func TestAuditFilesBeside(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "a[1]/net.yaml", "version: 1\naudit: {rules_files: [x.rules, '*.rules']}\n", 0o644)
	writeFile(t, "a[1]/x.rules", "-w /a\n", 0o600)
	writeFile(t, "a1/y.rules", "-w /a\n", 0o600)
	writeFile(t, "a[1]/bad.yaml", "version: 1\naudit: {rules_files: [nosuch.rules]}\n", 0o644)
	d, err := load([]string{"a[1]/net.yaml"}, nil, testVocabulary, builtin)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := load([]string{"a[1]/bad.yaml"}, nil, testVocabulary, builtin); err == nil || !strings.Contains(err.Error(), "there is no file a[1]/nosuch.rules") {
		t.Error(err)
	}
	if diff := cmp.Diff([]AuditFile{{"a[1]/x.rules", "-w /a\n"}}, d.Audit.Files); diff != "" {
		t.Error(diff)
	}
	checkRoundTrip(t, d)
}
