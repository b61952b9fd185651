package audit

import (
	"cmp"
	"maps"
	"slices"
)

// An arrangement says of the wanted rules of a list which stay where they are, and which
// are put before and behind all others. All three are in the order of the wanted ones.
type arrangement struct {
	front, back []int
	at          map[int]int // places in have of those that stay
}

// arranged is a stretch with all others around it.
func (d *differ) arranged(s stretch) arrangement {
	a := arrangement{front: d.all[:s.from], back: d.all[s.to():], at: map[int]int{}}
	for i, at := range s.at {
		a.at[s.from+i] = at
	}
	return a
}

// relax returns the arrangement that leaves the fewest rules to delete, when those that
// commute may be in any order, or a.
func (d *differ) relax(a arrangement) arrangement {
	if len(a.at) == len(d.want) || len(d.places) == 0 {
		return a
	}
	at, ok := d.inOrder()
	if !ok {
		return a
	}
	for _, m := range []struct{ front, back bool }{{true, true}, {false, true}, {true, false}} {
		if d.strangers && m.front != d.policy.First || d.strangers && m.back == d.policy.First {
			continue
		}
		b := d.around(at, m.front, m.back)
		if (d.strangers || d.isSafe(b.front)) && d.isBetter(slices.Collect(maps.Values(b.at)), slices.Collect(maps.Values(a.at))) {
			a = b
		}
	}
	return a
}

// maxWrong is how many pairs of rules may be in the wrong order for a look at what could
// stay: with more, hardly any could.
const maxWrong = 100_000

// inOrder returns rules that are there and can stay there together. Of those whose order is
// wrong the ones go that have this with the most others, first those that are foreign.
func (d *differ) inOrder() (at map[int]int, ok bool) {
	at = map[int]int{}
	wrong, pairs, last := map[int]map[int]bool{}, 0, -1
	for w := range d.want {
		p, ok := d.place(w)
		if !ok {
			continue
		}
		if at[w] = p; p > last {
			last = p
			continue
		}
		for o, before := range at {
			if before > p && !d.commute(o, w) {
				pair(wrong, o, w)
				pairs++
			}
		}
		if pairs > maxWrong {
			return nil, false
		}
	}
	for len(wrong) > 0 {
		worst := slices.MaxFunc(slices.Sorted(maps.Keys(wrong)), func(a, b int) int {
			return cmp.Or(d.cost([]int{b}, at)-d.cost([]int{a}, at), len(wrong[a])-len(wrong[b]))
		})
		for o := range wrong[worst] {
			if delete(wrong[o], worst); len(wrong[o]) == 0 {
				delete(wrong, o)
			}
		}
		delete(wrong, worst)
		delete(at, worst)
	}
	return at, true
}

// place returns where a wanted rule is already: that of ours, if a foreign one stands for
// it, too.
func (d *differ) place(w int) (at int, ok bool) {
	places := d.places[d.meanings[w]]
	if len(places) == 0 {
		return 0, false
	}
	i := slices.IndexFunc(places, func(i int) bool { return d.have[i].own })
	return places[max(0, i)], true
}

func pair(with map[int]map[int]bool, a, b int) {
	for range 2 {
		if with[a] == nil {
			with[a] = map[int]bool{}
		}
		with[a][b] = true
		a, b = b, a
	}
}

func (d *differ) commute(w, o int) bool { return d.want[w].Commutes(d.want[o]) }

// around puts what does not stay before or behind the rest, each with those that have to
// be there for it: what must come before it, or after.
func (d *differ) around(at map[int]int, front, back bool) arrangement {
	const middle, toFront, toBack = 0, 1, 2
	place := make([]int, len(d.want))
	for w := range d.want {
		if _, stays := at[w]; stays || place[w] != middle {
			continue
		}
		up, down := d.closure(w, place, 1), d.closure(w, place, -1)
		where, moved := toBack, up
		if !back || front && d.cost(down, at) < d.cost(up, at) {
			where, moved = toFront, down
		}
		for _, m := range moved {
			place[m] = where
		}
	}
	a := arrangement{at: map[int]int{}}
	for w, p := range place {
		switch p {
		case toFront:
			a.front = append(a.front, w)
		case toBack:
			a.back = append(a.back, w)
		default:
			a.at[w] = at[w]
		}
	}
	return a
}

// closure returns w and those with no place yet that have to be behind it (step 1) or
// before it (-1), directly or because of one another.
func (d *differ) closure(w int, place []int, step int) (all []int) {
	in := map[int]bool{w: true}
	all = []int{w}
	for i := 0; i < len(all); i++ {
		for o := all[i] + step; o >= 0 && o < len(place); o += step {
			if !in[o] && place[o] == 0 && !d.commute(all[i], o) {
				in[o] = true
				all = append(all, o)
			}
		}
	}
	return all
}

// cost counts the rules that stayed but for being moved.
func (d *differ) cost(moved []int, at map[int]int) (n int) {
	for _, w := range moved {
		if i, stays := at[w]; stays && d.have[i].own {
			n++
		}
	}
	return n
}
