package reconcile

import (
	"errors"
	"hash/fnv"
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/kind"
	"github.com/nlapply/nlapply/spec"
)

// A Place is a namespace that a run looks at.
type Place struct {
	Name string // as the document names it; empty for the run's own
	// Handle is to be closed.
	Handle *netns.NS
	// Groups are the multicast groups (RTNLGRP_*) that report what the run is
	// about there.
	Groups []uint32
}

// Places returns the namespaces of the last plan, or of the last Lock, that
// exist. With an error, which is about some of them, it returns the others.
func (r *Run) Places() (places []Place, err error) {
	for _, s := range r.scopes {
		if !s.Exists {
			continue
		}
		ns, openErr := s.handle()
		switch {
		case openErr == nil:
			places = append(places, Place{s.Name, ns, s.groups()})
		case !errors.Is(openErr, fs.ErrNotExist):
			err = errors.Join(err, openErr)
		}
	}
	return places, err
}

// groups are those of links, and of the classes that are declared or pruned.
func (s *Scope) groups() []uint32 {
	groups := []uint32{unix.RTNLGRP_LINK}
	for _, res := range resources {
		t := res.table()
		if s.pruneMode(t.class()) != spec.PruneAll && (s.Spec == nil || !res.declared(s.Spec)) {
			continue
		}
		for _, g := range t.groups() {
			if !slices.Contains(groups, g) {
				groups = append(groups, g)
			}
		}
	}
	return groups
}

// Concerns tells whether it matters to the run that a named namespace comes, goes
// or becomes another one: it is declared, or of ours, or all are pruned.
func (r *Run) Concerns(namespace string) bool {
	return r.doc.Namespaces[namespace] != nil || r.scope(namespace) != nil || r.prunesNamespace(namespace)
}

// Owns tells whether an event comes of a request of the run's own, by the port
// that it bears.
func (r *Run) Owns(port uint32) bool {
	for _, c := range r.conns.open {
		if port == c.Port() {
			return true
		}
	}
	return false
}

// A Heard is what an event of the kernel means to a run. It is never more than a
// reason to look.
type Heard struct {
	// Look is what to look at because of it, once there is a reason.
	Look Look
	// Rouses tells that the event is such a reason: something declared may have
	// changed, or something came that is to go.
	Rouses bool
	// Right tells that the event is about something declared that is as declared.
	Right bool
	// Object is what it is about, where that is known.
	Object Object
	// Deleted tells that the object went.
	Deleted bool
	// Protocol is that of the object; 0 where it has none.
	Protocol uint8
	shards   Shards
}

// Hear reads an event of a namespace against what the last plan found.
func (r *Run) Hear(namespace string, typ uint16, data []byte) Heard {
	s := r.scope(namespace)
	if s == nil || !r.looked {
		return Heard{Look: Look{All: true}, Rouses: true}
	}
	switch typ {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		return s.hearLink(typ, data)
	}
	var all Heard
	for _, t := range s.tables {
		h := t.hear(s, typ, data)
		all.Right = all.Right || h.Right
		if !h.Rouses || h.Object.Name != "" && r.holds(h.Object) {
			continue
		}
		all.Look.Add(h.Look)
		part := all.Look.At(s.Name)
		part.AddClass(t.class(), h.shards)
		// What is ours may be where nothing of ours is declared.
		part.Wide = part.Wide || !h.Deleted && h.Object.Path == ""
		if all.Rouses = true; h.Object.Name != "" {
			all.Object, all.Deleted, all.Protocol = h.Object, h.Deleted, h.Protocol
		}
	}
	return all
}

// hearLink compares an event with the link as it was found.
func (s *Scope) hearLink(typ uint16, data []byte) (h Heard) {
	var l route.Link
	if err := l.Decode(data); err != nil {
		return Heard{Look: Look{All: true}, Rouses: true}
	}
	part := h.Look.At(s.Name)
	before := s.links.byIndex[l.Index]
	h.Object = Object{Namespace: s.Name, Class: "link", Name: l.Name}
	name := s.declaredAs(&l)
	if name == "" && before != nil { // events of ports have no alternative names
		name = s.declaredAs(before)
	}
	if name != "" {
		h.Object.Name, h.Object.Path = name, spec.Path(s.Name, "links", name)
	}
	if part.Links = before == nil || typ == unix.RTM_DELLINK || s.changesOthers(before); !part.Links {
		part.AddLink(l.Index)
	}
	switch {
	case l.Family == unix.AF_BRIDGE:
		// The port, not the link; its options are part of the link's dump.
		part.AddClass("vlan", nil)
		part.AddClass("fdb", nil)
		h.Rouses = s.isNewOfPort(l.Index, data) && before != nil && s.declaredLink(l.Index) != nil
	case typ == unix.RTM_DELLINK:
		h.Deleted, part.Tables, h.Rouses = true, true, before != nil
	case before == nil:
		h.Rouses = s.expects(&l)
	case !sameLink(before, &l):
		part.Fallen = !l.IsUp() // it may be up again when it is looked at, and what it took down not back
		h.Rouses = true
	default:
		return Heard{Object: h.Object}
	}
	// Of a link that is left alone it only matters what others lose by it.
	h.Rouses = h.Rouses && (h.Deleted || part.Fallen || !s.run.holds(h.Object))
	return h
}

