package scenario

import "testing"

// TestShares checks that every share falls to exactly one of the machines, and to
// whoever has no others beside it.
func TestShares(t *testing.T) {
	count := func(share string, values ...string) (n int) {
		for _, value := range values {
			t.Setenv(shareEnv, value)
			ok, err := isShare(share)
			if err != nil {
				t.Error(err)
			}
			if ok {
				n++
			}
		}
		return n
	}
	for _, share := range []string{"1", "2", "3"} {
		for _, machines := range [][]string{{""}, {"1/1"}, {"1/2", "2/2"}, {"1/3", "2/3", "3/3"}} {
			if n := count(share, machines...); n != 1 {
				t.Errorf("share %s falls to %d of %q", share, n, machines)
			}
		}
	}
	t.Setenv(shareEnv, "all")
	if _, err := isShare("1"); err == nil {
		t.Errorf("%s=all is no error", shareEnv)
	}
}
