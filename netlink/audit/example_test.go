package audit_test

import (
	"fmt"

	"github.com/nlapply/nlapply/netlink/audit"
)

func ExampleParseRule() {
	rules, err := audit.ParseRule("-a always,exit -F arch=x86_64,i386 -S openat -F exit=-13 -k denied", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range rules {
		fmt.Println(&rules[i])
	}
	// Output:
	// -a always,exit -F arch=x86_64 -S openat -F exit=-EACCES -F key=denied
	// -a always,exit -F arch=i386 -S openat -F exit=-EACCES -F key=denied
}

func ExampleDiff() {
	parse := func(lines ...string) (rules []audit.Rule) {
		for _, line := range lines {
			r, err := audit.ParseRule(line, nil)
			if err != nil {
				fmt.Println(err)
			}
			rules = append(rules, r...)
		}
		return rules
	}
	have := parse("-a never,exit -F uid=1 -k ours", "-a always,exit -F uid=2 -k ours")
	want := parse("-a always,exit -F uid=2 -k ours", "-a always,exit -F uid=3 -k ours")
	ours := func(r *audit.Rule) bool { return len(r.Keys()) > 0 }
	for _, change := range audit.Diff(have, want, audit.Policy{Own: ours}) {
		fmt.Println(change)
	}
	// Output:
	// -a always,exit -F uid=3 -F key=ours
	// -d never,exit -F uid=1 -F key=ours
}
