package testns_test

import (
	"net"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/testns"
	"github.com/nlapply/nlapply/netlink/netns"
)

func TestMain(m *testing.M) { testns.Main(m) }

func TestProcessIsInNewNamespaces(t *testing.T) {
	testns.New(t)
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if link.Flags&net.FlagUp != 0 {
			t.Errorf("link %s is up: is this the machine's own network?", link.Name)
		}
	}
	if entries, err := os.ReadDir("/run"); err != nil || len(entries) > 1 {
		t.Errorf("/run has %v, %v; want at most netns", entries, err)
	}
	if unix.Geteuid() != 0 {
		t.Errorf("user %d, want root", unix.Geteuid())
	}
}

func TestNew(t *testing.T) {
	a, b := testns.New(t), testns.New(t)
	current, err := netns.Current()
	if err != nil {
		t.Fatal(err)
	}
	defer current.Close()
	seen := make(map[netns.ID]bool)
	for _, ns := range []*netns.NS{a, b, current} {
		id, err := ns.ID()
		if err != nil || seen[id] {
			t.Errorf("namespace %v is seen twice, %v", id, err)
		}
		seen[id] = true
	}
}

func TestEnter(t *testing.T) {
	for _, name := range []string{"a", "b"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := testns.Enter(t)
			current, err := netns.Current()
			if err != nil {
				t.Fatal(err)
			}
			defer current.Close()
			want, _ := ns.Inode()
			if got, err := current.Inode(); got != want || err != nil {
				t.Errorf("in namespace %d, %v; want %d", got, err, want)
			}
		})
	}
}

func TestRun(t *testing.T) {
	ns := testns.New(t)
	testns.Run(t, ns, "ip", "link", "set", "lo", "up")
	if out := testns.Run(t, ns, "ip", "address", "show", "dev", "lo"); !strings.Contains(out, "127.0.0.1/8") {
		t.Errorf("lo has %s", out)
	}
	if _, err := testns.Try(t, ns, "ip", "link", "show", "nosuch"); err == nil || !strings.Contains(err.Error(), "nosuch") {
		t.Errorf("a command that fails: %v", err)
	}
}
