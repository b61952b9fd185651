package kind

import (
	"github.com/nlapply/nlapply/netlink/route/attr"
	"golang.org/x/sys/unix"
)

// BondPort is what a bond has for each of its ports.
type BondPort struct {
	QueueID       *uint16
	Prio          *int32
	ActorPortPrio *uint16
}

// Name returns "bond".
func (*BondPort) Name() string { return "bond" }

// Fields returns the rows of drivers/net/bonding/bond_netlink.c, bond_slave_policy.
func (p *BondPort) Fields() attr.Fields {
	return attr.Fields{
		attr.Uint16("queue_id", unix.IFLA_BOND_SLAVE_QUEUE_ID, &p.QueueID).WithDefault(0).
			Doc("Queue of the bond that always goes through this port; 0 is none."),
		attr.Int32("prio", unix.IFLA_BOND_SLAVE_PRIO, &p.Prio).WithDefault(0).
			Doc("Priority at failover, in modes active-backup, balance-tlb and balance-alb."),
		attr.Uint16("actor_port_prio", iflaBondSlaveActorPortPrio, &p.ActorPortPrio).WithDefault(255).
			Doc("LACP priority of the port, in mode 802.3ad (Linux 6.18)."),
	}
}

func (*BondPort) reports(typ uint16) bool {
	switch typ {
	case unix.IFLA_BOND_SLAVE_STATE, unix.IFLA_BOND_SLAVE_MII_STATUS, unix.IFLA_BOND_SLAVE_LINK_FAILURE_COUNT,
		unix.IFLA_BOND_SLAVE_PERM_HWADDR, unix.IFLA_BOND_SLAVE_AD_AGGREGATOR_ID,
		unix.IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE, unix.IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE,
		iflaBondSlaveADChurnActorState, iflaBondSlaveADChurnPartnerState:
		return true
	}
	return false
}
