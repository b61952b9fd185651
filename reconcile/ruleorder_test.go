package reconcile

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

// fakeRules is the kernel's list of rules: net/core/fib_rules.c.
type fakeRules []route.Rule

// add is fib_nl_newrule: behind all rules of the priority.
func (k *fakeRules) add(r route.Rule, excl bool) error {
	at := len(*k)
	for i := range *k {
		o := &(*k)[i]
		if excl && o.Priority == r.Priority && o.Family == r.Family && exists(&r, o) {
			return unix.EEXIST
		}
		if o.Priority > r.Priority && i < at {
			at = i
		}
	}
	*k = slices.Insert(*k, at, r)
	return nil
}

// remove is fib_nl_delrule: the first that fits.
func (k *fakeRules) remove(r route.Rule) error {
	for i := range *k {
		o := &(*k)[i]
		if o.Priority == r.Priority && o.Family == r.Family && deletes(&r, o) {
			*k = slices.Delete(*k, i, i+1)
			return nil
		}
	}
	return unix.ENOENT
}

func (k fakeRules) objects() []ruleObject {
	all := make([]ruleObject, len(k))
	for i := range k {
		all[i] = ruleObject{Rule: k[i], decl: -1}
	}
	ruleResource{}.enumerate(all)
	return all
}

func (k fakeRules) String() string {
	var lines []string
	for i := range k {
		lines = append(lines, fmt.Sprintf("%s proto %d", ruleResource{}.Name(nil, &ruleObject{Rule: k[i]}), k[i].Protocol))
	}
	return strings.Join(lines, "\n")
}

func ruleScope(prune spec.PruneMode) *Scope {
	return &Scope{
		run:  &Run{doc: &spec.Document{Owner: "nlapply", Protocol: 110}},
		Spec: &spec.Namespace{Prune: spec.Prune{Default: prune}},
	}
}

// fakeRuleResource declares and dumps lists instead of a document's and the
// kernel's.
type fakeRuleResource struct {
	ruleResource
	want, have []ruleObject
}

func (r fakeRuleResource) Declare(*Scope) ([]ruleObject, error) { return r.want, nil }

func (r fakeRuleResource) Dump(context.Context, *Scope, bool) iter.Seq2[*ruleObject, error] {
	return func(yield func(*ruleObject, error) bool) {
		for i := range r.have {
			if !yield(&r.have[i], nil) {
				return
			}
		}
	}
}

func planRules(s *Scope, want, have fakeRules) *objects[ruleKey, ruleObject] {
	s.Exists = true
	o := &objects[ruleKey, ruleObject]{res: fakeRuleResource{want: want.objects(), have: have.objects()}}
	if err := o.declare(s); err != nil {
		panic(err)
	}
	if err := o.observe(context.Background(), s, nil); err != nil {
		panic(err)
	}
	return o
}

// carryOut does what objects.execute does, first adding, then removing.
func carryOut(k *fakeRules, o *objects[ruleKey, ruleObject]) error {
	for _, removing := range []bool{false, true} {
		for _, p := range o.ops {
			var err error
			switch t := o.subject(p); {
			case (p.action == Delete) != removing:
			case removing:
				err = k.remove(t.Rule)
			default:
				err = k.add(t.Rule, !t.twin)
			}
			if err != nil {
				return fmt.Errorf("%v: %w", o.step(ruleScope(0), p), err)
			}
		}
	}
	return nil
}

// rule reads "PRIORITY [not] [from A] [mark M] table T [proto P]".
func rule(text string) route.Rule {
	r := route.Rule{Family: unix.AF_INET, Action: unix.FR_ACT_TO_TBL, Protocol: 110}
	words := strings.Fields(text)
	fmt.Sscan(words[0], &r.Priority)
	for i := 1; i < len(words); i++ {
		switch words[i] {
		case "not":
			r.Flags = unix.FIB_RULE_INVERT
			continue
		case "from":
			r.From = netip.MustParsePrefix(words[i+1])
		case "mark":
			fmt.Sscan(words[i+1], &r.FwMark)
			r.FwMask = 1<<32 - 1
		case "table":
			fmt.Sscan(words[i+1], &r.Table)
		case "goto":
			r.Action = unix.FR_ACT_GOTO
			fmt.Sscan(words[i+1], &r.Goto)
		case "proto":
			fmt.Sscan(words[i+1], &r.Protocol)
		}
		i++
	}
	return r
}

func rules(texts ...string) (all fakeRules) {
	for _, t := range texts {
		all = append(all, rule(t))
	}
	return all
}

