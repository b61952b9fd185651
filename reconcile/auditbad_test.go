package reconcile

import (
	cmdline "flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/audit"
	"github.com/nlapply/nlapply/spec"
)

var update = cmdline.Bool("update", false, "write the messages of testdata/badaudit as they are")

// TestBadAudit loads the documents of testdata/badaudit and compares all messages.
func TestBadAudit(t *testing.T) {
	if audit.Native() != unix.AUDIT_ARCH_X86_64 {
		t.Skip("the messages name the system calls of x86_64")
	}
	archives, err := filepath.Glob("testdata/badaudit/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("%d archives, %v", len(archives), err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			file, err := filepath.Abs(name)
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(t.TempDir())
			for _, f := range a.Files {
				if err := os.MkdirAll(filepath.Dir(f.Name), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(f.Name, f.Data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err = spec.Load([]string{"net.yaml"}, nil, Vocabulary{})
			if err == nil {
				t.Fatal("the document is taken")
			}
			got, want := err.Error()+"\n", &a.Files[len(a.Files)-1]
			if *update {
				want.Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want.Data), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
