package netlink

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"
)

// seeds are messages with everything in them.
func seeds(f *testing.F) {
	var e Encoder
	mark := e.begin(unix.RTM_NEWLINK, Request|Ack)
	e.Fixed(make([]byte, unix.SizeofIfInfomsg))
	e.String(unix.IFLA_IFNAME, "odd")
	info := e.Begin(unix.IFLA_LINKINFO)
	e.String(unix.IFLA_INFO_KIND, "vxlan")
	e.Uint64(9, 1<<40)
	e.End(info)
	e.finish(mark)
	f.Add(e.Bytes())
	f.Add(refusal(e.Bytes(), -22, false, &e).AppendTo(nil))
	f.Add([]byte{})
}

func FuzzAttrs(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) { walk(t, b, 0) })
}

// walk reads every attribute in every way, and checks that what was read is
// what was there.
func walk(t *testing.T, b []byte, depth int) {
	var e Encoder
	a := ReadAttrs(b)
	for a.Next() {
		a.Uint8()
		a.Uint16()
		a.Uint32()
		a.Int32()
		a.Uint64()
		a.BE16()
		a.BE32()
		a.BE64()
		a.Addr()
		if a.String() != string(a.CString()) {
			t.Error("String and CString differ")
		}
		e.Raw(a.Raw())
		if depth < 8 {
			walk(t, a.Bytes(), depth+1)
		}
	}
	// Raw pads what was cut short at the end.
	if n := min(len(e.Bytes()), len(b)); !bytes.Equal(e.Bytes()[:n], b[:n]) {
		t.Errorf("copied as % x, was % x", e.Bytes(), b)
	}
	if a.Err() == nil && len(b)-e.Len() >= unix.NLA_HDRLEN {
		t.Errorf("%d bytes were left without an error", len(b)-e.Len())
	}
}

func FuzzMessages(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		var out []byte
		for m, err := range ReadMessages(b) {
			if err != nil {
				return
			}
			out = m.AppendTo(out)
		}
		// Padding is free to be anything in b, and may be missing at its end.
		if len(out) < len(b) {
			t.Errorf("%d bytes became %d", len(b), len(out))
		}
	})
}

func FuzzError(f *testing.F) {
	var e Encoder
	e.begin(unix.RTM_NEWLINK, Request)
	e.String(unix.IFLA_IFNAME, "odd")
	e.finish(0)
	f.Add(e.Bytes(), 16, refusal(e.Bytes(), -22, true, &e).Data, uint16(AckTLVs|Capped))
	f.Fuzz(func(t *testing.T, request []byte, attrs int, data []byte, flags uint16) {
		r := sent{op: "request", bytes: request, attrs: attrs}
		m := Message{Type: unix.NLMSG_ERROR, Flags: Flags(flags), Data: data}
		for _, err := range []error{r.ackError(m), r.doneError(m)} {
			if err != nil && err.Error() == "" {
				t.Error("an error without a text")
			}
		}
		for off := range min(len(request), 200) {
			attrPath(request, attrs, off)
		}
	})
}

// FuzzAnswers lets a client take any datagram for an answer.
func FuzzAnswers(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		c := &Client{port: 0, stats: Stats{Sent: map[uint16]uint64{}}, freed: make(chan struct{}, 1), seq: 0}
		batch, res := new(Batch), new(Result)
		for range 3 {
			batch.Add(unix.RTM_NEWLINK, Echo, nil)
		}
		x := &exchange{done: make(chan struct{}, 1)}
		x.prepare(batch, res, 0, maxMessages, 200)
		c.pending = append(c.pending, x)
		c.dispatch(b)
		c.quiet()
		for i, err := range res.Errors() {
			if err == nil || res.Err(i) == nil {
				t.Errorf("message %d is listed without an error", i)
			}
		}
	})
}
