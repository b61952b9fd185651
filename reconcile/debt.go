package reconcile

import (
	"context"
	"fmt"
	"slices"
)

// What a plan takes down of other programs' objects it owes to them, until it has put
// them back. The kernel does not know of it any more, and a plan made after one that
// broke off would not: it takes over what that one owes. What is there by then needs
// nothing.

// debtor is a table that can owe objects.
type debtor interface {
	// inherit takes over what the table of an earlier plan, made in scope from, owes.
	inherit(s, from *Scope, earlier table)
	// keepDebts forgets all that is to be done but to put objects back, and to make
	// the declared ones before them: the first address of a subnet is the primary one.
	keepDebts()
}

// inherit gives the tables of the plan what those of an earlier one owe.
func (r *Run) inherit(earlier []*Scope) {
	for _, s := range r.scopes {
		i := slices.IndexFunc(earlier, func(o *Scope) bool { return o.Name == s.Name })
		if i < 0 || len(earlier[i].tables) != len(s.tables) {
			continue
		}
		for n, t := range s.tables {
			if d, ok := t.table.(debtor); ok {
				d.inherit(s, earlier[i], earlier[i].tables[n].table)
			}
		}
	}
}

// putBack makes what is owed, as far as the kernel lets it.
func (r *Run) putBack(ctx context.Context, res *Result) error {
	for _, at := range []stage{withLinks, afterLinks} {
		for _, s := range r.scopes {
			for _, t := range s.tables {
				d, ok := t.table.(debtor)
				if !ok || t.stage != at {
					continue
				}
				if d.keepDebts(); t.len() == 0 {
					continue
				}
				if err := t.execute(ctx, s, adding, res); err != nil {
					return fmt.Errorf("%s%s: %w", t.class(), s.in(), err)
				}
			}
		}
	}
	return nil
}

func (o *objects[K, T]) inherit(s, from *Scope, earlier table) {
	old, ok := earlier.(*objects[K, T])
	if !ok {
		return
	}
	for i := old.declared; i < len(old.want); i++ {
		lost := false
		t := old.res.Own(&old.want[i])
		o.res.Relocate(&t, func(index int32) int32 {
			if name, planned := from.links.plannedNames[index]; planned {
				index = s.Index(name)
			}
			lost = lost || index != 0 && s.LinkName(index) == ""
			return index
		})
		if !lost {
			o.want, o.lost = append(o.want, t), append(o.lost, false)
		}
	}
}

func (o *objects[K, T]) keepDebts() {
	if !slices.ContainsFunc(o.ops, func(p op[T]) bool { return p.action == Create && int(p.want) >= o.declared }) {
		o.ops = nil
	}
	o.ops = slices.DeleteFunc(o.ops, func(p op[T]) bool {
		exists := p.action == Create && p.want >= 0
		if exists {
			o.res.Relocate(&o.want[p.want], func(index int32) int32 {
				exists = exists && index >= 0
				return index
			})
		}
		return !exists
	})
}
