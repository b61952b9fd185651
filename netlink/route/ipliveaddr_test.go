package route

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestAddrsAsIPShowsThem(t *testing.T) {
	l := newLab(t)
	l.up("v0", "v1")
	l.made("ip", []string{
		"addr add 192.0.2.1/24 dev v0", "addr add 192.0.2.3/24 dev v0", "addr add 10.0.0.1/8 brd + dev v0 label v0:one metric 77",
		"addr add 10.9.0.1 peer 10.9.0.2/30 dev v0", "addr add 10.8.0.1/24 dev v0 scope link noprefixroute",
		"addr add 10.7.0.1/24 dev v0 valid_lft 100000 preferred_lft 0", "addr add 10.6.0.1/24 dev v0 valid_lft 90000 preferred_lft 80000",
		"addr add 2001:db8::1/64 dev v0 nodad", "addr add 2001:db8::2 peer 2001:db8:1::/64 dev v0",
		"addr add 2001:db8:5::2/64 dev v0 mngtmpaddr home valid_lft 5000 preferred_lft 4000", "addr add fec0::1/10 dev v0 scope site",
		"addr add 2001:db8:7::2/64 dev v0 metric 5 noprefixroute", "addr add 239.1.1.1/32 dev v0 autojoin",
	})
	addrs, all := steady(l, l.Addrs(l.ctx, AddrFilter{}), func() []map[string]any { return l.json("ip", "addr", "show") })
	decoded := map[string]*Addr{}
	for _, d := range addrs {
		decoded[d.Local.String()] = d
	}
	n := 0
	for _, link := range all {
		infos, _ := link["addr_info"].([]any)
		for _, info := range infos {
			n++
			ip := info.(map[string]any)
			d := decoded[ip["local"].(string)]
			if d == nil {
				t.Errorf("%s was not decoded", ip["local"])
				continue
			}
			l.compare(d.Local.String(), ip, showAddr(d), "protocol") // old versions have none
		}
	}
	if n != len(decoded) {
		t.Errorf("ip shows %d addresses, %d were decoded", n, len(decoded))
	}
}

func showAddr(d *Addr) shown {
	s := shown{
		"family": "inet", "local": d.Local, "prefixlen": d.PrefixLen, "scope": ScopeName(d.Scope),
		"valid_life_time": d.ValidLft, "preferred_life_time": d.PreferredLft,
	}
	if d.Family == unix.AF_INET6 {
		s["family"] = "inet6"
	}
	if d.Peer.IsValid() {
		s["address"] = d.Peer
	}
	if d.Broadcast.IsValid() {
		s["broadcast"] = d.Broadcast
	}
	put(s, "label", d.Label)
	put(s, "metric", d.Metric)
	for _, word := range AddrFlagNames(d.Flags) {
		switch {
		case word == "permanent": // ip shows what is not
		case word == "secondary" && d.Family == unix.AF_INET6:
			s["temporary"] = true
		default:
			s[word] = true
		}
	}
	if d.Flags&unix.IFA_F_PERMANENT == 0 {
		s["dynamic"] = true
	}
	return s
}
