package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"slices"
	"time"

	"github.com/nlapply/nlapply/internal/wire"
	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/audit"
	"github.com/nlapply/nlapply/spec"
)

// Config says what a run is to do. The zero value, with a Document, applies it.
type Config struct {
	Document *spec.Document
	// Delete removes what the document declares and its owner made, instead
	// of applying it.
	Delete bool
	// AllowLoss permits steps that take down other programs' objects which
	// cannot be put back.
	AllowLoss bool
	// LockTimeout is how long to wait for another run of the same owner; 0
	// fails at once.
	LockTimeout time.Duration
	// Await leaves out what hangs on links that do not exist yet, instead of
	// taking them for a mistake.
	Await bool
	// Held tells which objects are left as they are for now. Nil holds none.
	Held func(Object) bool
	// Meanwhile returns what has to be looked at, beside what a plan is about, when
	// it has been carried out. Nil stands for everything.
	Meanwhile func() Look
}

// A Run brings the kernel's state and a document together, once.
type Run struct {
	cfg      Config
	doc      *spec.Document
	deleting bool
	scopes   []*Scope
	byName   map[string]*Scope
	marked   map[string]*Scope // by the id of the mark on lo
	// strangers are namespaces of nobody's that go with everything in them.
	strangers []*Scope
	conns     conns
	audit     *audit.Conn                     // nil until it is asked for
	anchors   map[audit.Meaning][]auditAnchor // of our rules
	locks     []*lock

	namespaces []nsStep
	links      *linkPlan
	// declarations are what the document says of links by their paths, as far as it
	// was read.
	declarations map[string]linkDeclaration
	// unanswered is set when it is not known which namespace is behind an id.
	unanswered error
	// wrote tells that the kernel took a change, or may have.
	wrote bool
	// keepAll keeps every object that is observed, for a dump.
	keepAll bool
	// look is what the last plan looked at; looked, that there was one which found
	// out all that a partial look takes for granted.
	look   Look
	looked bool
}

