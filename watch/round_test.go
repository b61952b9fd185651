package watch

import (
	"testing"
	"time"
)

// TestSaid shows that what comes and goes is said some times a minute.
func TestSaid(t *testing.T) {
	s := said{}
	for n := range 10 {
		if got := s.isNews("waits"); got != (n < maxSaid) {
			t.Errorf("time %d: %v", n+1, got)
		}
	}
	if !s.isNews("another") {
		t.Error("another one is not said")
	}
	s["waits"] = saying{times: 10, since: time.Now().Add(-time.Minute)}
	if !s.isNews("waits") {
		t.Error("it is not said again after a minute")
	}
}
