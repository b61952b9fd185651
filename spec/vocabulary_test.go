package spec

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// fakeVocabulary is a vocabulary as the engine has one, small and without netlink.
type fakeVocabulary map[string]fakeSection

// fakeSection maps the keys of a section to what they take.
type fakeSection struct {
	keys  map[string]fakeKey
	check func(map[string]any) error
}

type fakeKey struct {
	check  func(any) error
	schema map[string]any
}

var testVocabulary = fakeVocabulary{
	"bond": {keys: map[string]fakeKey{
		"mode":          fakeWord("balance-rr", "active-backup", "802.3ad"),
		"miimon":        fakeNumber(0, math.MaxInt32),
		"arp_interval":  fakeNumber(0, math.MaxInt32),
		"arp_ip_target": fakeList("192.0.2.1"),
	}, check: func(v map[string]any) error {
		if v["miimon"] != nil && v["arp_interval"] != nil {
			return errors.New("miimon and arp_interval exclude each other")
		}
		return nil
	}},
	"bond_slave":   {keys: map[string]fakeKey{"queue_id": fakeNumber(0, math.MaxUint16), "prio": fakeNumber(math.MinInt32, math.MaxInt32)}},
	"bridge":       {keys: map[string]fakeKey{"vlan_filtering": fakeBool, "vlan_default_pvid": fakeNumber(0, 4094), "stp_state": fakeBool, "forward_delay": fakeNumber(0, 3000)}},
	"bridge_slave": {keys: map[string]fakeKey{"learning": fakeBool, "neigh_suppress": fakeBool, "isolated": fakeBool, "cost": fakeNumber(1, 65535)}},
	"vlan": {keys: map[string]fakeKey{
		"id": fakeNumber(0, 4094), "protocol": fakeWord("802.1Q", "802.1ad"), "reorder_hdr": fakeBool, "egress_qos_map": fakeMap,
	}},
	"vrf": {keys: map[string]fakeKey{"table": {
		check:  fakeNumber(1, math.MaxUint32).check,
		schema: map[string]any{"type": "integer", "minimum": 1, "maximum": int64(math.MaxUint32), "x-names": "tables"},
	}}, check: func(v map[string]any) error {
		if v["table"] == nil {
			return errors.New("table is required")
		}
		return nil
	}},
	"vxlan": {keys: map[string]fakeKey{
		"id": fakeNumber(0, 1<<24-1), "local": fakeText, "dev": fakeText, "dstport": fakeNumber(1, math.MaxUint16),
		"learning": fakeBool, "ttl": fakeNumber(0, 255), "external": fakeBool, "gain": fakeFloat,
	}},
}

func (v fakeVocabulary) CheckAuditRule(*AuditRule) []AuditProblem { return nil }

// CheckAuditFiles takes lines for mistakes that begin with "wrong", and "-b N" for a
// setting.
func (v fakeVocabulary) CheckAuditFiles(a *Audit) (list []AuditFileProblem) {
	for i, f := range a.Files {
		for n, line := range strings.Split(f.Text, "\n") {
			column := strings.Index(line, "wrong")
			limit, isLimit := strings.CutPrefix(line, "-b ")
			switch {
			case column >= 0:
				list = append(list, AuditFileProblem{File: i, Line: n + 1, Column: column + 1, Reason: line[column:]})
			case isLimit && a.BacklogLimit != nil && limit != fmt.Sprint(*a.BacklogLimit):
				list = append(list, AuditFileProblem{File: i, Line: n + 1, Column: 1, Key: "backlog_limit", Reason: "contradicts " + f.Name})
			}
		}
	}
	return list
}

func (v fakeVocabulary) Kinds() []string {
	return []string{"bond", "bridge", "dummy", "veth", "vlan", "vrf", "vxlan"}
}

func (v fakeVocabulary) Section(name string) (Section, bool) {
	s, ok := v[name]
	return s, ok
}

func (v fakeVocabulary) Traits(kind string) Traits {
	return Traits{Link: kind == "vlan", Peer: kind == "veth"}
}

func (s fakeSection) Keys() []string                    { return slices.Sorted(maps.Keys(s.keys)) }
func (s fakeSection) Check(key string, value any) error { return s.keys[key].check(value) }
func (s fakeSection) Schema(key string) map[string]any  { return s.keys[key].schema }

func (s fakeSection) CheckAll(values map[string]any) error {
	if s.check == nil {
		return nil
	}
	return s.check(values)
}

// fakeBool leaves on and off to the loader.
var fakeBool = fakeKey{schema: map[string]any{"enum": []any{true, false, "on", "off"}}, check: func(v any) error {
	if _, ok := v.(bool); !ok {
		return errors.New("want true or false")
	}
	return nil
}}

var fakeText = fakeKey{schema: map[string]any{"type": "string"}, check: func(v any) error {
	if _, ok := v.(string); !ok {
		return errors.New("want a text")
	}
	return nil
}}

var fakeFloat = fakeKey{schema: map[string]any{"type": "number"}, check: func(v any) error {
	switch v.(type) {
	case int64, float64:
		return nil
	}
	return errors.New("want a number")
}}

var fakeMap = fakeKey{schema: map[string]any{"type": "object"}, check: func(v any) error {
	if _, ok := v.(map[string]any); !ok {
		return errors.New("want a map")
	}
	return nil
}}

func fakeNumber(lowest, highest int64) fakeKey {
	return fakeKey{schema: map[string]any{"type": "integer", "minimum": lowest, "maximum": highest}, check: func(v any) error {
		n, ok := v.(int64)
		if !ok {
			return errors.New("want a number")
		}
		if n < lowest || n > highest {
			return fmt.Errorf("%d is out of range %d..%d", n, lowest, highest)
		}
		return nil
	}}
}

func fakeWord(words ...string) fakeKey {
	return fakeKey{schema: map[string]any{"enum": words}, check: func(v any) error {
		if s, ok := v.(string); !ok || !slices.Contains(words, s) {
			return errors.New("want " + strings.Join(words, " or "))
		}
		return nil
	}}
}

func fakeList(example string) fakeKey {
	return fakeKey{schema: map[string]any{"type": "array", "items": map[string]any{"type": "string"}}, check: func(v any) error {
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf("want a list like [%s]", example)
		}
		for _, e := range list {
			if _, ok := e.(string); !ok {
				return fmt.Errorf("want a list like [%s]", example)
			}
		}
		return nil
	}}
}
