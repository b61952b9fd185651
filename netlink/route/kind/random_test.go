package kind_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/attr"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

// TestKernelRandomDocuments makes links with random options that Check lets
// through, changes them to other random options, and makes them anew from what a
// dump would say.
func TestKernelRandomDocuments(t *testing.T) {
	for _, r := range everyKind() {
		if r.port || len(r.new().Fields()) == 0 {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(7, 8))
			tr := newTrial(t, r, nil)
			skip := tr.unsupported()
			for range 15 {
				a := tr.validDoc(rnd, skip, nil)
				b := tr.validDoc(rnd, skip, a)
				t.Logf("from %v to %v", a, b)
				tr.make(a)
				tr.equal(a)
				tr.turnInto(b)
				tr.again()
				tr.remove()
			}
		})
	}
}

// unsupported names the rows that this kernel does not have.
func (tr *trial) unsupported() []string {
	tr.Helper()
	tr.make(base[tr.kind.name])
	defer tr.remove()
	var names []string
	fields := tr.have().Fields()
	for i := range fields {
		f := &fields[i]
		lacks := !f.Value.IsSet() && slices.Contains(optional[tr.kind.name], f.Name)
		if needs := since[tr.kind.name+"."+f.Name]; lacks || f.Late || needs > kernel(tr) || strings.HasPrefix(f.Name, "encap") && !tr.hasFOU() {
			names = append(names, f.Name)
		}
		if lacks && f.Name == "vlan_protocol" {
			names = append(names, "vlan_filtering", "mcast_vlan_snooping", "mst_enabled")
		}
	}
	return names
}

func (tr *trial) remove() {
	tr.Helper()
	tr.must(tr.conn.Do(context.Background(), unix.RTM_DELLINK, 0, &route.LinkChange{Name: new("t0")}))
}

// validDoc returns random options that contradict neither each other nor what is
// there before.
func (tr *trial) validDoc(rnd *rand.Rand, skip []string, before doc) doc {
	tr.Helper()
	options := doc{}
	for key, v := range base[tr.kind.name] {
		options[key] = v
	}
	fields := tr.kind.new().Fields()
	for _, i := range rnd.Perm(len(fields)) {
		f := &fields[i]
		if rnd.IntN(3) > 0 || slices.Contains(skip, f.Name) || options[f.Name] != nil {
			continue
		}
		values := sampleOf(tr, tr.kind.name, f).values
		options[f.Name] = values[rnd.IntN(len(values))]
		if kind.Check(build(tr, tr.kind, options)) != nil || kind.Check(build(tr, tr.kind, before, options)) != nil {
			delete(options, f.Name)
		}
	}
	return options
}

// turnInto changes t0 to what the options say: in place, or by a new link.
func (tr *trial) turnInto(options doc) {
	tr.Helper()
	want, have := tr.want([]doc{options}), tr.have()
	changes := kind.Diff(want, have)
	if slices.ContainsFunc(changes, func(c attr.Change) bool { return c.When == attr.AtCreation }) {
		tr.remove()
		tr.make(options)
	} else if len(changes) > 0 {
		tr.up(!slices.ContainsFunc(changes, func(c attr.Change) bool { return c.When == attr.WhileDown }))
		if err := tr.change(want, have, changes); err != nil {
			tr.Fatalf("%v: %v", changes, err)
		}
	}
	tr.equal(options)
}

// again makes t0 anew from what a dump would say of it.
func (tr *trial) again() {
	tr.Helper()
	before := tr.have()
	tr.name(before)
	dump := kind.Minimal(before)
	if err := kind.Check(build(tr, tr.kind, dump)); err != nil {
		tr.Fatalf("the dump %v is refused: %v", dump, err)
	}
	tr.remove()
	tr.make(dump)
	tr.equal(dump)
	after := tr.have()
	tr.name(after)
	if diff := cmp.Diff(dump, kind.Minimal(after)); diff != "" {
		tr.Fatalf("dump, apply, dump: (-first +second)\n%s", diff)
	}
}

// name fills in the names of the links that k refers to by index.
func (tr *trial) name(k kind.Kind) {
	tr.Helper()
	for _, ref := range k.Fields().Refs() {
		if ref.Index != 0 {
			link, err := tr.conn.LinkByIndex(context.Background(), ref.Index)
			tr.must(err)
			ref.Name = link.Name
		}
	}
}
