package spec

// Audit is what is declared for the Linux audit system, of which a machine has one. What
// is nil is left as it is.
type Audit struct {
	Enabled           *uint32 // 0: off, 1: on, 2: locked until the next boot
	Failure           *uint32 // when a record cannot be made: 0: silent, 1: printk, 2: panic
	RateLimit         *uint32 // records a second, 0: no limit
	BacklogLimit      *uint32 // records that may wait, 0: no limit
	BacklogWaitTime   *uint32 // how long a process waits for room among them, in jiffies
	LoginUIDImmutable *bool
	AllowIrreversible bool        // what only the next boot takes back may be set
	First             bool        // new rules go before those of others
	Relaxed           bool        // rules that commute may be in any order
	OnMissingPath     MissingPath // what becomes of rules whose directory is not there

	// RulesFiles are paths and globs of files of rules, seen from the working directory;
	// Files is what was read of them, each file once, in the order of its first name.
	RulesFiles []string
	Files      []AuditFile
	Rules      []AuditRule // they come behind those of the files
}

// MissingPath says what becomes of an audit rule that the kernel does not take because
// a directory is not there.
type MissingPath uint8

// MissingPathPending waits for the directory, which is the default; MissingPathError
// fails.
const (
	MissingPathPending MissingPath = iota
	MissingPathError
)

// AuditRule is one audit rule as it is written: as auditctl takes it, or spelled out.
type AuditRule struct {
	Text string // "" when it is spelled out

	List, Action string
	Arch         []string // a rule for each; none: whatever the architecture
	Syscalls     []string // none: all
	Fields       []string // FIELD OP VALUE
	Compare      []string // FIELD OP FIELD
	Keys         []string
}

// AuditVocabulary is what a Vocabulary may tell besides: what audit rules mean. Without
// it they are taken as they come.
type AuditVocabulary interface {
	CheckAuditRule(*AuditRule) []AuditProblem
	// CheckAuditFiles looks at all files together, and at what the document has besides.
	CheckAuditFiles(*Audit) []AuditFileProblem
}

// AuditProblem is what is wrong with an audit rule.
type AuditProblem struct {
	Key    string // of the part that is wrong; "" for a rule that is a text, or for all of it
	Index  int    // in the part's list, -1 for a part that is none
	Offset int    // in the text, in bytes
	Reason string
}

// AuditFileProblem is what is wrong with a file of audit rules, or with a key of the
// document because of it.
type AuditFileProblem struct {
	File         int    // in Audit.Files
	Line, Column int    // from 1, in bytes
	Key          string // under audit: the one that is wrong, "" for the file itself
	Reason       string
}
