package route

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/nltest"
)

func TestLinksByName(t *testing.T) {
	l := newLab(t)
	l.link(&LinkChange{Name: new("x0"), Kind: "ifb"})
	names := []string{"x0", "none", "", strings.Repeat("x", 200), "lo", "a name that is longer than fifteen bytes"}
	found, err := l.LinksByName(l.ctx, names)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		if there := found[i] != nil; there != (name == "x0" || name == "lo") || there && found[i].Name != name {
			t.Errorf("%q: %v", name, found[i])
		}
	}
	if found, err := l.LinksByName(l.ctx, nil); len(found) != 0 || err != nil {
		t.Errorf("no names: %v, %v", found, err)
	}
}

// TestLinksByNameWithLostAnswers loses the first answers: a link whose answer is
// not there is asked for again, and not taken for missing.
func TestLinksByNameWithLostAnswers(t *testing.T) {
	lost := false
	k := &nltest.Kernel{Answer: func(s *nltest.Socket, requests []netlink.Message) {
		last := requests[len(requests)-1]
		if !lost {
			lost = true
			s.Fail(unix.ENOBUFS)
			s.Push(nltest.Ack(last))
			return
		}
		s.Push(nltest.Object(last, unix.RTM_NEWLINK, encode(t, &Link{Index: 7})), nltest.Ack(last))
	}}
	c, err := Dial(netlink.Config{Transport: k.Transport})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	found, err := c.LinksByName(t.Context(), []string{"a", "b", "c"})
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range found {
		if l == nil || l.Index != 7 {
			t.Errorf("link %d: %v", i, l)
		}
	}
}
