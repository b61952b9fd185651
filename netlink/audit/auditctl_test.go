package audit

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/testaudit"
	"github.com/nlapply/nlapply/netlink"
)

func TestMain(m *testing.M) {
	if err := testaudit.Lock(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// dialMachine opens a Conn to the audit system of a virtual machine, which has no
// rules before and after the test.
func dialMachine(t *testing.T) *Conn {
	t.Helper()
	if !testaudit.Allowed() {
		t.Skip(testaudit.Reason)
	}
	c, err := Dial(netlink.Config{})
	if err != nil {
		t.Fatal(err)
	}
	flush(t, c)
	t.Cleanup(func() {
		flush(t, c)
		c.Close()
	})
	return c
}

func flush(t *testing.T, c *Conn) {
	t.Helper()
	for _, r := range listed(t, c) {
		if err := c.Delete(context.Background(), &r); err != nil {
			t.Fatalf("%s: %v", &r, err)
		}
	}
}

func listed(t *testing.T, c *Conn) (rules []Rule) {
	t.Helper()
	for r, err := range c.Rules(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, *r.Clone())
	}
	return rules
}

// oneLiners are the rules of testdata/rules.txt.
func oneLiners(t testing.TB) (lines []string) {
	t.Helper()
	text, err := os.ReadFile("testdata/rules.txt")
	if err != nil {
		t.Fatal(err)
	}
	s := bufio.NewScanner(bytes.NewReader(text))
	for s.Scan() {
		if line := s.Text(); !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// auditctl loads one line, in a file, where it may have blanks with backslashes.
func auditctl(line string) error {
	f, err := os.CreateTemp("", "rules")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := fmt.Fprintln(f, line); err != nil {
		return err
	}
	out, err := exec.Command("auditctl", "-R", f.Name()).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// TestAuditctl has auditctl and this package load the same text, and compares what the
// kernel lists.
func TestAuditctl(t *testing.T) {
	c := dialMachine(t)
	same := 0
	for _, line := range oneLiners(t) {
		refused := auditctl(line)
		want := listed(t, c)
		flush(t, c)
		if err := load(c, line); err != nil && refused == nil {
			t.Errorf("%s: %v", line, err)
		}
		got := listed(t, c)
		flush(t, c)
		switch {
		case refused != nil:
			t.Logf("not by auditctl: %s (%d rules here): %v", line, len(got), refused)
		case !sameRules(want, got):
			t.Errorf("%s\nauditctl: %s\nhere:     %s", line, texts(want), texts(got))
		default:
			same++
		}
	}
	t.Logf("%d the same as auditctl's", same)
}

// load loads one line.
func load(c *Conn, line string) error {
	rules, err := ParseRule(line, nil)
	for i := range rules {
		err = errors.Join(err, c.Add(context.Background(), &rules[i]))
	}
	return err
}

func sameRules(a, b []Rule) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, errX := a[i].MarshalBinary()
		y, errY := b[i].MarshalBinary()
		if errX != nil || errY != nil || !bytes.Equal(x, y) {
			return false
		}
	}
	return true
}

func texts(rules []Rule) string {
	lines := make([]string, len(rules))
	for i := range rules {
		lines[i] = rules[i].String()
	}
	return strings.Join(lines, "; ")
}

// TestCheckAgainstKernel tries every field with every operator on every list: Check and
// the kernel agree about what is possible.
func TestCheckAgainstKernel(t *testing.T) {
	c := dialMachine(t)
	tried := 0
	for list := range listNames {
		for i := range fields {
			for _, op := range allOps {
				f, ok := sampleField(&fields[i])
				if !ok {
					continue
				}
				f.Op = op
				r := Rule{List: list, Action: Always, Syscalls: defaultSyscalls(list), Fields: []Field{f}}
				tried++
				problems := r.Check()
				if f.Type == FieldKey && op == NotEqual {
					continue // the kernel takes it, and it means nothing
				}
				err := c.Add(context.Background(), &r)
				switch {
				case err == nil && len(problems) > 0:
					t.Errorf("%s: the kernel takes it, Check says %v", &r, problems)
				case errors.Is(err, unix.EOPNOTSUPP) && isLabel(f.Type):
					// no security module with labels is at work
				case err != nil && !errors.Is(err, unix.EINVAL):
					t.Errorf("%s: %v", &r, err)
				case err != nil && len(problems) == 0:
					t.Errorf("%s: %v, Check has nothing against it", &r, err)
				}
				if err == nil {
					flush(t, c)
				}
			}
		}
	}
	t.Logf("%d tried", tried)
}

func isLabel(t FieldType) bool {
	return t >= 13 && t <= 23 && t.IsText()
}

// samples are values of fields.
var samples = map[FieldType]string{
	FieldMsgType: "CWD", FieldFSType: "tracefs", FieldPath: "/etc/passwd", FieldDir: "/etc", FieldExe: "/usr/bin/su",
	FieldPerm: "wa", FieldFileType: "file", FieldArch: "b64", FieldKey: "k", FieldExit: "-EACCES", FieldSockAddr: "inet",
}

func sampleField(row *fieldRow) (Field, bool) {
	word, ok := samples[row.typ]
	switch {
	case ok:
	case row.value.isText():
		word = "text"
	default:
		word = "1"
	}
	f, err := row.value.parse(nil, word)
	f.Type = row.typ
	return f, err == nil
}

// TestRoundTrip shows that what String writes, ParseRule reads.
func TestRoundTrip(t *testing.T) {
	for _, line := range oneLiners(t) {
		rules, err := ParseRule(line, nil)
		if err != nil {
			if !strings.Contains(line, "chronyd") {
				t.Errorf("%s: %v", line, err)
			}
			continue
		}
		for i := range rules {
			again, err := ParseRule(rules[i].String(), nil)
			if err != nil || !sameRules(rules[i:i+1], again) {
				t.Errorf("%s: %s: %v: %s", line, &rules[i], err, texts(again))
			}
			b, _ := rules[i].MarshalBinary()
			var d Rule
			if err := d.Decode(b); err != nil || !sameRules(rules[i:i+1], []Rule{d}) {
				t.Errorf("%s: decoded %s: %v", line, &d, err)
			}
		}
	}
}
