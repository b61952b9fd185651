// Package route has the objects of rtnetlink as plain structs: links,
// addresses, routes, rules, neighbours, forwarding entries, bridge VLANs and
// namespace ids. It reads them from the kernel and encodes them into requests.
//
// It takes no decisions: it compares nothing with a wish, orders nothing and
// knows no link kind (those are in package kind; here a kind is a name and the
// bytes of its attributes).
//
//	c, err := route.Dial(netlink.Config{})
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	for r, err := range c.Routes(ctx, route.RouteFilter{Table: unix.RT_TABLE_MAIN}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(r.Dst, r.Gateway)
//	}
//	r := route.Route{Family: unix.AF_INET, Table: unix.RT_TABLE_MAIN, Type: unix.RTN_UNICAST,
//		Protocol: unix.RTPROT_STATIC, Gateway: netip.MustParseAddr("192.0.2.1")}
//	err = c.Do(ctx, unix.RTM_NEWROUTE, netlink.Create|netlink.Excl, &r)
//
// Every object has AppendTo, which writes the payload of its RTM_NEW and RTM_DEL
// message, and Decode, which resets the object and fills it from such a payload.
// An object as it was decoded is a complete key for its own deletion.
//
// Decoding is tolerant: structures that are too short count as filled up with
// zeros, attributes that are longer than known are read as far as known, and
// unknown attributes are kept in Extra and sent back. Only broken framing is an
// error. Counters (statistics, cache information) are not decoded.
//
// An object that a dump yields is used again for the next one, and byte slices
// in it point into the receive buffer: Clone makes a copy to keep.
package route
