package audit

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestConfigChange(t *testing.T) {
	exit := new(Exit)
	for _, c := range []struct {
		name, text string
		want       ConfigChange
	}{
		// auditctl -w /etc/passwd -p wa -k identity
		{"add", `auid=0 ses=4294967295 op=add_rule key="identity" list=4 res=1`,
			ConfigChange{Op: "add_rule", Keys: []string{"identity"}, List: exit, Result: true}},
		{"add, exists", `auid=0 ses=1 subj=unconfined op=add_rule key=(null) list=4 res=0`, ConfigChange{Op: "add_rule", List: exit}},
		{"list user", `auid=0 ses=1 op=add_rule key=(null) list=0 res=1`, ConfigChange{Op: "add_rule", List: new(User), Result: true}},
		{"remove, two keys", `auid=0 ses=1 op=remove_rule key=610162 list=4 res=1`,
			ConfigChange{Op: "remove_rule", Keys: []string{"a", "b"}, List: exit, Result: true}},
		{"locked", `pid=9 uid=0 auid=0 ses=1 subj=unconfined op=add_rule audit_enabled=2 res=0`, ConfigChange{Op: "add_rule", Locked: true}},
		{"parent gone", `auid=4294967295 ses=4294967295op=remove_rule path="/srv/a/file" key="x" list=4 res=1`,
			ConfigChange{Op: "remove_rule", Path: "/srv/a/file", Keys: []string{"x"}, List: exit, Result: true}},
		{"parent gone, path with a blank", `auid=0 ses=1op=remove_rule path=2F6120622F63 key=(null) list=4 res=1`,
			ConfigChange{Op: "remove_rule", Path: "/a b/c", List: exit, Result: true}},
		{"directory gone", `op=remove_rule dir="/srv/d" key="x" list=4 res=1`,
			ConfigChange{Op: "remove_rule", Dir: "/srv/d", Keys: []string{"x"}, List: exit, Result: true}},
		{"program gone", `auid=0 ses=1 op=autoremove_rule path="/opt/x" key=(null) list=4 res=1`,
			ConfigChange{Op: "autoremove_rule", Path: "/opt/x", List: exit, Result: true}},
		{"updated", `auid=0 ses=1op=updated_rules path="/etc/passwd" key="x" list=4 res=1`,
			ConfigChange{Op: "updated_rules", Path: "/etc/passwd", Keys: []string{"x"}, List: exit, Result: true}},
		{"old kernel", `auid=0 ses=6 op="remove rule" path="/x" key="k" list=4 res=1`,
			ConfigChange{Op: "remove_rule", Path: "/x", Keys: []string{"k"}, List: exit, Result: true}},
		// auditctl -t
		{"trim", `pid=9 uid=0 auid=0 ses=1 op=trim res=1`, ConfigChange{Op: "trim", Result: true}},
		{"equivalent", `pid=9 uid=0 auid=0 ses=1 op=make_equiv old="/a" new="/b" res=1`, ConfigChange{Op: "make_equiv", Result: true}},
		{"terminal", `pid=9 uid=0 auid=0 ses=1 op=tty_set old-enabled=0 new-enabled=1 old-log_passwd=0 new-log_passwd=0 res=1`,
			ConfigChange{Op: "tty_set", Result: true}},
		// auditctl -b 128
		{"set", `op=set audit_backlog_limit=128 old=64 auid=0 ses=1 subj=unconfined res=1`,
			ConfigChange{Op: "set", Setting: "audit_backlog_limit", Old: 64, New: 128, Result: true}},
		{"set enabled", `op=set audit_enabled=2 old=1 auid=0 ses=1 res=1`,
			ConfigChange{Op: "set", Setting: "audit_enabled", Old: 1, New: 2, Result: true}},
		{"set, locked", `op=set audit_enabled=0 old=2 auid=0 ses=1 res=0`, ConfigChange{Op: "set", Setting: "audit_enabled", Old: 2}},
		// auditctl --reset-lost
		{"lost", `op=set lost=0 old=7 auid=0 ses=1 res=1`, ConfigChange{Op: "set", Setting: "lost", Old: 7, Result: true}},
		{"nonsense", `op=set x=y old=z list=99999999999 res=2`, ConfigChange{Op: "set", Setting: "x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := parseLine(t, unix.AUDIT_CONFIG_CHANGE, stampText+c.text).ConfigChange()
			if diff := cmp.Diff(c.want, got); diff != "" || !ok {
				t.Error(ok, diff)
			}
		})
	}
	if _, ok := parseLine(t, unix.AUDIT_CONFIG_CHANGE, stampText+"res=1").ConfigChange(); ok {
		t.Error("a change without op")
	}
	if _, ok := parseLine(t, unix.AUDIT_SYSCALL, stampText+"op=add_rule").ConfigChange(); ok {
		t.Error("a change of another type")
	}
}

func ExampleRecord_ConfigChange() {
	r, err := ParseRecord(unix.AUDIT_CONFIG_CHANGE, []byte(`audit(1700000000.123:456): `+
		`auid=1000 ses=3op=remove_rule path="/srv/a/file" key=6E6C6170706C793A656467650162 list=4 res=1`))
	if err != nil {
		fmt.Println(err)
		return
	}
	c, _ := r.ConfigChange()
	who, _ := r.Get("auid")
	fmt.Printf("%s %s %q by %s\n", c.Op, c.Path, c.Keys, who)
	// Output: remove_rule /srv/a/file ["nlapply:edge" "b"] by 1000
}
