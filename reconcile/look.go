package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/nlapply/nlapply/netlink/route"
)

// A Look says what a plan looks at anew: of the rest it takes for granted what
// the plan before found. The zero value is nothing.
type Look struct {
	// All is everything, namespaces themselves included.
	All bool
	// In is what to look at by the name of the namespace.
	In map[string]*LookPart
}

// A LookPart is what to look at in one namespace.
type LookPart struct {
	// Links are the links, and where those that matter to others changed, all
	// tables.
	Links bool
	// SomeLinks is Links for those with these indexes only.
	SomeLinks Shards
	// Tables are all tables of objects to which links matter.
	Tables bool
	// Fallen are the tables of which objects go without a word when a link goes down.
	Fallen bool
	// Classes are some of the tables, by their word in plans, each whole or some
	// parts of it; see AddClass.
	Classes map[string]Shards
	// Wide finds our objects also where nothing is declared: in all tables of
	// routes.
	Wide bool
}

// Shards are parts of a class of objects: the tables of routes, or links by their
// indexes.
type Shards map[uint32]bool

// maxSome is how many links are read one by one: a dump of all is cheaper beyond.
const maxSome = 4

// AddLink adds one link.
func (p *LookPart) AddLink(index int32) {
	if p.SomeLinks == nil {
		p.SomeLinks = Shards{}
	}
	p.SomeLinks[uint32(index)] = true
	p.Links = p.Links || len(p.SomeLinks) > maxSome
}

// AddClass adds a class, or parts of it; nil is the whole.
func (p *LookPart) AddClass(class string, shards Shards) {
	have, there := p.Classes[class]
	switch {
	case there && have == nil:
	case shards == nil:
		p.Classes[class] = nil
	case have == nil:
		p.Classes[class] = maps.Clone(shards)
	default:
		maps.Copy(have, shards)
	}
}

// Empty tells that there is nothing to look at.
func (l *Look) Empty() bool { return !l.All && len(l.In) == 0 }

// At returns the part of a namespace, to be added to.
func (l *Look) At(namespace string) *LookPart {
	if l.In == nil {
		l.In = map[string]*LookPart{}
	}
	p := l.In[namespace]
	if p == nil {
		p = &LookPart{Classes: map[string]Shards{}}
		l.In[namespace] = p
	}
	return p
}

// Add adds what other looks at.
func (l *Look) Add(other Look) {
	l.All = l.All || other.All
	for namespace, o := range other.In {
		p := l.At(namespace)
		p.Links, p.Tables, p.Fallen, p.Wide = p.Links || o.Links, p.Tables || o.Tables, p.Fallen || o.Fallen, p.Wide || o.Wide
		for index := range o.SomeLinks {
			p.AddLink(int32(index))
		}
		for class, shards := range o.Classes {
			p.AddClass(class, shards)
		}
	}
}

// Links tells whether links are looked at anywhere.
func (l *Look) Links() bool {
	for _, p := range l.In {
		if p.Links || len(p.SomeLinks) > 0 {
			return true
		}
	}
	return false
}

// due tells whether a table is looked at, and which parts of it.
func (p *LookPart) due(t table) (Shards, bool) {
	switch {
	case isAloof(t):
	case p.Tables, p.Fallen && suffers(t):
		return nil, true
	}
	shards, due := p.Classes[t.class()]
	if p.Wide {
		shards = nil
	}
	return shards, due
}

// part returns what is looked at in a scope, not nil.
func (l *Look) part(s *Scope) *LookPart {
	if p := l.In[s.Name]; p != nil {
		return p
	}
	return &LookPart{}
}

// PlanAt is Plan for a part of the state. What the last plan of the run found
// elsewhere is taken to be so still, and to be right. Parts of the look are widened by
// what has to be looked at because of them.
func (r *Run) PlanAt(ctx context.Context, look Look) (*Plan, error) { return r.plan(ctx, look, false) }

// plan is PlanAt. An owing plan takes over what the last one owes to others; see
// debtor.
func (r *Run) plan(ctx context.Context, look Look, owing bool) (*Plan, error) {
	if look.All || !r.looked {
		return r.planAll(ctx, owing)
	}
	r.look, r.looked = look, false // until it went well
	p, err := r.planPart(ctx, look, owing)
	r.looked = err == nil
	return p, err
}

