package reconcile

import (
	"errors"
	"fmt"
	"path"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/internal/wire"
	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

// A Scope is one network namespace during one run.
type Scope struct {
	// Name is the namespace's name; empty for the one that the run started in.
	Name string
	// Spec is what the document has for it; nil for a namespace of ours that
	// is no longer declared.
	Spec *spec.Namespace
	// Exists tells whether the kernel has the namespace yet.
	Exists bool

	links  links
	tables []stagedTable
	// connected is known as soon as the addresses are planned.
	connected connected
	nsids     map[int32]*Scope // by their id in this namespace; nil until asked for
	others    map[uint8]bool   // protocols of other owners; nil until asked for
	// ports are the last events of bridge ports, hashed.
	ports map[int32]uint64
	// waiting are the links that are waited for: what hangs on them is left out.
	waiting map[string]bool
	// narrow looks for objects of ours only where some are declared.
	narrow bool
	// shards are the parts of a sharder that are looked at; nil for all.
	shards map[uint32]bool
	// auditFiles is what the document's files of audit rules say; nil until asked for.
	auditFiles *auditFiles
	run        *Run
	mark       mark // of the namespace itself; the zero mark if it is not ours
	// othersMark tells that another owner's is on it instead.
	othersMark bool
}

// Conn returns a connection to the namespace. It stays the run's.
func (s *Scope) Conn() (*route.Conn, error) { return s.run.conns.get(s) }

// names returns iproute2's names.
var names = sync.OnceValue(func() *spec.Names { return spec.SystemNames() })

// in returns " in NAME" for a named namespace, for messages.
func (s *Scope) in() string {
	if s.Name == "" {
		return ""
	}
	return " in " + s.Name
}

// open returns a handle of the namespace, nil for the run's own.
func (s *Scope) open() (*netns.NS, error) {
	if s.Name == "" {
		return nil, nil
	}
	return netns.Open(s.Name)
}

// do runs f in the namespace.
func (s *Scope) do(f func() error) error {
	ns, err := s.open()
	if err != nil {
		return err
	}
	if ns == nil {
		return f()
	}
	defer ns.Close()
	return ns.Do(f)
}

// Owner returns the document's owner.
func (s *Scope) Owner() string { return s.run.doc.Owner }

// Protocol returns the number that marks the document's objects.
func (s *Scope) Protocol() uint8 { return s.run.doc.Protocol }

func (s *Scope) deleting() bool { return s.run.deleting }

// prunes tells whether undeclared objects of a class and a maker go.
func (s *Scope) prunes(class string, m Maker) bool {
	mode := s.pruneMode(class)
	switch m {
	case Listed:
		return true
	case Ours:
		return mode != spec.PruneNone
	case Foreign:
		return mode == spec.PruneAll
	}
	return false
}

// pruneClass maps a class to its key in the document's prune map.
var pruneClass = map[string]string{
	"link": "links", "route": "routes", "rule": "rules", "address": "addresses",
	"neighbor": "neighbors", "namespace": "namespaces", AuditClass: "audit",
}

func (s *Scope) pruneMode(class string) spec.PruneMode {
	if s.Spec == nil {
		return s.run.doc.Prune.For(pruneClass[class])
	}
	return s.Spec.Prune.For(pruneClass[class])
}

// matchAny tells whether a name matches one of the globs of an ignore list.
func matchAny(globs []string, name string) bool {
	for _, g := range globs {
		if ok, _ := path.Match(g, name); ok {
			return true
		}
	}
	return false
}

// maxConns bounds the descriptors of a run over many namespaces.
const maxConns = 32

// conns keeps the connections of a run, the least recently used ones closed.
type conns struct {
	open  map[string]*conn // by the name of the scope
	order []string
}

type conn struct {
	*route.Conn
	ns *netns.NS
}

func (c *conn) close() {
	c.Conn.Close()
	if c.ns != nil {
		c.ns.Close()
	}
}

func (cs *conns) get(s *Scope) (*route.Conn, error) {
	if c := cs.open[s.Name]; c != nil {
		return c.Conn, nil
	}
	ns, err := s.open()
	if err != nil {
		return nil, err
	}
	cfg := netlink.Config{}
	if ns != nil {
		cfg.NetNS = ns.FD()
	}
	rc, err := wire.Dial(cfg)
	if err != nil {
		if ns != nil {
			ns.Close()
		}
		if ns != nil && errors.Is(err, unix.EPERM) {
			return nil, fmt.Errorf("%w: CAP_SYS_ADMIN is needed to enter a namespace", ErrCapability)
		}
		return nil, fmt.Errorf("netlink socket%s: %w", s.in(), err)
	}
	if len(cs.order) >= maxConns {
		cs.dropName(cs.order[0])
	}
	if cs.open == nil {
		cs.open = map[string]*conn{}
	}
	cs.open[s.Name] = &conn{rc, ns}
	cs.order = append(cs.order, s.Name)
	return rc, nil
}

func (cs *conns) drop(s *Scope) { cs.dropName(s.Name) }

func (cs *conns) dropName(name string) {
	c := cs.open[name]
	if c == nil {
		return
	}
	c.close()
	delete(cs.open, name)
	for i, o := range cs.order {
		if o == name {
			cs.order = append(cs.order[:i], cs.order[i+1:]...)
			break
		}
	}
}

func (cs *conns) closeAll() {
	for _, c := range cs.open {
		c.close()
	}
	cs.open, cs.order = nil, nil
}