// isNewOfPort tells whether an event of a bridge port says anything that the last
// one did not: the kernel repeats them.
func (s *Scope) isNewOfPort(index int32, data []byte) bool {
	h := fnv.New64a()
	h.Write(data)
	if s.ports == nil {
		s.ports = map[int32]uint64{}
	}
	last, known := s.ports[index]
	s.ports[index] = h.Sum64()
	return !known || last != h.Sum64()
}

// expects tells whether a new link matters: by its name, its mark, what it is
// part of, or because it would be pruned.
func (s *Scope) expects(l *route.Link) bool {
	if s.waiting[l.Name] || slices.ContainsFunc(l.AltNames, func(n string) bool { return s.waiting[n] }) {
		return true
	}
	if s.Spec == nil {
		return s.prunes("link", s.linkMaker(l))
	}
	return s.declaredAs(l) != "" ||
		l.Master != 0 && s.declaredLink(l.Master) != nil ||
		l.HasParent && !l.HasParentNetNSID && s.declaredLink(l.Parent) != nil ||
		s.prunes("link", s.linkMaker(l))
}

// sameLink tells whether an event says nothing new: carriers and counters come
// and go.
func sameLink(a, b *route.Link) bool {
	const volatile = unix.IFF_RUNNING | unix.IFF_LOWER_UP | unix.IFF_DORMANT | unix.IFF_ECHO
	return supportsTheSame(a, b) && isAsUp(a, b) && a.Flags&^volatile == b.Flags&^volatile &&
		a.MTU == b.MTU && a.Alias == b.Alias && a.Group == b.Group && a.TxQueueLen == b.TxQueueLen &&
		a.AddrGenMode == b.AddrGenMode && a.SlaveKind == b.SlaveKind && a.Parent == b.Parent &&
		sameOptions(kind.New, a.Kind, a.Data, b.Data) && sameOptions(kind.NewPort, a.SlaveKind, a.SlaveData, b.SlaveData)
}

// sameOptions compares options of a kind, but for those that only report: a
// bridge's timers, a bond's aggregator.
func sameOptions(make func(string) (kind.Kind, bool), name string, a, b []byte) bool {
	if slices.Equal(a, b) {
		return true
	}
	x, ok := make(name)
	y, _ := make(name)
	if !ok {
		return false
	}
	_, errX := kind.Decode(x, a)
	_, errY := kind.Decode(y, b)
	return errX == nil && errY == nil && len(kind.Diff(x, y)) == 0 && len(kind.Diff(y, x)) == 0
}

// A hearer is a resource that reads events of its groups.
type hearer[T any] interface {
	// Hear decodes an event into t. It is false for one that is about something
	// else, or that cannot matter.
	Hear(s *Scope, typ uint16, data []byte, t *T) (protocol uint8, ok bool)
}

// A sufferer is a resource of which the kernel takes objects down without a word when a
// link goes down or loses an address.
type sufferer[T any] interface {
	Suffers(t *T) bool
}

// suffers tells whether a table has such objects.
func suffers(t table) bool {
	sf, ok := t.(interface{ suffers() bool })
	return ok && sf.suffers()
}

func (o *objects[K, T]) suffers() bool {
	sf, ok := o.res.(sufferer[T])
	for i := 0; ok && i < o.declared; i++ {
		if sf.Suffers(&o.want[i]) {
			return true
		}
	}
	return false
}

// Suffers implements sufferer. With the last IPv4 address of a link, and when it goes
// down, go the routes through it (net/ipv4/fib_frontend.c, fib_disable_ip), IPv6 routes
// where net.ipv6.route.skip_notify_on_dev_down is set, and from IPv6 routes goes the
// source that was an address (net/ipv6/route.c, rt6_remove_prefsrc).
func (routeResource) Suffers(*routeObject) bool { return true }

