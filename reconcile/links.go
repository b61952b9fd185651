package reconcile

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

// links are the links of one scope: those that the kernel has, and those that
// the plan is about to make. The latter have negative indexes until they exist,
// so that everything behind them can be compared and planned like the rest.
type links struct {
	dumped  []*route.Link // as the kernel listed them
	byIndex map[int32]*route.Link
	byName  map[string]*route.Link // names and alternative names
	// planned are the indexes of links to come.
	planned      map[string]int32
	plannedNames map[int32]string
	// renamed are the names that the plan gives to links that exist.
	renamed map[int32]string
	// successors tells the index that a link to be recreated will have.
	successors map[int32]int32
	// kinds are the decoded options, nil for links of no known kind; see
	// Scope.observedKind.
	kinds map[int32]kind.Kind
	// above are the links that go with a link, and ports those that have it as
	// master; see Scope.relations.
	above, ports map[int32][]*route.Link
	// steps are what the plan does to links that exist, but for quiet steps.
	steps map[int32]*linkStep
	// state is what the plan makes of the kernel's links so far.
	state map[int32]*linkState
}

// linkState is the part of a link that changes of other links change.
type linkState struct {
	up     bool
	master int32
	// released tells that a bond lets the link go, which sets its MTU and address
	// back to what they were before it joined.
	released bool
	gone     bool // deleted by the plan, or by the kernel as a consequence
	rises    bool // taken up by the plan, or by the kernel as a consequence
}

func (l *links) add(k *route.Link) {
	l.byIndex[k.Index] = k
	l.byName[k.Name] = k
	for _, n := range k.AltNames {
		if l.byName[n] == nil {
			l.byName[n] = k
		}
	}
	l.state[k.Index] = &linkState{up: k.Flags&iffUp != 0, master: k.Master}
}

func newLinks() links {
	return links{
		byIndex: map[int32]*route.Link{}, byName: map[string]*route.Link{},
		planned: map[string]int32{}, plannedNames: map[int32]string{}, renamed: map[int32]string{},
		successors: map[int32]int32{}, state: map[int32]*linkState{},
		kinds: map[int32]kind.Kind{},
	}
}

// observeLinks dumps the scope's links.
func (s *Scope) observeLinks(ctx context.Context) error {
	s.links = newLinks()
	if !s.Exists {
		return nil
	}
	c, err := s.Conn()
	if err != nil {
		return err
	}
	return untilUndisturbed(ctx, func() error {
		s.links = newLinks()
		for l, err := range c.Links(ctx) {
			if err != nil {
				return err
			}
			s.links.dumped = append(s.links.dumped, l.Clone())
		}
		s.relist()
		return nil
	})
}

// relist forgets what a plan made of the links.
func (s *Scope) relist() {
	before := s.links
	s.links = newLinks()
	s.links.dumped = before.dumped
	for _, l := range before.dumped {
		s.links.add(l)
	}
	s.links.inherit(&before)
}

// inherit takes over the decoded options of links that were not read since. Options
// refer to other links by name.
func (l *links) inherit(before *links) {
	if len(before.renamed) > 0 || len(before.byIndex) != len(l.byIndex) {
		return
	}
	for index, k := range l.byIndex {
		if old := before.byIndex[index]; old == nil || old.Name != k.Name {
			return
		}
	}
	for index, k := range before.kinds {
		if l.byIndex[index] == before.byIndex[index] {
			l.kinds[index] = k
		}
	}
}

// relistSome reads some links anew. When one of them has gone, has another name or
// is another one, all are read.
func (s *Scope) relistSome(ctx context.Context, some Shards) error {
	c, err := s.Conn()
	if err != nil {
		return err
	}
	dumped := slices.Clone(s.links.dumped)
	for i, before := range dumped {
		if !some[uint32(before.Index)] {
			continue
		}
		l, err := c.LinkByIndex(ctx, before.Index)
		if errors.Is(err, unix.ENODEV) || err == nil && !isNamedAs(before, l) {
			return s.observeLinks(ctx)
		}
		if err != nil {
			return err
		}
		dumped[i] = l
	}
	s.links.dumped = dumped
	s.relist()
	return nil
}

// changesOthers tells whether with a link others may change of which the kernel says
// nothing: those that stand on it, or beside it on the same one (the address of a
// macvlan in mode passthru, bclim of its siblings; drivers/net/macvlan.c).
func (s *Scope) changesOthers(l *route.Link) bool {
	return len(s.standingOn(l)) > 0 || l.HasParent && !isPair(l)
}

// isNamedAs tells whether two states are of one link, under the same names.
func isNamedAs(a, b *route.Link) bool {
	return a.Index == b.Index && a.Name == b.Name && slices.Equal(a.AltNames, b.AltNames) && a.Kind == b.Kind
}

// plan gives the name of a link to come an index.
func (l *links) plan(name string) int32 {
	if i, ok := l.planned[name]; ok {
		return i
	}
	i := -int32(len(l.planned)) - 1
	l.planned[name], l.plannedNames[i] = i, name
	return i
}

