package netlink_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/nltest"
)

// batchOf is a batch of n messages that a fake kernel makes of what it wants.
func batchOf(n int, flags netlink.Flags) *netlink.Batch {
	b := new(netlink.Batch)
	for i := range n {
		b.Add(unix.RTM_NEWROUTE, flags, blackhole(i))
	}
	return b
}

// faulty dials a client of a fake kernel.
func faulty(t *testing.T, answer func(s *nltest.Socket, requests []netlink.Message)) *netlink.Client {
	t.Helper()
	k := &nltest.Kernel{Answer: answer}
	return dialIn(t, netlink.Config{Transport: k.Transport})
}

// refuseOdd refuses every other request and acknowledges as asked.
func refuseOdd(requests []netlink.Message) (answers []netlink.Message) {
	for i, r := range requests {
		switch {
		case i%2 == 1:
			answers = append(answers, nltest.Refuse(r, unix.EEXIST, nil))
		case nltest.Wants(r):
			answers = append(answers, nltest.Ack(r))
		}
	}
	return answers
}

func last(requests []netlink.Message) netlink.Message { return requests[len(requests)-1] }

// batchFaults are what a kernel may answer to a batch of n messages.
var batchFaults = []struct {
	name   string
	n      int
	answer func(s *nltest.Socket, requests []netlink.Message)
	want   string
	err    error
}{
	{"barrier is a refusal", 4, func(s *nltest.Socket, r []netlink.Message) { s.Push(refuseOdd(r)...) },
		"ok 2, EEXIST 2", nil},
	{"a datagram each", 5, func(s *nltest.Socket, r []netlink.Message) {
		for _, m := range refuseOdd(r) {
			s.Push(m)
		}
	}, "ok 3, EEXIST 2", nil},
	{"other sockets' and late answers in between", 5, func(s *nltest.Socket, r []netlink.Message) {
		stranger, late := last(r), last(r)
		stranger.Port++
		late.Seq += 1 << 30
		s.Push(nltest.Ack(stranger), nltest.Refuse(late, unix.EPERM, nil))
		s.Push(refuseOdd(r)...)
	}, "ok 3, EEXIST 2", nil},
	{"the barrier twice", 5, func(s *nltest.Socket, r []netlink.Message) {
		s.Push(append(refuseOdd(r), nltest.Ack(last(r)))...)
	}, "ok 3, EEXIST 2", nil},
	{"refusals twice and in disorder", 5, func(s *nltest.Socket, r []netlink.Message) {
		s.Push(nltest.Refuse(r[3], unix.EEXIST, nil), nltest.Refuse(r[1], unix.EEXIST, nil), nltest.Refuse(r[3], unix.EPERM, nil))
		s.Push(nltest.Ack(r[4]))
	}, "ok 3, EEXIST 2", nil},
	{"a no-op message", 1, func(s *nltest.Socket, r []netlink.Message) {
		noop := nltest.Object(r[0], unix.NLMSG_NOOP, nil)
		s.Push(noop, nltest.Ack(r[0]))
	}, "ok 1", nil},
	{"interrupted receive", 5, func(s *nltest.Socket, r []netlink.Message) {
		s.Fail(unix.EINTR)
		s.Push(refuseOdd(r)...)
	}, "ok 3, EEXIST 2", nil},
	{"overrun and nothing left", 5, func(s *nltest.Socket, r []netlink.Message) { s.Fail(unix.ENOBUFS) },
		"ok 0, unknown 5", netlink.ErrOverrun},
	{"overrun behind some refusals", 5, func(s *nltest.Socket, r []netlink.Message) {
		s.Fail(unix.ENOBUFS)
		s.Push(nltest.Refuse(r[1], unix.EEXIST, nil))
	}, "ok 0, EEXIST 1, unknown 4", netlink.ErrOverrun},
	{"overrun that spared the barrier", 5, func(s *nltest.Socket, r []netlink.Message) {
		s.Fail(unix.ENOBUFS)
		s.Push(nltest.Refuse(r[1], unix.EEXIST, nil))
		s.Push(nltest.Ack(r[4]))
	}, "ok 1, EEXIST 1, unknown 3", netlink.ErrOverrun},
	{"overrun of a single request that was acknowledged", 1, func(s *nltest.Socket, r []netlink.Message) {
		s.Fail(unix.ENOBUFS)
		s.Push(nltest.Ack(r[0]))
	}, "ok 1", nil},
	{"overrun in the first chunk only", 300, func(s *nltest.Socket, r []netlink.Message) {
		if r[0].Seq == 1 {
			s.Fail(unix.ENOBUFS)
			return
		}
		s.Push(nltest.Ack(last(r)))
	}, "ok 100, unknown 200", netlink.ErrOverrun},
	{"a datagram that is no message", 2, func(s *nltest.Socket, r []netlink.Message) {
		s.PushBytes(make([]byte, 20))
	}, "ok 0, unknown 2", netlink.ErrUnknown},
	{"NLMSG_OVERRUN", 2, func(s *nltest.Socket, r []netlink.Message) {
		s.Push(netlink.Message{Type: unix.NLMSG_OVERRUN})
	}, "ok 0, unknown 2", netlink.ErrOverrun},
	{"a receive that fails", 2, func(s *nltest.Socket, r []netlink.Message) { s.Fail(unix.EIO) },
		"ok 0, unknown 2", unix.EIO},
	{"an acknowledgement without a code", 1, func(s *nltest.Socket, r []netlink.Message) {
		m := nltest.Ack(r[0])
		m.Data = m.Data[:2]
		s.Push(m)
	}, "ok 0, other 1", nil},
}

