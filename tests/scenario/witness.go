package scenario

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

// A Witness hears the kernel's events while nlapply runs and says which of them
// the printed plan does not account for. What the kernel makes by itself, and
// what comes and goes with a carrier, needs no line; nor does a link that was
// taken back before it had its name.
type Witness []*ear

// An ear listens in one namespace.
type ear struct {
	in    string // the namespace's name, "" for the one that nlapply is started in
	sub   *netlink.Subscription
	first map[int32]*route.Link // the links before
	names map[int32][]string    // all that a link was called
	addrs map[addrKey]bool      // those there are
	heard []heard
	lost  bool // events were lost: nothing can be said
	done  chan struct{}
}

// addrKey tells addresses apart.
type addrKey struct {
	index int32
	addr  netip.Addr
}

// heard is an event, decoded.
type heard struct {
	typ  uint16
	link *route.Link
	addr *route.Addr
	rt   *route.Route
	rule *route.Rule
	ngh  *route.Neighbor
}

// untoldEnv is set by scenarios in which other programs change things at the
// same time.
const untoldEnv = "NLAPPLY_UNTOLD"

// newWitness begins to listen, or returns nil where there is no printed plan to
// hold against the events.
func newWitness(args []string) Witness {
	silent := []string{"-q", "--quiet", "-o", "--output", "-n", "--netns", "plan", "watch", "--watch", "status", "dump", "monitor", "validate", "schema", "completion", "version", "help", "-h", "--help"}
	if os.Getenv(untoldEnv) != "" || slices.ContainsFunc(args, func(a string) bool { return slices.Contains(silent, a) }) || isTraced() {
		return nil
	}
	return Listen()
}

// Listen begins to listen in the namespace of the calling thread and in all named
// ones.
func Listen() (w Witness) {
	names := namespaces()
	if len(names) > maxEars {
		names = nil
	}
	for _, name := range append([]string{""}, names...) {
		if e, err := listenIn(name); err == nil {
			w = append(w, e)
		}
	}
	return w
}

// maxEars keeps scenarios with very many namespaces from running out of files.
const maxEars = 50

func listenIn(name string) (*ear, error) {
	cfg := netlink.Config{}
	if name != "" {
		ns, err := netns.Open(name)
		if err != nil {
			return nil, err
		}
		defer ns.Close()
		cfg.NetNS = ns.FD()
	}
	c, err := route.Dial(cfg)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	w := &ear{in: name, first: map[int32]*route.Link{}, names: map[int32][]string{}, addrs: map[addrKey]bool{}, done: make(chan struct{})}
	w.sub, err = c.Subscribe(unix.RTNLGRP_LINK, unix.RTNLGRP_NEIGH, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR,
		unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE)
	if err != nil {
		return nil, err
	}
	for l, err := range c.Links(context.Background()) {
		if err == nil {
			w.first[l.Index] = l.Clone()
			w.call(l)
		}
	}
	for a, err := range c.Addrs(context.Background(), route.AddrFilter{}) {
		if err == nil {
			w.addrs[addrKey{a.Index, a.Local}] = true
		}
	}
	go w.listen()
	return w, nil
}

// isTraced tells whether strace counts this process's calls.
func isTraced() bool {
	status, _ := os.ReadFile("/proc/self/status")
	return !regexp.MustCompile(`(?m)^TracerPid:\t0$`).Match(status)
}

func (w *ear) call(l *route.Link) {
	for _, name := range append([]string{l.Name}, l.AltNames...) {
		if !slices.Contains(w.names[l.Index], name) {
			w.names[l.Index] = append(w.names[l.Index], name)
		}
	}
}

func (w *ear) listen() {
	defer close(w.done)
	for m, err := range w.sub.Messages(context.Background()) {
		if err != nil {
			w.lost = w.lost || errors.Is(err, netlink.ErrOverrun)
			continue
		}
		h := heard{typ: m.Type}
		switch m.Type {
		case unix.RTM_NEWLINK, unix.RTM_DELLINK:
			h.link = decoded[route.Link](m)
			w.call(h.link)
		case unix.RTM_NEWADDR, unix.RTM_DELADDR:
			h.addr = decoded[route.Addr](m)
		case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
			h.rt = decoded[route.Route](m)
		case unix.RTM_NEWRULE, unix.RTM_DELRULE:
			h.rule = decoded[route.Rule](m)
		case unix.RTM_NEWNEIGH, unix.RTM_DELNEIGH:
			h.ngh = decoded[route.Neighbor](m)
		default:
			continue
		}
		w.heard = append(w.heard, h)
	}
}

