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
	OnMissingPath     MissingPath // what becomes of rules whose directory is not there
	Rules             []AuditRule
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
}

// AuditProblem is what is wrong with an audit rule.
type AuditProblem struct {
	Key    string // of the part that is wrong; "" for a rule that is a text, or for all of it
	Index  int    // in the part's list, -1 for a part that is none
	Offset int    // in the text, in bytes
	Reason string
}
