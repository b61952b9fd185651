package spec

// DefaultOwner and DefaultProtocol are what a document has that names neither.
const (
	DefaultOwner    = "nlapply"
	DefaultProtocol = 110
)

// Document is what all files of a run say together.
type Document struct {
	Version  int
	Owner    string
	Protocol uint8

	// Namespace is the one that the run starts in.
	Namespace

	// Namespaces are the named ones; nil when none is declared.
	Namespaces map[string]*Namespace

	// Files are the names of what was read: the files of the document in their order,
	// as they were given or found in a directory, standard input as "-", and then those
	// of Audit.Files.
	Files []string

	layout *layout // where in the files what stands; nil for a document that was not loaded
	names  *Names  // by which it was read; nil: the system's
}

// Namespace is what is declared for one network namespace.
type Namespace struct {
	Prune     Prune  // in a named namespace: as inherited from the document or set again
	Ignore    Ignore // in a named namespace: the document's, then its own
	Links     map[string]*Link
	Routes    []Route
	Rules     []Rule
	Neighbors []Neighbor
	Sysctl    map[string]string // full names (net.…) to values

	// Audit is the audit system's; only the document's own namespace has it.
	Audit *Audit
}