// decoded returns the object of a message, which does not share memory with it.
func decoded[T any, P interface {
	*T
	Decode([]byte) error
	Clone() *T
}](m netlink.Message) P {
	object := P(new(T))
	object.Decode(m.Data) // what a broken message lacks is missed in the plan
	return object.Clone()
}

// Untold ends the listening and returns the events that what was printed does not
// account for.
func (w Witness) Untold(printed string) (untold []string) {
	if len(w) > 0 {
		time.Sleep(20 * time.Millisecond) // links vanish a little later
	}
	for _, e := range w {
		e.sub.Close()
		<-e.done
		if !e.lost && !strings.Contains(printed, " more of class ") {
			untold = append(untold, e.untold(readPlan(printed))...)
		}
	}
	return untold
}

func (w *ear) untold(p plan) (untold []string) {
	if w.in != "" && p.has("- namespace "+w.in) {
		return nil
	}
	links := maps.Clone(w.first)
	for _, h := range w.heard {
		if why := w.accounts(p, links, h); why != "" {
			untold = append(untold, strings.TrimSpace(why+" "+w.in))
		}
		if h.link != nil && h.link.Family == unix.AF_UNSPEC {
			links[h.link.Index] = h.link
		}
	}
	return untold
}

// accounts returns the event as text when p does not account for it.
func (w *ear) accounts(p plan, links map[int32]*route.Link, h heard) string {
	verb := "new"
	if (h.typ-unix.RTM_NEWLINK)%4 == 1 {
		verb = "del"
	}
	switch {
	case h.link != nil:
		if comesWithModule(h.link) || isNameless(w.names[h.link.Index]) || h.link.Flags&unix.IFF_LOOPBACK != 0 && p.has("namespace "+w.in) {
			return "" // lo bears the mark of its namespace
		}
		if p.hasLink(w.names[h.link.Index]) || h.typ == unix.RTM_NEWLINK && !changed(links[h.link.Index], h.link) ||
			h.link.Family == unix.AF_BRIDGE && p.hasLink(w.names[h.link.Master]) {
			return ""
		}
		return fmt.Sprintf("%s link %s (%s)", verb, h.link.Name, difference(links[h.link.Index], h.link))
	case h.addr != nil:
		return w.untoldAddr(p, verb, h.addr)
	case h.rt != nil:
		return w.untoldRoute(p, verb, h.rt)
	case h.rule != nil:
		if h.rule.Protocol == unix.RTPROT_KERNEL || p.has(fmt.Sprintf("rule %d", h.rule.Priority)) {
			return ""
		}
		return fmt.Sprintf("%s rule %d", verb, h.rule.Priority)
	}
	return w.untoldNeighbor(p, links, verb, h.ngh)
}

// comesWithModule tells whether a link looks like one that the kernel makes when
// it loads a module, which another scenario may have asked for.
func comesWithModule(l *route.Link) bool {
	return !l.IsUp() && slices.Contains([]string{
		"gre0", "gretap0", "erspan0", "tunl0", "sit0", "ip6tnl0", "ip6gre0", "ip_vti0", "ip6_vti0", "dummy0", "bond0", "ifb0", "ifb1",
	}, l.Name)
}

// isNameless tells whether all that a link was called is a temporary name.
func isNameless(names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return !temporary.MatchString(name) })
}

var temporary = regexp.MustCompile(`^(nla[0-9a-f]{12}|nlapply:.*)$`)

func (w *ear) untoldAddr(p plan, verb string, a *route.Addr) string {
	own, key := a.Local, addrKey{a.Index, a.Local}
	promoted := verb == "new" && w.addrs[key] // it was there: the kernel made it the primary one
	w.addrs[key] = verb == "new"
	switch {
	case promoted:
	case own.IsLoopback(), own.IsLinkLocalUnicast() && own.Is6(), a.Proto != 0 && a.Proto <= route.IFAPROT_KERNEL_LL:
	case p.has(own.String()), p.suffers("address", w.names[a.Index]):
	default:
		return fmt.Sprintf("%s address %s dev %v", verb, own, w.names[a.Index])
	}
	return ""
}

