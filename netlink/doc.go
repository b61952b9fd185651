// Package netlink talks to the Linux kernel over netlink sockets: requests,
// batches of requests, dumps, and subscriptions to events. It knows messages and
// attributes, and nothing of what they are about; package netlink/route does.
//
//	c, err := netlink.Dial(netlink.Config{})
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	for m, err := range c.Dump(ctx, unix.RTM_GETLINK, ifInfo{}) {
//		if err != nil {
//			return err
//		}
//		a := netlink.ReadAttrs(m.Data[unix.SizeofIfInfomsg:])
//		for a.Next() {
//			if a.Type() == unix.IFLA_IFNAME {
//				fmt.Println(a.String())
//			}
//		}
//	}
//
// The outcome of every request is one of three: it succeeded, the kernel refused
// it (an *Error, with the kernel's text and the offending attribute), or it is
// unknown (ErrUnknown), because the answer was lost or not waited for. Unknown is
// never reported as success or as failure.
package netlink
