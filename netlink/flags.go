package netlink

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Flags are the nlmsg_flags of a message. The kernel uses the bits from 0x100
// upwards three times over: once for requests that read, once for requests that
// write, and once for acknowledgements.
type Flags uint16

// Flags of any message.
const (
	Request         Flags = unix.NLM_F_REQUEST       // from a user to the kernel
	Multi           Flags = unix.NLM_F_MULTI         // one of several, which NLMSG_DONE ends
	Ack             Flags = unix.NLM_F_ACK           // answer with NLMSG_ERROR also on success
	Echo            Flags = unix.NLM_F_ECHO          // answer with the object that was written
	DumpInterrupted Flags = unix.NLM_F_DUMP_INTR     // the dump met a concurrent change
	DumpFiltered    Flags = unix.NLM_F_DUMP_FILTERED // the kernel applied the request's filter
)

// Flags of requests that read.
const (
	Root   Flags = unix.NLM_F_ROOT
	Match  Flags = unix.NLM_F_MATCH
	Atomic Flags = unix.NLM_F_ATOMIC
	Dump   Flags = unix.NLM_F_DUMP // Root | Match: all objects
)

// Flags of requests that write.
const (
	Replace      Flags = unix.NLM_F_REPLACE // override what exists
	Excl         Flags = unix.NLM_F_EXCL    // EEXIST when it exists
	Create       Flags = unix.NLM_F_CREATE  // make it when it does not exist
	Append       Flags = unix.NLM_F_APPEND  // add to the end of the list
	NonRecursive Flags = unix.NLM_F_NONREC  // delete without what is below
	Bulk         Flags = unix.NLM_F_BULK    // delete all that match
)

// Flags of acknowledgements.
const (
	Capped  Flags = unix.NLM_F_CAPPED   // the request is echoed without its payload
	AckTLVs Flags = unix.NLM_F_ACK_TLVS // extended acknowledgement attributes follow
)

// flagNames are in the order of the bits. Bits from 0x100 on have the names
// they have in requests that write, which are the ones worth reading in a log.
var flagNames = [...]string{
	"request", "multi", "ack", "echo", "dump-intr", "dump-filtered", "", "",
	"replace", "excl", "create", "append",
}

// String returns the names of the flags as in "request|ack|create|excl".
func (f Flags) String() string {
	if f == 0 {
		return "0"
	}
	var names []string
	if f&Dump == Dump {
		names = append(names, "dump")
		f &^= Dump
	}
	for bit, name := range flagNames {
		if name != "" && f&(1<<bit) != 0 {
			names = append(names, name)
			f &^= 1 << bit
		}
	}
	if f != 0 {
		names = append(names, fmt.Sprintf("%#x", uint16(f)))
	}
	return strings.Join(names, "|")
}
