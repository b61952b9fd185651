package kind

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"

	"github.com/nlapply/nlapply/netlink/route/attr"
)

// GRE is a tunnel for IP packets in GRE over IPv4.
type GRE struct {
	Remote       *netip.Addr
	Local        *netip.Addr
	Dev          *attr.Ref
	IKey         *attr.Key
	OKey         *attr.Key
	ISeq         *bool
	OSeq         *bool
	ICSum        *bool
	OCSum        *bool
	TTL          *uint8
	TOS          *uint8
	PMTUDisc     *bool
	IgnoreDF     *bool
	FWMark       *uint32
	External     *bool
	Encap        *uint16
	EncapSport   *uint16
	EncapDport   *uint16
	EncapCSum    *bool
	EncapCSum6   *bool
	EncapRemCSum *bool
}

// GRETap is a tunnel for Ethernet frames in GRE over IPv4.
type GRETap struct{ GRE }

// tunnelEncaps are the headers between IP and the tunnel's own.
var tunnelEncaps = []attr.Word{{Number: 0, Name: "none"}, {Number: 1, Name: "fou"}, {Number: 2, Name: "gue"}}

// Name returns "gre".
func (*GRE) Name() string { return "gre" }

// Name returns "gretap".
func (*GRETap) Name() string { return "gretap" }

// Fields returns the rows of net/ipv4/ip_gre.c, ipgre_policy.
func (g *GRE) Fields() attr.Fields {
	return append(append(g.header(), g.flags()...), g.encap()...)
}

// header are the rows about the outer header.
func (g *GRE) header() attr.Fields {
	return attr.Fields{
		// gretap refuses remote any, but takes its absence for it
		attr.Addr("remote", iflaGRERemote, 0, &g.Remote).OmitAny().WithDefault("any").
			Doc("Address of the other end; a multicast address makes a broadcast link."),
		attr.Addr("local", iflaGRELocal, 0, &g.Local).OmitAny().WithDefault("any").
			Doc("Source address."),
		attr.Link("dev", iflaGRELink, &g.Dev).WithDefault("none").
			Doc("Link to send through."),
		attr.Uint8("ttl", iflaGRETTL, &g.TTL).Words(attr.Word{Number: 0, Name: "inherit"}).WithDefault("inherit").
			Doc("Hop limit: 1..255 or inherit."),
		attr.Uint8("tos", iflaGRETOS, &g.TOS).Words(inheritTOS).WithDefault(0).
			Doc("Type of service: a number or inherit."),
		attr.Bool("pmtudisc", iflaGREPMTUDisc, &g.PMTUDisc).WithDefault(true).
			Doc("Discover the path's MTU."),
		attr.Bool("ignore_df", iflaGREIgnoreDF, &g.IgnoreDF).WithDefault(false).
			Doc("Fragment packets although their DF bit is set; needs pmtudisc off."),
		attr.Uint32("fwmark", iflaGREFWMark, &g.FWMark).WithDefault(0).
			Doc("Mark of the packets that are sent."),
		// "Enabling collect_md on an existing device is not supported"
		attr.BoolFlag("external", iflaGRECollectMetadata, &g.External).AtCreation().WithDefault(false).
			Doc("Take addresses and key from each packet's metadata."),
	}
}

// flags are the rows about the GRE header, once per direction and once for both.
func (g *GRE) flags() attr.Fields {
	in := func(name string, mask uint32, p **bool) attr.Field {
		return attr.Bit(name, iflaGREIFlags, attr.FlagsBE16, mask, p).WithDefault(false)
	}
	out := func(name string, mask uint32, p **bool) attr.Field {
		return attr.Bit(name, iflaGREOFlags, attr.FlagsBE16, mask, p).WithDefault(false)
	}
	ikey := attr.TunnelKey("ikey", iflaGREIKey, iflaGREIFlags, attr.FlagsBE16, greKEY, &g.IKey).WithDefault("none").
		Doc("Key that is expected in received packets.")
	okey := attr.TunnelKey("okey", iflaGREOKey, iflaGREOFlags, attr.FlagsBE16, greKEY, &g.OKey).WithDefault("none").
		Doc("Key of the packets that are sent.")
	iseq := in("iseq", greSEQ, &g.ISeq).Doc("Expect sequence numbers.")
	oseq := out("oseq", greSEQ, &g.OSeq).Doc("Send sequence numbers.")
	icsum := in("icsum", greCSUM, &g.ICSum).Doc("Expect checksums.")
	ocsum := out("ocsum", greCSUM, &g.OCSum).Doc("Send checksums.")
	return attr.Fields{
		attr.Both("key", ikey, okey).Doc("Key in both directions."), ikey, okey,
		attr.Both("seq", iseq, oseq).Doc("Sequence numbers in both directions."), iseq, oseq,
		attr.Both("csum", icsum, ocsum).Doc("Checksums in both directions."), icsum, ocsum,
	}
}

