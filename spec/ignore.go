package spec

import (
	"net/netip"
	"path"
)

// Ignore names what PruneAll leaves alone. An object that matches one entry is
// ignored; within an entry everything that is set must match.
type Ignore struct {
	Namespaces []string // shell patterns, as of path.Match; only in the document's own part
	Links      []string // shell patterns
	Addresses  []AddressMatch
	Routes     []RouteMatch
	Rules      []RuleMatch
}

// AddressMatch selects addresses.
type AddressMatch struct {
	Within   netip.Prefix // the address lies in it; invalid: any address
	Dev      string       // shell pattern; empty: any link
	Protocol *uint8
}

// RouteMatch selects routes.
type RouteMatch struct {
	Within   netip.Prefix // the destination lies in it; invalid: any destination
	Dev      string       // shell pattern; empty: any link and none
	Table    *uint32
	Protocol *uint8
	Type     *uint8 // RTN_*
	Metric   *uint32
}

// RuleMatch selects rules.
type RuleMatch struct {
	Priority *Range
	Table    *uint32
	Protocol *uint8
}

// Range is a range of numbers, both ends included.
type Range struct{ From, To uint32 }

// Contains tells whether n lies in the range.
func (r Range) Contains(n uint32) bool { return r.From <= n && n <= r.To }

// Namespace tells whether a namespace of that name is ignored.
func (i *Ignore) Namespace(name string) bool { return matchAny(i.Namespaces, name) }

// Link tells whether a link of that name is ignored.
func (i *Ignore) Link(name string) bool { return matchAny(i.Links, name) }

func matchAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if ok, _ := path.Match(p, name); ok {
			return true
		}
	}
	return false
}