func TestRuleOrder(t *testing.T) {
	for _, test := range []struct {
		name  string
		prune spec.PruneMode
		have  fakeRules
		want  fakeRules
		plan  string
		after fakeRules
	}{{
		name:  "the same rules",
		have:  rules("100 from 10.0.0.0/8 table 5", "100 table 6"),
		want:  rules("100 from 10.0.0.0/8 table 5", "100 table 6"),
		after: rules("100 from 10.0.0.0/8 table 5", "100 table 6"),
	}, {
		name:  "another program's equal rule satisfies",
		have:  rules("100 table 5 proto 0"),
		want:  rules("100 table 5"),
		after: rules("100 table 5 proto 0"),
	}, {
		name:  "one is missing at the end",
		have:  rules("100 table 5"),
		want:  rules("100 table 5", "100 table 6"),
		plan:  "+ rule 100 lookup 6",
		after: rules("100 table 5", "100 table 6"),
	}, {
		name:  "one is missing in front",
		have:  rules("100 table 5"),
		want:  rules("100 table 6", "100 table 5"),
		plan:  "+ rule 100 lookup 6\n± rule 100 lookup 5",
		after: rules("100 table 6", "100 table 5"),
	}, {
		name:  "swapped",
		have:  rules("100 table 6", "100 table 5"),
		want:  rules("100 table 5", "100 table 6"),
		plan:  "± rule 100 lookup 6",
		after: rules("100 table 5", "100 table 6"),
	}, {
		name:  "foreign rules between do not move",
		have:  rules("100 table 6", "100 table 9 proto 12", "100 table 5"),
		want:  rules("100 table 5", "100 table 6"),
		plan:  "± rule 100 lookup 6",
		after: rules("100 table 9 proto 12", "100 table 5", "100 table 6"),
	}, {
		name:  "a wildcard deletion would hit a declared rule",
		have:  rules("100 mark 7 table 5", "100 from 10.0.0.0/8 table 6", "100 table 5"),
		want:  rules("100 mark 7 table 5", "100 from 10.0.0.0/8 table 6"),
		plan:  "± rule 100 fwmark 0x7 lookup 5\n± rule 100 from 10.0.0.0/8 lookup 6\n- rule 100 lookup 5",
		after: rules("100 mark 7 table 5", "100 from 10.0.0.0/8 table 6"),
	}, {
		name:  "the protocol protects foreign rules",
		have:  rules("100 mark 7 table 5 proto 12", "100 table 5"),
		plan:  "- rule 100 lookup 5",
		after: rules("100 mark 7 table 5 proto 12"),
	}, {
		name:  "a foreign rule without protocol that is hit comes back, in order",
		prune: spec.PruneAll,
		have:  rules("1000 from 10.0.0.0/8 table 5 proto 0", "1000 table 9 proto 3", "1000 table 5 proto 0"),
		want:  rules("1000 table 9"),
		plan:  "- rule 1000 from 10.0.0.0/8 lookup 5\n- rule 1000 lookup 5",
		after: rules("1000 table 9 proto 3"),
	}, {
		name:  "not does not count for the kernel",
		have:  rules("100 from 10.0.0.0/8 table 5"),
		want:  rules("100 not from 10.0.0.0/8 table 5"),
		plan:  "+ rule 100 not from 10.0.0.0/8 lookup 5\n- rule 100 from 10.0.0.0/8 lookup 5",
		after: rules("100 not from 10.0.0.0/8 table 5"),
	}, {
		name:  "nor does the target of goto",
		have:  rules("100 goto 200"),
		want:  rules("100 goto 300"),
		plan:  "+ rule 100 goto 300\n- rule 100 goto 200",
		after: rules("100 goto 300"),
	}, {
		name:  "duplicates of ours go",
		have:  rules("100 table 5", "100 table 6", "100 table 5"),
		want:  rules("100 table 5", "100 table 6"),
		plan:  "± rule 100 lookup 6\n- rule 100 lookup 5",
		after: rules("100 table 5", "100 table 6"),
	}, {
		name:  "an equal rule of another program beside ours",
		have:  rules("100 table 5", "100 table 5 proto 12"),
		want:  rules("100 table 5"),
		after: rules("100 table 5", "100 table 5 proto 12"),
	}, {
		name:  "the kernel's own stay",
		prune: spec.PruneAll,
		have:  rules("0 table 255 proto 2", "32766 table 254 proto 0", "32767 table 253 proto 2"),
		after: rules("0 table 255 proto 2", "32766 table 254 proto 0", "32767 table 253 proto 2"),
	}} {
		t.Run(test.name, func(t *testing.T) {
			s := ruleScope(test.prune)
			o := planRules(s, test.want, test.have)
			var lines []string
			for st := range o.steps(s) {
				lines = append(lines, st.String())
			}
			if diff := cmp.Diff(test.plan, strings.Join(lines, "\n")); diff != "" {
				t.Error("plan (-want +got):\n" + diff)
			}
			k := slices.Clone(test.have)
			if err := carryOut(&k, o); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.after.String(), k.String()); diff != "" {
				t.Error("rules (-want +got):\n" + diff)
			}
		})
	}
}

