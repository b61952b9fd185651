package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/kind"
	"github.com/nlapply/nlapply/spec"
)

// DumpConfig says what to dump. The zero value dumps everything that the kernel
// did not make, as the default owner's.
type DumpConfig struct {
	Owner string // "": spec.DefaultOwner
	Owned bool   // only what bears the owner's mark
}

// Dump returns the kernel's state, of the namespace and of all named ones, as a
// document. Applying it where it comes from changes nothing.
func Dump(ctx context.Context, cfg DumpConfig) (*spec.Document, error) {
	d := &dump{cfg: cfg, doc: &spec.Document{Version: 1, Owner: cfg.Owner, Protocol: spec.DefaultProtocol}}
	if cfg.Owner == "" {
		d.doc.Owner = spec.DefaultOwner
	}
	if err := spec.CheckOwner(d.doc.Owner); err != nil {
		return nil, err
	}
	d.run = &Run{doc: &spec.Document{Owner: d.doc.Owner, Protocol: d.doc.Protocol}, keepAll: true, marked: map[string]*Scope{}}
	defer d.run.Close()
	if err := d.look(ctx); err != nil {
		return nil, err
	}
	for _, s := range d.run.scopes {
		n := &d.doc.Namespace
		if s.Name != "" {
			n = &spec.Namespace{}
			if d.doc.Namespaces == nil {
				d.doc.Namespaces = map[string]*spec.Namespace{}
			}
			d.doc.Namespaces[s.Name] = n
		}
		d.links(s, n)
		for _, t := range s.tables {
			t.describe(s, n, cfg.Owned)
		}
		if n.Links != nil && s.Name != "" && len(n.Links) == 0 {
			n.Links = nil
		}
	}
	if err := d.run.unanswered; err != nil {
		return nil, fmt.Errorf("namespaces of pairs: %w", err)
	}
	return d.doc, nil
}

type dump struct {
	cfg DumpConfig
	doc *spec.Document
	run *Run
}

func (d *dump) look(ctx context.Context) error {
	r := d.run
	all := []*Scope{{Exists: true, run: r, Spec: &spec.Namespace{}}}
	if hasCapability(unix.CAP_SYS_ADMIN) {
		names, err := otherNamespaces()
		if err != nil {
			return err
		}
		known := namesakes{}
		for _, name := range names {
			if known.first(name) != name {
				continue
			}
			all = append(all, &Scope{Name: name, Exists: true, run: r, Spec: &spec.Namespace{}})
		}
	}
	r.scopes, r.byName = nil, map[string]*Scope{}
	for _, s := range all {
		err := s.observeLinks(ctx)
		if errors.Is(err, ErrCapability) {
			continue // of another user namespace: as closed as all are to a process without the right
		}
		if err != nil {
			return fmt.Errorf("links%s: %w", s.in(), err)
		}
		r.addScope(s)
		if lo := s.links.byIndex[loIndex]; lo != nil && s.Name != "" {
			for _, m := range marksOf(lo.AltNames) {
				s.mark = m
				r.marked[m.id] = s
			}
		}
	}
	d.findProtocol()
	for _, s := range r.scopes {
		for _, res := range resources {
			s.tables = append(s.tables, stagedTable{res.table(), res.stage})
		}
		if err := s.observe(ctx, nil, everyTable); err != nil {
			return err
		}
	}
	return nil
}

// findProtocol takes the owner's protocol from its marks.
func (d *dump) findProtocol() {
	for _, s := range d.run.scopes {
		for _, l := range s.links.byIndex {
			if m, ok := ownMark(l.AltNames, d.doc.Owner); ok {
				d.doc.Protocol, d.run.doc.Protocol = m.protocol, m.protocol
				return
			}
		}
	}
}

func (d *dump) links(s *Scope, n *spec.Namespace) {
	n.Links = map[string]*spec.Link{}
	for _, l := range s.links.byIndex {
		m := s.linkMaker(l)
		loUp := l.Flags&unix.IFF_LOOPBACK != 0 && l.IsUp()
		if m == Kernel && !loUp || d.cfg.Owned && m != Ours && !s.farEndOfOurs(l) {
			continue
		}
		n.Links[l.Name] = d.link(s, l)
	}
}

// link describes one link.
func (d *dump) link(s *Scope, l *route.Link) *spec.Link {
	out := &spec.Link{Up: l.IsUp(), Options: map[string]map[string]any{}}
	d.kind(s, l, out)
	if l.Flags&unix.IFF_LOOPBACK != 0 {
		return out
	}
	describeGeneric(s, l, out)
	if names := userAltNames(l); len(names) > 0 {
		slices.Sort(names)
		out.AltNames = &names
	}
	if l.Master != 0 {
		name := s.LinkName(l.Master)
		out.Master = &name
		if p, ok := s.observedPort(l); ok {
			d.section(out, p.Name()+portSuffix, p)
		}
	}
	return out
}

// kind describes what the link is made of. The far end of a pair, and a link
// whose far end is out of sight, is declared without a kind.
func (d *dump) kind(s *Scope, l *route.Link, out *spec.Link) {
	k, ok := s.observedKind(l)
	if !ok {
		return
	}
	if kind.IsPair(k) {
		far, in, ok := s.peerLink(l)
		if !ok || !d.isNear(s, l, in, far) {
			return
		}
		out.Peer = &spec.Peer{Name: far.Name}
		if in != s {
			out.Peer.Namespace = &in.Name
		}
	}
	out.Kind = k.Name()
	if kind.NeedsParent(k) {
		name := s.LinkName(l.Parent)
		out.Parent = &name
	}
	d.section(out, k.Name(), k)
}

