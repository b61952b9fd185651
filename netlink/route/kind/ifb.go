package kind

import "github.com/nlapply/nlapply/netlink/route/attr"

// IFB is an intermediate functional block: traffic that tc redirects to it can be
// queued. It has no attributes.
type IFB struct{}

// Name returns "ifb".
func (*IFB) Name() string { return "ifb" }

// Fields returns no rows.
func (*IFB) Fields() attr.Fields { return nil }

func (*IFB) isQuiet() bool { return true } // drivers/net/ifb.c, ifb_setup
