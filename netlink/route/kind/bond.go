package kind

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/nlapply/nlapply/netlink/route/attr"
	"golang.org/x/sys/unix"
)

// Bond joins several ports to one link. Times are in ms, lp_interval in s.
type Bond struct {
	Mode            *uint8
	ActiveSlave     *attr.Ref
	MIIMon          *uint32
	UpDelay         *uint32
	DownDelay       *uint32
	PeerNotifyDelay *uint32
	UseCarrier      *bool
	ARPInterval     *uint32
	ARPIPTarget     *[]netip.Addr
	NSIP6Target     *[]netip.Addr
	ARPValidate     *uint32
	ARPAllTargets   *uint32
	ARPMissedMax    *uint8
	Primary         *attr.Ref
	PrimaryReselect *uint8
	FailOverMAC     *uint8
	XmitHashPolicy  *uint8
	ResendIGMP      *uint32
	NumGratARP      *uint8
	AllSlavesActive *bool
	MinLinks        *uint32
	LPInterval      *uint32
	PacketsPerSlave *uint32
	TLBDynamicLB    *bool
	LACPActive      *bool
	LACPRate        *uint8
	ADSelect        *uint8
	ADActorSysPrio  *uint16
	ADActorSystem   *attr.MAC
	ADUserPortKey   *uint16
	CoupledControl  *bool
}

// words names the numbers from 0 on.
func words(names ...string) []attr.Word {
	list := make([]attr.Word, len(names))
	for i, name := range names {
		list[i] = attr.Word{Number: uint64(i), Name: name}
	}
	return list
}

// The modes, include/uapi/linux/if_bonding.h.
const (
	bondRR = iota
	bondActiveBackup
	bondXOR
	bondBroadcast
	bond8023AD
	bondTLB
	bondALB
)

var bondModes = words("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")

// Name returns "bond".
func (*Bond) Name() string { return "bond" }

// Fields returns the rows of drivers/net/bonding/bond_netlink.c, bond_policy. When
// a change is possible stands in bond_options.c: BOND_OPTFLAG_IFDOWN and
// BOND_OPTFLAG_NOSLAVES.
func (b *Bond) Fields() attr.Fields {
	var all attr.Fields
	for _, group := range []attr.Fields{b.basic(), b.monitoring(), b.failover(), b.lacp()} {
		all = append(all, group...)
	}
	return all
}

const intMax = 1<<31 - 1 // bond_intmax_tbl

// basic are the rows about modes and balancing.
func (b *Bond) basic() attr.Fields {
	return attr.Fields{
		// with ports even the present mode is ENOTEMPTY; bond_option_mode_set
		// resets what is sent again
		attr.Uint8("mode", unix.IFLA_BOND_MODE, &b.Mode).Enum(bondModes...).WhileDown().WithoutPorts().
			Resends("miimon", "arp_interval", "arp_validate", "tlb_dynamic_lb").WithDefault("balance-rr").
			Doc("How the ports share the work."),
		attr.Uint8("xmit_hash_policy", unix.IFLA_BOND_XMIT_HASH_POLICY, &b.XmitHashPolicy).
			Enum(words("layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac")...).WithDefault("layer2").
			Doc("What chooses the port of a packet."),
		attr.Uint32("packets_per_slave", unix.IFLA_BOND_PACKETS_PER_SLAVE, &b.PacketsPerSlave).Range(0, 65535).WithDefault(1).
			Doc("Packets in a row through one port, in mode balance-rr; 0 is random."),
		attr.Bool("tlb_dynamic_lb", unix.IFLA_BOND_TLB_DYNAMIC_LB, &b.TLBDynamicLB).WhileDown().WithDefault(true).
			Doc("Move flows by load, in modes balance-tlb and balance-alb."),
		attr.Uint32("lp_interval", unix.IFLA_BOND_LP_INTERVAL, &b.LPInterval).Range(1, intMax).WithDefault(1).
			Doc("Seconds between learning packets."),
		attr.Uint32("min_links", unix.IFLA_BOND_MIN_LINKS, &b.MinLinks).Range(0, intMax).WithDefault(0).
			Doc("Ports that must be up for the bond to have carrier."),
		attr.Bool("all_slaves_active", unix.IFLA_BOND_ALL_SLAVES_ACTIVE, &b.AllSlavesActive).WithDefault(false).
			Doc("Receive duplicates from inactive ports."),
	}
}

