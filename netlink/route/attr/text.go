package attr

import (
	"errors"
	"strings"

	"github.com/nlapply/nlapply/netlink"
)

// text is a NUL-terminated string.
type text struct{ optional[string] }

// String is a row for a string.
func String(name string, typ uint16, p **string) Field {
	return Field{Name: name, Type: typ, Value: &text{optional[string]{p}}}
}

func (v *text) Encode(e *netlink.Encoder, typ uint16) { e.String(typ, v.get()) }

func (v *text) Decode(a *netlink.Attrs) error {
	v.set(a.String())
	return nil
}

func (v *text) Set(x any) error {
	s, ok := x.(string)
	if !ok || strings.Contains(s, "\x00") {
		return errors.New("want a text")
	}
	v.set(s)
	return nil
}

func (v *text) Get() any {
	if !v.IsSet() {
		return nil
	}
	return v.get()
}

func (v *text) EqualTo(have Value) bool { return v.get() == v.of(have).get() }
func (v *text) String() string          { return v.get() }
func (v *text) Schema() map[string]any  { return map[string]any{"type": "string"} }
