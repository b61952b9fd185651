package audit_test

import (
	"encoding/json"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nlapply/nlapply/netlink/audit"
	"github.com/nlapply/nlapply/tests/scenario"
	"github.com/nlapply/nlapply/tests/tools"
)

// lastingExample is the one of the examples that only the next boot takes back.
const lastingExample = "11-loginuid.rules"

// examples returns the files of rules that auditd's package has as examples.
func examples(t *testing.T) (files []string) {
	t.Helper()
	dir, err := tools.Beside("auditctl", tools.AuditExamples)
	if err != nil {
		t.Fatal(err)
	}
	files, err = filepath.Glob(filepath.Join(dir, "*.rules"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d examples in %s: %v", len(files), dir, err)
	}
	return files
}

// TestExamples has auditctl and nlapply load each of the examples, first as the machine
// is, and then, where that was not all of the file, with what it needs.
func TestExamples(t *testing.T) {
	newMachine(t)
	for _, file := range examples(t) {
		if filepath.Base(file) == lastingExample {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			m := newMachine(t)
			if strings.Contains(read(t, file), "uid=chrony") {
				needsUser(t, "chrony")
			}
			if _, ok := m.auditctl(file); !ok {
				m.inPart(file)
			}
			m.makeDirs(file)
			m.agree(file, document(t, map[string]any{"rules_files": []string{file}}))
		})
	}
}

// needsUser skips a test where a user is not there that virtual machines have.
func needsUser(t *testing.T, name string) {
	t.Helper()
	if _, err := user.Lookup(name); err != nil {
		t.Skip(err)
	}
}

// rule is a line that makes a rule.
var rule = regexp.MustCompile(`(?m)^-[aAw] `)

// agree has auditctl load a file and nlapply apply a document that says the same. The
// kernel's rules are the same but for the mark, a second apply changes nothing, and what
// is imported makes the same rules again.
func (m *machine) agree(file, doc string) {
	m.Helper()
	m.empty()
	if says, ok := m.auditctl(file); !ok {
		m.Fatalf("auditctl: %s", says)
	}
	want := m.system()
	if lines := rule.FindAllString(read(m.T, file), -1); len(lines) != len(want.rules) {
		m.Errorf("auditctl made %d rules of %d", len(want.rules), len(lines))
	}
	imported, notes := m.nlapply(0, "audit", "import")
	if notes != "" {
		m.Errorf("audit import: %s", notes)
	}
	m.empty()
	m.nlapply(0, "-f", doc)
	got := m.system()
	m.same("applied", want, m.unmarked(got))
	if says, _ := m.nlapply(0, "-f", doc); !strings.Contains(says, "Nothing to do, verified") {
		m.Errorf("second apply: %s", says)
	}
	m.same("applied again", got, m.system())
	if again, _ := m.nlapply(0, "audit", "import"); again != imported {
		m.Errorf("imported of nlapply's:\n%s\nof auditctl's:\n%s", again, imported)
	}
	m.empty()
	m.nlapply(0, "-f", m.write("imported.yaml", imported))
	m.same("imported", got, m.system())
}

// inPart shows what becomes of a file that auditctl does not load to its end for want of
// directories: nlapply makes the rules that auditctl makes when it goes on after
// mistakes, and the others wait.
func (m *machine) inPart(file string) {
	m.Helper()
	first := m.system()
	m.empty()
	m.auditctl(m.write("going-on.rules", "-c\n"+read(m.T, file)))
	want := m.system()
	m.empty()
	notes, _ := m.nlapply(0, "-f", document(m.T, map[string]any{"rules_files": []string{file}}))
	got := m.system()
	m.same("in part", want, m.unmarked(got))
	m.Logf("of %d rules auditctl makes %d, nlapply %d", len(rule.FindAllString(read(m.T, file), -1)), len(first.rules), len(got.rules))
	if !strings.Contains(notes, " waits for ") {
		m.Errorf("nothing waits:\n%s", notes)
	}
}

// TestUnknownUser shows that nlapply refuses a file with the name of a user that is not
// there before anything is changed; auditctl has loaded what comes before it.
func TestUnknownUser(t *testing.T) {
	m := newMachine(t)
	file := m.write("unknown.rules", "-w /etc/passwd -p wa\n-a never,exit -F arch=b64 -S adjtimex -F uid=no-such-user\n-w /etc/group -p wa\n")
	if says, ok := m.auditctl(file); ok || len(m.system().rules) != 1 {
		t.Errorf("auditctl: %s\n%s", says, m.texts(m.system()))
	}
	m.empty()
	before := m.system()
	_, stderr := m.nlapply(1, "-f", document(t, map[string]any{"rules_files": []string{file}}))
	if want := file + `:2:46: uid: there is no user "no-such-user"`; !strings.Contains(stderr, want) {
		t.Errorf("nlapply: %s, want %s", stderr, want)
	}
	m.same("refused", before, m.system())
}

// makeDirs makes the directories that rules of a file need, until the test ends.
func (m *machine) makeDirs(file string) {
	m.Helper()
	f, errs := audit.ParseFile(file, []byte(read(m.T, file)), nil)
	for _, err := range errs {
		m.Fatal(err)
	}
	for _, l := range f.Lines {
		for i := range l.Rules {
			if w, ok := l.Rules[i].Field(audit.FieldPath); ok {
				m.makeDir(filepath.Dir(w.Text))
			}
			if w, ok := l.Rules[i].Field(audit.FieldDir); ok {
				m.makeDir(filepath.Clean(w.Text))
			}
		}
	}
}

