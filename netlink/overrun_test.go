package netlink_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
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
// batches and single requests, some with contexts that end. What is reported as
// done or refused must be so.
func TestOverrunsNeverLie(t *testing.T) {
	sound, ns := dial(t, netlink.Config{})
	c := dialIn(t, netlink.Config{NetNS: ns.FD(), Transport: boast})
	const workers, each = 60, 300
	isOdd := func(n int) bool { return n%2 == 1 }
	var b netlink.Batch
	for n := range workers * each {
		if isOdd(n) { // exists already: to be refused
			b.Add(unix.RTM_NEWROUTE, netlink.Create|netlink.Excl, blackhole(n))
		}
	}
	if _, err := sound.Execute(within(t, time.Minute), &b); err != nil {
		t.Fatal(err)
	}

	outcomes := make([]error, workers*each)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), rand.N(200*time.Millisecond))
			defer cancel()
			addEach(ctx, c, w, outcomes[w*each:(w+1)*each], w*each)
		})
	}
	wg.Wait()

	there := make(map[int]bool)
	for m, err := range sound.Dump(within(t, time.Minute), unix.RTM_GETROUTE, routeDump(unix.RT_TABLE_MAIN, 0)) {
		if err != nil {
			t.Fatal(err)
		}
		there[destination(m)] = true
	}
	var done, refused, unknown, unsent atomic.Int64
	for n, err := range outcomes {
		switch {
		case err == nil:
			done.Add(1)
			if isOdd(n) || !there[n] {
				t.Errorf("route %d counts as added: existed %v, is there %v", n, isOdd(n), there[n])
			}
		case errors.Is(err, netlink.ErrUnknown):
			unknown.Add(1)
		case errors.Is(err, unix.EEXIST):
			refused.Add(1)
			if !isOdd(n) {
				t.Errorf("route %d counts as refused: %v", n, err)
			}
		case errors.Is(err, context.DeadlineExceeded):
			unsent.Add(1)
			if !isOdd(n) && there[n] {
				t.Errorf("route %d counts as not sent and is there", n)
			}
		default:
			t.Errorf("route %d: %v", n, err)
		}
	}
	t.Logf("done %d, refused %d, unknown %d, not sent %d, overruns %d",
		done.Load(), refused.Load(), unknown.Load(), unsent.Load(), c.Stats().Overruns)
	if c.Stats().Overruns == 0 || unknown.Load() == 0 {
		t.Error("nothing was lost: the test shows nothing")
	}
	if err := c.Do(within(t, time.Minute), unix.RTM_NEWROUTE, netlink.Create|netlink.Excl, blackhole(1)); !errors.Is(err, unix.EEXIST) {
		t.Errorf("request after the overruns: %v", err)
	}
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
