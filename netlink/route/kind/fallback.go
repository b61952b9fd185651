package kind

import (
	"slices"

	"github.com/nlapply/nlapply/netlink"
)

// fallbacks are the kinds that are not in All and of which the kernel makes a
// link by itself, with the attributes that are zero in that link alone.
var fallbacks = map[string][]uint16{
	"erspan": greIdentity,
	"ip6gre": greIdentity,
	"ipip":   tunnelIdentity,
	"sit":    tunnelIdentity,
	"ip6tnl": tunnelIdentity,
	"vti":    vtiIdentity,
	"vti6":   vtiIdentity,
}

// The attributes that tell one tunnel from another, include/uapi/linux/if_tunnel.h.
var (
	greIdentity    = []uint16{iflaGREIKey, iflaGREOKey, iflaGRELocal, iflaGRERemote, iflaGRECollectMetadata}
	tunnelIdentity = []uint16{2, 3, 19}   // IFLA_IPTUN_LOCAL, _REMOTE, _COLLECT_METADATA
	vtiIdentity    = []uint16{2, 3, 4, 5} // IFLA_VTI_IKEY, _OKEY, _LOCAL, _REMOTE
)

// IsForeignFallback is IsFallback for kinds that are not in All (sit0, tunl0), by
// their IFLA_INFO_DATA.
func IsForeignFallback(name string, data []byte) bool {
	identity, ok := fallbacks[name]
	if !ok {
		return false
	}
	for a := netlink.ReadAttrs(data); a.Next(); {
		if !slices.Contains(identity, a.Type()) {
			continue
		}
		zero := !slices.ContainsFunc(a.Bytes(), func(b byte) bool { return b != 0 })
		if !zero || len(a.Bytes()) == 0 { // a flag is there or not
			return false
		}
	}
	return true
}
