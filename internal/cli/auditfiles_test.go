package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlapply/nlapply/netlink/audit"
)

// TestImportIsMerge imports files in which the order counts: what is written are the rules
// that audit.Merge has, in its order.
func TestImportIsMerge(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files []string
		notes string // with FILE:LINE, one a line
	}{
		{"-A of a rule that is there", []string{"-a never,exit -F arch=b64 -S mount -F auid=0\n-a always,exit -F arch=b64 -S mount -F key=m\n-A always,exit -F arch=b64 -S mount -F key=m"}, `
a:2: left out: the same rule as a:3`},
		{"-A of a rule that is in front", []string{"-A always,exit -F uid=1\n-a never,exit -F uid=1\n-A always,exit -F uid=1"}, `
a:1: left out: the same rule as a:3`},
		{"-A twice, then -d of the first", []string{"-a never,exit -F uid=1\n-a always,exit -F uid=2\n-A always,exit -F uid=2", "-d always,exit -F uid=2"}, `
b:1: -d always,exit -F uid=2: left out, and the rule that it deletes`},
		{"-A for two architectures", []string{"-a never,exit -F uid=1\n-a always,exit -F arch=b64 -S openat\n-A always,exit -F arch=b64,b32 -S openat"}, `
a:2: left out: the same rule as a:3`},
		{"-a with other words", []string{"-w /a -p r\n-a always,exit -F perm=r -F path=/a\n-A never,exit -F perm=r -F path=/a"}, `
a:2: left out: the same rule as a:1`},
		{"-D with a key", []string{"-w /a -k abc\n-w /b -k x -k bcd\n-w /c -k x\n-D -k bc\n-w /a -k abc"}, `
a:4: -D -k bc: left out, and the 2 rules that it deletes`},
		{"-D with a key that no rule has", []string{"-w /a -k a\n-D -k b", "-D"}, `
a:2: -D -k b: left out: what a document does not declare, it does not keep
b:1: -D: left out: applying a document deletes what its owner made and it does not declare any more`},
		{"-D with a key of one of two architectures' rules", []string{"-a always,exit -F arch=b64,b32 -S openat -k k\n-d always,exit -F arch=b32 -S openat -k k\n-a never,exit -F uid=1\n-D -k k\n-A always,exit -F uid=1 -k k"}, `
a:2: -d always,exit -F arch=b32 -S openat -k k: left out, and the rule that it deletes
a:4: -D -k k: left out, and the rule that it deletes`},
		{"-d of one that is there under other words, and again", []string{"-w /a -p r -k k\n-d always,exit -F perm=r -F path=/a -k k\n-W /a -p r -k k"}, `
a:2: -d always,exit -F perm=r -F path=/a -k k: left out, and the rule that it deletes
a:3: -W /a -p r -k k: left out: what a document does not declare, it does not keep`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			var names []string
			var files []audit.File
			for n, text := range tt.files {
				name := string(rune('a' + n))
				if err := os.WriteFile(name, []byte(text+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				f, errs := audit.ParseFile(name, []byte(text), nil)
				if len(errs) > 0 {
					t.Fatal(errs)
				}
				names, files = append(names, name), append(files, f)
			}
			i := &auditImport{seen: map[audit.Meaning]string{}}
			if err := i.takeFiles(names, nil); err != nil {
				t.Fatal(err)
			}
			var want, got []string
			merged, _ := audit.Merge(files)
			for _, r := range merged.Rules {
				want = append(want, r.Rule.String())
			}
			for _, r := range i.rules {
				rules, err := audit.ParseRule(r.text, nil)
				if err != nil {
					t.Fatal(err)
				}
				for n := range rules {
					got = append(got, rules[n].String())
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(strings.TrimSpace(tt.notes), strings.Join(i.notes, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}
