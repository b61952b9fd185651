package audit

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func oneRule(t testing.TB, text string) *Rule {
	t.Helper()
	rules, err := ParseRule(text, &Syntax{IsDir: func(string) bool { return false }})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return &rules[0]
}

func TestShadowedBy(t *testing.T) {
	for _, tt := range []struct {
		name, first, rule string
		shadows, always   bool
	}{
		{"itself", "-w /a -p w", "-w /a -p w", true, true},
		{"more permissions", "-w /a -p wa -k x", "-w /a -p w -k y", true, true},
		{"fewer permissions, same action", "-w /a -p w", "-w /a -p wa", false, false},
		{"fewer permissions, other action", "-a never,exit -F path=/a -F perm=w", "-w /a -p wa", true, false},
		{"another file", "-a never,exit -F path=/a", "-w /b", false, false},
		{"the directory", "-a never,exit -F dir=/a", "-w /a/b", true, true},
		{"another directory", "-a never,exit -F dir=/a", "-w /ab", false, false},
		{"below the directory", "-a never,exit -F path=/a/b", "-a always,exit -F dir=/a -S open", true, false},
		{"another list", "-a never,task -F uid=1", "-a always,exclude -F msgtype=CWD", false, false},
		{"no process", "-a never,task", "-w /a", true, true},
		{"some processes", "-a never,task -F uid=1", "-w /a", true, false},
		{"all calls", "-a never,exit", "-a always,exit -F arch=b64 -S open", true, true},
		{"other calls", "-a never,exit -F arch=b64 -S open", "-a always,exit -F arch=b64 -S close", false, false},
		{"other numbers of one name", "-a never,exit -F arch=b32 -S open", "-a always,exit -F arch=b64 -S open", false, false},
		{"io_uring, no process", "-a never,task", "-a always,io_uring -U openat", true, true},
		{"a range and more", "-a never,exit -S open -F auid>=500 -F uid=0", "-a always,exit -S open -F auid>=1000", true, false},
		{"a number in two conditions", "-a never,exit -S open -F uid=5", "-a always,exit -S open -F uid>=5 -F uid<=5", true, true},
		{"a wider range", "-a never,exit -S open -F auid>=500", "-a always,exit -S open -F auid>=1000 -F auid<2000", true, true},
		{"a narrower range", "-a never,exit -S open -F auid>=1000", "-a always,exit -S open -F auid>=500", true, false},
		{"another range", "-a never,exit -S open -F auid<500", "-a always,exit -S open -F auid>=500", false, false},
		{"no sign", "-a never,exit -S open -F exit>0", "-a always,exit -S open -F exit=-EACCES", true, true},
		{"less than nothing", "-a never,exit -S open -F exit<0", "-a always,exit -S open -F exit=-EACCES", false, false},
		{"success is 1 and failure 2", "-a never,exit -S open -F success<=0", "-a always,exit -S open -F success=1", true, true},
		{"failure", "-a never,exit -S open -F success=0", "-a always,exit -S open -F success=1", false, false},
		{"one of several groups", "-a never,exit -S open -F gid=4", "-a always,exit -S open -F gid=5", true, false},
		{"one of several groups, and the first", "-a never,exit -S open -F gid<1000", "-a always,exit -S open -F gid=4", true, false},
		{"not one of the groups", "-a never,exit -S open -F egid!=4", "-a always,exit -S open -F egid=4", false, false},
		{"the group of a message", "-a never,user -F gid=4", "-a always,user -F gid=5", false, false},
		{"the opposite", "-a never,exit -S open -F exe=/a", "-a always,exit -S open -F exe!=/a", false, false},
		{"not one of the range", "-a never,exit -S open -F uid!=0", "-a always,exit -S open -F uid>=1", true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			shadows, always := oneRule(t, tt.rule).ShadowedBy(oneRule(t, tt.first))
			if shadows != tt.shadows || always != tt.always {
				t.Errorf("%q before %q: %v, %v, want %v, %v", tt.first, tt.rule, shadows, always, tt.shadows, tt.always)
			}
		})
	}
}

// randomShade is one of rules that shade each other.
func randomShade(r *rand.Rand) Rule {
	lists, ops := []List{Exit, Exit, Exit, User, Task, Exclude}, []Op{Equal, Equal, NotEqual, GreaterEqual, LessEqual}
	rule := Rule{List: lists[r.IntN(len(lists))], Action: Action(2 * r.IntN(2))}
	if rule.Syscalls = AllSyscalls(); r.IntN(2) == 0 {
		rule.Syscalls = SyscallSet{}
		rule.Syscalls.Add(r.IntN(3))
	}
	for range r.IntN(4) {
		types := []FieldType{fieldUID, FieldAUID, FieldExit, FieldPath, FieldDir, FieldPerm, FieldKey}
		f := Field{Type: types[r.IntN(len(types))], Op: ops[r.IntN(len(ops))], Value: uint32(r.IntN(3) - 1)}
		if f.Type.IsText() {
			f.Op, f.Value, f.Text = Equal, 0, []string{"/a", "/a/b", "/c"}[r.IntN(3)]
		}
		if f.Type == FieldPerm {
			f.Value &= 15
		}
		rule.Fields = append(rule.Fields, f)
	}
	return rule
}

// TestShadows compares with what all pairs say.
func TestShadows(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 2))
		var rules []Rule
		for range 12 {
			rules = append(rules, randomShade(r))
		}
		slices.SortStableFunc(rules, func(a, b Rule) int { return cmp.Compare(a.List, b.List) })
		var want []Shadow
		for i := range rules {
			for j := range i {
				if _, always := rules[i].ShadowedBy(&rules[j]); always {
					want = append(want, Shadow{i, j})
					break
				}
			}
		}
		if got := Shadows(rules); !slices.Equal(got, want) {
			t.Fatalf("seed %d: %v, want %v, of\n%s", seed, got, want, strings.ReplaceAll(texts(rules), "; ", "\n"))
		}
	}
}

// BenchmarkShadows looks at as many rules as somebody may have.
func BenchmarkShadows(b *testing.B) {
	var rules []Rule
	for i := range 5000 {
		for _, text := range []string{"-a always,exit -F path=/etc/%d -F perm=wa -F key=x", "-a always,exit -F arch=b64 -S openat -F auid>=%d -F key=y"} {
			rules = append(rules, *oneRule(b, fmt.Sprintf(text, 1000000-i)))
		}
	}
	for b.Loop() {
		Shadows(rules)
	}
}

func TestLoads(t *testing.T) {
	var rules []Rule
	for i := range 6 {
		rules = append(rules, *oneRule(t, fmt.Sprintf("-a always,exit -F arch=b64 -S 2,257 -F uid=%d", i)))
		rules = append(rules, *oneRule(t, fmt.Sprintf("-a always,exit -F arch=aarch64 -S 1 -F uid=%d", i)))
		rules = append(rules, *oneRule(t, fmt.Sprintf("-w /x%d", i)), *oneRule(t, "-a always,user"))
	}
	rules = append(rules, *oneRule(t, "-a always,exit -S 257"))
	if got, want := Loads(rules, 5), []Load{{257, 7}, {2, 6}, {1, 6}}; Native().Is64() && !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := Loads(rules, 7); got != nil {
		t.Error(got)
	}
}

func TestFilterTime(t *testing.T) {
	for n, want := range map[int]time.Duration{0: 0, 1: 30, 100: 870, 550: 4620, 1000: 8370, 10000: 314870, 20000: 655425} {
		if got := FilterTime(n); got.Round(10) != want.Round(10) {
			t.Errorf("%d: %v, want %v", n, got, want)
		}
	}
}
