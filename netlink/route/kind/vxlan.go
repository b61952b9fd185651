package kind

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/nlapply/nlapply/netlink/route/attr"
	"golang.org/x/sys/unix"
)

// VXLAN is a Virtual eXtensible LAN tunnel.
type VXLAN struct {
	ID             *uint32
	Local          *netip.Addr
	Remote         *netip.Addr
	Group          *netip.Addr // a multicast Remote
	Dev            *attr.Ref
	DstPort        *uint16
	SrcPort        *attr.PortRange
	TTL            *attr.NumberOrInherit
	TOS            *uint8
	DF             *uint8
	FlowLabel      *attr.NumberOrInherit
	Learning       *bool
	Ageing         *uint32
	MaxAddress     *uint32
	Proxy          *bool
	RSC            *bool
	L2Miss         *bool
	L3Miss         *bool
	UDPCSum        *bool
	UDP6ZeroCSumTx *bool
	UDP6ZeroCSumRx *bool
	RemCSumTx      *bool
	RemCSumRx      *bool
	External       *bool
	VNIFilter      *bool
	LocalBypass    *bool
	GBP            *bool
	GPE            *bool
	ReservedBits   *uint64
}

// vxlanDF says what goes into the DF bit of the outer header.
var vxlanDF = []attr.Word{{Number: 0, Name: "unset"}, {Number: 1, Name: "set"}, {Number: 2, Name: "inherit"}}

// inheritTOS are the words of iproute2 for a type of service.
var inheritTOS = attr.Word{Number: 1, Name: "inherit"}

// Name returns "vxlan".
func (*VXLAN) Name() string { return "vxlan" }

// Fields returns the rows of drivers/net/vxlan/vxlan_core.c, vxlan_policy. What
// is fixed at creation is what vxlan_nl2conf refuses on change, some even when
// the value is the same.
func (v *VXLAN) Fields() attr.Fields {
	return append(v.outer(), v.switches()...)
}

// outer are the rows about addresses and headers.
func (v *VXLAN) outer() attr.Fields {
	return attr.Fields{
		attr.Uint32("id", unix.IFLA_VXLAN_ID, &v.ID).AtCreation().Range(0, 1<<24-1).
			Doc("VXLAN network identifier."),
		attr.Addr("remote", unix.IFLA_VXLAN_GROUP, unix.IFLA_VXLAN_GROUP6, &v.Remote).Unicast().WithDefault("any").
			Doc("Where frames go that no forwarding entry knows."),
		attr.Addr("group", unix.IFLA_VXLAN_GROUP, unix.IFLA_VXLAN_GROUP6, &v.Group).MulticastOrAny().WithDefault("any").
			Doc("Multicast group to join, instead of a remote."),
		attr.Link("dev", unix.IFLA_VXLAN_LINK, &v.Dev).WithDefault("none").
			Doc("Link to send through."),
		attr.Addr("local", unix.IFLA_VXLAN_LOCAL, unix.IFLA_VXLAN_LOCAL6, &v.Local).Unicast().WithDefault("any").
			Doc("Source address."),
		attr.HopsOrInherit("ttl", unix.IFLA_VXLAN_TTL, unix.IFLA_VXLAN_TTL_INHERIT, &v.TTL).WithDefault("auto").
			Doc("Hop limit: 1..255, auto or inherit."),
		attr.Uint8("tos", unix.IFLA_VXLAN_TOS, &v.TOS).Words(inheritTOS).WithDefault(0).
			Doc("Type of service: a number or inherit."),
		attr.Uint8("df", unix.IFLA_VXLAN_DF, &v.DF).Enum(vxlanDF...).WithDefault("unset").
			Doc("Don't-fragment bit."),
		attr.LabelOrInherit("flowlabel", unix.IFLA_VXLAN_LABEL, unix.IFLA_VXLAN_LABEL_POLICY, &v.FlowLabel).WithDefault(0).
			Doc("IPv6 flow label: a number or inherit (Linux 6.8)."),
		// without the attribute it is the parameter udp_port of the module
		attr.BE16("dstport", unix.IFLA_VXLAN_PORT, &v.DstPort).AtCreation().Range(1, 65535).
			Doc("UDP port of the other side."),
		attr.Ports("srcport", unix.IFLA_VXLAN_PORT_RANGE, &v.SrcPort).AtCreation().WithDefault("0-0").
			Doc("UDP source ports; 0-0 is the system's ephemeral range."),
		attr.Bool("udpcsum", unix.IFLA_VXLAN_UDP_CSUM, &v.UDPCSum).AtCreation().WithDefault(true).
			Doc("UDP checksums over IPv4."),
		attr.Bool("udp6zerocsumtx", unix.IFLA_VXLAN_UDP_ZERO_CSUM6_TX, &v.UDP6ZeroCSumTx).AtCreation().WithDefault(false).
			Doc("No UDP checksums over IPv6."),
		attr.Bool("udp6zerocsumrx", unix.IFLA_VXLAN_UDP_ZERO_CSUM6_RX, &v.UDP6ZeroCSumRx).AtCreation().WithDefault(false).
			Doc("Accept IPv6 packets without UDP checksum."),
		attr.Bool("remcsumtx", unix.IFLA_VXLAN_REMCSUM_TX, &v.RemCSumTx).AtCreation().WithDefault(false).
			Doc("Remote checksum offload when sending."),
		attr.Bool("remcsumrx", unix.IFLA_VXLAN_REMCSUM_RX, &v.RemCSumRx).AtCreation().WithDefault(false).
			Doc("Remote checksum offload when receiving."),
	}
}

