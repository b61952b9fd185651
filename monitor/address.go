package monitor

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
)

// writeAddress writes an address in the order of iproute2, ip/ipaddress.c,
// print_addrinfo.
func writeAddress(v *view, payload []byte) (f Fields, err error) {
	var d route.Addr
	if err := d.Decode(payload); err != nil {
		return nil, err
	}
	f.as("index", d.Index, fmt.Sprintf("%d:", d.Index))
	f.bare("dev", v.link(d.Index))
	f.bare("family", familyName(d.Family))
	if d.Peer.IsValid() {
		f.bare("local", d.Local.String())
		f.as("address", d.Peer.String(), fmt.Sprintf("peer %v/%d", d.Peer, d.PrefixLen))
	} else {
		f.as("local", d.Local.String(), fmt.Sprintf("%v/%d", d.Local, d.PrefixLen))
	}
	f.hidden("prefixlen", d.PrefixLen)
	if d.Metric != 0 {
		f.put("metric", d.Metric)
	}
	if d.Broadcast.IsValid() {
		f.named("brd", "broadcast", d.Broadcast.String())
	}
	if d.Anycast.IsValid() {
		f.named("any", "anycast", d.Anycast.String())
	}
	f.put("scope", nameOf(v.names.Scopes, d.Scope))
	for _, word := range addressFlags(&d) {
		f.flag(word, true)
	}
	if d.Proto != 0 {
		f.named("proto", "protocol", addressProto(d.Proto))
	}
	if d.Label != "" {
		f.bare("label", d.Label)
	}
	f.as("valid_life_time", d.ValidLft, "valid_lft "+lifetime(d.ValidLft))
	f.as("preferred_life_time", d.PreferredLft, "preferred_lft "+lifetime(d.PreferredLft))
	f.unknownAttrs(d.Extra)
	return f, nil
}

// addressFlags are ip's words: that an address is not permanent is "dynamic", and
// IPv6 has temporary addresses where IPv4 has secondary ones.
func addressFlags(d *route.Addr) (words []string) {
	for _, word := range route.AddrFlagNames(d.Flags &^ unix.IFA_F_PERMANENT) {
		if word == "secondary" && d.Family == unix.AF_INET6 {
			word = "temporary"
		}
		words = append(words, word)
	}
	if d.Flags&unix.IFA_F_PERMANENT == 0 {
		at := slices.Index(words, "mngtmpaddr") // the flags that ip prints after it
		if at < 0 {
			at = slices.IndexFunc(words, func(w string) bool {
				return w == "noprefixroute" || w == "autojoin" || w == "stable-privacy"
			})
		}
		if at < 0 {
			at = len(words)
		}
		words = slices.Insert(words, at, "dynamic")
	}
	return words
}

func addressProto(p uint8) string {
	switch p {
	case route.IFAPROT_KERNEL_LO:
		return "kernel_lo"
	case route.IFAPROT_KERNEL_RA:
		return "kernel_ra"
	case route.IFAPROT_KERNEL_LL:
		return "kernel_ll"
	}
	return fmt.Sprint(p)
}

func lifetime(seconds uint32) string {
	if seconds == route.Forever {
		return "forever"
	}
	return fmt.Sprintf("%dsec", seconds)
}
