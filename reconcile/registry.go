package reconcile


type stage uint8

const (
	beforeLinks stage = iota
	withLinks
	afterLinks
)


var resources = []struct {
	stage stage
	table func() table
}{
	{afterLinks, newObjects[addressKey, address](addressResource{})},
	{afterLinks, newObjects[routeKey, routeObject](routeResource{})},
}