// switches are the rows about forwarding and extensions.
func (v *VXLAN) switches() attr.Fields {
	return attr.Fields{
		attr.Bool("learning", unix.IFLA_VXLAN_LEARNING, &v.Learning).WithDefault(true).
			Doc("Learn forwarding entries from what is received."),
		// vxlan_config_validate turns 0 into 300
		attr.Uint32("ageing", unix.IFLA_VXLAN_AGEING, &v.Ageing).Range(1, 1<<32-1).WithDefault(300).
			Doc("Lifetime of learned entries in seconds."),
		attr.Uint32("maxaddress", unix.IFLA_VXLAN_LIMIT, &v.MaxAddress).AtCreation().WithDefault(0).
			Doc("Maximal number of forwarding entries; 0 is no limit."),
		attr.Bool("proxy", unix.IFLA_VXLAN_PROXY, &v.Proxy).AtCreation().WithDefault(false).
			Doc("Answer ARP and neighbour requests."),
		attr.Bool("rsc", unix.IFLA_VXLAN_RSC, &v.RSC).AtCreation().WithDefault(false).
			Doc("Route short circuit."),
		attr.Bool("l2miss", unix.IFLA_VXLAN_L2MISS, &v.L2Miss).AtCreation().WithDefault(false).
			Doc("Report unknown hardware addresses over netlink."),
		attr.Bool("l3miss", unix.IFLA_VXLAN_L3MISS, &v.L3Miss).AtCreation().WithDefault(false).
			Doc("Report unknown IP addresses over netlink."),
		attr.Bool("external", unix.IFLA_VXLAN_COLLECT_METADATA, &v.External).AtCreation().WithDefault(false).
			Doc("Take identifier and addresses from each packet's metadata."),
		attr.Bool("vnifilter", unix.IFLA_VXLAN_VNIFILTER, &v.VNIFilter).AtCreation().WithDefault(false).
			Doc("Receive listed identifiers only; needs external."),
		attr.Bool("localbypass", unix.IFLA_VXLAN_LOCALBYPASS, &v.LocalBypass).WithDefault(true).
			Doc("Deliver directly where the destination is local (Linux 6.5)."),
		attr.BoolFlag("gbp", unix.IFLA_VXLAN_GBP, &v.GBP).AtCreation().WithDefault(false).
			Doc("Group policy extension."),
		attr.BoolFlag("gpe", unix.IFLA_VXLAN_GPE, &v.GPE).AtCreation().WithDefault(false).
			Doc("Generic protocol extension; needs external and learning off."),
		attr.BE64("reserved_bits", iflaVXLANReservedBits, &v.ReservedBits).AtCreation().Hex().
			Doc("Bits of the VXLAN header that must be 0 in received packets (Linux 6.14)."),
	}
}

func (v *VXLAN) check() error {
	set := func(a *netip.Addr) bool { return a != nil && !a.IsUnspecified() }
	switch {
	case v.ID == nil && !on(v.External):
		return errors.New("id is required, unless external is true")
	case set(v.Remote) && set(v.Group):
		return errors.New("remote and group exclude each other")
	case set(v.Group) && (v.Dev == nil || *v.Dev == attr.Ref{}):
		return errors.New("group needs dev")
	case v.mixed():
		return errors.New("local and remote or group are of different families")
	case v.FlowLabel != nil && *v.FlowLabel != attr.NumberOrInherit{} && !v.isIPv6():
		return errors.New("flowlabel needs IPv6 addresses")
	case on(v.VNIFilter) && !on(v.External):
		return errors.New("vnifilter needs external")
	case on(v.GPE) && !on(v.External):
		return errors.New("gpe needs external")
	case v.ReservedBits != nil && *v.ReservedBits&v.usedBits(v.RemCSumRx != nil) != 0: // the kernel counts off, too
		return fmt.Errorf("reserved_bits has the bits %#x, which are used", *v.ReservedBits&v.usedBits(v.RemCSumRx != nil))
	case on(v.GPE):
		return v.checkGPE()
	}
	return nil
}

