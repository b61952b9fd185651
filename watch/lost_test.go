package watch

import (
	"testing"
	"time"

	"github.com/nlapply/nlapply/reconcile"
)

// TestLost waits until no more is lost, but not for ever.
func TestLost(t *testing.T) {
	var l lost
	if !l.due().IsZero() {
		t.Fatal("nothing was lost, and a look is due")
	}
	if !l.note("a") || l.note("b") {
		t.Error("the first loss is not told from the second")
	}
	if got := l.due().Sub(l.last); got != calm {
		t.Errorf("due %v after the last loss, want %v", got, calm)
	}
	l.first = l.last.Add(-stormMax + time.Millisecond)
	if got := l.due().Sub(l.first); got != stormMax {
		t.Errorf("due %v after the first loss, want %v", got, stormMax)
	}
	var look reconcile.Look
	look.At("a").AddClass("route", nil)
	l.widen(&look)
	if !look.In["a"].Links || !look.In["b"].Links {
		t.Error("a look before it is calm leaves links out")
	}
	for _, in := range []string{"a", "b"} {
		if p := l.look.In[in]; p == nil || !p.Links || !p.Tables || !p.Wide {
			t.Errorf("not all is looked at in %s", in)
		}
	}
}
