package reconcile

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nlapply/nlapply/netlink/route"
)

const (
	pvidFlag     = route.BRIDGE_VLAN_INFO_PVID
	untaggedFlag = route.BRIDGE_VLAN_INFO_UNTAGGED
)

// vlans reads "1pu 20-29 30u": p is the PVID, u untagged.
func vlans(text string) *vlanSet {
	set := new(vlanSet)
	for word := range strings.FieldsSeq(text) {
		var r route.BridgeVLAN
		digits := strings.TrimRight(word, "pu")
		for _, c := range word[len(digits):] {
			r.Flags |= map[rune]uint16{'p': pvidFlag, 'u': untaggedFlag}[c]
		}
		if n, _ := fmt.Sscanf(digits, "%d-%d", &r.VID, &r.End); n == 0 {
			panic(word)
		}
		set.add(r)
	}
	return set
}

func (set *vlanSet) String() string {
	var words []string
	for _, c := range diffVLANs(set, new(vlanSet)) {
		word := fmt.Sprint(c.from)
		if c.to > c.from {
			word += fmt.Sprintf("-%d", c.to)
		}
		if set[c.from].flags()&pvidFlag != 0 {
			word += "p"
		}
		if set[c.from].flags()&untaggedFlag != 0 {
			word += "u"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func TestVLANDiff(t *testing.T) {
	for _, test := range []struct{ name, have, want, changes string }{
		{"equal", "1pu 20-29", "1pu 20-29", ""},
		{"all of one flag are one change", "", "1pu 20-4094", "+1 +20-4094"},
		{"what differs of a range", "20-24 30-40", "20-29 33", "+25-29 -30-32 -34-40"},
		{"flags cut ranges", "20-29", "20-22 23-25u 26-29", "~23-25"},
		{"flags before cut ranges, too", "20-22 23-25u", "20-25p", "~20 ~21 ~22 ~23 ~24 ~25"},
		{"different flags that go", "20-22 23-25u", "", "-20-22 -23-25"},
		{"the pvid is never part of a range", "", "9p 10 11", "+9 +10-11"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var words []string
			for _, c := range diffVLANs(vlans(test.want), vlans(test.have)) {
				word := fmt.Sprintf("%c%d", c.action, c.from)
				if c.to > c.from {
					word += fmt.Sprintf("-%d", c.to)
				}
				words = append(words, word)
			}
			if diff := cmp.Diff(test.changes, strings.Join(words, " ")); diff != "" {
				t.Error("changes (-want +got):\n" + diff)
			}
		})
	}
}

// TestVLANDiffApplies carries random changes out.
func TestVLANDiffApplies(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	random := func() *vlanSet {
		set := new(vlanSet)
		for range rnd.IntN(8) {
			vid := uint16(1 + rnd.IntN(30))
			set.add(route.BridgeVLAN{VID: vid, End: vid + uint16(rnd.IntN(8)), Flags: uint16(rnd.IntN(2)) * untaggedFlag})
		}
		return set
	}
	for range 1000 {
		want, have := random(), random()
		got := *have
		for _, c := range diffVLANs(want, have) {
			for vid := c.from; vid <= c.to; vid++ {
				if c.action == Delete {
					got[vid] = 0
				} else {
					got[vid] = want[c.from]
				}
			}
		}
		if got != *want {
			t.Fatalf("from %v to %v: got %v", have, want, &got)
		}
	}
}

func TestVLANRebase(t *testing.T) {
	for _, test := range []struct {
		name     string
		set      string
		old, neu uint16
		want     string
	}{
		{"the default moves", "1pu 20", 1, 5, "5pu 20"},
		{"a tagged one stays", "1p 20", 1, 5, "1p 20"},
		{"a port with another pvid stays", "1u 20p", 1, 5, "1u 20p"},
		{"the new one is there already", "1pu 5", 1, 5, "1pu 5"},
		{"no default any more", "1pu 20", 1, 0, "20"},
		{"a first default takes the pvid over", "20pu", 0, 5, "5pu 20u"},
		{"nothing changes", "20pu", 7, 7, "20pu"},
	} {
		t.Run(test.name, func(t *testing.T) {
			set := vlans(test.set)
			set.rebase(test.old, test.neu)
			if diff := cmp.Diff(vlans(test.want).String(), set.String()); diff != "" {
				t.Error("set (-want +got):\n" + diff)
			}
		})
	}
}

func TestVLANName(t *testing.T) {
	s := fakeScope("br0", "p1")
	for _, test := range []struct {
		run  vlanRun
		want string
	}{
		{vlanRun{index: 2, BridgeVLAN: route.BridgeVLAN{VID: 10, End: 10, Flags: pvidFlag | untaggedFlag}}, "10 dev p1 pvid untagged"},
		{vlanRun{index: 2, BridgeVLAN: route.BridgeVLAN{VID: 20, End: 29}}, "20-29 dev p1"},
		{vlanRun{index: 1, self: true, BridgeVLAN: route.BridgeVLAN{VID: 7, End: 7, Flags: untaggedFlag}}, "7 dev br0 untagged self"},
	} {
		if got := (vlanResource{}).Name(s, &test.run); got != test.want {
			t.Errorf("have %q, want %q", got, test.want)
		}
	}
}