func TestFaultsOfABatch(t *testing.T) {
	for _, test := range batchFaults {
		t.Run(test.name, func(t *testing.T) {
			c := faulty(t, test.answer)
			res, err := c.Execute(within(t, time.Minute), batchOf(test.n, netlink.Create))
			if got := tally(&res, test.n); got != test.want {
				t.Errorf("outcome %s, want %s", got, test.want)
			}
			if test.err == nil && err != nil {
				t.Errorf("error %v", err)
			}
			if test.err != nil {
				wantIs(t, err, test.err, netlink.ErrUnknown)
			}
			listed := 0
			for i, err := range res.Errors() {
				if err == nil || res.Err(i) != err {
					t.Errorf("message %d: listed as %v, is %v", i, err, res.Err(i))
				}
				listed++
			}
			for i := range test.n {
				if res.Err(i) != nil {
					listed--
				}
			}
			if listed != 0 {
				t.Errorf("%+d messages listed as failed", listed)
			}
		})
	}
}

func TestBatchChunks(t *testing.T) {
	var sizes, acks []int
	c := faulty(t, func(s *nltest.Socket, requests []netlink.Message) {
		sizes = append(sizes, len(requests))
		acks = append(acks, len(slices.DeleteFunc(slices.Clone(requests), func(m netlink.Message) bool { return !nltest.Wants(m) })))
		s.Push(nltest.Ack(requests[len(requests)-1]))
	})
	b := batchOf(450, netlink.Create)
	for range 2 { // the second time with the flags of the first in the buffer
		sizes, acks = nil, nil
		if _, err := c.Execute(within(t, time.Minute), b); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(sizes, []int{200, 200, 50}) || !slices.Equal(acks, []int{1, 1, 1}) {
			t.Errorf("chunks of %v messages with %v acknowledgements", sizes, acks)
		}
	}
	b.Reset()
	sizes = nil
	for _, size := range []int{30_000, 30_000, 30_000, 65_530, 65_530, 10} {
		b.Add(unix.RTM_NEWLINK, 0, payload(func(e *netlink.Encoder) { e.Attr(1, make([]byte, size)) }))
	}
	if _, err := c.Execute(within(t, time.Minute), b); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(sizes, []int{2, 1, 1, 1, 1}) {
		t.Errorf("chunks of %v large messages", sizes)
	}
	if got := c.Stats().Sent; got[unix.RTM_NEWROUTE] != 900 || got[unix.RTM_NEWLINK] != 6 {
		t.Errorf("sent %v", got)
	}
	b.Reset()
	if res, err := c.Execute(within(t, time.Minute), b); err != nil || res.Err(0) != nil {
		t.Errorf("empty batch: %v, %v", err, res.Err(0))
	}
}

