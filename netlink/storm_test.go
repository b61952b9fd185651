package netlink_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/nltest"
)

// descriptors counts the open files of the process.
func descriptors(t *testing.T) int {
	t.Helper()
	d, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(d)
}

// wantNoLeak reports goroutines and descriptors that are more than before. Those
// of contexts that ended a moment ago get some time to go.
func wantNoLeak(t *testing.T, goroutines, files int) {
	t.Helper()
	for range 100 {
		if runtime.NumGoroutine() <= goroutines && descriptors(t) <= files {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	buf := make([]byte, 1<<20)
	t.Errorf("%d goroutines, before %d; %d files, before %d\n%s", runtime.NumGoroutine(), goroutines,
		descriptors(t), files, buf[:runtime.Stack(buf, true)])
}

func TestCancelStorm(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	const workers = 10_000
	var done, unknown, unsent atomic.Int64
	var wg sync.WaitGroup
	for n := range workers {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), rand.N(300*time.Millisecond))
			defer cancel()
			switch err := c.Do(ctx, unix.RTM_NEWROUTE, netlink.Create|netlink.Excl, blackhole(n)); {
			case err == nil:
				done.Add(1)
			case errors.Is(err, netlink.ErrUnknown):
				if !errors.Is(err, ctx.Err()) {
					t.Errorf("route %d: %v", n, err)
				}
				unknown.Add(1)
			case errors.Is(err, context.DeadlineExceeded):
				unsent.Add(1)
			default:
				t.Errorf("route %d: %v", n, err)
			}
		})
	}
	wg.Wait()
	t.Logf("done %d, unknown %d, not sent %d", done.Load(), unknown.Load(), unsent.Load())

	// The client works, has lost no answer, and its account is exact.
	n, err := count(within(t, time.Minute), c, unix.RTM_GETROUTE, routeDump(unix.RT_TABLE_MAIN, 0))
	if err != nil || int64(n) < done.Load() || int64(n) > done.Load()+unknown.Load() {
		t.Errorf("%d routes, %v; want from %d to %d", n, err, done.Load(), done.Load()+unknown.Load())
	}
	if n := c.Stats().Overruns; n != 0 {
		t.Errorf("%d overruns", n)
	}
	wantNoLeak(t, goroutines, files+1) // one socket is kept for dumps
}

// TestCancelStormOnALateKernel has answers that come late and in any order, so
// that most requests are given up while they wait for theirs.
func TestCancelStormOnALateKernel(t *testing.T) {
	goroutines := runtime.NumGoroutine()
	var answers sync.WaitGroup
	k := &nltest.Kernel{Answer: func(s *nltest.Socket, requests []netlink.Message) {
		answers.Go(func() {
			time.Sleep(rand.N(4 * time.Millisecond))
			s.Push(nltest.Refuse(requests[0], unix.Errno(requests[0].Data[4]), nil))
		})
	}}
	c := dialIn(t, netlink.Config{Transport: k.Transport})
	var answered, unknown atomic.Int64
	var wg sync.WaitGroup
	for n := range 2000 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), rand.N(100*time.Millisecond))
			defer cancel()
			errno := unix.Errno(1 + n%100) // tells whose answer it is
			switch err := c.Do(ctx, unix.RTM_SETLINK, 0, link(int32(errno), 0, 0, "")); {
			case errors.Is(err, netlink.ErrUnknown):
				wantIs(t, err, context.DeadlineExceeded)
				unknown.Add(1)
			case !errors.Is(err, context.DeadlineExceeded):
				wantIs(t, err, errno)
				answered.Add(1)
			}
		})
	}
	wg.Wait()
	answers.Wait()
	t.Logf("answered %d, unknown %d", answered.Load(), unknown.Load())
	if err := c.Do(t.Context(), unix.RTM_SETLINK, 0, link(7, 0, 0, "")); !errors.Is(err, unix.Errno(7)) {
		t.Errorf("request after the storm: %v", err)
	}
	answers.Wait()
	wantNoLeak(t, goroutines, descriptors(t))
}

func TestDumpAndSubscriptionStorm(t *testing.T) {
	c, _ := dial(t, netlink.Config{})
	addRoutes(t, c, 0, 1000)
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	var wg sync.WaitGroup
	for n := range 200 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), rand.N(5*time.Millisecond))
			defer cancel()
			left := rand.N(2000)
			for _, err := range c.Dump(ctx, unix.RTM_GETROUTE, routeDump(0, 0)) {
				if err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("dump: %v", err)
				}
				if left--; left < 0 {
					break
				}
			}
		})
		wg.Go(func() {
			sub, err := c.Subscribe(unix.RTNLGRP_IPV4_ROUTE)
			if err != nil {
				t.Error(err)
				return
			}
			ctx, cancel := context.WithTimeout(t.Context(), rand.N(5*time.Millisecond))
			defer cancel()
			if n%2 == 0 {
				time.AfterFunc(time.Millisecond, func() { sub.Close() })
			} else {
				defer sub.Close()
			}
			for range sub.Messages(ctx) {
			}
		})
	}
	wg.Wait()
	wantNoLeak(t, goroutines, files+4)
	c.Close()
	wantNoLeak(t, goroutines, files-1)
}

func TestCloseInAStorm(t *testing.T) {
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	for range 20 {
		c, ns := dial(t, netlink.Config{})
		var wg sync.WaitGroup
		for n := range 50 {
			wg.Go(func() {
				for {
					err := c.Do(t.Context(), unix.RTM_NEWROUTE, netlink.Create|netlink.Replace, blackhole(n))
					if err != nil {
						wantIs(t, err, os.ErrClosed)
						return
					}
				}
			})
			wg.Go(func() {
				for {
					if _, err := count(t.Context(), c, unix.RTM_GETROUTE, routeDump(0, 0)); err != nil {
						wantIs(t, err, os.ErrClosed)
						return
					}
				}
			})
		}
		time.Sleep(time.Millisecond)
		c.Close()
		wg.Wait()
		ns.Close()
	}
	wantNoLeak(t, goroutines, files)
}
