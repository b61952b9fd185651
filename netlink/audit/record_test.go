package audit

import (
	"encoding/binary"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

const stampText = "audit(1700000000.123:456): "

// recordLines are records as kernels and programs make them.
var recordLines = []struct {
	typ  MessageType
	text string
}{
	{unix.AUDIT_SYSCALL, stampText + `arch=c000003e syscall=257 success=no exit=-13 a0=ffffff9c a1=7ffe5c0a a2=80000 a3=0 items=1 ppid=100 pid=101 auid=1000 uid=1000 gid=1000 euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 tty=(none) ses=3 comm="cat" exe="/usr/bin/cat" subj=unconfined key="access"`},
	{unix.AUDIT_SYSCALL, stampText + `arch=c000003e syscall=59 success=yes exit=0 items=2 ppid=1 pid=2 auid=4294967295 ses=4294967295 tty=pts0 comm=6120622063 exe="/bin/x" key=610162`},
	{unix.AUDIT_CWD, stampText + `cwd="/root"`},
	{unix.AUDIT_PATH, stampText + `item=0 name="/etc/shadow" inode=1574 dev=08:01 mode=0100640 ouid=0 ogid=42 rdev=00:00 nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0`},
	{unix.AUDIT_PATH, stampText + `item=1 name=2F746D702F6120622201 inode=7 dev=00:22 nametype=CREATE`},
	{unix.AUDIT_PATH, stampText + `item=2 name=(null) inode=9 nametype=PARENT`},
	{unix.AUDIT_PROCTITLE, stampText + `proctitle=636174002F6574632F736861646F77`},
	{unix.AUDIT_PROCTITLE, stampText + `proctitle="bash"`},
	{unix.AUDIT_EXECVE, stampText + `argc=3 a0="ls" a1=2D6C2078 a2_len=9000 a2[0]="abc" a2[1]=642065`},
	{unix.AUDIT_SOCKADDR, stampText + `saddr=0200003510000001`},
	{unix.AUDIT_CONFIG_CHANGE, stampText + `auid=0 ses=4294967295 op=add_rule key="identity" list=4 res=1`},
	{unix.AUDIT_CONFIG_CHANGE, stampText + `auid=0 ses=1 subj=unconfined op=remove_rule key=610162 list=4 res=0`},
	{unix.AUDIT_CONFIG_CHANGE, stampText + `auid=4294967295 ses=4294967295op=remove_rule path="/srv/a/file" key="x" list=4 res=1`},
	{unix.AUDIT_CONFIG_CHANGE, stampText + `op=remove_rule dir="/srv/d" key=(null) list=4 res=1`},
	{unix.AUDIT_CONFIG_CHANGE, stampText + `auid=0 ses=1 op=autoremove_rule path="/opt/x" key=(null) list=4 res=1`},
	{unix.AUDIT_CONFIG_CHANGE, stampText + `auid=0 ses=1op=updated_rules path="/etc/passwd" key="x" list=4 res=1`},
	{unix.AUDIT_CONFIG_CHANGE, stampText + `pid=9 uid=0 auid=0 ses=1 subj=unconfined op=trim res=1`},
	{unix.AUDIT_CONFIG_CHANGE, stampText + `op=set audit_backlog_limit=128 old=64 auid=0 ses=1 subj=unconfined res=1`},
	{unix.AUDIT_CONFIG_CHANGE, stampText + `pid=9 uid=0 auid=0 ses=1 op=add_rule audit_enabled=2 res=0`},
	{unix.AUDIT_LOGIN, stampText + `pid=77 uid=0 subj=unconfined old-auid=4294967295 auid=1000 tty=(none) old-ses=4294967295 ses=5 res=1`},
	{1112, stampText + `pid=77 uid=0 auid=1000 ses=5 subj=unconfined msg='op=login id=1000 exe="/usr/sbin/sshd" hostname=host.example addr=192.0.2.7 terminal=/dev/pts/0 res=success'`},
	{1100, stampText + `pid=78 uid=0 auid=1000 ses=5 msg='PAM: authentication acct="o'brien" : exe="/bin/su" (hostname=?, addr=?, terminal=pts/0 res=success)'`},
	{unix.AUDIT_AVC, stampText + `avc:  denied  { read write } for  pid=1234 comm="httpd" name="shadow" dev="dm-0" ino=42 scontext=system_u:system_r:httpd_t:s0 tcontext=system_u:object_r:shadow_t:s0 tclass=file permissive=0`},
	{unix.AUDIT_AVC, stampText + `apparmor="DENIED" operation="open" profile="/usr/sbin/cups" name="/etc/a" pid=5 comm="cups" requested_mask="r" denied_mask="r" fsuid=0 ouid=0`},
	{unix.AUDIT_EVENT_LISTENER, stampText + `pid=1 uid=0 auid=4294967295 tty=(none) ses=4294967295 subj=unconfined comm="systemd-journal" exe="/usr/lib/systemd/systemd-journald" nl-mcgrp=1 op=connect res=1`},
	{unix.AUDIT_DAEMON_START, stampText + `op=start ver=3.0.9 format=enriched kernel=6.12.0 auid=4294967295 pid=400 uid=0 ses=4294967295 subj=unconfined res=success`},
	{unix.AUDIT_EOE, stampText},
	{0, `node=web type=SYSCALL msg=audit(1700000000.123:456): arch=c000003e uid=0` + "\x1d" + `ARCH=x86_64 UID="root"`},
	{unix.AUDIT_CWD, stampText + `cwd="/unterminated key=x`},
	{1112, stampText + `pid=1 msg='op=x acct="unterminated`},
}

func parseLine(t testing.TB, typ MessageType, text string) Record {
	t.Helper()
	r, err := ParseRecord(typ, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParseRecord(t *testing.T) {
	want := Record{
		Type: unix.AUDIT_CWD, Time: time.Date(2023, 11, 14, 22, 13, 20, 123e6, time.UTC), Serial: 456,
		Text: stampText + `cwd="/root"`,
	}
	if diff := cmp.Diff(want, parseLine(t, unix.AUDIT_CWD, stampText+"cwd=\"/root\"\n\x00")); diff != "" {
		t.Error(diff)
	}
	want.Node, want.Type = "web", unix.AUDIT_SYSCALL
	want.Text = `node=web type=SYSCALL msg=audit(1700000000.123:456): uid=0`
	if diff := cmp.Diff(want, parseLine(t, 0, want.Text)); diff != "" {
		t.Error(diff)
	}
}

func TestParseRecordWithoutStamp(t *testing.T) {
	for _, text := range []string{
		"", "uid=0", "audit(", "audit():", "audit(1.000)", "audit(1:2): x", "audit(1.1:2): x", "audit(1.0000:2): x",
		"audit(-1.000:2): x", "audit(1.000:): x", "audit(1.000:2", "audit(99999999999999999999.000:1): x",
		"audit(1.000:18446744073709551616): x",
	} {
		r, err := ParseRecord(unix.AUDIT_CWD, []byte(text))
		if !errors.Is(err, unix.EBADMSG) || r.Text != text || r.Type != unix.AUDIT_CWD {
			t.Errorf("%q: %+v, %v", text, r, err)
		}
	}
	r, _ := ParseRecord(unix.AUDIT_CWD, []byte(`cwd="/a b" uid=0`))
	if got, ok := r.Get("cwd"); got != "/a b" || !ok {
		t.Errorf("field of a line without a stamp: %q", got)
	}
}

func TestFields(t *testing.T) {
	for _, c := range []struct {
		name string
		typ  MessageType
		text string
		want []string
	}{
		{"none", unix.AUDIT_EOE, "", nil},
		{"quoted and plain", unix.AUDIT_PATH, `item=0 name="/a b=c" inode=1`, []string{"item=0", "name=/a b=c", "inode=1"}},
		{"hexadecimal", unix.AUDIT_PATH, `name=2F6120622201 nametype=ABCD`, []string{"name=/a b\"\x01", "nametype=ABCD"}},
		{"quoted digits are no encoding", unix.AUDIT_PATH, `name="2F61" comm="ab"`, []string{"name=2F61", "comm=ab"}},
		{"odd digits are no encoding", unix.AUDIT_PATH, `name=2F6 exe=xy key= cwd=""`, []string{"name=2F6", "exe=xy", "key=", "cwd="}},
		{"numbers of a system call", unix.AUDIT_SYSCALL, `arch=c000003e a0=61 a1=ff`, []string{"arch=c000003e", "a0=61", "a1=ff"}},
		{"arguments", unix.AUDIT_EXECVE, `argc=10 a0="ls" a1=2D20 a2_len=12 a2[0]=6120 a10=41`, []string{"argc=10", "a0=ls", "a1=- ", "a2_len=12", "a2[0]=a ", "a10=A"}},
		{"absent", unix.AUDIT_SYSCALL, `tty=(none) key=(null) comm="(null)" ses=3`, []string{"comm=(null)", "ses=3"}},
		{"missing blank", unix.AUDIT_CONFIG_CHANGE, `auid=0 ses=4294967295op=remove_rule path="/x"`, []string{"auid=0", "ses=4294967295", "op=remove_rule", "path=/x"}},
		{"no other value is split", unix.AUDIT_CONFIG_CHANGE, `subj=1op=2 ses=xop=3`, []string{"subj=1op=2", "ses=xop=3"}},
		{"message", 1112, `pid=1 msg='op=login acct="a'b" exe="/x" res=success' extra=1`,
			[]string{"pid=1", `msg=op=login acct="a'b" exe="/x" res=success`, "op=login", "acct=a'b", "exe=/x", "res=success", "extra=1"}},
		{"encoded account", 1112, `msg='op=PAM:x acct=28696E76616C6964207573657229'`, []string{`msg=op=PAM:x acct=28696E76616C6964207573657229`, "op=PAM:x", "acct=(invalid user)"}},
		{"old message", 1100, `msg='PAM: authentication acct="root" : exe="/bin/su" (hostname=?, addr=?, tty=(none), res=success)'`,
			[]string{`msg=PAM: authentication acct="root" : exe="/bin/su" (hostname=?, addr=?, tty=(none), res=success)`, "acct=root", "exe=/bin/su", "hostname=?", "addr=?", "res=success"}},
		{"message without fields", 1100, `msg='hello'`, []string{"msg=hello"}},
		{"message cut off", 1100, `msg='op=x acct="roo`, []string{`msg=op=x acct="roo`, "op=x", "acct=roo"}},
		{"message in a message", 1100, `msg='msg='a=b''`, []string{`msg=msg='a=b'`, "msg='a=b'"}},
		{"unterminated", unix.AUDIT_CWD, `cwd="/a b=c`, []string{"cwd=/a b=c"}},
		{"nothing between quote and key", unix.AUDIT_CWD, `cwd="/a"exe="/b"`, []string{"cwd=/a", "exe=/b"}},
		{"SELinux", unix.AUDIT_AVC, `avc:  denied  { read write } for  pid=1 comm="x"`, []string{"seresult=denied", "seperms=read,write", "pid=1", "comm=x"}},
		{"SELinux in a message", unix.AUDIT_USER_AVC, `pid=1 msg='avc:  granted  { send_msg } for msgtype=method_call sauid=81'`,
			[]string{"pid=1", "msg=avc:  granted  { send_msg } for msgtype=method_call sauid=81", "seresult=granted", "seperms=send_msg", "msgtype=method_call", "sauid=81"}},
		{"SELinux cut off", unix.AUDIT_AVC, `avc:  denied  { read`, nil},
		{"enriched", unix.AUDIT_SYSCALL, "uid=0 key=\"x\"\x1dUID=\"root\"", []string{"uid=0", "key=x"}},
		{"stray", unix.AUDIT_SYSCALL, `= a == =b c`, []string{"=", "==", "=b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for key, value := range parseLine(t, c.typ, stampText+c.text).Fields() {
				got = append(got, key+"="+value)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGet(t *testing.T) {
	r := parseLine(t, 1112, stampText+`pid=1 uid=1000 tty=(none) key="" msg='uid=0 tty=pts0 acct="root"'`)
	for key, want := range map[string]string{"uid": "1000", "acct": "root", "key": ""} {
		if got, ok := r.Get(key); got != want || !ok {
			t.Errorf("%s: %q, %v", key, got, ok)
		}
	}
	for _, key := range []string{"tty", "no", ""} {
		if got, ok := r.Get(key); ok {
			t.Errorf("%s is there: %q", key, got)
		}
	}
	for range r.Fields() {
		break
	}
}

func TestKeys(t *testing.T) {
	for text, want := range map[string][]string{
		`key=610162`: {"a", "b"}, `key="a"`: {"a"}, `key=(null)`: nil, `key=""`: nil, `x=1`: nil,
		`key=6E6C6170706C793A656467650174776F20776F726473`: {"nlapply:edge", "two words"},
	} {
		if diff := cmp.Diff(want, parseLine(t, unix.AUDIT_SYSCALL, stampText+text).Keys()); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestArgs(t *testing.T) {
	for _, c := range []struct {
		typ  MessageType
		text string
		want []string
	}{
		{unix.AUDIT_PROCTITLE, `proctitle=636174002F6574632F736861646F7700`, []string{"cat", "/etc/shadow"}},
		{unix.AUDIT_PROCTITLE, `proctitle=610000620A`, []string{"a", "", "b\n"}},
		{unix.AUDIT_PROCTITLE, `proctitle="bash"`, []string{"bash"}},
		{unix.AUDIT_PROCTITLE, `proctitle=(null)`, nil},
		{unix.AUDIT_EXECVE, `argc=3 a0="ls" a1=2D6C2078 a2_len=9000 a2[0]="abc" a2[1]=642065`, []string{"ls", "-l x", "abcd e"}},
		{unix.AUDIT_EXECVE, `a7[2]="x" a7[3]="y" a8="" a[1]=41 a9[x]=41 a=41 ab=41`, []string{"xy", ""}},
		{unix.AUDIT_SYSCALL, `a0="ls" proctitle="x"`, nil},
	} {
		if diff := cmp.Diff(c.want, parseLine(t, c.typ, stampText+c.text).Args()); diff != "" {
			t.Errorf("%s: %s", c.text, diff)
		}
	}
}

// sockDigits is a socket address as the kernel prints it.
func sockDigits(family uint16, rest string) string {
	b := binary.NativeEndian.AppendUint16(nil, family)
	var s strings.Builder
	for _, c := range append(b, rest...) {
		s.WriteByte("0123456789ABCDEF"[c>>4])
		s.WriteByte("0123456789ABCDEF"[c&15])
	}
	return s.String()
}

func TestSockAddr(t *testing.T) {
	six := "\x00\x35\x00\x00\x00\x00" + "\xfe\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
	scope := string(binary.NativeEndian.AppendUint32(nil, 3))
	for _, c := range []struct {
		name, saddr string
		want        SockAddr
	}{
		{"IPv4", sockDigits(unix.AF_INET, "\x00\x35\xc0\x00\x02\x07\x00\x00\x00\x00\x00\x00\x00\x00"), SockAddr{Family: unix.AF_INET, AddrPort: netip.MustParseAddrPort("192.0.2.7:53")}},
		{"short IPv4", sockDigits(unix.AF_INET, "\x00\x35\xc0\x00\x02"), SockAddr{Family: unix.AF_INET}},
		{"IPv6", sockDigits(unix.AF_INET6, six), SockAddr{Family: unix.AF_INET6, AddrPort: netip.MustParseAddrPort("[fe80::1]:53")}},
		{"IPv6 with a scope", sockDigits(unix.AF_INET6, six+scope), SockAddr{Family: unix.AF_INET6, AddrPort: netip.MustParseAddrPort("[fe80::1%3]:53")}},
		{"short IPv6", sockDigits(unix.AF_INET6, six[:20]), SockAddr{Family: unix.AF_INET6}},
		{"path", sockDigits(unix.AF_UNIX, "/run/x\x00junk"), SockAddr{Family: unix.AF_UNIX, Path: "/run/x"}},
		{"whole path", sockDigits(unix.AF_UNIX, "/run/x"), SockAddr{Family: unix.AF_UNIX, Path: "/run/x"}},
		{"abstract", sockDigits(unix.AF_UNIX, "\x00a\x00b"), SockAddr{Family: unix.AF_UNIX, Path: "@a\x00b"}},
		{"without a name", sockDigits(unix.AF_UNIX, ""), SockAddr{Family: unix.AF_UNIX}},
		{"netlink", sockDigits(unix.AF_NETLINK, "\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00"), SockAddr{Family: unix.AF_NETLINK}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := parseLine(t, unix.AUDIT_SOCKADDR, stampText+"saddr="+c.saddr).SockAddr()
			if diff := cmp.Diff(c.want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" || !ok {
				t.Error(ok, diff)
			}
		})
	}
	for _, text := range []string{"saddr=", "saddr=02", "saddr=xx", "saddr=020", "saddr=(null)", "x=1"} {
		if a, ok := parseLine(t, unix.AUDIT_SOCKADDR, stampText+text).SockAddr(); ok {
			t.Errorf("%s: %v", text, a)
		}
	}
	if _, ok := parseLine(t, unix.AUDIT_SYSCALL, stampText+"saddr=0200").SockAddr(); ok {
		t.Error("an address in another type")
	}
}

// FuzzParseRecord reads anything in every way.
func FuzzParseRecord(f *testing.F) {
	for _, l := range recordLines {
		f.Add(uint16(l.typ), []byte(l.text))
	}
	f.Fuzz(func(t *testing.T, typ uint16, text []byte) {
		r, err := ParseRecord(MessageType(typ), text)
		if err == nil && (r.Time.Before(time.Unix(0, 0)) || r.Time.Nanosecond()%1e6 != 0) {
			t.Errorf("time %v", r.Time)
		}
		length := 0
		for key, value := range r.Fields() {
			length += len(key) + len(value)
			if _, ok := r.Get(key); strings.ContainsAny(key, " =\n") || !ok && !strings.Contains(r.Text, "(n") {
				t.Errorf("key %q, found %v", key, ok)
			}
		}
		// A message is told twice, as a whole and its fields; seresult and seperms are new.
		if length > 2*len(text)+50 {
			t.Errorf("%d bytes of fields in %d bytes", length, len(text))
		}
		r.Keys()
		r.Args()
		r.SockAddr()
		r.ConfigChange()
		again, err2 := ParseRecord(r.Type, []byte(r.Text))
		if (err == nil) != (err2 == nil) || !cmp.Equal(r, again) {
			t.Errorf("read again: %v, was %v", again, r)
		}
	})
}

// The fixtures are of use for what they are there for.
func TestLines(t *testing.T) {
	types := make(map[MessageType]bool)
	for _, l := range recordLines {
		types[parseLine(t, l.typ, l.text).Type] = true
	}
	if len(types) < 14 {
		t.Errorf("types %v", slices.Sorted(maps.Keys(types)))
	}
}
