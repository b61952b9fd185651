package audit

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseFile(t *testing.T) {
	text := "# comment\n\n  -b 64\r\n-w /etc/x \\\n  -p wa \\\n\t-k y\n-w /a -p q\n   \t# indented\n-a always,exit \\\n-S nosuch -F uid=1\n-w /b # no comment\n-D -k z"
	f, errs := ParseFile("x.rules", []byte(text), nil)
	var got []string
	for i := range f.Lines {
		l := &f.Lines[i]
		got = append(got, l.Place())
		for _, r := range l.Rules {
			got = append(got, r.String())
		}
	}
	for _, e := range errs {
		got = append(got, e.Error())
	}
	want := []string{
		"x.rules:3:3",
		"x.rules:4:1", "-a always,exit -F path=/etc/x -F perm=wa -F key=y",
		"x.rules:12:1",
		`x.rules:7:10: -p: "q" is no permission: want some of r, w, x, a`,
		`x.rules:10:4: "nosuch" is no system call of ` + Native().String(),
		`x.rules:11:7: "#" is no option of a rule: a comment has a line of its own`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if f.Name != "x.rules" || f.Lines[0].Settings.BacklogLimit == nil || f.Lines[2].Key != "z" {
		t.Errorf("%+v", f)
	}
}

// TestExamples reads the rules that come with auditd, where that is installed.
func TestExamples(t *testing.T) {
	dirs := []string{"/usr/share/doc/auditd/examples/rules", "/usr/share/doc/audit/rules", "/usr/share/audit/sample-rules"}
	if auditctl, err := exec.LookPath("auditctl"); err == nil {
		for _, dir := range dirs[:3:3] {
			dirs = append(dirs, filepath.Join(filepath.Dir(filepath.Dir(auditctl)), dir))
		}
	}
	s := &Syntax{UserID: func(name string) (uint32, error) {
		if name == "chrony" || name == "root" {
			return 5, nil
		}
		return 0, errors.New("no such user")
	}}
	var all []File
	rules := 0
	for _, dir := range dirs {
		names, _ := filepath.Glob(filepath.Join(dir, "*.rules"))
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			f, errs := ParseFile(filepath.Base(name), text, s)
			for _, e := range errs {
				t.Error(e)
			}
			for _, n := range f.Notes {
				t.Log(n)
			}
			all = append(all, f)
			for line := range strings.Lines(string(text)) {
				if strings.HasPrefix(line, "-a ") || strings.HasPrefix(line, "-w ") {
					rules++
				}
			}
		}
	}
	if len(all) == 0 {
		t.Skip("there are no examples of auditd")
	}
	m, errs := Merge(all)
	if n := len(m.Rules) + len(m.Twice); n != rules || len(errs) > 0 {
		t.Errorf("%d files: %d rules of %d lines, %v", len(all), n, rules, errs)
	}
	t.Logf("%d files: %d rules, %d of them twice", len(all), rules, len(m.Twice))
}
