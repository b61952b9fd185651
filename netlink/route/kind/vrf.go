package kind

import (
	"math"

	"github.com/nlapply/nlapply/netlink/route/attr"
	"golang.org/x/sys/unix"
)

// VRF is a virtual router: what its ports receive is looked up in its table.
type VRF struct {
	Table *uint32
}

// Name returns "vrf".
func (*VRF) Name() string { return "vrf" }

// Fields returns the rows of drivers/net/vrf.c, vrf_nl_policy.
func (v *VRF) Fields() attr.Fields {
	return attr.Fields{
		// there is no vrf_changelink
		attr.Uint32("table", unix.IFLA_VRF_TABLE, &v.Table).AtCreation().Range(1, math.MaxUint32).Names("tables").
			Doc("Routing table of the VRF."),
	}
}

func (v *VRF) check() error { return required("table", v.Table) }

func (*VRF) needsData() bool     { return true }
func (*VRF) portsJoinDown() bool { return false }

// drivers/net/vrf.c, cycle_netdev: the port's IPv6 addresses and routes are
// moved to the VRF's table by taking it down and up.
func (*VRF) movesRoutes() bool { return true }

func (*VRF) isQuiet() bool { return true } // drivers/net/vrf.c, vrf_setup
