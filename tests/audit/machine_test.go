package audit_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/cli"
	"github.com/nlapply/nlapply/internal/testaudit"
	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/audit"
	"github.com/nlapply/nlapply/reconcile"
	"github.com/nlapply/nlapply/spec"
	"github.com/nlapply/nlapply/tests/scenario"
)

// machine is the audit system of the machine, which a test has for itself.
type machine struct {
	*testing.T
	conn *audit.Conn
}

// newMachine returns the audit system as after boot, and leaves it so.
func newMachine(t *testing.T) *machine {
	t.Helper()
	if !testaudit.Allowed() {
		t.Skip(testaudit.Reason)
	}
	c, err := audit.Dial(netlink.Config{})
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t, c}
	t.Cleanup(func() {
		m.empty()
		c.Close()
	})
	m.empty()
	return m
}

func (m *machine) empty() {
	m.Helper()
	if err := scenario.EmptyAudit(); err != nil {
		m.Fatal(err)
	}
}

// write makes a file of the test.
func (m *machine) write(name, text string) (path string) {
	m.Helper()
	path = filepath.Join(m.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		m.Fatal(err)
	}
	return path
}

// auditctl loads a file and returns what it says, and whether that was all of the file.
func (m *machine) auditctl(file string) (says string, ok bool) {
	m.Helper()
	out, err := exec.Command("auditctl", "-R", file).CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		m.Fatal(err)
	}
	return string(out), err == nil
}

// nlapply runs the command, which has to end with a status.
func (m *machine) nlapply(status int, args ...string) (stdout, stderr string) {
	m.Helper()
	var out, err bytes.Buffer
	if got := cli.Main(args, nil, &out, &err); got != status {
		m.Fatalf("nlapply %s: status %d, want %d\n%s%s", strings.Join(args, " "), got, status, &out, &err)
	}
	return out.String(), err.String()
}

// system is what can be set and declared of the audit system: settings, and the rules as
// the kernel sends them.
type system struct {
	settings [5]uint32
	rules    []string
}

// noPayload is that of AUDIT_LIST_RULES.
type noPayload struct{}

func (noPayload) AppendTo(*netlink.Encoder) {}

// system returns what the kernel has.
func (m *machine) system() (s system) {
	m.Helper()
	ctx := context.Background()
	st, err := m.conn.Status(ctx)
	if err != nil {
		m.Fatal(err)
	}
	s.settings = [...]uint32{st.Enabled, st.Failure, st.RateLimit, st.BacklogLimit, st.BacklogWaitTime}
	for msg, err := range m.conn.Dump(ctx, unix.AUDIT_LIST_RULES, noPayload{}) {
		if err != nil {
			m.Fatal(err)
		}
		if msg.Type == unix.AUDIT_LIST_RULES {
			s.rules = append(s.rules, string(msg.Data))
		}
	}
	return s
}

// unmarked returns a system whose rules all have nlapply's mark, without the marks.
func (m *machine) unmarked(s system) system {
	m.Helper()
	s.rules = slices.Clone(s.rules)
	for i := range s.rules {
		plain, marked := reconcile.UnmarkAuditRule(m.decode(s.rules[i]), spec.DefaultOwner)
		b, err := plain.MarshalBinary()
		if err != nil || !marked {
			m.Fatalf("%s: marked %v, error %v", plain, marked, err)
		}
		s.rules[i] = string(b)
	}
	return s
}

func (m *machine) decode(raw string) *audit.Rule {
	m.Helper()
	r := new(audit.Rule)
	if err := r.Decode([]byte(raw)); err != nil {
		m.Fatal(err)
	}
	return r
}

// same compares systems byte for byte.
func (m *machine) same(what string, want, got system) {
	m.Helper()
	if want.settings != got.settings {
		m.Errorf("%s: settings %v, want %v", what, got.settings, want.settings)
	}
	if !slices.Equal(want.rules, got.rules) {
		m.Errorf("%s:\n%s\nwant:\n%s", what, m.texts(got), m.texts(want))
	}
}

func (m *machine) texts(s system) string {
	var b strings.Builder
	for _, raw := range s.rules {
		b.WriteString("\t" + m.decode(raw).String() + "\n")
	}
	return b.String()
}
