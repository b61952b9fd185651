package netlink

import (
	"encoding/binary"
	"fmt"
	"math"

	"golang.org/x/sys/unix"
)

// A Batch is a run of requests in one buffer. The zero value is ready to use;
// one that is used again after Reset allocates nothing.
type Batch struct {
	enc  Encoder
	msgs []queued
	bad  []failure // those that could not be encoded
}

// queued is where a message begins in the buffer, and where in the message its
// attributes begin.
type queued struct {
	at    uint32
	attrs uint32
}

// Limits of one send. An answer counts 832 bytes against a receive buffer of
// 212992 bytes, so 200 fit even when all are refusals. sendmsg(2) takes 212960
// bytes (sk_sndbuf-32); more than 200 messages or 64 KiB were measured to be no
// faster.
const (
	maxMessages = 200
	maxBytes    = 64 << 10
)

// echoSlots is how many acknowledgements an echoed object counts for: a link is
// allocated with 4096 bytes and 256 of struct sk_buff.
const echoSlots = 5

// Add appends a message and returns its index. The client adds Request and Ack
// to the flags where they are needed. With Echo the kernel's answer is kept in
// the result, if it gives one (see Get). A payload that cannot be encoded is not sent, and its error is in
// the result.
func (b *Batch) Add(typ uint16, flags Flags, p Payload) int {
	i := len(b.msgs)
	at := b.enc.begin(typ, flags&^Ack|Request)
	if p != nil {
		p.AppendTo(&b.enc)
	}
	attrs := b.enc.finish(at)
	err := b.enc.Err()
	if err == nil && uint64(len(b.enc.buf)) > math.MaxUint32 {
		err = fmt.Errorf("batch over 4 GiB: %w", unix.EMSGSIZE)
	}
	if err != nil {
		b.bad = append(b.bad, failure{i, err})
		b.enc.buf, b.enc.err = b.enc.buf[:at], nil
	}
	b.msgs = append(b.msgs, queued{uint32(at), uint32(attrs)})
	return i
}

// Len returns the number of messages.
func (b *Batch) Len() int { return len(b.msgs) }

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() {
	b.enc.Reset()
	b.msgs, b.bad = b.msgs[:0], b.bad[:0]
}

// message returns the bytes of message i, none if it could not be encoded.
func (b *Batch) message(i int) []byte {
	end := len(b.enc.buf)
	if i+1 < len(b.msgs) {
		end = int(b.msgs[i+1].at)
	}
	return b.enc.buf[b.msgs[i].at:end]
}

// flags returns the flags of message i, which is not empty.
func (b *Batch) flags(i int) Flags {
	return Flags(binary.NativeEndian.Uint16(b.message(i)[6:]))
}

// encodeErr returns why message i could not be encoded, or nil.
func (b *Batch) encodeErr(i int) error {
	for _, f := range b.bad {
		if f.index == i {
			return f.err
		}
	}
	return nil
}

// chunk returns the end of the messages from lo on that go in one datagram, at
// most most, the last of them that is not empty (-1 if there is none), and the
// answers to keep room for. One that is larger than all limits goes alone.
func (b *Batch) chunk(lo, most, limit int) (hi, last, slots int) {
	last = -1
	size := 0
	for hi = lo; hi < len(b.msgs) && hi-lo < most; hi++ {
		m := b.message(hi)
		if len(m) == 0 {
			continue
		}
		n := 1
		if b.flags(hi)&Echo != 0 {
			n += echoSlots
		}
		if last >= 0 && (size+len(m) > maxBytes || slots+n > limit) {
			break
		}
		size += len(m)
		slots += n
		last = hi
	}
	return hi, last, min(slots, limit)
}

// stamp writes the sequence numbers of x into its messages, asks the last for an
// acknowledgement, and returns the datagram.
func (b *Batch) stamp(x *exchange) []byte {
	for i := x.lo; i < x.hi; i++ {
		m := b.message(i)
		if len(m) == 0 {
			continue
		}
		f := b.flags(i) &^ Ack // from an earlier Execute
		if i == x.last {
			f |= Ack
		}
		binary.NativeEndian.PutUint16(m[6:], uint16(f))
		binary.NativeEndian.PutUint32(m[8:], x.first+uint32(i-x.lo))
	}
	last := b.message(x.last)
	return b.enc.buf[b.msgs[x.lo].at : int(b.msgs[x.last].at)+len(last)]
}

// answerError decodes the acknowledgement m of message i.
func (b *Batch) answerError(i int, m Message) error {
	r := sent{op: "request", bytes: b.message(i), attrs: int(b.msgs[i].attrs)}
	if m.Type == unix.NLMSG_DONE {
		return r.doneError(m)
	}
	return r.ackError(m)
}
