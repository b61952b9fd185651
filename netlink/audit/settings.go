package audit

// Settings are what somebody wants the audit system to be set to; nil is left as it
// is.
type Settings struct {
	Enabled           *uint32 // 0: off, 1: on, 2: on, and nothing can be changed until the next boot
	Failure           *uint32 // when a record cannot be made: 0: nothing, 1: the kernel's log, 2: panic
	RateLimit         *uint32 // records a second, 0: no limit
	BacklogLimit      *uint32 // records that wait, 0: no limit
	BacklogWaitTime   *uint32 // how long a process waits for room among them, in jiffies
	LoginUIDImmutable *bool   // a login uid that is set stays; true cannot be taken back until the next boot
}

// IsEmpty tells whether nothing is to be set.
func (s *Settings) IsEmpty() bool { return *s == Settings{} }

// IsIrreversible tells whether only a boot takes some of it back, or a fault of the
// audit system stops the machine.
func (s *Settings) IsIrreversible() bool {
	return s.Enabled != nil && *s.Enabled == EnabledLocked || s.Failure != nil && *s.Failure == FailurePanic ||
		s.LoginUIDImmutable != nil && *s.LoginUIDImmutable
}
