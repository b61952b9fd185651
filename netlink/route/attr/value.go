package attr

import "github.com/nlapply/nlapply/netlink"

// A Value reads and writes one optional field of a struct: the field is a
// pointer, and the value is bound to it. Nil means "not managed" in a struct
// that says what is wanted, and "not reported" in one that was decoded.
type Value interface {
	// IsSet tells whether the field is not nil.
	IsSet() bool
	// Clear makes the field nil.
	Clear()
	// Encode appends the field, which must be set, as attribute typ.
	Encode(e *netlink.Encoder, typ uint16)
	// Decode reads the attribute at which a stands.
	Decode(a *netlink.Attrs) error
	// Set takes a plain value of the document: bool, integer, float64,
	// json.Number, string, []any or map[string]any. The error is the reason
	// only, such as "16777216 is out of range 0..16777215", and then the field
	// keeps its old value.
	Set(v any) error
	// Get returns the field in the shortest form that Set takes: bool, int64
	// (uint64 above its range), string, []any or map[string]any. It returns nil
	// when the field is not set.
	Get() any
	// EqualTo compares with the same row of another struct, which is what the
	// kernel reports: an unset field equals what its absence in a dump means
	// (a flag that is off, an empty list, no address).
	EqualTo(have Value) bool
	// String returns the value in iproute2's words, for plan lines. Unset is
	// what absence in a dump means, or "".
	String() string
	// Schema returns a JSON Schema fragment of what Set takes.
	Schema() map[string]any
}

// A changer is a value whose change needs to know what is there now, for
// instance because the kernel merges lists instead of replacing them.
type changer interface {
	encodeChange(e *netlink.Encoder, typ uint16, have Value)
}
