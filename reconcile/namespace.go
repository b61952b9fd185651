package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/wire"
	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

// loIndex is LOOPBACK_IFINDEX (include/net/flow.h): lo is the first link of
// every namespace.
const loIndex = 1

// handle returns a handle of the scope's namespace, also of the run's own.
func (s *Scope) handle() (*netns.NS, error) {
	if s.Name == "" {
		return netns.Current()
	}
	return netns.Open(s.Name)
}

// nsStep is what a plan does to one namespace.
type nsStep struct {
	action Action
	scope  *Scope
	note   string
}

func (st nsStep) step() Step {
	step := Step{Action: st.action, Class: "namespace", Object: st.scope.Name, Note: st.note}
	if st.scope.Spec != nil {
		step.Path = "namespaces." + st.scope.Name
	}
	return step
}

// findScopes returns the namespaces that the run looks at: its own, the
// declared ones, and those that bear the owner's mark.
func (r *Run) findScopes(ctx context.Context) error {
	r.marked, r.strangers = map[string]*Scope{}, nil
	r.scopes, r.byName = nil, map[string]*Scope{}
	r.addScope(&Scope{Spec: &r.doc.Namespace, Exists: true, run: r})
	names, err := r.namedNamespaces()
	if err != nil {
		return err
	}
	known := namesakes{}
	for _, name := range slices.Sorted(maps.Keys(r.doc.Namespaces)) {
		if isOwnNamespace(name) {
			return r.doc.Errorf(spec.Path("", "namespaces", name), "this is the namespace that the run started in")
		}
		if other := known.first(name); other != name {
			return r.doc.Errorf(spec.Path("", "namespaces", name), "this is the namespace %s, too", other)
		}
		s := &Scope{Name: name, Spec: r.doc.Namespaces[name], Exists: slices.Contains(names, name), run: r}
		if !s.Exists && r.holds((nsStep{Create, s, ""}).step().Subject()) {
			continue
		}
		r.addScope(s)
	}
	for _, name := range names {
		s := r.scope(name)
		if s == nil && known.first(name) != name {
			continue
		}
		if s == nil {
			s = &Scope{Name: name, Exists: true, run: r}
		}
		if err := r.admit(ctx, s); err != nil {
			return fmt.Errorf("namespace %s: %w", name, err)
		}
	}
	return nil
}

// admit reads whose a namespace is that exists, and makes it a scope of the run or
// a stranger to it.
func (r *Run) admit(ctx context.Context, s *Scope) error {
	err := s.readMark(ctx)
	switch {
	case s.Spec != nil && err != nil:
		return err
	case s.Spec == nil && (err != nil || s.mark.owner == ""): // not ours to understand
		r.conns.drop(s)
		if err == nil && !s.othersMark && r.prunesNamespace(s.Name) {
			r.strangers = append(r.strangers, s)
		}
		return nil
	case s.Spec == nil:
		r.addScope(s)
	}
	r.marked[s.mark.id] = s
	return nil
}

// prunesNamespace tells whether a namespace goes that nobody of ours made and the
// document does not declare. For that it has to speak of namespaces: `prune: all`
// is about what is in them.
func (r *Run) prunesNamespace(name string) bool {
	return !r.deleting && r.doc.Prune.Classes["namespaces"] == spec.PruneAll && !r.doc.Ignore.Namespace(name)
}

// namedNamespaces lists /run/netns. Without the right to enter namespaces, and
// with none declared, there is nothing to look at.
func (r *Run) namedNamespaces() ([]string, error) {
	names, err := otherNamespaces()
	if err != nil {
		return nil, err
	}
	if len(r.doc.Namespaces) == 0 && !hasCapability(unix.CAP_SYS_ADMIN) {
		return nil, nil
	}
	return names, nil
}

// otherNamespaces lists /run/netns without the namespace of the process.
func otherNamespaces() ([]string, error) {
	names, err := netns.List()
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	return slices.DeleteFunc(names, isOwnNamespace), nil
}

// namesakes are names of namespaces by what they stand for. One may have several,
// mounted or linked; it is looked at once.
type namesakes map[netns.ID]string

