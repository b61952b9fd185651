package monitor_test

import (
	"context"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nlapply/nlapply/internal/testns"
	"github.com/nlapply/nlapply/monitor"
	"github.com/nlapply/nlapply/netlink/netns"
)

func TestMain(m *testing.M) { testns.Main(m) }

// TestEventsEnd leaves the iteration in the middle, with events of two namespaces
// still to come, and looks at what is left.
func TestEventsEnd(t *testing.T) {
	testns.Enter(t)
	for _, name := range []string{"red", "blue"} {
		ns, err := netns.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		defer netns.Delete(name)
		defer ns.Close()
	}
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	m, err := monitor.Open(monitor.Config{AllNamespaces: true, Classes: []monitor.Class{monitor.Rule}})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, name := range []string{"red", "blue"} {
		ns, err := netns.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		testns.Run(t, ns, "ip", "rule", "add", "pref", "1")
		testns.Run(t, ns, "ip", "rule", "add", "pref", "2")
		ns.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for e := range m.Events(ctx) {
		told = append(told, e.String())
		if len(told) == 3 {
			break
		}
	}
	m.Close()
	if len(told) != 3 || slices.ContainsFunc(told, func(s string) bool { return !strings.HasSuffix(s, ": from all lookup main") }) {
		t.Errorf("told %q", told)
	}
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > goroutines || descriptors(t) > files; {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, before %d; %d files, before %d", runtime.NumGoroutine(), goroutines, descriptors(t), files)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestNothingIsMissed changes things after Open and before Events.
func TestNothingIsMissed(t *testing.T) {
	ns := testns.Enter(t)
	m, err := monitor.Open(monitor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	testns.Run(t, ns, "ip", "rule", "add", "pref", "1")
	red, err := netns.Create("red")
	if err != nil {
		t.Fatal(err)
	}
	defer netns.Delete("red")
	defer red.Close()
	missing := map[string]bool{"1: from all lookup main": true, "namespace red": true}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for e := range m.Events(ctx) {
		if delete(missing, e.String()); len(missing) == 0 {
			return
		}
	}
	t.Errorf("not told: %v", missing)
}

func TestUnknownClass(t *testing.T) {
	if _, err := monitor.Open(monitor.Config{Classes: []monitor.Class{monitor.Unknown}}); err == nil {
		t.Error("class unknown can be chosen")
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	d, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(d)
}
