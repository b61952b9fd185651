package reconcile

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
}{
	{beforeLinks, func() table { return newSysctlTable(false) }},
	{withLinks, func() table { return newSysctlTable(true) }},
	{withLinks, newVLANTable},
	{withLinks, newObjects[fdbKey, fdbObject](fdbResource{})},
	{afterLinks, newObjects[addressKey, address](addressResource{})},
	{afterLinks, newObjects[neighborKey, neighborObject](neighborResource{})},
	{afterLinks, newObjects[routeKey, routeObject](routeResource{})},
	{afterLinks, newObjects[ruleKey, ruleObject](ruleResource{})},
}