func TestEchoes(t *testing.T) {
	chunks := 0
	c := faulty(t, func(s *nltest.Socket, requests []netlink.Message) {
		chunks++
		for _, r := range requests {
			if r.Flags&netlink.Echo != 0 && r.Seq%2 == 0 {
				s.Push(nltest.Object(r, unix.RTM_NEWROUTE, []byte{byte(r.Seq)}))
			}
		}
		s.Push(nltest.Object(requests[0], unix.RTM_NEWROUTE, []byte("a second one")))
		s.Push(nltest.Ack(requests[len(requests)-1]))
	})
	const n = 100
	res, err := c.Execute(within(t, time.Minute), batchOf(n, netlink.Create|netlink.Echo))
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		m, ok := res.Echo(i)
		if seq := i + 1; seq%2 == 0 && (!ok || len(m.Data) != 1 || m.Data[0] != byte(seq)) {
			t.Errorf("message %d: echo %v %v", i, ok, m.Data)
		}
	}
	if chunks < 3 {
		t.Errorf("%d chunks: the echoes would not fit the receive buffer", chunks)
	}
}

func TestBatchStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	chunk := 0
	c := faulty(t, func(s *nltest.Socket, requests []netlink.Message) {
		if chunk++; chunk == 1 {
			s.Push(nltest.Refuse(requests[7], unix.EEXIST, nil), nltest.Ack(requests[len(requests)-1]))
			return
		}
		s.Push(nltest.Refuse(requests[0], unix.EPERM, nil))
		cancel() // what is there by now still counts
	})
	res, err := c.Execute(ctx, batchOf(500, 0))
	wantIs(t, err, context.Canceled, netlink.ErrUnknown)
	if got := tally(&res, 500); !slices.Contains([]string{"ok 199, EEXIST 1, EPERM 1, unknown 199, other 100", "ok 199, EPERM 1, EEXIST 1, unknown 199, other 100"}, got) {
		t.Errorf("outcome %s", got)
	}
	wantIs(t, res.Err(300), netlink.ErrUnknown, context.Canceled)
	wantIs(t, res.Err(450), context.Canceled)
	if errors.Is(res.Err(450), netlink.ErrUnknown) {
		t.Error("a message that was not sent counts as unknown")
	}
	// Nothing is sent with a context that is over.
	before := c.Stats().Sent[unix.RTM_NEWROUTE]
	if err := c.Do(ctx, unix.RTM_NEWROUTE, 0, blackhole(1)); !errors.Is(err, context.Canceled) || errors.Is(err, netlink.ErrUnknown) {
		t.Errorf("request with a context that is over: %v", err)
	}
	if after := c.Stats().Sent[unix.RTM_NEWROUTE]; before != after {
		t.Error("it was sent")
	}
}

func TestLateAnswersAreDropped(t *testing.T) {
	var late []netlink.Message
	var cancel context.CancelFunc
	c := faulty(t, func(s *nltest.Socket, requests []netlink.Message) {
		if requests[0].Type == unix.RTM_NEWROUTE {
			late = append(late, nltest.Refuse(requests[0], unix.EPERM, nil))
			cancel()
			return
		}
		s.Push(late...)
		s.Push(nltest.Object(requests[0], unix.RTM_NEWLINK, []byte("answer")), nltest.Ack(requests[0]))
	})
	for range 300 { // more than the receive buffer has room for
		ctx, stop := context.WithCancel(t.Context())
		cancel = stop
		err := c.Do(ctx, unix.RTM_NEWROUTE, 0, blackhole(1))
		stop()
		wantIs(t, err, context.Canceled, netlink.ErrUnknown)
	}
	m, err := c.Get(within(t, time.Minute), unix.RTM_GETLINK, 0, allLinks)
	if err != nil || string(m.Data) != "answer" {
		t.Errorf("answer %q, %v", m.Data, err)
	}
	if n := c.Stats().Dropped; n != 300 {
		t.Errorf("%d late answers dropped, want 300", n)
	}
}