// checkGPE is VXLAN_F_ALLOWED_GPE: the default of learning is not among it.
func (v *VXLAN) checkGPE() error {
	if v.Learning == nil || *v.Learning {
		return errors.New("gpe needs learning: false")
	}
	for _, other := range []struct {
		name string
		on   bool
	}{
		{"gbp", on(v.GBP)}, {"proxy", on(v.Proxy)}, {"rsc", on(v.RSC)}, {"l2miss", on(v.L2Miss)}, {"l3miss", on(v.L3Miss)},
		{"remcsumtx", on(v.RemCSumTx)}, {"remcsumrx", on(v.RemCSumRx)}, {"ttl inherit", v.TTL != nil && v.TTL.Inherit},
	} {
		if other.on {
			return fmt.Errorf("gpe and %s exclude each other", other.name)
		}
	}
	return nil
}

// minimal leaves out the id that an external tunnel has by nature, and the
// reserved_bits where they are all that is not used, or what a change has left
// of them (see changeWhen).
func (v *VXLAN) minimal(doc map[string]any) {
	if on(v.External) && v.ID != nil && *v.ID == 0 {
		delete(doc, "id")
	}
	if v.ReservedBits == nil {
		return
	}
	if used := v.usedBits(on(v.RemCSumRx)); *v.ReservedBits == ^used || *v.ReservedBits&used != 0 {
		delete(doc, "reserved_bits")
	}
}

// usedBits are those of the VXLAN header that mean something with the extensions
// (vxlan_nl2conf, used_bits).
func (v *VXLAN) usedBits(remcsumrx bool) uint64 {
	used := uint64(0x08000000_ffffff00)
	if remcsumrx {
		used |= 0x00200000_000000ff
	}
	if on(v.GBP) {
		used |= 0x80ffffff_00000000
	}
	if on(v.GPE) {
		used |= 0x33000000_000000ff
	}
	return used
}

// addrs are the addresses that are set and say which family the tunnel has.
func (v *VXLAN) addrs() []netip.Addr {
	var list []netip.Addr
	for _, a := range []*netip.Addr{v.Local, v.Remote, v.Group} {
		if a != nil && !a.IsUnspecified() {
			list = append(list, *a)
		}
	}
	return list
}

func (v *VXLAN) mixed() bool {
	list := v.addrs()
	for _, a := range list {
		if a.Is6() != list[0].Is6() {
			return true
		}
	}
	return false
}

func (v *VXLAN) isIPv6() bool {
	list := v.addrs()
	return len(list) > 0 && list[0].Is6()
}

// changeWhen knows that the tunnel keeps its family ("New local address family
// does not match old"), that its device cannot be taken away, and that ttl
// inherit is fixed. Since Linux 6.14 a change of anything sets reserved_bits to
// those of a tunnel without extensions, so that packets of the extension are
// dropped (measured on 6.18; vxlan_nl2conf): then there is no change in place.
func (v *VXLAN) changeWhen(have Kind, c attr.Change) attr.When {
	h := have.(*VXLAN)
	if h.losesReserved() {
		return attr.AtCreation
	}
	switch c.Name {
	case "local", "remote", "group":
		if len(v.addrs()) > 0 && v.isIPv6() != h.isIPv6() {
			return attr.AtCreation
		}
	case "dev":
		if (*v.Dev == attr.Ref{}) { // vxlan_config_apply ignores 0 with "ok"
			return attr.AtCreation
		}
	case "ttl":
		if h.TTL != nil && h.TTL.Inherit != v.TTL.Inherit {
			return attr.AtCreation
		}
	}
	return c.When
}

// losesReserved tells whether a change would spoil reserved_bits: whether they are
// neither those of a tunnel without extensions, nor of one with remcsumrx sent as
// off, which the kernel counts as on.
func (v *VXLAN) losesReserved() bool {
	plain := new(VXLAN)
	return v.ReservedBits != nil && *v.ReservedBits != ^plain.usedBits(false) &&
		(*v.ReservedBits != ^plain.usedBits(true) || on(v.RemCSumRx))
}

// reports are the attributes that iproute2 has no word for.
func (*VXLAN) reports(typ uint16) bool { return typ == unix.IFLA_VXLAN_REMCSUM_NOPARTIAL }

func (*VXLAN) needsData() bool { return true }

// hasFDB: __vxlan_dev_create.
func (*VXLAN) hasFDB() bool { return true }

// goesWithDevice: vxlan_handle_lowerdev_unregister.
func (*VXLAN) goesWithDevice() bool { return true }
