package attr

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/nlapply/nlapply/netlink"
)

// A Layout is the form of an attribute that holds flags of several rows.
type Layout struct {
	size   int
	order  binary.ByteOrder
	masked bool // a mask follows: bits outside of it stay as they are
}

// Layouts of flags.
var (
	FlagsAndMask = Layout{4, binary.NativeEndian, true}  // struct { __u32 flags, mask; }
	Flags16      = Layout{2, binary.NativeEndian, false} // __u16
	FlagsBE16    = Layout{2, binary.BigEndian, false}    // __be16
)

// word is an attribute that several rows share.
type word struct {
	typ    uint16
	layout Layout
}

// A sharer is a value that owns some bits of a shared attribute.
type sharer interface {
	bits() (value, mask uint32) // mask is 0 when the value is not set
}

// flagBit is one bit of a shared attribute.
type flagBit struct {
	boolean
	word word
	mask uint32
}

// Bit is a row that is one bit of attribute typ, which other rows share.
func Bit(name string, typ uint16, layout Layout, mask uint32, p **bool) Field {
	w := word{typ, layout}
	v := &flagBit{boolean: boolean{optional: optional[bool]{p}}, word: w, mask: mask}
	return Field{Name: name, Type: typ, Value: v, word: &w}
}

// Encode appends the attribute with this bit alone; Fields joins it with others.
func (b *flagBit) Encode(e *netlink.Encoder, _ uint16) {
	value, mask := b.bits()
	b.word.encode(e, value, mask)
}

// Decode leaves a flag alone that is not in the mask: the kernel does not know it.
func (b *flagBit) Decode(a *netlink.Attrs) error {
	v, mask, err := b.word.decode(a)
	if err == nil && mask&b.mask != 0 {
		b.set(v&b.mask != 0)
	}
	return err
}

func (b *flagBit) bits() (value, mask uint32) {
	if !b.IsSet() {
		return 0, 0
	}
	return bit(b.get()) * b.mask, b.mask
}

func (w word) encode(e *netlink.Encoder, value, mask uint32) {
	var b [8]byte
	w.put(b[:], value)
	if w.layout.masked {
		w.put(b[w.layout.size:], mask)
		e.Attr(w.typ, b[:2*w.layout.size])
		return
	}
	e.Attr(w.typ, b[:w.layout.size])
}

func (w word) put(b []byte, v uint32) {
	if w.layout.size == 2 {
		w.layout.order.PutUint16(b, uint16(v))
	} else {
		w.layout.order.PutUint32(b, v)
	}
}

func (w word) decode(a *netlink.Attrs) (value, mask uint32, err error) {
	n := w.layout.size
	if !w.layout.masked {
		if err := atLeast(a, n); err != nil {
			return 0, 0, err
		}
		return w.at(a.Bytes()), math.MaxUint32, nil
	}
	if err := atLeast(a, 2*n); err != nil {
		return 0, 0, err
	}
	return w.at(a.Bytes()), w.at(a.Bytes()[n:]), nil
}

func (w word) at(b []byte) uint32 {
	if w.layout.size == 2 {
		return uint32(w.layout.order.Uint16(b))
	}
	return w.layout.order.Uint32(b)
}

// encodeWords appends each shared attribute of which a selected row is set,
// once. Without a mask in it, the bits of all other rows go along: as f has
// them, or else as have does.
func (f Fields) encodeWords(e *netlink.Encoder, have Fields, only func(*Field) bool) {
	var done []uint16
	for i := range f {
		w := f[i].word
		if w == nil || slices.Contains(done, w.typ) {
			continue
		}
		done = append(done, w.typ)
		if value, mask, ok := f.join(w, have, only); ok {
			w.encode(e, value, mask)
		}
	}
}

// join returns the bits of one shared attribute and whether to send it at all.
func (f Fields) join(w *word, have Fields, only func(*Field) bool) (value, mask uint32, ok bool) {
	for i := range f {
		if f[i].word == nil || f[i].word.typ != w.typ {
			continue
		}
		v, m := f[i].Value.(sharer).bits()
		chosen := m != 0 && f.selected(&f[i], only)
		ok = ok || chosen
		if h, found := have.twin(i, f[i].Name); m == 0 && found && !w.layout.masked {
			v, m = h.Value.(sharer).bits()
		}
		if chosen || !w.layout.masked {
			value, mask = value|v, mask|m
		}
	}
	return value, mask, ok
}
