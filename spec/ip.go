package spec

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// address is an IP address without a prefix length.
var address = parsed("an IP address", schema{"type": "string"}, parseAddr, netip.Addr.String)

func parseAddr(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	switch {
	case err != nil && strings.Contains(s, "/"):
		return a, fmt.Errorf("%s is no IP address, leave the prefix length out", quote(s))
	case err != nil:
		return a, fmt.Errorf("%s is no IP address%s", quote(s), because(err))
	case a.Zone() != "":
		return a, fmt.Errorf("%s has a zone, write the link as dev", quote(s))
	}
	return a, nil
}

// because takes the reason out of an error of netip.
func because(err error) string {
	_, reason, ok := strings.Cut(err.Error(), "): ")
	if !ok || strings.Contains(reason, "unable to parse") {
		return ""
	}
	return ": " + reason
}

// prefix is an IP prefix whose host bits are kept; an address alone is a prefix of
// its full length, as for iproute2.
var prefix = parsed("an IP prefix", schema{"type": "string"}, parsePrefix, formatPrefix)

func parsePrefix(s string) (netip.Prefix, error) {
	at, bits, ok := strings.Cut(s, "/")
	a, err := netip.ParseAddr(at)
	switch {
	case err != nil:
		return netip.Prefix{}, fmt.Errorf("%s is no IP prefix%s", quote(s), because(err))
	case a.Zone() != "":
		return netip.Prefix{}, fmt.Errorf("%s has a zone, write the link as dev", quote(s))
	case !ok:
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	n, err := parseNumber(bits)
	if err != nil || !isDecimal(bits) {
		return netip.Prefix{}, fmt.Errorf("%s is no IP prefix: bad prefix length", quote(s))
	}
	if n > uint64(a.BitLen()) {
		return netip.Prefix{}, fmt.Errorf("%s: the prefix length of %s is 0..%d", quote(s), familyName(a), a.BitLen())
	}
	return netip.PrefixFrom(a, int(n)), nil
}

// formatPrefix leaves the length of a single address out.
func formatPrefix(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// network is a prefix in which IPv6 host bits are masked, as the kernel does
// without a word, and IPv4 host bits are a mistake, as they are to the kernel.
var network = parsed("an IP prefix", schema{"type": "string"}, parseNetwork, formatPrefix)

func parseNetwork(s string) (netip.Prefix, error) {
	p, err := parsePrefix(s)
	if err != nil {
		return p, err
	}
	masked := p.Masked()
	if p != masked && p.Addr().Is4() {
		return p, fmt.Errorf("%s has host bits set, the prefix is %s", p, masked)
	}
	return masked, nil
}

func familyName(a netip.Addr) string {
	if a.Is4() {
		return "IPv4"
	}
	return "IPv6"
}

// hardware is a link-layer address. It is written in quotes because YAML 1.1 takes
// some of them for numbers.
var hardware = format[HardwareAddr]{
	read: parsed("a hardware address", nil, ParseHardwareAddr, HardwareAddr.String).read,
	write: func(w *writer, v *HardwareAddr) {
		w.quoted(v.String())
	},
	schema: schema{"type": "string"},
}

// linkName is the name of a link.
var linkName = text("the name of a link", checkLinkName)

// checkLinkName tells why the kernel would refuse a name for a link, or take it for
// a pattern (net/core/dev.c, dev_valid_name and dev_alloc_name). The names all and
// default would clash in /proc/sys/net/ipv6/conf.
func checkLinkName(s string) error {
	switch {
	case s == "":
		return errors.New("the name of a link is empty")
	case len(s) > 15:
		return fmt.Errorf("%s has %d bytes, the name of a link has at most 15", quote(s), len(s))
	case s == "." || s == ".." || s == "all" || s == "default":
		return fmt.Errorf("no link can be called %s", s)
	case strings.ContainsAny(s, "/:% \t\n\v\f\r") || hasControl(s):
		return fmt.Errorf("%s is no name of a link: it has a blank, '/', ':', '%%' or a control character", quote(s))
	}
	return nil
}

func hasControl(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return true
		}
	}
	return false
}