// first returns the first name that was asked for of the same namespace.
func (n namesakes) first(name string) string {
	var st unix.Stat_t
	if unix.Stat(filepath.Join(netns.Dir, name), &st) != nil {
		return name
	}
	id := netns.ID{Dev: uint64(st.Dev), Inode: st.Ino}
	if _, ok := n[id]; !ok {
		n[id] = name
	}
	return n[id]
}

// isOwnNamespace tells whether a name stands for the namespace of the process.
func isOwnNamespace(name string) bool {
	own, errOwn := os.Stat("/proc/thread-self/ns/net")
	named, errNamed := os.Stat(filepath.Join(netns.Dir, name))
	return errOwn == nil && errNamed == nil && os.SameFile(own, named)
}

// scope returns the run's scope of that name, or nil.
func (r *Run) scope(name string) *Scope { return r.byName[name] }

func (r *Run) addScope(s *Scope) {
	r.scopes = append(r.scopes, s)
	r.byName[s.Name] = s
}

// readMark looks for the owner's mark on the namespace's lo.
func (s *Scope) readMark(ctx context.Context) error {
	c, err := s.Conn()
	if err != nil {
		return err
	}
	lo, err := c.LinkByIndex(ctx, loIndex)
	if err != nil {
		return err
	}
	s.mark, _ = ownMark(lo.AltNames, s.Owner())
	s.othersMark = s.mark.owner == "" && len(marksOf(lo.AltNames)) > 0
	return nil
}

// leaves tells whether the whole namespace goes.
func (s *Scope) leaves() bool {
	if s.Name == "" || !s.Exists || s.mark.owner == "" || s.mark.adopted {
		return false
	}
	return s.deleting() || s.Spec == nil && s.prunes("namespace", Ours)
}

// planNamespaces compares the declared namespaces with those that exist.
func (r *Run) planNamespaces() (steps []nsStep) {
	for _, s := range r.scopes {
		switch {
		case s.Name == "":
		case s.leaves():
			steps = append(steps, nsStep{Delete, s, ""})
		case r.deleting || s.Spec == nil:
			if s.mark.adopted && (r.deleting || s.prunes("namespace", Ours)) {
				steps = append(steps, nsStep{Change, s, "existed before: stays, without our objects"})
			}
		case !s.Exists:
			steps = append(steps, nsStep{Create, s, ""})
		}
	}
	for _, s := range r.strangers {
		steps = append(steps, nsStep{Delete, s, "with everything in it"})
	}
	return steps
}

// planAdoptions marks declared namespaces that existed before, if something of
// ours is to come into them: without it there is nothing to remember.
func (r *Run) planAdoptions() (steps []nsStep) {
	busy := map[*Scope]bool{}
	for _, st := range r.links.steps {
		busy[st.scope] = true
	}
	for _, s := range r.scopes {
		for _, t := range s.tables {
			busy[s] = busy[s] || t.len() > 0
		}
		if s.Name != "" && s.Exists && s.mark.owner == "" && busy[s] && !r.deleting {
			steps = append(steps, nsStep{Change, s, "existed before: adopted"})
		}
	}
	return steps
}

// make creates the namespace, marked before anybody can see it.
func (s *Scope) make(ctx context.Context) error {
	ns, err := netns.New()
	if err != nil {
		return err
	}
	defer ns.Close()
	m := newMark(s.Owner(), s.Protocol())
	c, err := wire.Dial(netlink.Config{NetNS: ns.FD()})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := addMark(ctx, c, m); err != nil {
		return err
	}
	if err := ns.Mount(s.Name); err != nil {
		return err
	}
	s.mark, s.Exists = m, true
	s.run.marked[m.id] = s
	s.run.conns.drop(s)
	return nil
}

func addMark(ctx context.Context, c *route.Conn, m mark) error {
	return c.Do(ctx, unix.RTM_NEWLINKPROP, netlink.Create|netlink.Excl|netlink.Append,
		&route.LinkProp{Index: loIndex, AltNames: []string{m.String()}})
}

