package reconcile_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/reconcile"
	"github.com/nlapply/nlapply/spec"
)

// apply makes the kernel's state equal a file and prints what that takes.
func apply(ctx context.Context, file string) error {
	doc, err := spec.Load([]string{file}, nil, reconcile.Vocabulary{})
	if err != nil {
		return err // every mistake of the file, with line and column
	}
	run, err := reconcile.Open(ctx, reconcile.Config{Document: doc})
	if err != nil {
		return err
	}
	defer run.Close()
	plan, err := run.Plan(ctx)
	if err != nil {
		return err
	}
	for step := range plan.Steps() {
		fmt.Println(step)
	}
	_, err = run.Apply(ctx, plan) // nil: a fresh look found nothing left to do
	return err
}

func Example() {
	ns, err := netns.New() // not to change the network of this machine
	if err != nil {
		log.Fatal(err)
	}
	defer ns.Close()
	err = ns.Do(func() error { return apply(context.Background(), "testdata/example.yaml") })
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// + link br0 kind bridge
	// + address 192.0.2.1/24 dev br0
	// + route default via 192.0.2.254
}

// A plan alone needs no rights.
func ExampleOpenReadOnly() {
	const text = "{version: 1, routes: [{type: blackhole, to: 198.51.100.0/24}]}"
	doc, err := spec.Load([]string{"-"}, strings.NewReader(text), reconcile.Vocabulary{})
	if err != nil {
		log.Fatal(err)
	}
	run := reconcile.OpenReadOnly(reconcile.Config{Document: doc})
	defer run.Close()
	plan, err := run.Plan(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for step := range plan.Steps() {
		fmt.Println(step)
	}
	// Output: + route blackhole 198.51.100.0/24
}
