package watch

import (
	"slices"
	"time"

	"github.com/nlapply/nlapply/reconcile"
)

// Why an object is left alone for a while.
const (
	contested = "contested" // another program changes it back again and again
	refused   = "refused"   // the kernel refuses it
	ignored   = "ignored"   // the kernel accepts it and shows no effect
)

const (
	// contestAfter is how often something is put right in a row before that is
	// reported.
	contestAfter = 10
	// contestRate is how often a second it may be put right for long; what needs it
	// more often is put right after pauses.
	contestRate = 10
	// quiet is for how long something has to stay right for a row to end.
	quiet      = 10 * time.Second
	firstPause = time.Second // before what failed is tried again
	lastPause  = time.Minute
)

// A hold leaves an object as it is until it is time to try again.
type hold struct {
	object reconcile.Object
	why    string
	detail string // who contests, or what the kernel says
	since  time.Time
	tried  time.Time
	pause  time.Duration
	until  time.Time
	over   bool // the pause; the object is tried again
}

// A fight counts how often an object was put right in a row.
type fight struct {
	object   reconcile.Object
	count    int
	since    time.Time
	last     time.Time
	excess   float64 // over contestRate, a leaky bucket
	reported bool
	by       string
}

// holds are the objects that are left alone, and those that may come to be.
type holds struct {
	held   map[reconcile.ObjectID]*hold
	fights map[reconcile.ObjectID]*fight
}

func newHolds() holds {
	return holds{held: map[reconcile.ObjectID]*hold{}, fights: map[reconcile.ObjectID]*fight{}}
}

// has tells whether an object is to be left alone now.
func (hs *holds) has(o reconcile.Object) bool {
	if len(hs.held) == 0 {
		return false
	}
	h := hs.held[o.ID()]
	return h != nil && !h.over
}

// putOff leaves an object alone: the longer, the more often it was put off
// before.
func (hs *holds) putOff(o reconcile.Object, why, detail string) *hold {
	now := time.Now()
	h := hs.held[o.ID()]
	if h == nil {
		h = &hold{object: o, since: now}
		hs.held[o.ID()] = h
	}
	h.pause = min(max(firstPause, 2*h.pause), lastPause)
	h.why, h.detail, h.tried, h.until, h.over = why, detail, now, now.Add(h.pause), false
	return h
}

// healed notes that an object was put right, which somebody else undoes. It tells
// whether that has to be reported, and whether a pause is needed.
func (hs *holds) healed(o reconcile.Object, by string) (report, pause bool) {
	now, id := time.Now(), o.ID()
	h, f := hs.held[id], hs.fights[id]
	if f == nil || now.Sub(f.last) > quiet && h == nil {
		f = &fight{object: o, since: now, last: now}
		hs.fights[id] = f
	}
	f.excess = max(0, f.excess-now.Sub(f.last).Seconds()*contestRate) + 1
	f.count++
	f.last, f.by = now, by
	pause = f.excess > contestAfter || h != nil && h.why == contested
	report = !f.reported && (pause || f.count >= contestAfter)
	return report, pause
}

// report notes that a fight is known.
func (hs *holds) report(o reconcile.Object) { hs.fights[o.ID()].reported = true }

// release ends the pauses that are over, and returns what to look at again.
func (hs *holds) release() (look reconcile.Look) {
	now := time.Now()
	for _, h := range hs.held {
		if !now.Before(h.until) {
			h.over = true
			look.Add(lookAt(h.object))
		}
	}
	return look
}

// settle forgets the holds whose objects were tried again and are right, and
// returns them; and fights that ended long ago.
func (hs *holds) settle(wrong map[reconcile.ObjectID]bool) (settled []*hold) {
	for id, h := range hs.held {
		if h.over && !wrong[id] {
			delete(hs.held, id)
			delete(hs.fights, id)
			settled = append(settled, h)
		}
	}
	for id, f := range hs.fights {
		if time.Since(f.last) <= quiet || hs.held[id] != nil {
			continue
		}
		delete(hs.fights, id)
		if f.reported {
			settled = append(settled, &hold{object: f.object, why: contested, since: f.since})
		}
	}
	return settled
}

// all returns what is left alone, and what is contested although it is not.
func (hs *holds) all() (all []Held) {
	for _, h := range hs.held {
		all = append(all, Held{h.object, h.why, h.detail, h.since, h.until})
	}
	for id, f := range hs.fights {
		if f.reported && hs.held[id] == nil {
			all = append(all, Held{Object: f.object, Why: contested, Detail: f.by, Since: f.since})
		}
	}
	slices.SortFunc(all, func(a, b Held) int { return a.Since.Compare(b.Since) })
	return all
}

// next is when the first pause is over, or a reported fight; the zero time for none.
func (hs *holds) next() (next time.Time) {
	first := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	for _, h := range hs.held {
		first(h.until)
	}
	for id, f := range hs.fights {
		if f.reported && hs.held[id] == nil {
			first(f.last.Add(quiet + time.Millisecond))
		}
	}
	return next
}

// hasten ends the pause of an object that was refused: what was in its way may be
// gone.
func (hs *holds) hasten(o reconcile.Object) {
	if h := hs.held[o.ID()]; h != nil && h.why != contested {
		h.until = time.Now()
	}
}

// hastenNetworks shortens the pauses of routes and addresses that were refused: there may
// be a way to gateways now, an address may have been found to be unique, IPv6 may be on.
func (hs *holds) hastenNetworks(namespace string) {
	for _, h := range hs.held {
		if h.why != refused || h.object.Namespace != namespace || h.object.Class != "route" && h.object.Class != "address" {
			continue
		}
		if soon := h.tried.Add(min(firstPause, h.pause/8)); soon.Before(h.until) {
			h.until = soon
		}
	}
}

// forgive forgets the holds of a why, because the world has changed, and returns
// what to look at again.
func (hs *holds) forgive(why string) (look reconcile.Look) {
	for id, h := range hs.held {
		if h.why == why {
			delete(hs.held, id)
			look.Add(lookAt(h.object))
		}
	}
	return look
}