// Open takes the locks of all namespaces of a document. The run must be closed.
func Open(ctx context.Context, cfg Config) (*Run, error) {
	r := OpenReadOnly(cfg)
	if err := CheckCapabilities(r.doc); err != nil {
		return nil, err
	}
	if err := r.Lock(ctx); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// OpenReadOnly is Open for a run that only plans: it needs no lock and no
// capability.
func OpenReadOnly(cfg Config) *Run {
	return &Run{cfg: cfg, doc: cfg.Document, deleting: cfg.Delete}
}

// Lock takes the locks of the document's namespaces that exist, in the order of
// their inodes, so that two runs cannot wait for each other.
func (r *Run) Lock(ctx context.Context) error {
	if err := r.findScopes(ctx); err != nil {
		return err
	}
	r.looked = false
	return r.lock(ctx, r.scopes)
}

// LockAt is Lock for the namespaces that a look is about.
func (r *Run) LockAt(ctx context.Context, look Look) error {
	if look.All || !r.looked {
		return r.Lock(ctx)
	}
	scopes := r.scopes
	if !look.Links() { // links reach into other namespaces
		scopes = slices.DeleteFunc(slices.Clone(scopes), func(s *Scope) bool { return look.In[s.Name] == nil })
	}
	return r.lock(ctx, scopes)
}

// Find finds the namespaces that a look is about, as LockAt does.
func (r *Run) Find(ctx context.Context, look Look) error {
	if look.All || !r.looked {
		r.looked = false
		return r.findScopes(ctx)
	}
	return nil
}

// Disconnect closes the run's sockets. They are opened again on demand, in the
// namespaces that have the names then.
func (r *Run) Disconnect() { r.conns.closeAll() }

func (r *Run) lock(ctx context.Context, scopes []*Scope) error {
	deadline := time.Now().Add(r.cfg.LockTimeout)
	inodes := map[*Scope]uint64{}
	var exist []*Scope
	for _, s := range scopes {
		if !s.Exists {
			continue
		}
		ns, err := s.handle()
		if err != nil {
			return err
		}
		inodes[s], err = ns.Inode()
		ns.Close()
		if err != nil {
			return err
		}
		exist = append(exist, s)
	}
	slices.SortFunc(exist, func(a, b *Scope) int { return cmp.Compare(inodes[a], inodes[b]) })
	for _, s := range exist {
		l, err := acquire(ctx, s, r.doc.Owner, deadline)
		if err != nil {
			return err
		}
		r.locks = append(r.locks, l)
	}
	return nil
}

// Unlock gives the locks back.
func (r *Run) Unlock() {
	for _, l := range r.locks {
		l.release()
	}
	r.locks = nil
}

// Close gives the locks back and closes the run's sockets.
func (r *Run) Close() {
	r.conns.closeAll()
	if r.audit != nil {
		r.audit.Close()
	}
	r.Unlock()
}

// auditConn returns a connection to the audit system. It stays the run's.
func (r *Run) auditConn() (c *audit.Conn, err error) {
	if r.audit == nil {
		r.audit, err = wire.DialAudit(netlink.Config{})
	}
	return r.audit, err
}

// mayHaveWritten takes the outcome of one message that changes something.
func (r *Run) mayHaveWritten(err error) {
	r.wrote = r.wrote || err == nil || errors.Is(err, netlink.ErrUnknown)
}

// note takes the outcome of n messages that change something.
func (r *Run) note(res *netlink.Result, n int) {
	refused := 0
	for _, err := range res.Errors() {
		if !errors.Is(err, netlink.ErrUnknown) {
			refused++
		}
	}
	r.wrote = r.wrote || refused < n
}

// A Plan is what has to be done. It belongs to its run and to the state that it
// was made from.
type Plan struct {
	run *Run
	// Notes are things that the reader should know and that are no steps.
	Notes []string
	// Waiting are the links that are waited for (Config.Await).
	Waiting []string
	loss    error
}

// Plan looks at the kernel and compares.
func (r *Run) Plan(ctx context.Context) (*Plan, error) { return r.PlanAt(ctx, Look{All: true}) }

func (r *Run) planAll(ctx context.Context, owing bool) (*Plan, error) {
	r.look, r.looked = Look{All: true}, false
	earlier := r.scopes
	if err := r.findScopes(ctx); err != nil {
		return nil, err
	}
	for _, s := range r.scopes {
		if err := s.observeLinks(ctx); err != nil {
			return nil, fmt.Errorf("links%s: %w", s.in(), err)
		}
		if !s.Exists {
			s.links.add(newLo())
		}
	}
	if err := r.checkOwners(); err != nil {
		return nil, err
	}
	r.namespaces = r.planNamespaces()
	if err := r.planLinks(); err != nil {
		return nil, err
	}
	var errs []error
	for _, s := range r.scopes {
		errs = append(errs, s.declareTables())
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if owing {
		r.inherit(earlier)
	}
	for _, s := range r.scopes {
		if err := s.observe(ctx, r.links.events[s], everyTable); err != nil {
			return nil, err
		}
	}
	r.namespaces = append(r.namespaces, r.planAdoptions()...)
	r.looked = true
	return r.newPlan(), nil
}

// planLinks compares the links of all scopes.
func (r *Run) planLinks() (err error) {
	r.unanswered = nil
	if r.links, err = planLinks(r); err != nil {
		return err
	}
	if r.unanswered != nil {
		return fmt.Errorf("namespaces of pairs: %w", r.unanswered)
	}
	return nil
}

func (r *Run) newPlan() *Plan {
	p := &Plan{run: r, Notes: r.notes(), loss: r.links.lossError()}
	for _, s := range r.scopes {
		for _, name := range sortedKeys(s.waiting) {
			p.Waiting = append(p.Waiting, linkPlace{s, name}.String())
		}
	}
	return p
}

// declareTables reads the document for the scope's tables. It finds all that is
// wrong.
func (s *Scope) declareTables() error { return s.declareAnew(nil) }

// declareAnew is declareTables when links have changed; before are the tables until then.
func (s *Scope) declareAnew(before []stagedTable) error {
	s.tables = nil
	if s.leaves() {
		return nil
	}
	var errs []error
	for i, res := range resources {
		if i < len(before) && isAloof(before[i].table) {
			s.tables = append(s.tables, before[i])
			continue
		}
		t := stagedTable{res.table(), res.stage}
		errs = append(errs, t.declare(s))
		s.tables = append(s.tables, t)
	}
	return errors.Join(errs...)
}

// aloof is a table of objects to which no change of links matters.
type aloof interface{ aloof() }

func isAloof(t table) bool {
	_, is := t.(aloof)
	return is
}

// eventful is a table whose plan has side effects on the tables behind it.
type eventful interface{ events(s *Scope) []LinkEvent }

// noter is a table whose plan has something to say besides.
type noter interface{ notes() []string }

// stagedTable is a table and its place in the order.
type stagedTable struct {
	table
	stage stage
}

// observe looks at some of the tables, and at those behind one whose plan has
// side effects on them.
func (s *Scope) observe(ctx context.Context, events []LinkEvent, due func(table) (Shards, bool)) error {
	for _, t := range s.tables {
		shards, isDue := due(t.table)
		if len(events) > 0 && !isAloof(t.table) {
			shards, isDue = nil, true
		}
		if !isDue {
			continue
		}
		s.shards = shards
		if err := t.observe(ctx, s, events); err != nil {
			return fmt.Errorf("%s%s: %w", t.class(), s.in(), err)
		}
		if e, ok := t.table.(eventful); ok {
			events = append(events, e.events(s)...)
		}
	}
	return nil
}

func everyTable(table) (Shards, bool) { return nil, true }

// checkOwners refuses to run beside an owner whose objects bear our number.
func (r *Run) checkOwners() error {
	for _, s := range r.scopes {
		for _, l := range s.links.byIndex {
			for _, m := range marksOf(l.AltNames) {
				if m.owner != r.doc.Owner && m.protocol == r.doc.Protocol {
					return fmt.Errorf("owner %s has protocol %d, too (link %s%s): its routes could not be told from those of owner %s",
						m.owner, m.protocol, l.Name, s.in(), r.doc.Owner)
				}
			}
		}
	}
	return nil
}

func (r *Run) notes() (notes []string) {
	for _, name := range r.links.unmanaged {
		notes = append(notes, "link "+name+" is not managed: it cannot be deleted")
	}
	for _, s := range r.scopes {
		for _, l := range s.links.byIndex {
			if m, ok := ownMark(l.AltNames, r.doc.Owner); ok && m.protocol != r.doc.Protocol {
				notes = append(notes, fmt.Sprintf("protocol was %d and is %d: routes, rules, neighbours and addresses that bear %d are no longer ours",
					m.protocol, r.doc.Protocol, m.protocol))
				return notes
			}
		}
	}
	for _, s := range r.scopes {
		for _, t := range s.tables {
			if n, ok := t.table.(noter); ok {
				notes = append(notes, n.notes()...)
			}
		}
	}
	for _, s := range r.scopes {
		if s.Spec != nil && slices.ContainsFunc(s.Spec.Routes, func(d spec.Route) bool {
			return d.Protocol != nil && *d.Protocol != r.doc.Protocol
		}) {
			return append(notes, "routes with a protocol of their own are not pruned once they are no longer declared")
		}
	}
	return notes
}

// Steps yields the plan's lines in the order in which they are carried out.
// What a step interrupts and the plan puts back is counted in its note.
func (p *Plan) Steps() iter.Seq[Step] {
	return func(yield func(Step) bool) {
		r := p.run
		for _, n := range r.namespaces {
			if n.action != Delete && !yield(n.step()) {
				return
			}
		}
		for _, st := range r.links.steps {
			if !st.quiet && !yield(st.step()) {
				return
			}
		}
		for _, s := range r.scopes {
			for _, t := range s.tables {
				for st := range t.steps(s) {
					if !st.Restores && !yield(st) {
						return
					}
				}
			}
		}
		for _, n := range r.namespaces {
			if n.action == Delete && !yield(n.step()) {
				return
			}
		}
	}
}

// Empty tells that nothing has to be done.
func (p *Plan) Empty() bool {
	for range p.Steps() {
		return false
	}
	return true
}

// hash tells plans apart.
func (p *Plan) hash() uint64 {
	h := fnv.New64a()
	for st := range p.Steps() {
		h.Write([]byte(st.String()))
	}
	return h.Sum64()
}