// Index returns the index of the link of that name, which is negative for a
// link that the plan makes; 0 for none.
func (s *Scope) Index(name string) int32 {
	if i, ok := s.links.planned[name]; ok {
		return i
	}
	if l := s.links.byName[name]; l != nil && !s.links.state[l.Index].gone {
		return l.Index
	}
	return 0
}

// missing returns the error of a declaration that names a link which Index does
// not know. A run that deletes finds links gone, and what names them with them.
func (s *Scope) missing(path, link string) error {
	if s.deleting() {
		return nil
	}
	return s.run.doc.Errorf(path, "link %s neither exists nor is declared", link)
}

// LinkName returns the name that the link with an index that Index returned or
// the kernel reports has after the plan; empty for none.
func (s *Scope) LinkName(index int32) string {
	if n, ok := s.links.plannedNames[index]; ok {
		return n
	}
	if n, ok := s.links.renamed[index]; ok {
		return n
	}
	if l := s.links.byIndex[index]; l != nil {
		return l.Name
	}
	return ""
}

// Link returns what the kernel has of a link, nil for one that is yet to come.
func (s *Scope) Link(index int32) *route.Link { return s.links.byIndex[index] }

// successor returns the index under which a link goes on after the plan.
func (s *Scope) successor(index int32) int32 {
	if n, ok := s.links.successors[index]; ok {
		return n
	}
	return index
}

// settle dumps the links again after some were made, and returns how the
// indexes of the plan translate into the kernel's.
func (s *Scope) settle(ctx context.Context) (func(int32) int32, error) {
	before, planned := s.links, s.links.plannedNames
	if err := s.observeLinks(ctx); err != nil {
		s.links = before
		return nil, err
	}
	for i, n := range planned {
		if s.Index(n) == 0 {
			s.links.plannedNames[i] = n // it was not made
		}
	}
	return func(i int32) int32 {
		if n, ok := planned[i]; ok && s.links.plannedNames[i] == "" {
			return s.Index(n)
		}
		return i
	}, nil
}

// rename notes that a link is about to have another name. Options that refer to
// it are read again.
func (l *links) rename(k *route.Link, name string) {
	l.byName[name], l.renamed[k.Index] = k, name
	clear(l.kinds)
}

// nameTaken tells whether a link bears the name now.
func (l *links) nameTaken(name string) bool {
	for _, k := range l.byIndex {
		if k.Name == name && !l.state[k.Index].gone {
			return true
		}
	}
	return false
}

// depth counts the links below and above l: what stands on another link or is a
// port of one comes after it.
func (s *Scope) depth(l *route.Link) (depth int) {
	for l != nil && depth < len(s.links.byIndex) {
		switch {
		case l.Master != 0:
			l = s.links.byIndex[l.Master]
		case l.HasParent && !l.HasParentNetNSID && !isPair(l):
			l = s.links.byIndex[l.Parent]
		default:
			return depth
		}
		depth++
	}
	return depth
}

func isPair(l *route.Link) bool {
	k, ok := kind.New(l.Kind)
	return ok && kind.IsPair(k)
}

// relations notes which links the kernel deletes together with another one:
// links above it (vlan, macvlan, …), and tunnels that are bound to it; and which
// are ports of which.
func (s *Scope) relations() {
	s.links.above, s.links.ports = map[int32][]*route.Link{}, map[int32][]*route.Link{}
	for _, i := range slices.Sorted(maps.Keys(s.links.byIndex)) {
		l := s.links.byIndex[i]
		if l.HasParent && !l.HasParentNetNSID && !isPair(l) {
			s.links.above[l.Parent] = append(s.links.above[l.Parent], l)
		}
		if l.Master != 0 {
			s.links.ports[l.Master] = append(s.links.ports[l.Master], l)
		}
		if k, ok := kind.New(l.Kind); !ok || !kind.GoesWithDevice(k) {
			continue
		}
		k, ok := s.observedKind(l)
		if !ok {
			continue
		}
		for _, r := range k.Fields().Refs() {
			if r.Index != l.Parent {
				s.links.above[r.Index] = append(s.links.above[r.Index], l)
			}
		}
	}
}

// standingOn returns the links that go with l.
func (s *Scope) standingOn(l *route.Link) []*route.Link {
	if s.links.above == nil {
		s.relations()
	}
	return s.links.above[l.Index]
}

// portsOf returns the links whose master the kernel says l is.
func (s *Scope) portsOf(l *route.Link) []*route.Link {
	if s.links.above == nil {
		s.relations()
	}
	return s.links.ports[l.Index]
}

// freeGroup returns a group number that no link of the scope has.
func (s *Scope) freeGroup() uint32 {
	for {
		g := rand.Uint32() | 1<<31
		free := true
		for _, l := range s.links.byIndex {
			free = free && l.Group != g
		}
		if free {
			return g
		}
	}
}
