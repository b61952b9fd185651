package portowner

import (
	"os"
	"testing"

	"github.com/nlapply/nlapply/internal/testns"
	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/netns"
)

func TestMain(m *testing.M) { testns.Main(m) }

// TestFind finds the test's own sockets: the first has the number of the process, the
// others are found among all processes.
func TestFind(t *testing.T) {
	ns, err := netns.Current()
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	var ports []uint32
	for range 2 {
		c, err := netlink.Dial(netlink.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		ports = append(ports, c.Port())
	}
	for _, port := range ports {
		if pid, name := Find(ns, port, true); pid != os.Getpid() || name == "" {
			t.Errorf("port %d: process %d %q, want %d", port, pid, name, os.Getpid())
		}
		if pid, _ := Find(ns, port, false); (pid == os.Getpid()) != (port == uint32(os.Getpid())) {
			t.Errorf("port %d: process %d without a look at all", port, pid)
		}
	}
	if pid, name := Find(ns, 1<<31+7, true); pid != 0 || name != "" {
		t.Errorf("a port that nobody has: process %d %q", pid, name)
	}
	// The same port in another namespace is another socket.
	if pid, name := Find(testns.New(t), ports[1], true); pid != 0 || name != "" {
		t.Errorf("in another namespace: process %d %q", pid, name)
	}
}