// encap are the rows about a UDP header in between.
func (g *GRE) encap() attr.Fields {
	auto := attr.Word{Number: 0, Name: "auto"}
	flag := func(name string, mask uint32, p **bool) attr.Field {
		return attr.Bit(name, iflaGREEncapFlags, attr.Flags16, mask, p).WithDefault(false)
	}
	return attr.Fields{
		attr.Uint16("encap", iflaGREEncapType, &g.Encap).Enum(tunnelEncaps...).WithDefault("none").
			Doc("Header between IP and GRE."),
		attr.BE16("encap_sport", iflaGREEncapSport, &g.EncapSport).Words(auto).WithDefault("auto").
			Doc("UDP source port: a number or auto."),
		attr.BE16("encap_dport", iflaGREEncapDport, &g.EncapDport).WithDefault(0).
			Doc("UDP destination port."),
		flag("encap_csum", tunnelEncapFlagCSUM, &g.EncapCSum).Doc("UDP checksums over IPv4."),
		flag("encap_csum6", tunnelEncapFlagCSUM6, &g.EncapCSum6).Doc("UDP checksums over IPv6."),
		flag("encap_remcsum", tunnelEncapFlagREMCSUM, &g.EncapRemCSum).Doc("Remote checksum offload."),
	}
}

func (g *GRE) check() error {
	encap := g.Encap != nil && *g.Encap != 0
	switch {
	case on(g.IgnoreDF) && (g.PMTUDisc == nil || *g.PMTUDisc):
		return errors.New("ignore_df needs pmtudisc: false")
	case on(g.External) && encap:
		return errors.New("external and encap exclude each other")
	case on(g.External) && (g.remote().IsValid() || g.Local != nil && !g.Local.IsUnspecified()):
		return errors.New("external excludes local and remote")
	case g.remote().IsMulticast() && (g.Local == nil || g.Local.IsUnspecified()):
		return errors.New("a multicast remote needs local") // ipgre_tunnel_init
	}
	return nil
}

func (g *GRETap) check() error {
	if !g.remote().IsValid() && !on(g.External) {
		return errors.New("remote is required, unless external is true")
	}
	return g.GRE.check()
}

// remote returns the remote address, invalid where there is none.
func (g *GRE) remote() netip.Addr {
	if g.Remote == nil || g.Remote.IsUnspecified() {
		return netip.Addr{}
	}
	return *g.Remote
}

// changeWhen knows what ipgre_changelink refuses.
func (g *GRE) changeWhen(have Kind, c attr.Change) attr.When {
	h := have.(*GRE)
	switch c.Name {
	case "remote":
		// ip_tunnel_changelink: the link stays point-to-point, broadcast or neither
		was, is := h.remote(), g.remote()
		if was.IsValid() != is.IsValid() || was.IsMulticast() != is.IsMulticast() {
			return attr.AtCreation
		}
	case "pmtudisc":
		if on(h.IgnoreDF) && *g.PMTUDisc { // ipgre_netlink_parms looks at the old ignore_df
			return attr.AtCreation
		}
	}
	return c.When
}

// changeWhen knows that gretap links are neither point-to-point nor broadcast.
func (g *GRETap) changeWhen(have Kind, c attr.Change) attr.When {
	if c.Name == "remote" {
		return c.When
	}
	return g.GRE.changeWhen(&have.(*GRETap).GRE, c)
}

// identity is what ip_tunnel_find compares.
func (g *GRE) identity() string {
	local, dev, key := netip.Addr{}, attr.Ref{}, attr.Key{}
	if g.Local != nil && !g.Local.IsUnspecified() {
		local = *g.Local
	}
	if g.Dev != nil {
		dev = *g.Dev
	}
	if g.IKey != nil {
		key = *g.IKey
	}
	return fmt.Sprint(g.remote(), local, dev.Name, key)
}

func (*GRE) aside() Kind { return &GRE{IKey: &attr.Key{Number: rand.Uint32(), Valid: true}} }

func (*GRETap) aside() Kind {
	return &GRETap{GRE{IKey: &attr.Key{Number: rand.Uint32(), Valid: true}}}
}

// resetsAbsent: ipgre_netlink_parms starts from zeroes on change, too.
func (*GRE) resetsAbsent() bool { return true }

func (*GRE) isQuiet() bool { return true } // net/ipv4/ip_gre.c, ipgre_tunnel_setup

func (*GRETap) isQuiet() bool { return false } // net/ipv4/ip_gre.c, ipgre_tap_setup

func (*GRE) hardwareLen() int { return 4 } // its local address

func (*GRETap) hardwareLen() int { return 6 }

// isFallback recognises gre0 and gretap0. Without addresses and key the kernel
// makes no other tunnel, as it would be equal to that one.
func (g *GRE) isFallback() bool {
	unset := func(k *attr.Key) bool { return k == nil || !k.Valid }
	return !g.remote().IsValid() && (g.Local == nil || g.Local.IsUnspecified()) &&
		unset(g.IKey) && unset(g.OKey) && !on(g.External)
}
