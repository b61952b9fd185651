package audit

import (
	"encoding/binary"
	"fmt"

	"github.com/nlapply/nlapply/netlink"
)

// Values of Status.Enabled.
const (
	Disabled      = 0
	Enabled       = 1
	EnabledLocked = 2 // rules and settings cannot be changed until the next boot
)

// Values of Status.Failure: what happens when a record cannot be made.
const (
	FailureSilent = 0
	FailurePrintk = 1
	FailurePanic  = 2
)

// Status is the state of the audit system: struct audit_status
// (include/uapi/linux/audit.h). Members that the kernel does not have yet are zero.
type Status struct {
	Enabled      uint32
	Failure      uint32
	PID          uint32 // of the audit daemon, 0: none
	RateLimit    uint32 // records a second, 0: no limit
	BacklogLimit uint32 // records that may wait, 0: no limit
	Lost         uint32 // records since the last reset
	Backlog      uint32 // records that wait
	Features     uint32 // AUDIT_FEATURE_BITMAP_*; before v3.15 a version
	// BacklogWaitTime is how long a process waits for room in the backlog, in jiffies
	// (v3.14); BacklogWaitTimeActual how long all have, since the last reset (v5.9).
	BacklogWaitTime       uint32
	BacklogWaitTimeActual uint32
}

// Bits of the mask of struct audit_status: which members a request sets.
const (
	setEnabled         = 0x01
	setFailure         = 0x02
	setRateLimit       = 0x08
	setBacklogLimit    = 0x10
	setBacklogWaitTime = 0x20
)

// Lengths of struct audit_status: what the first kernels had, and what is known here.
const (
	leastStatus = 32
	sizeofState = 44
)

// Decode reads the payload of AUDIT_GET, of any length that a kernel ever sent.
func (s *Status) Decode(b []byte) error {
	if len(b) < leastStatus {
		return fmt.Errorf("audit status of %d bytes, want %d", len(b), leastStatus)
	}
	*s = Status{}
	for i, at := range []*uint32{
		&s.Enabled, &s.Failure, &s.PID, &s.RateLimit, &s.BacklogLimit, &s.Lost, &s.Backlog, &s.Features,
		&s.BacklogWaitTime, &s.BacklogWaitTimeActual,
	} {
		if end := 4*i + 8; end <= len(b) { // behind the mask
			*at = binary.NativeEndian.Uint32(b[end-4:])
		}
	}
	return nil
}

// AppendTo implements netlink.Payload: of AUDIT_SET, with what is in the status. The
// login uid is no part of it.
func (s *Settings) AppendTo(e *netlink.Encoder) {
	var b [sizeofState]byte
	mask := uint32(0)
	for _, m := range []struct {
		v      *uint32
		bit    uint32
		offset int
	}{
		{s.Enabled, setEnabled, 4}, {s.Failure, setFailure, 8}, {s.RateLimit, setRateLimit, 16},
		{s.BacklogLimit, setBacklogLimit, 20}, {s.BacklogWaitTime, setBacklogWaitTime, 36},
	} {
		if m.v != nil {
			mask |= m.bit
			binary.NativeEndian.PutUint32(b[m.offset:], *m.v)
		}
	}
	binary.NativeEndian.PutUint32(b[0:], mask)
	e.Fixed(b[:])
}

// Features are switches of the audit system: struct audit_features.
type Features struct {
	OnlyUnsetLoginUID bool // only a login uid that is not set can be set
	LoginUIDImmutable bool // none that is set can be changed, not even by CAP_AUDIT_CONTROL
	// Locked are those of the two that cannot be changed any more.
	OnlyUnsetLoginUIDLocked bool
	LoginUIDImmutableLocked bool
}

// Bits of struct audit_features: AUDIT_FEATURE_TO_MASK.
const (
	featureOnlyUnset = 1 << 0
	featureImmutable = 1 << 1
	sizeofFeatures   = 16 // version, mask, features, lock
)

// Decode reads the payload of AUDIT_GET_FEATURE.
func (f *Features) Decode(b []byte) error {
	if len(b) < sizeofFeatures {
		return fmt.Errorf("audit features of %d bytes, want %d", len(b), sizeofFeatures)
	}
	on, locked := binary.NativeEndian.Uint32(b[8:]), binary.NativeEndian.Uint32(b[12:])
	*f = Features{
		OnlyUnsetLoginUID: on&featureOnlyUnset != 0, LoginUIDImmutable: on&featureImmutable != 0,
		OnlyUnsetLoginUIDLocked: locked&featureOnlyUnset != 0, LoginUIDImmutableLocked: locked&featureImmutable != 0,
	}
	return nil
}

// lockLoginUID is the payload of AUDIT_SET_FEATURE that makes login uids immutable, and
// that a fact.
type lockLoginUID struct{}

func (lockLoginUID) AppendTo(e *netlink.Encoder) {
	var b [sizeofFeatures]byte
	for i, v := range []uint32{1, featureImmutable, featureImmutable, featureImmutable} {
		binary.NativeEndian.PutUint32(b[4*i:], v)
	}
	e.Fixed(b[:])
}
