package attr

import (
	"errors"

	"github.com/nlapply/nlapply/netlink"
)

// A Ref refers to another link: by name in the document, by index on the wire.
// The zero Ref is no link, written as "none".
type Ref struct {
	Name  string
	Index int32
}

// linkRef is a row of type Ref.
type linkRef struct{ optional[Ref] }

// Link is a row that refers to a link by its index in four bytes. Whoever
// encodes it looks the index up before: see Fields.Refs.
func Link(name string, typ uint16, p **Ref) Field {
	return Field{Name: name, Type: typ, Value: &linkRef{optional[Ref]{p}}}
}

// Encode appends the index. A name without one, which nobody looked up, must not
// turn into "none": the kernel refuses -1 with ENODEV.
func (l *linkRef) Encode(e *netlink.Encoder, typ uint16) {
	index := l.get().Index
	if index == 0 && l.get().Name != "" {
		index = -1
	}
	e.Uint32(typ, uint32(index))
}

func (l *linkRef) Decode(a *netlink.Attrs) error {
	if err := atLeast(a, 4); err != nil {
		return err
	}
	l.set(Ref{Index: a.Int32()})
	return nil
}

func (l *linkRef) Set(v any) error {
	s, ok := v.(string)
	switch {
	case !ok:
		return errors.New("want the name of a link, or none")
	case s == "none" || s == "":
		l.set(Ref{})
	default:
		l.set(Ref{Name: s})
	}
	return nil
}

func (l *linkRef) Get() any {
	if !l.IsSet() {
		return nil
	}
	return l.String()
}

// EqualTo compares indexes where both are known, else names. No reference in a
// dump is "none".
func (l *linkRef) EqualTo(have Value) bool {
	w, h := l.get(), l.of(have).get()
	if w.Index != 0 && h.Index != 0 {
		return w.Index == h.Index
	}
	return w.Name == h.Name && (w.Name != "" || w.Index == h.Index)
}

func (l *linkRef) String() string {
	r := l.get()
	switch {
	case r.Name != "":
		return r.Name
	case r.Index != 0:
		return "if" + signed(int64(r.Index)).String() // as iproute2 writes an index without a name
	}
	return "none"
}

func (l *linkRef) Schema() map[string]any {
	return map[string]any{"type": "string"}
}
