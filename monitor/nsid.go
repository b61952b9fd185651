package monitor

import "github.com/nlapply/nlapply/netlink/route"

// writeNSID writes the id that another namespace has in this one, as `ip monitor
// nsid` does. The ids that are known are forgotten by it.
func writeNSID(v *view, payload []byte) (f Fields, err error) {
	var n route.NSID
	if err := n.Decode(payload); err != nil {
		return nil, err
	}
	v.nsids = nil
	f.put("nsid", n.ID)
	if name := v.netns(n.ID); name != "" {
		f.as("name", name, "(iproute2 netns name: "+name+")")
	}
	f.unknownAttrs(n.Extra)
	return f, nil
}