// randomRule has few values, so that rules are equal or hit each other often.
func randomRule(rnd *rand.Rand) route.Rule {
	r := route.Rule{Family: unix.AF_INET, Action: unix.FR_ACT_TO_TBL, Priority: 100 + uint32(rnd.IntN(2))}
	r.Table = 5 + uint32(rnd.IntN(2))
	if rnd.IntN(6) == 0 {
		r.Action, r.Table, r.Goto = unix.FR_ACT_GOTO, 0, 200+uint32(rnd.IntN(2))
	}
	if rnd.IntN(3) == 0 {
		r.From = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(rnd.IntN(2)), 0, 0}), 16)
	}
	if rnd.IntN(3) == 0 {
		r.FwMark, r.FwMask = uint32(rnd.IntN(2)), 1<<32-1
	}
	if rnd.IntN(4) == 0 {
		r.Flags = unix.FIB_RULE_INVERT
	}
	return r
}

// TestRuleConvergence brings a random list of rules of ours and of others to
// random declared ones.
func TestRuleConvergence(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range 2000 {
		s := ruleScope([]spec.PruneMode{spec.PruneOwned, spec.PruneAll, spec.PruneNone}[rnd.IntN(3)])
		s.Spec.Ignore.Rules = []spec.RuleMatch{{Protocol: new(uint8(12))}}
		var have, want fakeRules
		for range rnd.IntN(9) {
			r := randomRule(rnd)
			r.Protocol = []uint8{0, 110, 110, 12, unix.RTPROT_KERNEL}[rnd.IntN(5)]
			if r.Protocol == unix.RTPROT_KERNEL {
				r.Action, r.Table, r.Goto = unix.FR_ACT_TO_TBL, 9, 0 // no other's deletion hits it
			}
			have.add(r, false)
		}
		for range rnd.IntN(6) {
			r := randomRule(rnd)
			if len(have) > 0 && rnd.IntN(2) == 0 {
				r = have[rnd.IntN(len(have))]
			}
			r.Protocol = 110
			want = append(want, r)
		}
		checkRuleConvergence(t, s, have, want)
		if t.Failed() {
			t.Fatalf("round %d, prune %v\nhave\n%v\nwant\n%v", round, s.Spec.Prune.Default, have, want)
		}
	}
}

func checkRuleConvergence(t *testing.T, s *Scope, have, want fakeRules) {
	k := slices.Clone(have)
	o := planRules(s, want, k)
	kernels, others := stayingRules(o, s)
	if err := carryOut(&k, o); err != nil {
		t.Error(err)
		return
	}
	if again := planRules(s, want, k); len(again.ops) > 0 {
		for st := range again.steps(s) {
			t.Log(st)
		}
		t.Errorf("not converged:\n%v", k)
	}
	if !declaredInOrder(k.objects(), want) {
		t.Errorf("not all declared, or not in order:\n%v", k)
	}
	for _, stay := range [][]string{kernels, others} {
		if got := k.String(); !hasInOrder(got, stay) {
			t.Errorf("the undeclared rules\n%s\nare no longer in order in\n%s", strings.Join(stay, "\n"), got)
		}
	}
}

// stayingRules are the lines of undeclared rules that are not to go. Only the
// kernel's own never move.
func stayingRules(o *objects[ruleKey, ruleObject], s *Scope) (kernels, others []string) {
	for h := range o.have {
		k := o.have[h].key() // an equal declared rule may take its place
		if _, wanted := o.index[k]; wanted || o.prunable(s, &o.have[h]) {
			continue
		}
		line := fakeRules{o.have[h].Rule}.String()
		if o.have[h].Protocol == unix.RTPROT_KERNEL {
			kernels = append(kernels, line)
		} else {
			others = append(others, line)
		}
	}
	return kernels, others
}

// declaredInOrder tells whether the declared rules are there, and in order as
// far as the kernel's own among them do not stand in the way.
func declaredInOrder(have []ruleObject, want fakeRules) bool {
	last := map[uint32]int{}
	used := map[int]bool{}
	for _, w := range want.objects() {
		after, seen := last[w.Priority]
		at := slices.IndexFunc(have, func(h ruleObject) bool {
			return h.key() == w.key() && h.Protocol == unix.RTPROT_KERNEL
		})
		if at >= 0 {
			continue
		}
		for i := range have {
			if have[i].key() == w.key() && !used[i] && (!seen || i > after) {
				at = i
				break
			}
		}
		if at < 0 {
			return false
		}
		used[at], last[w.Priority] = true, at
	}
	return true
}

func hasInOrder(text string, lines []string) bool {
	all := strings.Split(text, "\n")
	for _, l := range lines {
		at := slices.Index(all, l)
		if at < 0 {
			return false
		}
		all = all[at+1:]
	}
	return true
}

func BenchmarkRuleDiff(b *testing.B) {
	var want fakeRules
	for i := range 2000 {
		r := rule("100 table 5")
		r.From = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 32)
		want = append(want, r)
	}
	s := ruleScope(spec.PruneOwned)
	for b.Loop() {
		planRules(s, want, nil)
	}
}
