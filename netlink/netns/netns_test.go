package netns_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/testns"
	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/netlink/route"
)

func TestMain(m *testing.M) { testns.Main(m) }

// ip runs iproute2 in the namespace of the test binary, and is skipped where it
// is not installed.
func ip(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("ip")
	if err != nil {
		t.Skip(err)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// list returns what ip lists.
func list(t *testing.T) (names []string) {
	t.Helper()
	for line := range strings.Lines(ip(t, "netns", "list")) {
		names = append(names, strings.Fields(line)[0])
	}
	slices.Sort(names)
	return names
}

func create(t *testing.T, name string) *netns.NS {
	t.Helper()
	ns, err := netns.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ns.Close(); netns.Delete(name) })
	return ns
}

func wantNames(t *testing.T, want ...string) {
	t.Helper()
	got, err := netns.List()
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("List: %v, %v; want %v", got, err, want)
	}
	if got := list(t); !slices.Equal(got, want) {
		t.Errorf("ip lists %v, want %v", got, want)
	}
}

func id(t *testing.T, ns *netns.NS) netns.ID {
	t.Helper()
	id, err := ns.ID()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestNamesAreThoseOfIP(t *testing.T) {
	testns.New(t) // skips where there are no namespaces
	red := create(t, "red")
	ip(t, "netns", "add", "blue")
	defer netns.Delete("blue")
	wantNames(t, "blue", "red")

	ip(t, "-n", "red", "link", "set", "lo", "up")
	if out := ip(t, "netns", "exec", "red", "readlink", "/proc/self/ns/net"); !strings.Contains(out, inode(t, red)) {
		t.Errorf("ip enters %s, want inode %s", out, inode(t, red))
	}
	blue, err := netns.Open("blue")
	if err != nil {
		t.Fatal(err)
	}
	defer blue.Close()
	if out := ip(t, "netns", "exec", "blue", "readlink", "/proc/self/ns/net"); !strings.Contains(out, inode(t, blue)) {
		t.Errorf("ip enters %s, want inode %s", out, inode(t, blue))
	}

	_, err = netns.Create("blue")
	if !errors.Is(err, os.ErrExist) {
		t.Errorf("a name that ip has made: %v, want one that exists", err)
	}
	if err := red.Mount("crimson"); err != nil {
		t.Fatal(err)
	}
	wantNames(t, "blue", "crimson", "red")
	ip(t, "netns", "del", "crimson")
	for range 2 { // the second time it is absent
		if err := netns.Delete("blue"); err != nil {
			t.Error(err)
		}
	}
	wantNames(t, "red")
	ip(t, "netns", "del", "red")
	wantNames(t)
	if _, err := netns.Open("red"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("open a name that is gone: %v", err)
	}
	if _, err := os.Stat(filepath.Join(netns.Dir, "red")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file of a name that is gone: %v", err)
	}
}

func inode(t *testing.T, ns *netns.NS) string {
	t.Helper()
	n, err := ns.Inode()
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatUint(n, 10)
}

func TestDirIsASharedMount(t *testing.T) {
	testns.New(t)
	create(t, "red")
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	dir, names := 0, 0
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		switch f[4] {
		case netns.Dir:
			dir++
			if !strings.Contains(line, " shared:") {
				t.Errorf("not shared: %s", line)
			}
		case netns.Dir + "/red":
			names++
		}
	}
	if dir != 1 || names != 1 {
		t.Errorf("%s is mounted %d times, red %d times; want 1 each", netns.Dir, dir, names)
	}
	st, err := os.Stat(netns.Dir)
	if err != nil || st.Mode().Perm() != 0o755 {
		t.Errorf("%s: %v, %v", netns.Dir, st.Mode(), err)
	}
}

func TestBadNames(t *testing.T) {
	for _, name := range []string{"", ".", "..", "a/b", "/", "a\x00b", strings.Repeat("x", 256)} {
		_, openErr := netns.Open(name)
		_, createErr := netns.Create(name)
		for _, err := range []error{openErr, createErr, netns.Delete(name)} {
			if !errors.Is(err, unix.EINVAL) {
				t.Errorf("name %q: %v", name, err)
			}
		}
	}
}