func (r *Run) planPart(ctx context.Context, look Look, owing bool) (*Plan, error) {
	r.namespaces = nil
	earlier := make([]*Scope, len(r.scopes))
	for i, s := range r.scopes {
		before := *s
		earlier[i] = &before
		for _, t := range s.tables {
			t.reset(owing)
		}
	}
	var reaches map[*Scope]reach
	if look.Links() || len(r.links.steps) > 0 { // what was planned and not done is not there
		var err error
		if reaches, err = r.relink(ctx, look); err != nil {
			return nil, err
		}
	}
	for s, n := range reaches {
		look.widen(s, n)
	}
	r.look = look
	var errs []error
	for _, s := range r.scopes {
		if reaches[s] == allTables {
			errs = append(errs, s.declareAnew(s.tables))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if owing {
		r.inherit(slices.DeleteFunc(earlier, func(s *Scope) bool { return reaches[r.scope(s.Name)] != allTables }))
	}
	for _, s := range r.scopes {
		p := look.part(s)
		s.narrow = !p.Wide
		if err := s.observe(ctx, r.links.events[s], p.due); err != nil {
			return nil, err
		}
	}
	r.namespaces = r.planAdoptions()
	return r.newPlan(), nil
}

// reach says in which tables of a scope objects may have changed because of its links.
type reach uint8

const (
	noTables reach = iota
	// fallenTables are LookPart.Fallen: what else goes with a link, events tell.
	fallenTables
	allTables
)

// widen adds the tables that links reach: they are looked at again when what is planned
// is verified, or tried once more, and then it does not show any more that links changed.
func (l *Look) widen(s *Scope, n reach) {
	if n == noTables {
		return
	}
	part := l.At(s.Name)
	part.Tables = part.Tables || n == allTables
	part.Fallen = true
}

// relink looks at links and compares those of all scopes anew.
func (r *Run) relink(ctx context.Context, look Look) (reaches map[*Scope]reach, err error) {
	reaches = map[*Scope]reach{}
	all := func(s *Scope, is bool) {
		if is {
			reaches[s] = allTables
		}
	}
	for _, s := range r.scopes {
		s.nsids, s.others = nil, nil
		all(s, len(s.waiting) > 0)
		s.waiting = nil
		before, part := s.links.dumped, look.part(s)
		read := s.observeLinks
		switch {
		case part.Links:
		case len(part.SomeLinks) > 0:
			read = func(ctx context.Context) error { return s.relistSome(ctx, part.SomeLinks) }
		default:
			s.relist()
			continue
		}
		if err := read(ctx); err != nil {
			return nil, fmt.Errorf("links%s: %w", s.in(), err)
		}
		reaches[s] = max(reaches[s], s.reachOf(before))
	}
	if err := r.checkOwners(); err != nil {
		return nil, err
	}
	if err = r.planLinks(); err != nil {
		return nil, err
	}
	for _, st := range r.links.steps {
		all(st.scope, st.action != Change)
	}
	for s, events := range r.links.events {
		all(s, len(events) > 0)
	}
	return reaches, nil
}

// reachOf compares the links with those before. That one is down which is not declared
// matters to what is declared: routes wait for it.
func (s *Scope) reachOf(before []*route.Link) (r reach) {
	if !slices.EqualFunc(before, s.links.dumped, supportsTheSame) {
		return allTables
	}
	for i, l := range s.links.dumped {
		switch {
		case isAsUp(before[i], l):
		case s.declaredLink(l.Index) == nil:
			return allTables
		default:
			r = fallenTables
		}
	}
	return r
}

// supportsTheSame tells whether nothing changed of a link by which objects of
// tables come, go, or are called something else, but for isAsUp.
func supportsTheSame(a, b *route.Link) bool {
	return isNamedAs(a, b) && a.Master == b.Master &&
		slices.Equal(a.Address, b.Address) && lacksIPv6(a) == lacksIPv6(b)
}

// isAsUp tells whether both states of a link are up, or both down.
func isAsUp(a, b *route.Link) bool { return a.IsUp() == b.IsUp() }
