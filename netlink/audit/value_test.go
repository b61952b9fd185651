package audit

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNumbers reads numbers as strtoul(3) with base 0 does, which is what auditctl has, but
// to their end.
func TestNumbers(t *testing.T) {
	for _, tt := range []struct {
		option string
		want   map[string]string // "" is refused
	}{
		{"-F a1=", map[string]string{
			"010": "0x8", "0x10": "0x10", "0XfF": "0xff", "-010": "0xfffffff8", "-0x10": "0xfffffff0", "00": "0x0",
			"4294967295": "0xffffffff", "0xffffffffffffffff": "0xffffffff", "-2147483648": "0x80000000",
			"1_0": "", "0b11": "", "0o7": "", "08": "", "+1": "", "0x": "", "-": "", "--1": "", "4294967296": "", "-2147483649": "",
			"-18446744073709551615": "", "18446744073709551616": "",
		}},
		{"-F exit=", map[string]string{
			"010": "8", "-010": "-ENOEXEC", "-0xd": "-EACCES", "0xfffffff3": "-EACCES", "4294967283": "-EACCES", "2147483648": "-2147483648",
			"1_0": "", "0b11": "", "0o7": "", "+5": "", "4294967296": "", "-2147483649": "", "18446744073709551603": "",
		}},
		{"-F pid=", map[string]string{"010": "8", "0x10": "16", "0b11": "", "0o7": "", "1_0": "", "-1": "", "09": ""}},
		{"-F uid=", map[string]string{"010": "8", "0x10": "16"}},
		{"-F gid=", map[string]string{"010": "8", "0x10": "16"}},
		{"-F auid=", map[string]string{"010": "8", "0x10": "16", "037777777777": "unset"}},
		{"-S ", map[string]string{"010": "-S 8", "0x10": "-S 16", "08": "", "0b11": "", "0o7": "", "1_0": "", "+1": "", "-1": "", "0x7f0": ""}},
		{"-b ", map[string]string{"0100": "64", "0x2000": "8192", "64": "64", "0": "0", "0b11": "", "0o7": "", "1_0": "", "-5": "", "09": "", "0x100000000": ""}},
		{"-r ", map[string]string{"0x10": "16", "010": "8"}},
		{"--backlog_wait_time ", map[string]string{"0x10": "16", "010": "8"}},
		{"--backlog_wait_time=", map[string]string{"0x10": "16", "010": "8"}},
	} {
		for number, want := range tt.want {
			line := tt.option + number
			switch tt.option[1] {
			case 'F':
				line = "-a always,exit " + line
			case 'S':
				line = "-a always,exit -F arch=s390 " + line // whose calls have no names here
			}
			if diff := cmp.Diff(want, numberIn(line)); diff != "" {
				t.Errorf("%s: %s", line, diff)
			}
		}
	}
}

// numberIn returns the number of a line as it is printed, "" for a mistake.
func numberIn(line string) string {
	l, err := ParseLine(line, nil)
	if err != nil {
		return ""
	}
	for _, n := range []*uint32{l.Settings.BacklogLimit, l.Settings.RateLimit, l.Settings.BacklogWaitTime} {
		if n != nil {
			return fmt.Sprint(*n)
		}
	}
	r := &l.Rules[0]
	f := r.Fields[0]
	if f.Type == FieldArch {
		for nr := range r.Syscalls.All() {
			return fmt.Sprintf("-S %d", nr)
		}
	}
	return fieldByType[f.Type].value.print(&f)
}

func TestNotOctal(t *testing.T) {
	for line, want := range map[string]string{
		"-a always,exit -F arch=b64 -S 059": `"059" is no number of a system call: what begins with 0 is octal`,
		"-a always,exit -F pid=08":          `pid: "08" is no number 0..4294967295: what begins with 0 is octal`,
		"-a always,exit -F a0=08":           `a0: "08" is no number: what begins with 0 is octal`,
		"-b 08":                             `backlog limit "08" is no number 0..4294967295: what begins with 0 is octal`,
		"-b 0x":                             `backlog limit "0x" is no number 0..4294967295`,
	} {
		if _, err := ParseLine(line, nil); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}
