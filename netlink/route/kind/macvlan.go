package kind

import (
	"errors"

	"github.com/nlapply/nlapply/netlink/route/attr"
	"golang.org/x/sys/unix"
)

// MACVLAN is a further hardware address on its parent link, as a link of its own.
type MACVLAN struct {
	Mode       *uint32
	NoPromisc  *bool
	NoDst      *bool
	MACAddr    *[]attr.MAC
	BCQueueLen *uint32
	BCLim      *int32
}

const (
	macvlanPassthru = 8
	macvlanSource   = 16
)

var macvlanModes = []attr.Word{
	{Number: 1, Name: "private"},
	{Number: 2, Name: "vepa"},
	{Number: 4, Name: "bridge"},
	{Number: macvlanPassthru, Name: "passthru"},
	{Number: macvlanSource, Name: "source"},
}

// Name returns "macvlan".
func (*MACVLAN) Name() string { return "macvlan" }

// Fields returns the rows of drivers/net/macvlan.c, macvlan_policy.
func (v *MACVLAN) Fields() attr.Fields {
	return attr.Fields{
		attr.Uint32("mode", unix.IFLA_MACVLAN_MODE, &v.Mode).Enum(macvlanModes...).WithDefault("vepa").Resends("macaddr").
			Doc("Whom the link may talk to on the same parent."),
		attr.Bit("nopromisc", unix.IFLA_MACVLAN_FLAGS, attr.Flags16, macvlanFlagNoPromisc, &v.NoPromisc).WithDefault(false).
			Doc("Do not make the parent promiscuous in mode passthru."),
		attr.Bit("nodst", unix.IFLA_MACVLAN_FLAGS, attr.Flags16, macvlanFlagNoDst, &v.NoDst).WithDefault(false).
			Doc("In mode source, do not look for the destination address after a match of the source."),
		attr.SourceMACs("macaddr", &v.MACAddr).
			Doc("Source addresses that mode source receives from."),
		attr.Uint32("bcqueuelen", unix.IFLA_MACVLAN_BC_QUEUE_LEN, &v.BCQueueLen).WithDefault(1000).
			Doc("Length of the queue for broadcasts; the parent uses the longest of its macvlans."),
		// macvlan_fill_info leaves 1 out; the value belongs to the parent's macvlans together
		attr.Int32("bclim", unix.IFLA_MACVLAN_BC_CUTOFF, &v.BCLim).AbsentIs(1).WithDefault(1).
			Doc("Broadcasts to more links than this go through the queue, -1 for none (Linux 6.4)."),
	}
}

func (v *MACVLAN) check() error {
	if v.MACAddr != nil && len(*v.MACAddr) > 0 && (v.Mode == nil || *v.Mode != macvlanSource) {
		return errors.New("macaddr needs mode source")
	}
	return nil
}

// changeWhen knows that macvlan_changelink refuses to enter or leave passthru.
func (v *MACVLAN) changeWhen(have Kind, c attr.Change) attr.When {
	h := have.(*MACVLAN)
	if c.Name == "mode" && h.Mode != nil && (*v.Mode == macvlanPassthru) != (*h.Mode == macvlanPassthru) {
		return attr.AtCreation
	}
	return c.When
}

func (*MACVLAN) reports(typ uint16) bool {
	switch typ {
	case unix.IFLA_MACVLAN_MACADDR_MODE, // a command that goes with macaddr
		unix.IFLA_MACVLAN_MACADDR_COUNT, unix.IFLA_MACVLAN_BC_QUEUE_LEN_USED:
		return true
	}
	return false
}

func (*MACVLAN) needsParent() bool { return true }

// macvlan_port_create: netdev_rx_handler_register is EBUSY on a port, and the
// other way round.
func (*MACVLAN) takesAll() bool { return true }
