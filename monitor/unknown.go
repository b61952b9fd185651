package monitor

import (
	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
)

// unknownFields writes a message that is not understood. err says why it is not,
// nil for a type or an address family that is not known.
func unknownFields(m netlink.Message, err error) (f Fields) {
	f.as("message", route.MessageName(m.Type), "message "+route.MessageName(m.Type))
	if len(m.Data) > 0 {
		f.bare("family", familyName(m.Data[0]))
	}
	if err != nil {
		f.as("reason", err.Error(), "("+err.Error()+")")
	}
	f.as("data", hexBytes(m.Data), hexBytes(m.Data))
	return f
}
