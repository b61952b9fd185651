package netlink_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/nltest"
)

// boaster is a socket with less receive buffer than it tells, so that the kernel
// drops answers.
type boaster struct{ netlink.Socket }

func (b boaster) SetReadBuffer(n int) (int, error) {
	_, err := b.Socket.SetReadBuffer(n)
	return 212992, err
}

// boast opens sockets for requests that have room for about ten answers.
func boast(cfg netlink.Config) (netlink.Socket, error) {
	cfg.ReadBuffer = 4096
	s, err := netlink.Open(cfg)
	return boaster{s}, err
}

// TestOverrunsNeverLie lets the kernel drop answers while many goroutines send
// batches and single requests, half of them with contexts that soon end. What is
// reported as done or refused must be so.
func TestOverrunsNeverLie(t *testing.T) {
	sound, ns := dial(t, netlink.Config{})
	c := dialIn(t, netlink.Config{NetNS: ns.FD(), Transport: boast})
	const workers, each = 60, 300
	var b netlink.Batch
	for n := range workers * each {
		if isOdd(n) {
			b.Add(unix.RTM_NEWROUTE, netlink.Create|netlink.Excl, blackhole(n))
		}
	}
	if _, err := sound.Execute(within(t, time.Minute), &b); err != nil {
		t.Fatal(err)
	}

	goroutines, files := runtime.NumGoroutine(), descriptors(t)+1 // one socket is kept for dumps
	outcomes := make([]error, workers*each)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			ctx := within(t, time.Minute)
			if w%2 == 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, rand.N(200*time.Millisecond))
				defer cancel()
			}
			addEach(ctx, c, w, outcomes[w*each:(w+1)*each], w*each)
		})
	}
	wg.Wait()

	wantTrue(t, sound, outcomes)
	if c.Stats().Overruns == 0 {
		t.Error("nothing was lost: the test shows nothing")
	}
	if err := c.Do(within(t, time.Minute), unix.RTM_NEWROUTE, netlink.Create|netlink.Excl, blackhole(1)); !errors.Is(err, unix.EEXIST) {
		t.Errorf("request after the overruns: %v", err)
	}
	wantNoLeak(t, goroutines, files)
}

// isOdd tells which routes exist before they are added: these are to be refused.
func isOdd(n int) bool { return n%2 == 1 }

// wantTrue compares the outcomes of adding routes with what is there.
func wantTrue(t *testing.T, c *netlink.Client, outcomes []error) {
	t.Helper()
	there := make(map[int]bool)
	for m, err := range c.Dump(within(t, time.Minute), unix.RTM_GETROUTE, routeDump(unix.RT_TABLE_MAIN, 0)) {
		if err != nil {
			t.Fatal(err)
		}
		there[destination(m)] = true
	}
	tally := make(map[string]int)
	for n, err := range outcomes {
		switch {
		case err == nil:
			tally["done"]++
			if isOdd(n) || !there[n] {
				t.Errorf("route %d counts as added: existed %v, is there %v", n, isOdd(n), there[n])
			}
		case errors.Is(err, netlink.ErrUnknown):
			tally["unknown"]++
		case errors.Is(err, unix.EEXIST):
			tally["refused"]++
			if !isOdd(n) {
				t.Errorf("route %d counts as refused: %v", n, err)
			}
		case errors.Is(err, context.DeadlineExceeded):
			tally["not sent"]++
			if !isOdd(n) && there[n] {
				t.Errorf("route %d counts as not sent and is there", n)
			}
		default:
			t.Errorf("route %d: %v", n, err)
		}
	}
	t.Log(tally)
}

// addEach adds routes, in one batch or one by one, and fills in their outcomes.
func addEach(ctx context.Context, c *netlink.Client, w int, outcomes []error, first int) {
	if w%3 == 0 {
		for i := range outcomes {
			outcomes[i] = c.Do(ctx, unix.RTM_NEWROUTE, netlink.Create|netlink.Excl, blackhole(first+i))
		}
		return
	}
	var b netlink.Batch
	for i := range outcomes {
		b.Add(unix.RTM_NEWROUTE, netlink.Create|netlink.Excl, blackhole(first+i))
	}
	res, _ := c.Execute(ctx, &b)
	for i := range outcomes {
		outcomes[i] = res.Err(i)
	}
}

// narrow is a socket with a small send buffer. The first datagram that does not
// fit waits for hold.
type narrow struct {
	*nltest.Socket
	once *sync.Once
	hold func(s *nltest.Socket)
}

func (n narrow) Send(b []byte) error {
	if len(b) > 1000 {
		n.once.Do(func() { n.hold(n.Socket) })
		return unix.EMSGSIZE
	}
	return n.Socket.Send(b)
}

// TestOverrunDuringASendThatFails has another request's reader give up, because
// of an overrun, what is just being sent and then does not fit.
func TestOverrunDuringASendThatFails(t *testing.T) {
	k := &nltest.Kernel{Answer: func(s *nltest.Socket, requests []netlink.Message) {
		for _, r := range requests {
			if r.Type == unix.RTM_NEWROUTE {
				s.Push(nltest.Refuse(r, unix.EEXIST, nil))
			}
		}
	}}
	given := make(chan struct{})
	hold := func(s *nltest.Socket) {
		s.Fail(unix.ENOBUFS)
		<-given
	}
	once := new(sync.Once)
	c := dialIn(t, netlink.Config{Transport: func(cfg netlink.Config) (netlink.Socket, error) {
		s, err := k.Transport(cfg)
		return narrow{s.(*nltest.Socket), once, hold}, err
	}})
	go func() {
		defer close(given)
		wantIs(t, c.Do(t.Context(), unix.RTM_SETLINK, 0, allLinks), netlink.ErrUnknown, netlink.ErrOverrun)
	}()
	for c.Stats().Sent[unix.RTM_SETLINK] == 0 {
		time.Sleep(time.Millisecond)
	}
	res, err := c.Execute(within(t, time.Minute), batchOf(100, netlink.Create))
	if got := tally(&res, 100); got != "ok 0, EEXIST 100" || err != nil {
		t.Errorf("outcome %s, %v", got, err)
	}
}
