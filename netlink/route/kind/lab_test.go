package kind_test

import (
	"context"
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/testns"
	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/attr"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

// A lab is a network namespace in which links are made: t0 is the one under
// test; p0 and q0 are up and good for parents, devices and ports.
type lab struct {
	testing.TB
	ns   *netns.NS
	conn *route.Conn
}

func newLab(t testing.TB) *lab {
	t.Helper()
	l := &lab{TB: t, ns: testns.New(t)}
	var err error
	if l.conn, err = route.Dial(netlink.Config{NetNS: l.ns.FD()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.conn.Close() })
	for _, name := range []string{"p0", "q0"} {
		peer := name[:1] + "1"
		var e netlink.Encoder
		kind.Encode(&e, &kind.Veth{Peer: &kind.Peer{Name: peer}})
		c := &route.LinkChange{Name: &name, Kind: "veth", Data: e.Bytes()}
		c.SetFlags(unix.IFF_UP, true)
		l.must(l.newLink(c, netlink.Create|netlink.Excl))
		l.up(peer, true)
	}
	return l
}

func (l *lab) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

func (l *lab) newLink(c *route.LinkChange, flags netlink.Flags) error {
	return l.conn.Do(context.Background(), unix.RTM_NEWLINK, flags, c)
}

func (l *lab) link(name string) *route.Link {
	l.Helper()
	link, err := l.conn.LinkByName(context.Background(), name)
	l.must(err)
	return link
}

func (l *lab) up(name string, on bool) {
	l.Helper()
	c := &route.LinkChange{Index: l.link(name).Index}
	c.SetFlags(unix.IFF_UP, on)
	l.must(l.newLink(c, 0))
}

// resolve fills in the indexes of the links that k names.
func (l *lab) resolve(k kind.Kind) {
	l.Helper()
	for _, ref := range k.Fields().Refs() {
		if ref.Name != "" {
			ref.Index = l.link(ref.Name).Index
		}
	}
}

// create makes t0. It skips the test when the kernel does not have the kind.
func (l *lab) create(k kind.Kind) error {
	l.Helper()
	l.resolve(k)
	var e netlink.Encoder
	kind.Encode(&e, k)
	c := &route.LinkChange{Name: new("t0"), Kind: k.Name(), Data: append([]byte{}, e.Bytes()...)}
	if kind.NeedsParent(k) {
		c.Parent = new(l.link("p0").Index)
	}
	err := l.newLink(c, netlink.Create|netlink.Excl)
	var refused *netlink.Error
	if errors.As(err, &refused) && refused.Text == "Unknown device type" {
		l.Skipf("kind %s: %v", k.Name(), err)
	}
	return err
}

// have returns what the kernel reports of t0.
func (l *lab) have(new func() kind.Kind) kind.Kind {
	l.Helper()
	k, link := new(), l.link("t0")
	if link.Kind != k.Name() {
		l.Fatalf("t0 is a %s", link.Kind)
	}
	decode(l, k, link.Data)
	return k
}

// change makes the changes to t0.
func (l *lab) change(want, have kind.Kind, changes []attr.Change) error {
	l.Helper()
	var e netlink.Encoder
	kind.EncodeChange(&e, want, have, changes)
	if e.Err() != nil {
		return e.Err()
	}
	return l.newLink(&route.LinkChange{Index: l.link("t0").Index, Kind: want.Name(), Data: e.Bytes()}, 0)
}

// enslave makes a link a port of t0.
func (l *lab) enslave(name string) error {
	l.Helper()
	return l.newLink(&route.LinkChange{Index: l.link(name).Index, Master: new(l.link("t0").Index)}, 0)
}

// havePort returns what the kernel reports of p0 as a port.
func (l *lab) havePort(new func() kind.Kind) kind.Kind {
	l.Helper()
	k := new()
	decode(l, k, l.link("p0").SlaveData)
	return k
}

// changePort changes what the master has for p0.
func (l *lab) changePort(want, have kind.Kind, changes []attr.Change) error {
	l.Helper()
	var e netlink.Encoder
	kind.EncodeChange(&e, want, have, changes)
	return l.newLink(&route.LinkChange{Index: l.link("p0").Index, SlaveKind: want.Name(), SlaveData: e.Bytes()}, 0)
}
