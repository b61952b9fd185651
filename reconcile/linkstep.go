package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/netlink/route/attr"
	"github.com/nlapply/nlapply/netlink/route/kind"
)

// linkStep is what a plan does to one link.
type linkStep struct {
	action Action
	scope  *Scope
	name   string
	want   *linkWant   // nil for a deletion
	have   *route.Link // nil for a creation
	fields []FieldChange

	generic  []linkField // to be set
	haveKind kind.Kind
	options  []attr.Change // of the kind
	ports    []attr.Change // of the link as a port
	havePort kind.Kind
	master   *string // new master, "" for none; nil leaves it
	release  []int32 // ports to be released first
	raise    []int32 // ports that the deletion leaves down
	bounce   bool    // goes down for the change, and up again
	regains  bool    // joins or leaves a bond, or is one without ports: its MTU and address change
	up       *bool
	rename   bool
	altAdd   []string
	altDel   []string

	// early deletions come before anything is made, because what is made
	// could not stand beside them.
	early bool
	// aside tells that another link takes what only one can have, before or after
	// this one gives it up.
	aside bool
	// quiet steps belong to another step's line: the far end of a pair, a link
	// that stays as it is although the other step would change it.
	quiet bool
	// lowered links are to stay down when the kernel takes them up.
	lowered bool
	level   int

	reason      string
	interrupted map[string]int
	taken       map[string]int
	lost        []string
	peer        string // the far end that goes with the link
	followers   []follower
	released    []*route.Link // ports that lose their master
	readdressed []*route.Link // whose hardware address changes
	resized     []*route.Link // whose MTU changes with that of the link
	lifted      []*route.Link // that the kernel takes up and the plan down again
	// orphans are links of others that stand on the link and go with it.
	orphans []string

	mark  mark
	index int32 // of the made link, once it is known
	err   error
}

// isLate tells whether the step comes after everything new is there.
func (st *linkStep) isLate() bool { return st.action == Delete && !st.early }

// interrupt counts an object of a class that the step takes down and the plan
// puts back. Like take and lose it does nothing on nil.
func (st *linkStep) interrupt(class string) {
	if st != nil {
		increment(&st.interrupted, class)
	}
}

// take counts an object of ours that goes with the link for good.
func (st *linkStep) take(class string) {
	if st != nil {
		increment(&st.taken, class)
	}
}

func increment(m *map[string]int, key string) {
	if *m == nil {
		*m = map[string]int{}
	}
	(*m)[key]++
}

// lose notes an object of others that the step takes down and that cannot be
// put back.
func (st *linkStep) lose(object string) {
	if st != nil {
		st.lost = append(st.lost, object)
	}
}

// losses are what of others the step takes down for good.
func (st *linkStep) losses() []string { return slices.Concat(st.orphans, st.lost) }

// empty tells that the step does nothing.
func (st *linkStep) empty() bool {
	return st.action == Change && len(st.fields) == 0 && !st.quiet
}

func (st *linkStep) change(name, have, want string) {
	st.fields = append(st.fields, FieldChange{Name: name, Have: have, Want: want})
}

// step returns the step's line.
func (st *linkStep) step() Step {
	s := Step{Action: st.action, Namespace: st.scope.Name, Class: "link", Object: st.object(), Note: st.note()}
	if st.want != nil {
		s.Path = st.want.path()
	}
	if st.action != Create {
		s.Fields = st.fields
	}
	return s
}

func (st *linkStep) object() string {
	if st.action != Create || st.want.kind == nil {
		return st.name
	}
	words := []string{st.name, "kind", st.want.kind.Name()}
	if p := st.want.spec.Parent; p != nil {
		words = append(words, "link", *p)
	}
	for _, f := range st.want.kind.Fields() {
		if f.Value.IsSet() {
			words = append(words, f.Name, f.Value.String())
		}
	}
	if p := st.want.peer; p != nil {
		words = append(words, "peer", p.seenFrom(st.scope))
	}
	if m := st.want.spec.Master; m != nil {
		words = append(words, "master", *m)
	}
	return strings.Join(words, " ")
}

func (st *linkStep) note() string {
	var parts []string
	switch {
	case st.action == Replace:
		parts = append(parts, "recreate")
	case st.bounce:
		parts = append(parts, "goes down and up"+st.following(true, " with %s"))
	default:
		parts = append(parts, st.following(true, "takes %s down and up"))
	}
	parts = append(parts, st.following(false, "takes %s down"))
	parts = append(parts, st.reason)
	parts = append(parts, st.naming(st.resized, "changes the MTU of %s"))
	parts = append(parts, st.naming(st.lifted, "takes %s up for a moment"))
	parts = append(parts, st.naming(st.released, "releases %s"))
	if st.peer != "" {
		parts = append(parts, "with its peer "+st.peer)
	}
	if len(st.interrupted)+len(st.lost) > 0 {
		parts = append(parts, st.naming(st.readdressed, "changes the address of %s"))
	}
	if len(st.interrupted) > 0 {
		parts = append(parts, "interrupts "+count(st.interrupted)+", put back")
	}
	if len(st.taken) > 0 {
		parts = append(parts, "takes "+count(st.taken)+" with it")
	}
	if lost := st.losses(); len(lost) > 0 {
		parts = append(parts, "loses "+strings.Join(lost, "; "))
	}
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	return strings.Replace(strings.Join(parts, ", "), "recreate, ", "recreate: ", 1)
}

// A follower is a link that goes down with another one, for a moment or to stay so.
type follower struct {
	link      *route.Link
	comesBack bool
}

// following names the followers that come back, or those that do not.
func (st *linkStep) following(comesBack bool, format string) string {
	var links []*route.Link
	for _, f := range st.followers {
		if f.comesBack == comesBack {
			links = append(links, f.link)
		}
	}
	return st.naming(links, format)
}

// maxNames is how many links a line names that have no line of their own.
const maxNames = 10

// naming names those of the links that have no line of their own; "" for none.
func (st *linkStep) naming(links []*route.Link, format string) string {
	var names []string
	for _, l := range links {
		if st.scope.links.steps[l.Index] == nil {
			names = append(names, l.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	if more := len(names) - maxNames; more > 0 {
		names = append(names[:maxNames], fmt.Sprintf("and %d more", more))
	}
	return fmt.Sprintf(format, strings.Join(names, ", "))
}

// count writes numbers of objects: "2 addresses, 14 routes".
func count(classes map[string]int) string {
	var words []string
	for _, c := range slices.Sorted(maps.Keys(classes)) {
		words = append(words, fmt.Sprintf("%d %s", classes[c], plural(c, classes[c])))
	}
	return strings.Join(words, ", ")
}

func plural(class string, n int) string {
	switch {
	case n == 1:
		return class
	case strings.HasSuffix(class, "s"):
		return class + "es"
	}
	return class + "s"
}
