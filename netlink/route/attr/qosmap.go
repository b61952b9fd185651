package attr

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/nlapply/nlapply/netlink"
	"golang.org/x/sys/unix"
)

// qosMap is a nest of struct ifla_vlan_qos_mapping { __u32 from, to; }. Numbers
// that are not in it map to 0.
type qosMap struct {
	optional[map[uint32]uint32]
	from, to uint64 // the highest numbers on both sides
}

// QoSMap is a row for a VLAN's priority mapping from 0..from to 0..to. What is
// not in the map maps to 0; a change removes what is no longer in it.
func QoSMap(name string, typ uint16, from, to uint64, p **map[uint32]uint32) Field {
	return Field{Name: name, Type: typ, Value: &qosMap{optional[map[uint32]uint32]{p}, from, to}}
}

func (v *qosMap) Encode(e *netlink.Encoder, typ uint16) { encodeQoS(e, typ, v.get()) }

// encodeChange appends only what differs: the kernel merges, and takes 0 for
// "remove" (net/8021q/vlan_dev.c, vlan_dev_set_egress_priority).
func (v *qosMap) encodeChange(e *netlink.Encoder, typ uint16, have Value) {
	change := make(map[uint32]uint32)
	present := v.of(have).get()
	for from, to := range v.get() {
		if present[from] != to {
			change[from] = to
		}
	}
	for from := range present {
		if _, wanted := v.get()[from]; !wanted {
			change[from] = 0
		}
	}
	if len(change) > 0 {
		encodeQoS(e, typ, change)
	}
}

func encodeQoS(e *netlink.Encoder, typ uint16, m map[uint32]uint32) {
	nest := e.Begin(typ)
	for _, from := range slices.Sorted(maps.Keys(m)) {
		var b [8]byte
		order.PutUint32(b[:], from)
		order.PutUint32(b[4:], m[from])
		e.Attr(unix.IFLA_VLAN_QOS_MAPPING, b[:])
	}
	e.End(nest)
}

func (v *qosMap) Decode(a *netlink.Attrs) error {
	m := make(map[uint32]uint32)
	n := a.Nested()
	for n.Next() {
		if err := atLeast(&n, 8); err != nil {
			return err
		}
		if to := order.Uint32(n.Bytes()[4:]); to != 0 {
			m[order.Uint32(n.Bytes())] = to
		}
	}
	v.set(m)
	return n.Err()
}

func (v *qosMap) Set(x any) error {
	doc, ok := x.(map[string]any)
	if !ok {
		return errors.New("want a map from number to number")
	}
	m := make(map[uint32]uint32)
	for _, key := range slices.Sorted(maps.Keys(doc)) {
		from, err := parseRange(key, 0, v.from)
		if err != nil {
			return err
		}
		to, err := parseRange(doc[key], 0, v.to)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if to.abs != 0 {
			m[uint32(from.abs)] = uint32(to.abs)
		}
	}
	v.set(m)
	return nil
}

func (v *qosMap) Get() any {
	if !v.IsSet() {
		return nil
	}
	doc := make(map[string]any, len(v.get()))
	for from, to := range v.get() {
		doc[fmt.Sprint(from)] = int64(to)
	}
	return doc
}

// EqualTo takes what the kernel does not report for an empty map.
func (v *qosMap) EqualTo(have Value) bool { return maps.Equal(v.get(), v.of(have).get()) }

// String returns the pairs as iproute2 writes them: 0:1 4:5.
func (v *qosMap) String() string {
	var words []string
	for _, from := range slices.Sorted(maps.Keys(v.get())) {
		words = append(words, fmt.Sprintf("%d:%d", from, v.get()[from]))
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, " ")
}

func (v *qosMap) Schema() map[string]any {
	return map[string]any{
		"type":                 "object",
		"propertyNames":        map[string]any{"pattern": "^(0x[0-9a-fA-F]+|[0-9]+)$"},
		"additionalProperties": map[string]any{"type": "integer", "minimum": 0, "maximum": min(v.to, math.MaxUint32)},
	}
}
