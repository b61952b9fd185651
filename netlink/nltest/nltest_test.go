package nltest_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/testns"
	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/nltest"
)

func TestMain(m *testing.M) { testns.Main(m) }

// linkByIndex is struct ifinfomsg.
type linkByIndex byte

func (l linkByIndex) AppendTo(e *netlink.Encoder) { e.Grow(unix.SizeofIfInfomsg)[4] = byte(l) }

func ExampleKernel() {
	// The answers to this request are lost.
	k := &nltest.Kernel{Answer: func(s *nltest.Socket, requests []netlink.Message) { s.Fail(unix.ENOBUFS) }}
	c, err := netlink.Dial(netlink.Config{Transport: k.Transport})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	err = c.Do(context.Background(), unix.RTM_DELLINK, 0, linkByIndex(5))
	fmt.Println(errors.Is(err, netlink.ErrUnknown))
	// Output: true
}

func TestTap(t *testing.T) {
	ns := testns.New(t)
	var sends, receives atomic.Int64
	tap := &nltest.Tap{
		Send: func(b []byte, next func([]byte) error) error {
			if sends.Add(1) == 2 {
				return unix.ENOMEM
			}
			return next(b)
		},
		Recv: func(b []byte) ([]byte, error) {
			if receives.Add(1) == 3 {
				return nil, unix.ENOBUFS
			}
			return b, nil
		},
	}
	c, err := netlink.Dial(netlink.Config{NetNS: ns.FD(), Transport: tap.Transport})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i, want := range []error{nil, unix.ENOMEM, netlink.ErrUnknown, nil} {
		_, err := c.Get(t.Context(), unix.RTM_GETLINK, 0, linkByIndex(1))
		if !errors.Is(err, want) {
			t.Errorf("request %d: %v, want %v", i, err, want)
		}
	}
	if sends.Load() != 4 {
		t.Errorf("%d sends", sends.Load())
	}
}

func TestKernelSockets(t *testing.T) {
	k := new(nltest.Kernel)
	c, err := netlink.Dial(netlink.Config{Transport: k.Transport})
	if err != nil {
		t.Fatal(err)
	}
	sub, err := c.Subscribe(7)
	if err != nil {
		t.Fatal(err)
	}
	if all, open := k.Sockets(); len(all) != 2 || open != 2 {
		t.Errorf("%d sockets, %d open", len(all), open)
	}
	k.Broadcast(8, netlink.Message{Type: 100})
	k.Broadcast(7, netlink.Message{Type: 101, Data: []byte("odd")})
	for m, err := range sub.Messages(t.Context()) {
		if m.Type != 101 || string(m.Data) != "odd" || err != nil {
			t.Errorf("message %v, %v", m, err)
		}
		break
	}
	sub.Close()
	c.Close()
	if _, open := k.Sockets(); open != 0 {
		t.Errorf("%d sockets are open", open)
	}
}
