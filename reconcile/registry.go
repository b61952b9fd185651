package reconcile

import "github.com/nlapply/nlapply/spec"

// stage tells when a table's additions are carried out.
type stage uint8

const (
	// beforeLinks is for what acts when a link is made.
	beforeLinks stage = iota
	// withLinks is for what belongs to a link that is there and not yet up.
	withLinks
	// afterLinks is for what needs links that are up.
	afterLinks
)

// resources are all classes of objects but links and namespaces, in the order
// in which additions are carried out; deletions go the other way round.
var resources = []struct {
	stage stage
	table func() table
	// declared tells whether a document has some.
	declared func(*spec.Namespace) bool
}{
	{beforeLinks, func() table { return newSysctlTable(false) }, func(n *spec.Namespace) bool { return len(n.Sysctl) > 0 }},
	{withLinks, func() table { return newSysctlTable(true) }, anyLink(func(l *spec.Link) bool { return len(l.Sysctl) > 0 })},
	{withLinks, newVLANTable, anyLink(func(l *spec.Link) bool { return l.VLANs != nil })},
	{withLinks, newObjects[fdbKey, fdbObject](fdbResource{}), anyLink(func(l *spec.Link) bool { return l.FDB != nil || hasDefaultFDB(l) })},
	{afterLinks, newObjects[addressKey, address](addressResource{}), anyLink(func(l *spec.Link) bool { return len(l.Addresses) > 0 })},
	{afterLinks, newObjects[neighborKey, neighborObject](neighborResource{}), func(n *spec.Namespace) bool { return len(n.Neighbors) > 0 }},
	{afterLinks, newObjects[routeKey, routeObject](routeResource{}), func(n *spec.Namespace) bool { return len(n.Routes) > 0 }},
	{afterLinks, newObjects[ruleKey, ruleObject](ruleResource{}), func(n *spec.Namespace) bool { return len(n.Rules) > 0 }},
	{afterLinks, newAuditTable, func(n *spec.Namespace) bool { return n.Audit != nil }},
}

func anyLink(f func(*spec.Link) bool) func(*spec.Namespace) bool {
	return func(n *spec.Namespace) bool {
		for _, l := range n.Links {
			if f(l) {
				return true
			}
		}
		return false
	}
}
