package watch

import (
	"time"

	"github.com/nlapply/nlapply/reconcile"
)

// Times of a storm in which the kernel drops events.
const (
	calm     = 200 * time.Millisecond // without a loss: it is over
	stormMax = 5 * time.Second        // what was lost waits for no longer
)

// lost are events that nobody will hear. What they may have been about is looked at
// once, when no more are lost; what is heard meanwhile is looked at as always.
type lost struct {
	look        reconcile.Look
	first, last time.Time
}

// note notes that events of a namespace were lost, and tells whether they are the
// first ones.
func (l *lost) note(namespace string) (first bool) {
	l.last = time.Now()
	if first = l.first.IsZero(); first {
		l.first = l.last
	}
	part := l.look.At(namespace)
	part.Links, part.Tables, part.Wide = true, true, true
	return first
}

// widen has links read where events were lost, in a look that is made before it is
// calm: what is known of them may be wrong, and everything else is held against it.
func (l *lost) widen(look *reconcile.Look) {
	for namespace := range l.look.In {
		look.At(namespace).Links = true
	}
}

// due is when to look; zero when nothing was lost.
func (l *lost) due() time.Time {
	if l.first.IsZero() {
		return time.Time{}
	}
	due, latest := l.last.Add(calm), l.first.Add(stormMax)
	if latest.Before(due) {
		return latest
	}
	return due
}