// before makes and adopts namespaces.
func (st nsStep) before(ctx context.Context) error {
	s := st.scope
	switch {
	case st.action == Create:
		return s.make(ctx)
	case st.action == Change && s.mark.owner == "":
		c, err := s.Conn()
		if err != nil {
			return err
		}
		m := newMark(s.Owner(), s.Protocol())
		m.adopted = true
		return addMark(ctx, c, m)
	}
	return nil
}

// after deletes namespaces, and takes the mark off adopted ones.
func (st nsStep) after(ctx context.Context) error {
	s := st.scope
	switch {
	case st.action == Delete:
		s.run.conns.drop(s)
		return netns.Delete(s.Name)
	case st.action == Change && s.mark.adopted:
		c, err := s.Conn()
		if err != nil {
			return err
		}
		return c.Do(ctx, unix.RTM_DELLINKPROP, 0, &route.LinkProp{Index: loIndex, AltNames: []string{s.mark.String()}})
	}
	return nil
}

// peerLink returns the far end of a pair, where it is in a scope of the run.
func (s *Scope) peerLink(l *route.Link) (far *route.Link, in *Scope, ok bool) {
	if !l.HasParent || !isPair(l) {
		return nil, nil, false
	}
	in = s
	if l.HasParentNetNSID {
		if in = s.byNSID(context.Background(), l.ParentNetNSID); in == nil {
			return nil, nil, false
		}
	}
	far = in.links.byIndex[l.Parent]
	return far, in, far != nil
}

// byNSID returns the scope that has an id (RTM_GETNSID) in s, or nil.
func (s *Scope) byNSID(ctx context.Context, id int32) *Scope {
	if o, known := s.nsids[id]; known {
		return o
	}
	if s.nsids == nil {
		s.nsids = map[int32]*Scope{}
		s.readNSID(ctx, s.run.scopes[0])
	}
	if o, known := s.nsids[id]; known {
		return o
	}
	o := s.byMarkBehind(ctx, id)
	if o == nil {
		for _, o := range s.run.scopes[1:] {
			if o.mark.owner == "" {
				s.readNSID(ctx, o)
			}
		}
		o = s.nsids[id]
	}
	s.nsids[id] = o
	return o
}

// readNSID asks for the id that a scope has in s.
func (s *Scope) readNSID(ctx context.Context, o *Scope) {
	if o == s || !o.Exists {
		return
	}
	c, err := s.Conn()
	if err != nil {
		return
	}
	ns, err := o.handle()
	if err != nil {
		return
	}
	defer ns.Close()
	id, err := c.NSID(ctx, ns.FD())
	s.run.doubt(err)
	if err == nil && id >= 0 {
		s.nsids[id] = o
	}
}

// doubt notes that a question got no answer, for want of time or room or because a
// filter stands before the kernel, which itself refuses with EACCES (net/core/rtnetlink.c,
// rtnl_get_net_ns_capable): what it would have been must not be guessed, links would be
// made anew for it.
func (r *Run) doubt(err error) {
	for _, e := range []error{unix.ENOBUFS, unix.ENOMEM, unix.EINTR, unix.EBUSY, unix.EPERM, netlink.ErrUnknown} {
		if errors.Is(err, e) {
			r.unanswered = err
		}
	}
}

// byMarkBehind looks through an id at the mark of the namespace behind it. With
// a thousand namespaces this is a thousand requests; asking for the id of each
// in each would be a million.
func (s *Scope) byMarkBehind(ctx context.Context, id int32) *Scope {
	c, err := s.Conn()
	if err != nil {
		return nil
	}
	lo, err := c.LinkInNSID(ctx, id, loIndex)
	s.run.doubt(err)
	if err != nil {
		return nil
	}
	for _, m := range marksOf(lo.AltNames) {
		if o := s.run.marked[m.id]; o != nil {
			return o
		}
	}
	return nil
}

// newLo stands for lo in a namespace that is yet to be made.
func newLo() *route.Link {
	return &route.Link{Index: loIndex, Name: "lo", Flags: unix.IFF_LOOPBACK, Type: unix.ARPHRD_LOOPBACK, MTU: 65536, TxQueueLen: 1000}
}
