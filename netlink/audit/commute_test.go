package audit

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestCommutes(t *testing.T) {
	const b64 = "-a always,exit -F arch=b64 "
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{b64 + "-S setuid", b64 + "-S setgid", true},
		{b64 + "-S setuid,setgid", b64 + "-S setgid", false},
		{b64 + "-S setuid", "-a never,exit -F arch=b64 -S setgid", true},
		{b64 + "-S setuid", "-a always,exit -F arch=b32 -S 105", true}, // another architecture
		{b64 + "-S setuid -F auid=1000", b64 + "-S setuid -F auid=1001", true},
		{b64 + "-S setuid -F auid=1000", "-a never,exit -F arch=b64 -S setuid -F auid=1001", true},
		{b64 + "-S setuid -F auid>=1000", b64 + "-S setuid -F auid<1000", true},
		{b64 + "-S setuid -F auid>=1000", b64 + "-S setuid -F auid<=1000", false},
		{b64 + "-S setuid -F gid=1", "-a never,exit -F arch=b64 -S setuid -F gid=2", false}, // of several groups
		{b64 + "-S setuid -F sgid=1", "-a never,exit -F arch=b64 -S setuid -F sgid=2", true},
		{b64 + "-S setuid -F exit=-EPERM", "-a never,exit -F arch=b64 -S setuid -F exit>=0", false}, // no sign
		{b64 + "-S setuid -F success=1", b64 + "-S setuid -F success=0", true},
		{b64 + "-S setuid -F success=1", b64 + "-S setuid -F exit=0", false},
		// One call may be about several files, and one file may have several names.
		{b64 + "-S rename -F path=/etc/a", b64 + "-S rename -F path=/etc/b", true},
		{b64 + "-S rename -F path=/etc/a", "-a never,exit -F arch=b64 -S rename -F path=/etc/b", false},
		{b64 + "-S rename -F dir=/etc", "-a never,exit -F arch=b64 -S rename -F path=/usr/b", false},
		{b64 + "-S rename -F dir=/etc", b64 + "-S rename -F path=/etc/b", false},
		{b64 + "-S rename -F inode=5", "-a never,exit -F arch=b64 -S rename -F inode=6", false},
		{b64 + "-S rename -F obj_uid=5", "-a never,exit -F arch=b64 -S rename -F obj_uid=6", false},
		{b64 + "-S rename -F obj_type=a", "-a never,exit -F arch=b64 -S rename -F obj_type=b", false},
		{b64 + "-S rename -F subj_type=a", "-a never,exit -F arch=b64 -S rename -F subj_type=b", false},
		{b64 + "-S rename -F exe=/bin/a", "-a never,exit -F arch=b64 -S rename -F exe=/bin/b", false},
		{b64 + "-S rename -C uid=obj_uid", "-a never,exit -F arch=b64 -S rename -C uid!=obj_uid", false},
		{b64 + "-S openat -F filetype=dir", b64 + "-S openat -F filetype=file", false},
		{b64 + "-S openat -F obj_uid=0", b64 + "-S openat -F obj_uid=1", false},
		{"-a always,exclude -F msgtype=CWD", "-a always,exclude -F msgtype=PATH", true},
		{"-a always,exclude -F ppid=1 -F msgtype=CWD", "-a always,exclude -F msgtype=PATH", false},
		// Permissions.
		{"-w /etc/a -p wa", b64 + "-S execve", true},
		{"-w /etc/a -p wax", b64 + "-S execve", false},
		{"-w /etc/a -p wa", "-a never,exit -F arch=b64 -S execve", false},
		{"-w /etc/a -p wa", b64 + "-S openat", false},
		{"-w /etc/a -p x", b64 + "-S openat", true},
		{"-w /etc/a -p a", b64 + "-S chmod,setuid", false},
		{"-w /etc/a -p r", b64 + "-S chmod", true},
		{"-w /etc/a -p wa", "-a always,exit -S 59", false}, // of whatever architecture
		{"-w /etc/a -p wa", "-w /etc/b -p wa", true},
		{"-w /etc/a -p w", "-w /etc/a -p r", false},
		{"-a never,user -F uid=0", "-a always,exit -S all", true},
	} {
		parse := func(text string) *Rule {
			rules, err := ParseRule(text, &Syntax{Arch: unix.AUDIT_ARCH_X86_64})
			if err != nil || len(rules) != 1 {
				t.Fatalf("%s: %v", text, err)
			}
			return &rules[0]
		}
		a, b := parse(tt.a), parse(tt.b)
		if got := a.Commutes(b); got != tt.want {
			t.Errorf("%s and %s: %v", tt.a, tt.b, got)
		}
		if a.Commutes(b) != b.Commutes(a) {
			t.Errorf("%s and %s: not the same the other way round", tt.a, tt.b)
		}
	}
}
