package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nlapply/nlapply/netlink/route/attr"
	"github.com/nlapply/nlapply/netlink/route/kind"
	"github.com/nlapply/nlapply/spec"
)

// Vocabulary is what the document may say about links: the kinds of package
// kind and their options.
type Vocabulary struct{}

// Kinds returns the kinds of links that can be made.
func (Vocabulary) Kinds() (names []string) {
	for _, make := range kind.All {
		names = append(names, make().Name())
	}
	slices.Sort(names)
	return names
}

// Section returns the options of a kind, or of a port ("bridge_slave").
func (Vocabulary) Section(name string) (spec.Section, bool) {
	find := kind.New
	base, port := strings.CutSuffix(name, portSuffix)
	if port {
		find = kind.NewPort
	}
	k, ok := find(base)
	if !ok || len(k.Fields()) == 0 {
		return nil, false
	}
	return newSection(k), true
}

// Traits tells which other links a kind needs.
func (Vocabulary) Traits(name string) spec.Traits {
	k, ok := kind.New(name)
	if !ok {
		return spec.Traits{}
	}
	return spec.Traits{Link: kind.NeedsParent(k), Peer: kind.IsPair(k)}
}

var _ spec.KindTraits = Vocabulary{}

// section is the options of one kind. Values are tried out on kind.
type section struct {
	kind kind.Kind
	rows attr.Fields
	keys []string
}

func newSection(k kind.Kind) section {
	s := section{kind: kind.Bound(k)}
	s.rows = s.kind.Fields()
	for i := range s.rows {
		s.keys = append(s.keys, s.rows[i].Name)
	}
	slices.Sort(s.keys)
	return s
}

// Keys returns the options' names.
func (s section) Keys() []string { return s.keys }

// Check tells what is wrong with a value.
func (s section) Check(key string, value any) error {
	f, ok := s.rows.Lookup(key)
	if !ok {
		return fmt.Errorf("unknown key")
	}
	return f.Value.Set(value)
}

// CheckAll tells what is wrong with values together.
func (s section) CheckAll(values map[string]any) error {
	for i := range s.rows {
		s.rows[i].Value.Clear()
	}
	if err := setOptions(s.kind, values); err != nil {
		return err
	}
	return kind.Check(s.kind)
}

// Schema returns the JSON Schema of a key.
func (s section) Schema(key string) map[string]any {
	f, ok := s.rows.Lookup(key)
	if !ok {
		return nil
	}
	return f.Schema()
}
