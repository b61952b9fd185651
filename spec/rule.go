package spec

import "net/netip"

// Rule is a routing policy rule.
type Rule struct {
	Family   uint8 // AF_INET or AF_INET6
	Priority uint32

	// Selectors; zero (invalid, nil) ones match everything.
	Not            bool // inverts them
	From, To       netip.Prefix
	IIF, OIF       string
	FwMark, FwMask uint32 // a mark is meant when FwMask is not 0
	TOS            uint8
	IPProto        uint8
	SPort, DPort   PortRange
	UIDRange       *Range
	TunID          uint64
	L3MDev         bool

	Action Action
	Table  uint32 // of ActionLookup; 0 with L3MDev
	Goto   uint32 // of ActionGoto

	SuppressPrefixLength *uint32
	SuppressIfGroup      *uint32
	Realms               uint32 // FROM<<16 | TO
	Protocol             *uint8 // nil: the document's
}

// PortRange is a range of ports, both ends included; the zero value is none.
type PortRange struct{ From, To uint16 }

// Action is what a rule does, with the kernel's values (FR_ACT_*).
type Action uint8

// The actions.
const (
	ActionLookup      Action = 1
	ActionGoto        Action = 2
	ActionNop         Action = 3
	ActionBlackhole   Action = 6
	ActionUnreachable Action = 7
	ActionProhibit    Action = 8
)
