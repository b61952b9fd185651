package reconcile

import "net/netip"

// eventIndex finds the events that can concern an object, so that many events
// and many objects do not multiply.
type eventIndex struct {
	on   map[int32][]LinkEvent
	from map[netip.Addr][]LinkEvent // AddressRemoved: routes on other links may use it, too
}

func indexEvents(events []LinkEvent) eventIndex {
	x := eventIndex{on: map[int32][]LinkEvent{}, from: map[netip.Addr][]LinkEvent{}}
	for _, e := range events {
		if e.Kind == AddressRemoved {
			x.from[e.Addr] = append(x.from[e.Addr], e)
		} else {
			x.on[e.Index] = append(x.on[e.Index], e)
		}
	}
	return x
}

func (x eventIndex) none() bool { return len(x.on)+len(x.from) == 0 }
