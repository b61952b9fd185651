package kind_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

// A bound kind is for every function of the package what it was made of.
func TestBoundIsTheSame(t *testing.T) {
	traits := map[string]func(kind.Kind) bool{
		"resets absent": kind.ResetsAbsent, "needs parent": kind.NeedsParent, "needs data": kind.NeedsData, "master": kind.IsMaster,
		"ports join down": kind.PortsJoinDown, "moves routes": kind.MovesRoutes, "follows down": kind.FollowsDown,
		"goes with device": kind.GoesWithDevice, "takes all": kind.TakesAll, "follows ports": kind.FollowsPorts, "fdb": kind.HasFDB, "pair": kind.IsPair, "quiet": kind.IsQuiet, "fallback": kind.IsFallback,
	}
	for _, make := range slices.Concat(kind.All, kind.Ports) {
		k := make()
		t.Run(k.Name(), func(t *testing.T) {
			b := kind.Bound(k)
			for name, has := range traits {
				if has(k) != has(b) {
					t.Errorf("%s: %v, bound %v", name, has(k), has(b))
				}
			}
			for i, f := range b.Fields() {
				if f.Default != nil {
					b.Fields()[i].Value.Set(f.Default)
				}
			}
			if diff := cmp.Diff(kind.Minimal(k), kind.Minimal(b)); diff != "" {
				t.Error(diff)
			}
			var plain, bound netlink.Encoder
			kind.Encode(&plain, k)
			kind.Encode(&bound, b)
			if !bytes.Equal(plain.Bytes(), bound.Bytes()) {
				t.Errorf("encoded %x, bound %x", plain.Bytes(), bound.Bytes())
			}
			if have, same := kind.Check(b), kind.Check(k); (have == nil) != (same == nil) {
				t.Errorf("check: %v, bound %v", same, have)
			}
			if changes := kind.Diff(b, kind.Bound(k)); len(changes) > 0 {
				t.Errorf("differs from itself: %v", changes)
			}
		})
	}
}