func TestLeftoverFile(t *testing.T) {
	testns.New(t)
	create(t, "other")
	path := filepath.Join(netns.Dir, "red")
	if err := os.WriteFile(path, nil, 0); err != nil {
		t.Fatal(err)
	}
	longAgo := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, longAgo, longAgo); err != nil {
		t.Fatal(err)
	}
	if _, err := netns.Open("red"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("open a file without a mount: %v", err)
	}
	if names, err := netns.List(); err != nil || !slices.Equal(names, []string{"other"}) {
		t.Errorf("List: %v, %v", names, err)
	}
	create(t, "red")
	if names, err := netns.List(); err != nil || !slices.Equal(names, []string{"other", "red"}) {
		t.Errorf("List: %v, %v", names, err)
	}

	// Somebody who is about to mount on the file he has made is not disturbed.
	ns := testns.New(t)
	if err := os.WriteFile(filepath.Join(netns.Dir, "busy"), nil, 0); err != nil {
		t.Fatal(err)
	}
	mounted := make(chan error)
	go func() {
		time.Sleep(200 * time.Millisecond)
		mounted <- unix.Mount("/proc/self/fd/"+strconv.Itoa(ns.FD()), filepath.Join(netns.Dir, "busy"), "none", unix.MS_BIND, "")
	}()
	if _, err := netns.Create("busy"); !errors.Is(err, os.ErrExist) {
		t.Errorf("create a name that is being made: %v", err)
	}
	if err := <-mounted; err != nil {
		t.Error(err)
	}
	if err := netns.Delete("busy"); err != nil {
		t.Error(err)
	}
	// What is no namespace at all is not taken.
	if err := os.WriteFile(filepath.Join(netns.Dir, "notes"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(filepath.Join(netns.Dir, "notes"))
	if _, err := netns.Create("notes"); !errors.Is(err, os.ErrExist) {
		t.Errorf("create a name that is somebody's file: %v", err)
	}
}

// TestMadeAtOnce lets many goroutines, and ip, make and take away names at once.
func TestMadeAtOnce(t *testing.T) {
	testns.New(t)
	const names = 20
	var won atomic.Int64
	var wg sync.WaitGroup
	taken := func(err error) {
		if err == nil {
			won.Add(1)
		} else if !errors.Is(err, os.ErrExist) {
			t.Error(err)
		}
	}
	for i := range names {
		wg.Go(func() {
			ns, err := netns.Create("same")
			if taken(err); err == nil {
				ns.Close()
			}
		})
		wg.Go(func() { create(t, fmt.Sprint("own", i)) })
	}
	wg.Go(func() {
		if exec.Command("ip", "netns", "add", "same").Run() == nil {
			won.Add(1)
		}
	})
	wg.Wait()
	if list, err := netns.List(); len(list) != names+1 || won.Load() != 1 || err != nil {
		t.Errorf("names %v, %v; %d have made the same, want 1", list, err, won.Load())
	}
	for i := range 3 * names {
		wg.Go(func() {
			if err := errors.Join(netns.Delete("same"), netns.Delete(fmt.Sprint("own", i%names))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if left, err := os.ReadDir(netns.Dir); len(left) > 0 || err != nil {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestNameComesAndGoes makes and deletes one name at the same time.
func TestNameComesAndGoes(t *testing.T) {
	testns.New(t)
	defer netns.Delete("same")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				ns, err := netns.Create("same")
				if err == nil {
					ns.Close()
				} else if !errors.Is(err, os.ErrExist) {
					t.Errorf("create: %v", err)
				}
				if err := netns.Delete("same"); err != nil {
					t.Errorf("delete: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

func TestOtherTypesOfNamespace(t *testing.T) {
	testns.New(t)
	create(t, "red")
	path := filepath.Join(netns.Dir, "uts")
	if err := os.WriteFile(path, nil, 0); err != nil {
		t.Fatal(err)
	}
	defer netns.Delete("uts")
	if err := unix.Mount("/proc/self/ns/uts", path, "none", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := netns.Open("uts"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("open a UTS namespace: %v", err)
	}
	if names, err := netns.List(); err != nil || !slices.Equal(names, []string{"red"}) {
		t.Errorf("List: %v, %v; want network namespaces only", names, err)
	}
}

func TestDo(t *testing.T) {
	ns := testns.New(t)
	home, err := netns.Current()
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	err = ns.Do(func() error {
		inside, err := netns.Current()
		if err != nil {
			return err
		}
		defer inside.Close()
		if id(t, inside) != id(t, ns) {
			t.Error("Do is not in the namespace")
		}
		if out, err := os.Readlink("/proc/thread-self/ns/net"); err != nil || !strings.Contains(out, inode(t, ns)) {
			t.Errorf("thread in %s, %v", out, err)
		}
		return errors.ErrUnsupported
	})
	if !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Do returns %v, want the function's error", err)
	}
	if now, err := netns.Current(); err != nil || id(t, now) != id(t, home) {
		t.Errorf("the caller is not where it was: %v", err)
	} else {
		now.Close()
	}
	if own, err := netns.OfPID(os.Getpid()); err != nil || id(t, own) != id(t, home) {
		t.Errorf("OfPID: %v", err)
	} else {
		own.Close()
	}
	if _, err := netns.OfPID(1 << 30); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("OfPID of nobody: %v", err)
	}
	if err := ns.Do(func() error { return unix.Setns(-1, 0) }); !errors.Is(err, unix.EBADF) {
		t.Errorf("a bad descriptor: %v", err)
	}
}

// TestNoThreadIsTainted looks at every thread of the process after many
// namespaces were made and entered at once.
func TestNoThreadIsTainted(t *testing.T) {
	testns.New(t)
	home, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			ns, err := netns.New()
			if err != nil {
				t.Error(err)
				return
			}
			defer ns.Close()
			if err := ns.Do(func() error { return nil }); err != nil {
				t.Error(err)
			}
			openSockets(t, ns)
			// Without capabilities the way back is barred: the thread has to go.
			err = ns.Do(func() error {
				header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
				return unix.Capset(&header, &make([]unix.CapUserData, 2)[0])
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	time.Sleep(10 * time.Millisecond) // threads end a moment after their goroutines
	threads, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil || len(threads) == 0 {
		t.Fatal(threads, err)
	}
	for _, thread := range threads {
		got, err := os.Readlink(thread)
		if err == nil && got != home {
			t.Errorf("%s is %s, want %s", thread, got, home)
		}
	}
}

// openSockets opens a socket for requests and one for a dump, and checks where
// they are.
func openSockets(t *testing.T, ns *netns.NS) {
	c, err := route.Dial(netlink.Config{NetNS: ns.FD()})
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	change := route.LinkChange{Index: 1, Name: new("lo-of-" + strconv.Itoa(ns.FD()))}
	if err := c.Do(t.Context(), unix.RTM_NEWLINK, 0, &change); err != nil {
		t.Error(err)
	}
	for l, err := range c.Links(t.Context()) {
		// Devices come into all namespaces when a tunnel's module is loaded.
		if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
			t.Error(err)
		}
		if err == nil && l.Index == 1 && l.Name != *change.Name {
			t.Errorf("the dump is from the namespace of %s, want %s", l.Name, *change.Name)
		}
	}
}

func TestClosed(t *testing.T) {
	ns := testns.New(t)
	if err := ns.Close(); err != nil {
		t.Fatal(err)
	}
	if err := ns.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
	if _, err := ns.ID(); err == nil {
		t.Error("a closed namespace has an ID")
	}
	if err := ns.Do(func() error { return nil }); err == nil {
		t.Error("entered a closed namespace")
	}
}
