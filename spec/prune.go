package spec

import "fmt"

// PruneMode says what is deleted although no file asks for it.
type PruneMode uint8

// The modes. PruneOwned, the zero value, is the default.
const (
	PruneOwned PruneMode = iota // what bears the owner's mark and is no longer declared
	PruneAll                    // also everything undeclared that the kernel did not make
	PruneNone                   // nothing
)

var pruneWords = []string{"owned", "all", "none"}

// String returns the mode's word in the document.
func (m PruneMode) String() string {
	if int(m) < len(pruneWords) {
		return pruneWords[m]
	}
	return fmt.Sprintf("PruneMode(%d)", uint8(m))
}

// PruneClasses are the classes of objects whose mode may be set apart.
var PruneClasses = []string{"addresses", "audit", "links", "namespaces", "neighbors", "routes", "rules"}

// Prune is the mode of each class of objects.
type Prune struct {
	Default PruneMode
	Classes map[string]PruneMode // only classes that differ from Default; nil when none does
}

// For returns the mode of a class, one of PruneClasses.
func (p Prune) For(class string) PruneMode {
	if m, ok := p.Classes[class]; ok {
		return m
	}
	return p.Default
}
