package reconcile

// eventIndex finds the events that can concern an object, so that many events
// and many objects do not multiply.
type eventIndex struct {
	on       map[int32][]LinkEvent
	anywhere []LinkEvent
}

func indexEvents(events []LinkEvent) eventIndex {
	x := eventIndex{on: map[int32][]LinkEvent{}}
	for _, e := range events {
		if e.Kind == AddressRemoved { // routes on other links may use it, too
			x.anywhere = append(x.anywhere, e)
		} else {
			x.on[e.Index] = append(x.on[e.Index], e)
		}
	}
	return x
}

func (x eventIndex) none() bool { return len(x.on)+len(x.anywhere) == 0 }
