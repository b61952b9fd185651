package watch

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/nlapply/nlapply/reconcile"
)

var aRoute = reconcile.Object{Class: "route", Path: "routes[0]", Name: "10.3.0.0/16 via 10.1.0.9"}

// fightFor has a route put right every so often, and returns after how many times
// that was reported, and after how many a pause was needed; 0 for never.
func fightFor(hs *holds, times int, every time.Duration) (reported, paused int) {
	for n := 1; n <= times; n++ {
		report, pause := hs.healed(aRoute, "someone")
		if report {
			hs.report(aRoute)
			reported = n
		}
		if pause && paused == 0 {
			paused = n
		}
		time.Sleep(every)
	}
	return reported, paused
}

// TestFights tells fast fights, which need pauses, from slow ones, which are only
// reported, and both from what happens now and then.
func TestFights(t *testing.T) {
	for _, c := range []struct {
		every            time.Duration
		reported, paused int
	}{
		{5 * time.Millisecond, contestAfter, contestAfter + 1},
		{time.Second / contestRate, contestAfter, 0},
		{5 * time.Second, contestAfter, 0},
		{quiet + time.Second, 0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			hs := newHolds()
			reported, paused := fightFor(&hs, 500, c.every)
			if reported != c.reported || paused != c.paused {
				t.Errorf("every %v: reported after %d, pauses after %d; want %d and %d", c.every, reported, paused, c.reported, c.paused)
			}
		})
	}
}

// TestFightEnds has a fight that is only reported end by itself.
func TestFightEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hs := newHolds()
		fightFor(&hs, contestAfter, time.Second)
		if all := hs.all(); len(all) != 1 || all[0].Why != contested || !all[0].Until.IsZero() {
			t.Errorf("contested: %v", all)
		}
		if hs.has(aRoute) {
			t.Error("the route is left alone")
		}
		time.Sleep(time.Until(hs.next()))
		if settled := hs.settle(nil); len(settled) != 1 || len(hs.all()) != 0 {
			t.Errorf("settled: %v, left: %v", settled, hs.all())
		}
	})
}

// TestPauses grow to a minute, and end with a look that finds the object right.
func TestPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hs := newHolds()
		id := aRoute.ID()
		for n, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
			h := hs.putOff(aRoute, refused, "no")
			if h.pause != want*time.Second {
				t.Errorf("pause %d: %v, want %v s", n, h.pause, want)
			}
			look := hs.release()
			if !hs.has(aRoute) || !look.Empty() {
				t.Error("it is not left alone")
			}
			time.Sleep(h.pause)
			look = hs.release()
			if _, looks := look.In[""].Classes["route"]; !looks || hs.has(aRoute) {
				t.Error("it is not looked at when the pause is over")
			}
			if settled := hs.settle(map[reconcile.ObjectID]bool{id: true}); len(settled) != 0 {
				t.Error("what is still wrong is forgotten")
			}
		}
		if settled := hs.settle(nil); len(settled) != 1 || len(hs.held) != 0 {
			t.Errorf("settled: %v", settled)
		}
	})
}

// TestHastened has a route tried again soon when there may be a way to its gateway,
// sooner the less often it was refused.
func TestHastened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hs := newHolds()
		for range 5 {
			hs.putOff(aRoute, refused, "no")
		}
		hs.hastenNetworks("red")
		if wait := time.Until(hs.next()); wait != 16*time.Second {
			t.Errorf("next try in %v after an event elsewhere", wait)
		}
		hs.hastenNetworks("")
		if wait := time.Until(hs.next()); wait != firstPause {
			t.Errorf("next try in %v, want %v", wait, firstPause)
		}
		hs = newHolds()
		hs.putOff(aRoute, refused, "no")
		hs.hastenNetworks("")
		if wait := time.Until(hs.next()); wait != firstPause/8 {
			t.Errorf("second try in %v, want %v", wait, firstPause/8)
		}
	})
}
