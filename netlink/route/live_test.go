package route

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/testns"
	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/netns"
)

func TestMain(m *testing.M) { testns.Main(m) }

// A lab is a namespace of its own with what a test needs to work in it.
type lab struct {
	testing.TB
	*Conn
	ctx context.Context
	ns  *netns.NS
}

func newLab(t testing.TB) *lab {
	t.Helper()
	ns := testns.New(t)
	c, err := Dial(netlink.Config{NetNS: ns.FD()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &lab{t, c, context.Background(), ns}
}

// ip runs iproute2's ip in the namespace.
func (l *lab) ip(args ...string) string {
	l.Helper()
	return testns.Run(l, l.ns, "ip", args...)
}

// json runs a program of iproute2 and reads its output.
func (l *lab) json(program string, args ...string) []map[string]any {
	l.Helper()
	return l.briefJSON(program, append([]string{"-j", "-d"}, args...)...)
}

// briefJSON is json without the details that -d adds.
func (l *lab) briefJSON(program string, args ...string) []map[string]any {
	l.Helper()
	var v []map[string]any
	out := testns.Run(l, l.ns, program, args...)
	if out == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		l.Fatalf("%s %v: %v in %s", program, args, err, out)
	}
	return v
}

// want checks one field of what json returned.
func (l *lab) want(object map[string]any, key string, want any) {
	l.Helper()
	if got := object[key]; fmt.Sprint(got) != fmt.Sprint(want) {
		l.Errorf("%s is %v, want %v", key, got, want)
	}
}

// must makes a request that has to succeed.
func (l *lab) must(typ uint16, flags netlink.Flags, p netlink.Payload) {
	l.Helper()
	if err := l.Do(l.ctx, typ, flags, p); err != nil {
		l.Fatalf("%s: %v", MessageName(typ), err)
	}
}

const create = netlink.Create | netlink.Excl

// link makes a link, or skips the test if the kernel has no such kind.
func (l *lab) link(c *LinkChange) *Link {
	l.Helper()
	err := l.Do(l.ctx, unix.RTM_NEWLINK, create, c)
	if errors.Is(err, unix.EOPNOTSUPP) {
		l.Skipf("kind %s: %v", c.Kind, err)
	}
	if err != nil {
		l.Fatalf("%s: %v", *c.Name, err)
	}
	return l.byName(*c.Name)
}

func (l *lab) byName(name string) *Link {
	l.Helper()
	link, err := l.LinkByName(l.ctx, name)
	if err != nil {
		l.Fatal(err)
	}
	return link
}

// up makes a veth pair with both ends up, which every kernel of the tests has,
// and returns the first.
func (l *lab) up(name, peer string) *Link {
	l.Helper()
	l.ip("link", "add", name, "type", "veth", "peer", "name", peer)
	for _, n := range []string{peer, name} {
		c := LinkChange{Name: &n}
		c.SetFlags(unix.IFF_UP, true)
		l.must(unix.RTM_NEWLINK, 0, &c)
	}
	return l.byName(name)
}

// cloner is what can be kept of a dump.
type cloner[T any] interface {
	*T
	Clone() *T
}

// collect reads a dump that has to succeed.
func collect[T any, P cloner[T]](t testing.TB, seq iter.Seq2[P, error]) []P {
	t.Helper()
	var all []P
	for p, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p.Clone())
	}
	return all
}
