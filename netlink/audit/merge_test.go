package audit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parsed reads files of which the first line of each is `# NAME`.
func parsed(t *testing.T, texts ...string) (files []File) {
	t.Helper()
	for _, text := range texts {
		name, _, _ := strings.Cut(strings.TrimPrefix(text, "# "), "\n")
		f, errs := ParseFile(name, []byte(text), &Syntax{IsDir: func(string) bool { return false }})
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		files = append(files, f)
	}
	return files
}

// merged is what Merge says, a line for each rule, duplicate, dropped line and error.
func merged(files []File) (lines []string) {
	m, errs := Merge(files)
	for _, r := range m.Rules {
		lines = append(lines, r.From.Place()+" "+r.Rule.String())
	}
	for _, d := range m.Twice {
		lines = append(lines, "twice "+d.Left.Place()+" as "+d.Kept.Place())
	}
	for _, l := range m.Dropped {
		lines = append(lines, "dropped "+l.Place())
	}
	for _, e := range errs {
		lines = append(lines, e.Error())
	}
	return lines
}

func TestMerge(t *testing.T) {
	for _, test := range []struct {
		name  string
		files []string
		want  string
	}{
		{"files one behind the other", []string{"# a\n-w /a -p r -k x\n-e 1\n", "# b\n\n  -w /b -p r\n"}, `
a:2:1 -a always,exit -F path=/a -F perm=r -F key=x
b:3:3 -a always,exit -F path=/b -F perm=r`},
		{"-A goes before the earlier ones", []string{"# a\n-w /a -p r\n-A never,exit -F uid=1\n-A never,exit -F uid=2\n-w /b -p r\n"}, `
a:4:1 -a never,exit -F uid=2
a:3:1 -a never,exit -F uid=1
a:2:1 -a always,exit -F path=/a -F perm=r
a:5:1 -a always,exit -F path=/b -F perm=r`},
		{"the second one is left out", []string{"# a\n-w /a -p r\n", "# b\n-a always,exit -S all -F perm=r -F path=/a\n-w /b -p r\n-w /b -p r"}, `
a:2:1 -a always,exit -F path=/a -F perm=r
b:3:1 -a always,exit -F path=/b -F perm=r
twice b:2:1 as a:2:1
twice b:4:1 as b:3:1`},
		{"a second one of -A hides the first", []string{"# a\n-a never,exit -F uid=1\n-a always,exit -F uid=2\n-A always,exit -F uid=2\n"}, `
a:4:1 -a always,exit -F uid=2
a:2:1 -a never,exit -F uid=1
twice a:3:1 as a:4:1`},
		{"-d deletes the first", []string{"# a\n-a never,exit -F uid=1\n-a always,exit -F uid=2\n-A always,exit -F uid=2\n", "# b\n-d always,exit -F uid=2\n"}, `
a:2:1 -a never,exit -F uid=1
a:3:1 -a always,exit -F uid=2`},
		{"-W and -d want something to delete", []string{"# a\n-W /a -p r -k x\n-w /a -p r -k x\n-W /a -p r -k x\n-d always,exit -F arch=b64,b32 -S open"}, `
a:2:1: there is no such rule before this line: -a always,exit -F path=/a -F perm=r -F key=x
a:5:1: there is no such rule before this line: -a always,exit -F arch=x86_64 -S open
a:5:1: there is no such rule before this line: -a always,exit -F arch=i386 -S open`},
		{"-D -k deletes what came before", []string{"# a\n-w /a -k abc\n-w /b -k x -k bcd\n-w /c -k x\n-D -k bc\n-w /a -k abc\n"}, `
a:4:1 -a always,exit -F path=/c -F perm=rwxa -F key=x
a:6:1 -a always,exit -F path=/a -F perm=rwxa -F key=abc`},
		{"what says nothing of rules", []string{"# a\n-w /a\n-D\n-c\n-i\n"}, `
a:2:1 -a always,exit -F path=/a -F perm=rwxa
dropped a:3:1
dropped a:4:1
dropped a:5:1`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if Native().String() != "x86_64" && strings.Contains(test.want, "x86_64") {
				t.Skip("it names the machine's architecture")
			}
			got := merged(parsed(t, test.files...))
			if diff := cmp.Diff(strings.TrimSpace(test.want), strings.Join(got, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestMergeAsTheKernel loads lines into a fake kernel, one after the other.
func TestMergeAsTheKernel(t *testing.T) {
	file := parsed(t, `# a
-a always,exit -F uid=1
-A always,exit -F uid=2
-A always,exit -F uid=1
-a always,user -F uid=1
-d always,exit -F uid=1
-A never,exit -F uid=3
-a always,exit -F uid=1
-A never,user -F uid=4
-A never,exit -F uid=3
-d never,exit -F uid=3
`)[0]
	var k fakeKernel
	for i := range file.Lines {
		l := &file.Lines[i]
		m, errs := Merge([]File{{Name: "a", Lines: file.Lines[:i+1]}})
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		_ = k.change(Change{Delete: l.Delete, Rule: l.Rules[0]}) // EEXIST is a duplicate
		var want, got []string
		for _, list := range []List{User, Exit} {
			seen := map[Meaning]bool{}
			for _, r := range k {
				if r.List == list && !seen[r.Meaning()] { // a second one never matters
					seen[r.Meaning()] = true
					want = append(want, r.String())
				}
			}
			for _, r := range m.Rules {
				if r.Rule.List == list {
					got = append(got, r.Rule.String())
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("after line %d: %s", l.Number, diff)
		}
	}
}
