package watch

import (
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
	// contestAfter is how often something is put right in a row before it counts
	// as contested.
	contestAfter = 4
	// quiet is for how long something has to stay right to be forgotten.
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
	count int
	last  time.Time
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
// before. It returns the hold, and whether it is a new one.
func (hs *holds) putOff(o reconcile.Object, why, detail string) (h *hold, first bool) {
	now := time.Now()
	h = hs.held[o.ID()]
	if h == nil {
		h, first = &hold{object: o, since: now}, true
		hs.held[o.ID()] = h
	}
	first = first || h.why != why
	h.pause = min(max(firstPause, 2*h.pause), lastPause)
	h.why, h.detail, h.tried, h.until, h.over = why, detail, now, now.Add(h.pause), false
	return h, first
}

// healed notes that an object was put right, and tells whether somebody keeps
// undoing that.
func (hs *holds) healed(o reconcile.Object) (isContested bool) {
	now, id := time.Now(), o.ID()
	f := hs.fights[id]
	if f == nil || now.Sub(f.last) > quiet && hs.held[id] == nil {
		f = &fight{}
		hs.fights[id] = f
	}
	f.count++
	f.last = now
	return f.count >= contestAfter
}

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
// returns them; and fights that are long ago.
func (hs *holds) settle(wrong map[reconcile.ObjectID]bool) (settled []*hold) {
	now := time.Now()
	for id, h := range hs.held {
		if h.over && !wrong[id] {
			delete(hs.held, id)
			delete(hs.fights, id)
			settled = append(settled, h)
		}
	}
	for id, f := range hs.fights {
		if now.Sub(f.last) > quiet && hs.held[id] == nil {
			delete(hs.fights, id)
		}
	}
	return settled
}

// next is when the first pause is over; the zero time for none.
func (hs *holds) next() (t time.Time) {
	for _, h := range hs.held {
		if t.IsZero() || h.until.Before(t) {
			t = h.until
		}
	}
	return t
}

// hasten ends the pause of an object that was refused: what was in its way may be
// gone.
func (hs *holds) hasten(o reconcile.Object) {
	if h := hs.held[o.ID()]; h != nil && h.why != contested {
		h.until = time.Now()
	}
}

// hastenRoutes shortens the pauses of routes that were refused: there may be a way
// to their gateways now.
func (hs *holds) hastenRoutes(namespace string) {
	for _, h := range hs.held {
		if soon := h.tried.Add(firstPause); h.why == refused && h.object.Class == "route" && h.object.Namespace == namespace && soon.Before(h.until) {
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
