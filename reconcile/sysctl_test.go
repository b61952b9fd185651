package reconcile

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

// fakeScope has links of these names, with indexes from 1, all plain.
func fakeScope(names ...string) *Scope {
	s := &Scope{
		Exists: true, links: newLinks(),
		run:  &Run{doc: &spec.Document{Owner: "nlapply", Protocol: 110}},
		Spec: &spec.Namespace{Links: map[string]*spec.Link{}},
	}
	for i, name := range names {
		s.links.add(&route.Link{Index: int32(i) + 1, Name: name, MTU: 1500})
	}
	return s
}

// fakeProc makes files, whose names are as in documents, in the past.
func fakeProc(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, value := range files {
		file := filepath.Join(root, spec.SysctlPath(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(value+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func observed(t *testing.T, s *Scope, root string, perLink bool) *sysctlTable {
	t.Helper()
	table := &sysctlTable{perLink: perLink, root: root}
	if err := table.declare(s); err != nil {
		t.Fatal(err)
	}
	if err := table.observe(context.Background(), s, nil); err != nil {
		t.Fatal(err)
	}
	return table
}

func sysctlPlan(s *Scope, table *sysctlTable) string {
	var lines []string
	for st := range table.steps(s) {
		lines = append(lines, strings.Join(strings.Fields(st.String()), " ")+" at "+st.Path)
	}
	return strings.Join(lines, "\n")
}

// outcome is a reporter.
type outcome struct {
	n    int
	errs []error
}

func (o *outcome) done(n int)                { o.n += n }
func (o *outcome) refused(_ Step, err error) { o.errs = append(o.errs, err) }

func TestSysctlWritesWhatDiffers(t *testing.T) {
	root := fakeProc(t, map[string]string{
		"net.ipv4.ip_forward": "0", "net.ipv4.conf.all.rp_filter": "1", "net.ipv4.tcp_rmem": "4096\t131072\t6291456",
	})
	s := fakeScope()
	s.Spec.Sysctl = map[string]string{
		"net.ipv4.ip_forward": "1", "net.ipv4.conf.all.rp_filter": "0x1", "net.ipv4.tcp_rmem": "4096 131072  6291456",
	}
	table := observed(t, s, root, false)
	if diff := cmp.Diff("~ sysctl net.ipv4.ip_forward 0 → 1 at sysctl.net.ipv4.ip_forward", sysctlPlan(s, table)); diff != "" {
		t.Error("plan (-want +got):\n" + diff)
	}
	var o outcome
	if err := table.execute(context.Background(), s, adding, &o); err != nil || o.n != 1 || o.errs != nil {
		t.Errorf("done %d, refused %v, %v", o.n, o.errs, err)
	}
	for name := range s.Spec.Sysctl {
		info, err := os.Stat(filepath.Join(root, spec.SysctlPath(name)))
		if err != nil {
			t.Fatal(err)
		}
		if written := info.ModTime().Unix() != 1; written != (name == "net.ipv4.ip_forward") {
			t.Errorf("%s: written %v", name, written)
		}
	}
	if table = observed(t, s, root, false); table.len() != 0 {
		t.Errorf("second plan: %s", sysctlPlan(s, table))
	}
}

func TestSysctlOfLinks(t *testing.T) {
	root := fakeProc(t, map[string]string{
		"net.ipv4.conf.eth0/100.forwarding": "1", "net.ipv6.conf.eth0/100.accept_ra": "1",
		"net.ipv4.conf.default.forwarding": "0", "net.ipv6.conf.default.accept_ra": "1",
	})
	s := fakeScope("eth0.100")
	s.links.plan("vx10")
	for _, name := range []string{"eth0.100", "vx10"} {
		s.Spec.Links[name] = &spec.Link{Sysctl: map[string]string{"ipv4.forwarding": "1", "ipv6.accept_ra": "0"}}
	}
	s.Spec.Sysctl = map[string]string{"net.ipv6.conf.default.accept_ra": "0"} // new links will have it
	table := observed(t, s, root, true)
	want := `~ sysctl net.ipv6.conf.eth0/100.accept_ra 1 → 0 at ` + spec.Path("", "links", "eth0.100", "sysctl", "ipv6.accept_ra") + `
+ sysctl net.ipv4.conf.vx10.forwarding 1 at ` + spec.Path("", "links", "vx10", "sysctl", "ipv4.forwarding")
	if diff := cmp.Diff(want, sysctlPlan(s, table)); diff != "" {
		t.Error("plan (-want +got):\n" + diff)
	}
}

func TestSysctlUnknown(t *testing.T) {
	root := fakeProc(t, map[string]string{"net.ipv4.conf.default.forwarding": "0", "net.ipv4.conf.eth0.forwarding": "0"})
	s := fakeScope("eth0")
	s.links.plan("new")
	for _, name := range []string{"eth0", "new"} {
		s.Spec.Links[name] = &spec.Link{Sysctl: map[string]string{"ipv4.forwording": "1"}}
	}
	table := &sysctlTable{perLink: true, root: root}
	if err := table.declare(s); err != nil {
		t.Fatal(err)
	}
	err := table.observe(context.Background(), s, nil)
	want := `links.eth0.sysctl.ipv4.forwording: there is no such sysctl: no such file or directory
links.new.sysctl.ipv4.forwording: there is no such sysctl: no such file or directory`
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error("error (-want +got):\n" + diff)
	}
}

func TestSysctlOrder(t *testing.T) {
	s := fakeScope()
	s.Spec.Sysctl = map[string]string{
		"net.ipv4.conf.eth0.forwarding": "0", "net.ipv4.conf.default.forwarding": "0", "net.core.somaxconn": "1",
		"net.ipv6.conf.all.forwarding": "1", "net.ipv4.conf.all.forwarding": "0", "net.ipv4.ip_forward": "1",
	}
	table := &sysctlTable{}
	if err := table.declare(s); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range table.declared {
		got = append(got, v.name)
	}
	want := []string{
		"net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding", "net.ipv6.conf.all.forwarding",
		"net.ipv4.conf.default.forwarding", "net.core.somaxconn", "net.ipv4.conf.eth0.forwarding",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("order (-want +got):\n" + diff)
	}
}
