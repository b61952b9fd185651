package kind

import "github.com/nlapply/nlapply/netlink/route/attr"

// Dummy is an interface that drops what is sent to it. It has no attributes: the
// kernel refuses any IFLA_INFO_DATA on change.
type Dummy struct{}

// Name returns "dummy".
func (*Dummy) Name() string { return "dummy" }

// Fields returns no rows.
func (*Dummy) Fields() attr.Fields { return nil }

func (*Dummy) isQuiet() bool { return true } // drivers/net/dummy.c, dummy_setup