// Suffers implements sufferer. With the last address of a family, and when a link goes
// down, go the neighbours, and only those that are no proxies are announced
// (net/ipv4/devinet.c, inetdev_destroy; net/core/neighbour.c, pneigh_ifdown_and_unlock).
func (neighborResource) Suffers(n *neighborObject) bool { return n.IsProxy() }

// hear implements table.
func (o *objects[K, T]) hear(s *Scope, typ uint16, data []byte) (h Heard) {
	if typ == unix.RTM_DELADDR && o.suffers() {
		h.Rouses, h.Deleted = true, true
		return h
	}
	hr, ok := o.res.(hearer[T])
	if !ok {
		return h
	}
	t := &o.heard
	h.Protocol, ok = hr.Hear(s, typ, data, t)
	if !ok {
		return h
	}
	if o.index == nil {
		o.number()
	}
	h.Deleted = isDeletion(typ)
	w, wanted := o.index[o.res.Key(t)]
	wanted = wanted && int(w) < o.declared
	switch {
	case wanted && h.Deleted:
		h.Rouses = true
	case wanted:
		h.Right = o.res.Compare(s, &o.want[w], t).Equal()
		h.Rouses = !h.Right
	case !h.Deleted:
		h.Rouses = o.prunable(s, t)
	}
	if h.Rouses {
		if sh, ok := o.res.(sharder[T]); ok {
			h.shards = Shards{sh.Shard(t): true}
		}
		h.Object = Object{Namespace: s.Name, Class: o.res.Class(), Name: o.res.Name(s, t)}
		if wanted {
			h.Object.Path = o.res.Path(s, &o.want[w])
		}
	}
	return h
}

// isDeletion tells a RTM_DEL* from a RTM_NEW*: types come in fours
// (include/uapi/linux/rtnetlink.h).
func isDeletion(typ uint16) bool { return typ%4 == unix.RTM_DELLINK%4 }

// hear implements table: some sysctls have events, most have not.
func (t *sysctlTable) hear(s *Scope, typ uint16, _ []byte) (h Heard) {
	h.Rouses = typ == unix.RTM_NEWNETCONF && len(t.declared) > 0
	return h
}

// hear implements table.
func (t *vlanTable) hear(s *Scope, typ uint16, _ []byte) (h Heard) {
	h.Rouses = (typ == unix.RTM_NEWVLAN || typ == unix.RTM_DELVLAN) && s.declaresVLANs()
	return h
}

// Hear implements hearer.
func (addressResource) Hear(_ *Scope, typ uint16, data []byte, a *address) (protocol uint8, ok bool) {
	if typ != unix.RTM_NEWADDR && typ != unix.RTM_DELADDR {
		return 0, false
	}
	*a = address{decl: -1}
	ok = a.Decode(data) == nil
	return a.Proto, ok
}

// Hear implements hearer.
func (neighborResource) Hear(_ *Scope, typ uint16, data []byte, n *neighborObject) (protocol uint8, ok bool) {
	if typ != unix.RTM_NEWNEIGH && typ != unix.RTM_DELNEIGH {
		return 0, false
	}
	*n = neighborObject{decl: -1}
	ok = n.Decode(data) == nil && n.Family != unix.AF_BRIDGE
	return n.Protocol, ok
}

// Hear implements hearer. What a bridge learns and forgets is nothing to it.
func (fdbResource) Hear(s *Scope, typ uint16, data []byte, o *fdbObject) (protocol uint8, ok bool) {
	if typ != unix.RTM_NEWNEIGH && typ != unix.RTM_DELNEIGH {
		return 0, false
	}
	*o = fdbObject{decl: -1}
	ok = o.Decode(data) == nil && o.Family == unix.AF_BRIDGE && o.State&fdbState != 0
	return 0, ok
}

// Hear implements hearer.
func (routeResource) Hear(_ *Scope, typ uint16, data []byte, r *routeObject) (protocol uint8, ok bool) {
	if typ != unix.RTM_NEWROUTE && typ != unix.RTM_DELROUTE {
		return 0, false
	}
	*r = routeObject{decl: -1}
	ok = r.Decode(data) == nil && r.Flags&unix.RTM_F_CLONED == 0
	return r.Protocol, ok
}

// Hear implements hearer.
func (ruleResource) Hear(_ *Scope, typ uint16, data []byte, r *ruleObject) (protocol uint8, ok bool) {
	if typ != unix.RTM_NEWRULE && typ != unix.RTM_DELRULE {
		return 0, false
	}
	*r = ruleObject{decl: -1}
	ok = r.Decode(data) == nil
	return r.Protocol, ok
}
