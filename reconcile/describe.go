package reconcile

import "github.com/nlapply/nlapply/spec"

// A describer is a resource whose objects `dump` writes down.
type describer[T any] interface {
	// Describe adds an observed object to doc, as a document would declare it in
	// the fewest words. It leaves out what the kernel made and what comes and
	// goes by itself. Objects come in the order of Dump; the links that doc is to
	// have are in it already.
	Describe(s *Scope, t *T, doc *spec.Namespace)
}

// foreignProtocol returns what a document says of an object's protocol: nothing
// where it is the document's own.
func foreignProtocol(s *Scope, protocol uint8) *uint8 {
	if protocol == s.Protocol() {
		return nil
	}
	return &protocol
}