// isNear tells which end of a pair is declared with the kind: the one with a
// mark, else the one that comes first.
func (d *dump) isNear(s *Scope, l *route.Link, in *Scope, far *route.Link) bool {
	nearOurs, farOurs := s.linkMaker(l) == Ours, in.linkMaker(far) == Ours
	if nearOurs != farOurs {
		return nearOurs
	}
	if s != in {
		return s.Name < in.Name
	}
	return l.Index < far.Index
}

func (d *dump) section(out *spec.Link, name string, k kind.Kind) {
	if m := kind.Minimal(k); len(m) > 0 {
		out.Options[name] = m
	}
}

// describeGeneric writes what differs from a link as it is made.
func describeGeneric(s *Scope, l *route.Link, out *spec.Link) {
	if l.MTU != defaultMTU(s, l) {
		out.MTU = &l.MTU
	}
	if l.TxQueueLen != 1000 {
		out.TxQueueLen = &l.TxQueueLen
	}
	if l.Group != 0 {
		out.Group = &l.Group
	}
	if l.Alias != "" {
		out.Alias = &l.Alias
	}
	if l.HasAddrGenMode && l.AddrGenMode != 0 {
		m := route.AddrGenModeName(l.AddrGenMode)
		out.AddrGenMode = &m
	}
	arp, multicast := l.Flags&unix.IFF_NOARP == 0, l.Flags&unix.IFF_MULTICAST != 0
	k, ok := kind.New(l.Kind)
	quiet := ok && kind.IsQuiet(k)
	if arp == quiet {
		out.ARP = &arp
	}
	if multicast == quiet {
		out.Multicast = &multicast
	}
	if l.Flags&unix.IFF_ALLMULTI != 0 {
		out.AllMulticast = new(true)
	}
	if l.Flags&unix.IFF_PROMISC != 0 {
		out.Promisc = new(true)
	}
	if ownAddress(s, l) {
		out.Address = spec.HardwareAddr(l.Address)
	}
}

func defaultMTU(s *Scope, l *route.Link) uint32 {
	if below := s.links.byIndex[l.Parent]; below != nil && !l.HasParentNetNSID && !isPair(l) {
		return below.MTU
	}
	return 1500
}

// ownAddress tells whether a software link has a hardware address that it would
// not get again by itself from its parent, its ports or its master.
func ownAddress(s *Scope, l *route.Link) bool {
	if l.Kind == "" || l.Type != unix.ARPHRD_ETHER || l.Address.IsZero() {
		return false
	}
	if below := s.links.byIndex[l.Parent]; below != nil && !l.HasParentNetNSID && !isPair(l) && below.Address.Equal(l.Address) {
		return false
	}
	if m := s.links.byIndex[l.Master]; m != nil && m.Address.Equal(l.Address) {
		return !s.masterKind(l.Master).wantsDown // a bond gives its ports its own; a bridge takes a port's
	}
	if k, ok := kind.New(l.Kind); ok && kind.IsMaster(k) && l.Flags&unix.IFF_LOWER_UP != 0 && len(s.portsOf(l)) == 0 {
		// A bridge that was given an address has no carrier before it has a port
		// (net/bridge/br_stp_if.c, br_stp_change_bridge_id).
		return false
	}
	for _, port := range s.portsOf(l) {
		if port.Address.Equal(l.Address) {
			return false
		}
	}
	return true
}

// describe implements table.
func (o *objects[K, T]) describe(s *Scope, n *spec.Namespace, owned bool) {
	d, ok := o.res.(describer[T])
	if !ok {
		return
	}
	seen := map[K]bool{} // a document has one object of a key: the first, which the kernel uses
	for i := range o.have {
		m, key := o.res.Maker(s, &o.have[i]), o.res.Key(&o.have[i])
		if m == Kernel || owned && m != Ours && m != Listed || seen[key] {
			continue
		}
		seen[key] = true
		d.Describe(s, &o.have[i], n)
	}
}

// link returns the declaration of a link in n, made if it is not there.
func linkIn(s *Scope, n *spec.Namespace, index int32) *spec.Link {
	name := s.LinkName(index)
	if n.Links == nil {
		n.Links = map[string]*spec.Link{}
	}
	if n.Links[name] == nil {
		l := s.Link(index)
		n.Links[name] = &spec.Link{Up: l == nil || l.IsUp()}
	}
	return n.Links[name]
}

// Describe writes an address under its link.
func (addressResource) Describe(s *Scope, a *address, n *spec.Namespace) {
	l := linkIn(s, n, a.Index)
	d := spec.Address{
		Local: a.Local, Peer: a.Peer, PrefixLen: a.PrefixLen, Broadcast: a.Broadcast, Metric: a.Metric,
		NoDAD: a.Flags&unix.IFA_F_NODAD != 0 && a.Local.Is6(), Home: a.Flags&unix.IFA_F_HOMEADDRESS != 0,
		MngTmpAddr: a.Flags&unix.IFA_F_MANAGETEMPADDR != 0, NoPrefixRoute: a.Flags&unix.IFA_F_NOPREFIXROUTE != 0,
	}
	if a.Label != s.LinkName(a.Index) && strings.HasPrefix(a.Label, s.LinkName(a.Index)) {
		d.Label = a.Label
	}
	if want := declaredAddress(s, s.LinkName(a.Index), &d); a.Local.Is4() && want.Scope != a.Scope {
		d.Scope = &a.Scope
	}
	if a.ValidLft != route.Forever {
		d.ValidLft = &a.ValidLft
	}
	if a.PreferredLft != route.Forever {
		d.PreferredLft = &a.PreferredLft
	}
	if a.Proto != 0 && a.Proto != s.Protocol() {
		d.Protocol = &a.Proto
	}
	l.Addresses = append(l.Addresses, d)
}
