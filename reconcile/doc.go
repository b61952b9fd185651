// Package reconcile makes the kernel's network state equal a document of package
// spec, and says what it does.
//
//	doc, err := spec.Load([]string{"net.yaml"}, nil, reconcile.Vocabulary{})
//	if err != nil {
//		return err
//	}
//	run, err := reconcile.Open(ctx, reconcile.Config{Document: doc})
//	if err != nil {
//		return err
//	}
//	defer run.Close()
//	plan, err := run.Plan(ctx)
//	if err != nil {
//		return err
//	}
//	for step := range plan.Steps() {
//		fmt.Println(step) // + address 192.0.2.2/24 dev eth0
//	}
//	result, err := run.Apply(ctx, plan)
//
// A [Run] holds the locks of the namespaces that the document declares, so that
// two runs of one owner do not meet. [Run.Plan] looks at the kernel and compares;
// [Run.Apply] carries the plan out and looks again, until a fresh look finds
// nothing to do (Result.Verified) or the kernel cannot be brought there: then the
// result has what it refused and what is left. [OpenReadOnly] is for plans alone
// and needs no rights. [Watch] keeps a document true, [Dump] is the way from the
// kernel to a document.
//
// What nlapply made it finds again by marks in the kernel: an alternative name of a
// link, the protocol number of a route. There is no state beside the kernel's, and
// nothing is decided from memory or from an event.
//
// The package reads no file, prints nothing and logs only where it is given a
// logger (WatchConfig.Log). It does not undo a run that failed halfway: the next
// one goes on from what is there. What it knows of a class of objects is in the
// file of that class, behind the interface [Resource].
package reconcile