func (m *machine) makeDir(dir string) {
	if _, err := os.Stat(dir); err == nil {
		return
	}
	m.makeDir(filepath.Dir(dir))
	if err := os.Mkdir(dir, 0o755); err != nil {
		m.Fatal(err)
	}
	m.Cleanup(func() { os.Remove(dir) })
}

// document writes a document of the audit system.
func document(t *testing.T, a map[string]any) (path string) {
	t.Helper()
	text, err := json.Marshal(map[string]any{"version": 1, "audit": a})
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "net.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestExamplesTogether applies all examples as one document, and once more under strace.
func TestExamplesTogether(t *testing.T) {
	needsUser(t, "chrony")
	m := newMachine(t)
	files := slices.DeleteFunc(examples(t), func(f string) bool { return filepath.Base(f) == lastingExample })
	var all strings.Builder
	all.WriteString("-c\n") // some rules are in several files
	for _, file := range files {
		m.makeDirs(file)
		all.WriteString(read(t, file) + "\n")
	}
	m.auditctl(m.write("all.rules", all.String()))
	want := m.system()
	m.empty()
	doc := document(t, map[string]any{"rules_files": files})
	m.nlapply(0, "-f", doc)
	m.same("all", want, m.unmarked(m.system()))
	t.Logf("%d rules", len(want.rules))
	m.writesNothing(doc)
}

// writesNothing applies a document under strace.
func (m *machine) writesNothing(doc string) {
	m.Helper()
	changes, err := scenario.Writes("nlapply", "-f", doc)
	if err != nil || len(changes) > 0 {
		m.Errorf("second apply under strace: %v, error %v", changes, err)
	}
}

// TestLastingExamples shows that what only the next boot takes back is refused unless
// the document allows it; where it does, is up to TestLocked.
func TestLastingExamples(t *testing.T) {
	m := newMachine(t)
	before := m.system()
	for _, file := range examples(t) {
		text := read(t, file)
		switch filepath.Base(file) {
		case lastingExample:
		case "99-finalize.rules":
			text = strings.ReplaceAll(text, "#-e 2", "-e 2")
		default:
			continue
		}
		_, stderr := m.nlapply(1, "-f", document(t, map[string]any{"rules_files": []string{m.write("lasting.rules", text)}}))
		if !strings.Contains(stderr, "needs audit.allow_irreversible: true") {
			t.Errorf("%s: %s", filepath.Base(file), stderr)
		}
	}
	m.same("refused", before, m.system())
	if f, err := m.conn.Features(t.Context()); err != nil || f.LoginUIDImmutable {
		t.Errorf("login uids immutable: %v, error %v", f.LoginUIDImmutable, err)
	}
}

// TestOneLiners loads the one-line rules of netlink/audit's table, in as few documents
// as have none of them twice.
func TestOneLiners(t *testing.T) {
	newMachine(t)
	for _, lines := range distinct(oneLiners(t)) {
		t.Run("", func(t *testing.T) {
			m := newMachine(t)
			lines, refused := m.accepted(lines)
			t.Logf("%d rules; auditctl refuses %d:\n%s", len(lines), len(refused), strings.Join(refused, "\n"))
			doc := document(t, map[string]any{"rules": lines})
			m.agree(m.write("lines.rules", strings.Join(lines, "\n")+"\n"), doc)
			m.nlapply(0, "-f", doc)
			m.writesNothing(doc)
		})
	}
}

// oneLiners are the rules of the table that can be read here: not those with users that
// only other machines have.
func oneLiners(t *testing.T) (lines []string) {
	t.Helper()
	for line := range strings.Lines(read(t, "../../netlink/audit/testdata/rules.txt")) {
		if line = strings.TrimSuffix(line, "\n"); !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// distinct deals lines out to lists in which no rule is twice.
func distinct(lines []string) (lists [][]string) {
	var seen []map[audit.Meaning]bool
	for _, line := range lines {
		rules, err := audit.ParseRule(line, nil)
		if err != nil {
			continue // TestRoundTrip of netlink/audit says which
		}
		at := 0
		for at < len(seen) && slices.ContainsFunc(rules, func(r audit.Rule) bool { return seen[at][r.Meaning()] }) {
			at++
		}
		if at == len(seen) {
			seen, lists = append(seen, map[audit.Meaning]bool{}), append(lists, nil)
		}
		for i := range rules {
			seen[at][rules[i].Meaning()] = true
		}
		lists[at] = append(lists[at], line)
	}
	return lists
}

// mistake is what auditctl says of a line that it does not take.
var mistake = regexp.MustCompile(`(?m)error in line (\d+) of`)

// accepted tells the lines that auditctl takes from those that it does not.
func (m *machine) accepted(lines []string) (taken, refused []string) {
	m.Helper()
	says, _ := m.auditctl(m.write("all.rules", "-c\n"+strings.Join(lines, "\n")+"\n"))
	m.empty()
	bad := map[string]bool{}
	for _, found := range mistake.FindAllStringSubmatch(says, -1) {
		bad[found[1]] = true
	}
	for i, line := range lines {
		if bad[strconv.Itoa(i+2)] {
			refused = append(refused, line)
		} else {
			taken = append(taken, line)
		}
	}
	return taken, refused
}