// monitoring are the rows about how a port is found to be up.
func (b *Bond) monitoring() attr.Fields {
	delay := func(name string, typ uint16, hi uint64, p **uint32) attr.Field {
		return attr.Uint32(name, typ, p).Range(0, hi).WithDefault(0)
	}
	return attr.Fields{
		// no default: some modes set 100 by themselves. The delays are kept as
		// multiples of it.
		attr.Uint32("miimon", unix.IFLA_BOND_MIIMON, &b.MIIMon).Range(0, intMax).Resends("updelay", "downdelay", "peer_notify_delay").
			Doc("Time between looks at the carrier in ms; 0 is never."),
		delay("updelay", unix.IFLA_BOND_UPDELAY, intMax, &b.UpDelay).
			Doc("Time until a port counts as up, in ms: a multiple of miimon."),
		delay("downdelay", unix.IFLA_BOND_DOWNDELAY, intMax, &b.DownDelay).
			Doc("Time until a port counts as down, in ms: a multiple of miimon."),
		delay("peer_notify_delay", unix.IFLA_BOND_PEER_NOTIF_DELAY, 300000, &b.PeerNotifyDelay).
			Doc("Time between notifications, in ms: a multiple of miimon."),
		attr.Bool("use_carrier", unix.IFLA_BOND_USE_CARRIER, &b.UseCarrier).WithDefault(true).
			Doc("Trust the driver's carrier."),
		attr.Uint32("arp_interval", unix.IFLA_BOND_ARP_INTERVAL, &b.ARPInterval).Range(0, intMax).WithDefault(0).
			Doc("Time between ARP requests in ms, instead of miimon; 0 is never."),
		attr.Addrs4("arp_ip_target", unix.IFLA_BOND_ARP_IP_TARGET, 16, &b.ARPIPTarget).
			Doc("Whom to ask."),
		attr.Addrs6("ns_ip6_target", unix.IFLA_BOND_NS_IP6_TARGET, 16, &b.NSIP6Target).
			Doc("Whom to ask over IPv6."),
		attr.Uint32("arp_validate", unix.IFLA_BOND_ARP_VALIDATE, &b.ARPValidate).
			Enum(words("none", "active", "backup", "all", "filter", "filter_active", "filter_backup")...).WithDefault("none").
			Doc("Which ports' ARP to look at."),
		attr.Uint32("arp_all_targets", unix.IFLA_BOND_ARP_ALL_TARGETS, &b.ARPAllTargets).Enum(words("any", "all")...).WithDefault("any").
			Doc("How many targets must answer."),
		attr.Uint8("arp_missed_max", unix.IFLA_BOND_MISSED_MAX, &b.ARPMissedMax).Range(1, 255).WithDefault(2).
			Doc("Missed answers after which a port is down."),
	}
}

// failover are the rows about which port is the active one.
func (b *Bond) failover() attr.Fields {
	return attr.Fields{
		// the kernel keeps the name of a link that is no port, but does not report it
		attr.Link("primary", unix.IFLA_BOND_PRIMARY, &b.Primary).AsLate().WithDefault("none").
			Doc("Port that is active whenever it is up."),
		attr.Uint8("primary_reselect", unix.IFLA_BOND_PRIMARY_RESELECT, &b.PrimaryReselect).
			Enum(words("always", "better", "failure")...).WithDefault("always").
			Doc("When primary becomes active again."),
		attr.Link("active_slave", unix.IFLA_BOND_ACTIVE_SLAVE, &b.ActiveSlave).AsLate().AsVolatile().
			Doc("Port that is active now."),
		attr.Uint8("fail_over_mac", unix.IFLA_BOND_FAIL_OVER_MAC, &b.FailOverMAC).Enum(words("none", "active", "follow")...).
			WithoutPorts().WithDefault("none").
			Doc("Whose hardware address the bond has."),
		attr.Uint32("resend_igmp", unix.IFLA_BOND_RESEND_IGMP, &b.ResendIGMP).Range(0, 255).WithDefault(1).
			Doc("IGMP reports after a failover."),
		attr.Uint8("num_grat_arp", unix.IFLA_BOND_NUM_PEER_NOTIF, &b.NumGratARP).WithDefault(1).
			Doc("Notifications of the peers after a failover."),
	}
}

// lacp are the rows about mode 802.3ad.
func (b *Bond) lacp() attr.Fields {
	return attr.Fields{
		attr.Bool("lacp_active", unix.IFLA_BOND_AD_LACP_ACTIVE, &b.LACPActive).WhileDown().WithDefault(true).
			Doc("Send LACPDUs without being asked."),
		attr.Uint8("lacp_rate", unix.IFLA_BOND_AD_LACP_RATE, &b.LACPRate).Enum(words("slow", "fast")...).WhileDown().WithDefault("slow").
			Doc("How often the partner shall send."),
		attr.Uint8("ad_select", unix.IFLA_BOND_AD_SELECT, &b.ADSelect).Enum(words("stable", "bandwidth", "count")...).
			WhileDown().WithDefault("stable").
			Doc("Which aggregator is chosen."),
		attr.Uint16("ad_actor_sys_prio", unix.IFLA_BOND_AD_ACTOR_SYS_PRIO, &b.ADActorSysPrio).Range(1, 65535).WithDefault(65535).
			Doc("Priority of the system."),
		attr.HardwareAddr("ad_actor_system", unix.IFLA_BOND_AD_ACTOR_SYSTEM, &b.ADActorSystem).WithDefault("00:00:00:00:00:00").
			Doc("Identifier of the system; zeroes are the bond's address."),
		attr.Uint16("ad_user_port_key", unix.IFLA_BOND_AD_USER_PORT_KEY, &b.ADUserPortKey).Range(0, 1023).WhileDown().WithDefault(0).
			Doc("Upper bits of the port key."),
		attr.Bool("coupled_control", unix.IFLA_BOND_COUPLED_CONTROL, &b.CoupledControl).WhileDown().WithDefault(true).
			Doc("Collecting and distributing start together (Linux 6.9)."),
	}
}

