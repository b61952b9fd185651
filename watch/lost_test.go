package watch

import (
	"testing"
	"time"
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
	for _, in := range []string{"a", "b"} {
		if p := l.look.In[in]; p == nil || !p.Links || !p.Tables || !p.Wide {
			t.Errorf("not all is looked at in %s", in)
		}
	}
}