func (w *ear) untoldRoute(p plan, verb string, r *route.Route) string {
	dst := "default"
	if r.Dst.IsValid() {
		dst = r.Dst.String()
		if r.Dst.IsSingleIP() {
			dst = r.Dst.Addr().String()
		}
	}
	names := w.names[r.OIF]
	for _, hop := range r.NextHops {
		names = slices.Concat(names, w.names[hop.OIF])
	}
	switch {
	case r.Table == unix.RT_TABLE_LOCAL, r.Protocol == unix.RTPROT_KERNEL, r.Protocol == unix.RTPROT_RA:
	case r.Flags&unix.RTM_F_CLONED != 0, r.Type == unix.RTN_MULTICAST, r.Type == unix.RTN_LOCAL, r.Type == unix.RTN_ANYCAST:
	case p.hasRoute(dst), p.suffers("route", names):
	case r.Family == unix.AF_INET6 && p.suffers("route", slices.Concat(slices.Collect(maps.Values(w.names))...)):
		// hops of a multipath route go one by one, and the event names another one
	default:
		return fmt.Sprintf("%s route %s dev %v table %d proto %d", verb, dst, names, r.Table, r.Protocol)
	}
	return ""
}

func (w *ear) untoldNeighbor(p plan, links map[int32]*route.Link, verb string, n *route.Neighbor) string {
	key, class := n.Dst.String(), "neighbor"
	if n.Family == unix.AF_BRIDGE {
		key, class = n.LLAddr.String(), "fdb"
		for _, l := range links {
			if l.Address.String() == key { // every port's own
				return ""
			}
		}
	}
	names := slices.Concat(w.names[n.Index], w.names[n.Master])
	multicast := n.Dst.IsMulticast() || n.Dst == netip.AddrFrom4([4]byte{255, 255, 255, 255})
	switch {
	case !n.IsConfigured(), multicast, isNameless(w.names[n.Index]), class == "fdb" && n.Flags&unix.NTF_SELF != 0 && n.LLAddr != nil && n.LLAddr[0]&1 != 0 && key != "00:00:00:00:00:00":
	case p.has(key), p.suffers(class, names), class == "fdb" && p.hasLink(names):
	default:
		return fmt.Sprintf("%s %s %s dev %v", verb, class, key, names)
	}
	return ""
}

// difference says what is not the same in two states of a link.
func difference(old, l *route.Link) string {
	if old == nil {
		return "not there before"
	}
	a, b := reflect.ValueOf(steady(old)), reflect.ValueOf(steady(l))
	var fields []string
	for i := range a.NumField() {
		if x, y := a.Field(i).Interface(), b.Field(i).Interface(); !reflect.DeepEqual(x, y) {
			fields = append(fields, fmt.Sprintf("%s %v → %v", a.Type().Field(i).Name, x, y))
		}
	}
	return strings.Join(fields, ", ")
}

func changed(old, l *route.Link) bool {
	return l.Family == unix.AF_UNSPEC && (old == nil || difference(old, l) != "")
}

// steadyLink is what of a link changes only when somebody changes it.
type steadyLink struct {
	Name, Alias, Address, AltNames string
	Up                             bool
	MTU, Group, TxQLen             uint32
	Master                         int32
	AddrGenMode                    uint8
	Options, Port                  map[string]any
}

func steady(l *route.Link) steadyLink {
	s := steadyLink{
		Name: l.Name, Alias: l.Alias, Address: l.Address.String(), AltNames: strings.Join(l.AltNames, " "), Up: l.IsUp(), MTU: l.MTU, Group: l.Group,
		TxQLen: l.TxQueueLen, Master: l.Master, AddrGenMode: l.AddrGenMode,
	}
	if k, ok := kind.New(l.Kind); ok {
		kind.Decode(k, l.Data)
		s.Options = kind.Minimal(k)
		if l.Kind == "bridge" { // it takes those of its ports
			s.Address, s.MTU = "", 0
		}
	}
	if k, ok := kind.NewPort(l.SlaveKind); ok {
		kind.Decode(k, l.SlaveData)
		s.Port = kind.Minimal(k)
	}
	return s
}