func (b *Bond) check() error {
	mii := b.MIIMon != nil && *b.MIIMon > 0
	arp := b.ARPInterval != nil && *b.ARPInterval > 0
	switch {
	case mii && arp:
		return errors.New("miimon and arp_interval exclude each other")
	case mii && b.ARPValidate != nil && *b.ARPValidate > 0:
		return errors.New("miimon and arp_validate exclude each other")
	case !mii && !b.looksByItself() && b.delays() != "":
		return fmt.Errorf("%s needs miimon", b.delays()) // EPERM, even for 0
	}
	return b.checkMode()
}

// looksByItself tells whether the mode sets miimon.
func (b *Bond) looksByItself() bool { return b.MIIMon == nil && b.mode() >= bond8023AD }

// delays returns the name of a delay that is set, "" for none.
func (b *Bond) delays() string {
	switch {
	case b.UpDelay != nil:
		return "updelay"
	case b.DownDelay != nil:
		return "downdelay"
	case b.PeerNotifyDelay != nil:
		return "peer_notify_delay"
	}
	return ""
}

// bondOnly says which options are bound to modes: the kernel answers EACCES,
// "option not supported in mode" (bond_options.c, unsuppmodes).
var bondOnly = map[string][]uint8{
	"packets_per_slave": {bondRR},
	"arp_interval":      {bondRR, bondActiveBackup, bondXOR, bondBroadcast},
	"arp_validate":      {bondRR, bondActiveBackup, bondXOR, bondBroadcast},
	"arp_missed_max":    {bondRR, bondActiveBackup, bondXOR, bondBroadcast},
	"primary":           {bondActiveBackup, bondTLB, bondALB},
	"active_slave":      {bondActiveBackup, bondTLB, bondALB},
	"tlb_dynamic_lb":    {bondTLB, bondALB},
	"lacp_active":       {bond8023AD},
	"lacp_rate":         {bond8023AD},
	"ad_actor_sys_prio": {bond8023AD},
	"ad_actor_system":   {bond8023AD},
	"ad_user_port_key":  {bond8023AD},
	"coupled_control":   {bond8023AD},
}

func (b *Bond) checkMode() error {
	rows := b.Fields()
	for i := range rows {
		if rows[i].Value.IsSet() && !b.possible(rows[i].Name) {
			return fmt.Errorf("%s is not possible in mode %s", rows[i].Name, bondModes[b.mode()].Name)
		}
	}
	return nil
}

// mode returns the mode, or the default.
func (b *Bond) mode() uint8 {
	if b.Mode == nil {
		return bondRR
	}
	return *b.Mode
}

// possible tells whether the mode has the option.
func (b *Bond) possible(option string) bool {
	modes, bound := bondOnly[option]
	return !bound || slices.Contains(modes, b.mode()) || int(b.mode()) >= len(bondModes)
}

// normalize rounds the delays down to multiples of miimon, as the kernel does,
// and keeps those that are not declared when miimon changes.
func (b *Bond) normalize(have Kind) {
	h, ok := have.(*Bond)
	if !ok {
		h = new(Bond)
	}
	every := b.MIIMon
	if every == nil {
		every = h.MIIMon
	}
	if every == nil || *every == 0 {
		return
	}
	changes := h.MIIMon != nil && *h.MIIMon != 0 && *h.MIIMon != *every
	for _, d := range []struct{ want, have **uint32 }{
		{&b.UpDelay, &h.UpDelay}, {&b.DownDelay, &h.DownDelay}, {&b.PeerNotifyDelay, &h.PeerNotifyDelay},
	} {
		if *d.want == nil && changes {
			*d.want = *d.have
		}
		if *d.want != nil {
			*d.want = new(**d.want / *every * *every)
		}
	}
}

// minimal leaves miimon out where it is what the mode sets by itself, and what
// is left over from another mode and cannot be set in this one.
func (b *Bond) minimal(doc map[string]any) {
	maps.DeleteFunc(doc, func(key string, _ any) bool { return !b.possible(key) })
	usual := uint32(0)
	if b.mode() >= bond8023AD {
		usual = 100 // BOND_DEFAULT_MIIMON
	}
	if b.MIIMon != nil && *b.MIIMon == usual {
		delete(doc, "miimon")
	}
}

func (*Bond) reports(typ uint16) bool { return typ == unix.IFLA_BOND_AD_INFO }

// portsJoinDown: "Device can not be enslaved while up".
func (*Bond) portsJoinDown() bool { return true }