func TestGet(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer func(s *nltest.Socket, r netlink.Message)
		want   string
		err    error
	}{
		{"answer, then acknowledgement", func(s *nltest.Socket, r netlink.Message) {
			s.Push(nltest.Object(r, unix.RTM_NEWLINK, []byte("object")))
			s.Push(nltest.Ack(r))
		}, "object", nil},
		{"unpadded answer", func(s *nltest.Socket, r netlink.Message) {
			s.PushBytes(nltest.Object(r, unix.RTM_NEWLINK, []byte("objec")).AppendTo(nil)[:unix.NLMSG_HDRLEN+5])
			s.Push(nltest.Ack(r))
		}, "objec", nil},
		{"several parts", func(s *nltest.Socket, r netlink.Message) {
			s.Push(nltest.Part(r, unix.RTM_NEWLINK, []byte("object")), nltest.Part(r, unix.RTM_NEWLINK, []byte("another")))
			s.Push(nltest.Done(r, 0, nil))
		}, "object", nil},
		{"acknowledgement only", func(s *nltest.Socket, r netlink.Message) { s.Push(nltest.Ack(r)) }, "", unix.ENODATA},
		{"refusal", func(s *nltest.Socket, r netlink.Message) { s.Push(nltest.Refuse(r, unix.ENODEV, nil)) }, "", unix.ENODEV},
		{"answer lost", func(s *nltest.Socket, r netlink.Message) {
			s.Fail(unix.ENOBUFS)
			s.Push(nltest.Ack(r))
		}, "", netlink.ErrUnknown},
		{"acknowledgement lost", func(s *nltest.Socket, r netlink.Message) {
			s.Fail(unix.ENOBUFS)
			s.Push(nltest.Object(r, unix.RTM_NEWLINK, []byte("object")))
		}, "object", netlink.ErrUnknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := faulty(t, func(s *nltest.Socket, requests []netlink.Message) { test.answer(s, requests[0]) })
			m, err := c.Get(within(t, time.Minute), unix.RTM_GETLINK, 0, allLinks)
			if string(m.Data) != test.want {
				t.Errorf("answer %q, want %q", m.Data, test.want)
			}
			if test.err == nil && err != nil {
				t.Error(err)
			}
			if test.err != nil {
				wantIs(t, err, test.err)
			}
		})
	}
}

func TestSendThatFails(t *testing.T) {
	tap := &nltest.Tap{Send: func(b []byte, next func([]byte) error) error { return unix.ENOBUFS }}
	c, _ := dial(t, netlink.Config{Transport: tap.Transport})
	err := c.Do(within(t, time.Minute), unix.RTM_NEWROUTE, netlink.Create, blackhole(1))
	wantIs(t, err, unix.ENOBUFS)
	if errors.Is(err, netlink.ErrUnknown) || c.Stats().Sent[unix.RTM_NEWROUTE] != 0 {
		t.Errorf("%v, sent %v; want it known that nothing was sent", err, c.Stats().Sent)
	}
	if _, err := count(within(t, time.Minute), c, unix.RTM_GETLINK, allLinks); !errors.Is(err, unix.ENOBUFS) || c.Stats().Sent[unix.RTM_GETLINK] != 0 {
		t.Errorf("dump: %v, sent %v", err, c.Stats().Sent)
	}
	tap.Send = nil
	if err := c.Do(within(t, time.Minute), unix.RTM_NEWROUTE, netlink.Create, blackhole(1)); err != nil {
		t.Error(err)
	}
}

func TestClose(t *testing.T) {
	var c *netlink.Client
	k := &nltest.Kernel{Answer: func(*nltest.Socket, []netlink.Message) { go c.Close() }}
	c = dialIn(t, netlink.Config{Transport: k.Transport})
	wantIs(t, c.Do(t.Context(), unix.RTM_NEWROUTE, 0, blackhole(1)), os.ErrClosed, netlink.ErrUnknown)
	wantIs(t, c.Do(t.Context(), unix.RTM_NEWROUTE, 0, blackhole(1)), os.ErrClosed)
	_, err := count(t.Context(), c, unix.RTM_GETLINK, allLinks)
	wantIs(t, err, os.ErrClosed)
	wantIs(t, c.Close(), os.ErrClosed)
	if _, open := k.Sockets(); open != 0 {
		t.Errorf("%d sockets left open", open)
	}
}
