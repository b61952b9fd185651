package route

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestAddrSent(t *testing.T) {
	expect(t, "addr", map[string]Addr{
		"ip addr add 192.0.2.2/24 brd + dev v0 label v0:a metric 50": {
			Family: unix.AF_INET, PrefixLen: 24, Index: v0, Local: addr("192.0.2.2"), Broadcast: addr("192.0.2.255"),
			Label: "v0:a", Metric: 50, ValidLft: Forever, PreferredLft: Forever,
		},
		"ip addr add 192.0.2.3/24 dev v0 valid_lft 3600 preferred_lft 1800": {
			Family: unix.AF_INET, PrefixLen: 24, Index: v0, Local: addr("192.0.2.3"), ValidLft: 3600, PreferredLft: 1800,
		},
		"ip addr add 10.0.0.1 peer 10.0.0.2/32 dev v0 scope link": {
			Family: unix.AF_INET, PrefixLen: 32, Scope: unix.RT_SCOPE_LINK, Index: v0,
			Local: addr("10.0.0.1"), Peer: addr("10.0.0.2"), ValidLft: Forever, PreferredLft: Forever,
		},
		"ip addr add 2001:db8::3/64 dev v0 nodad preferred_lft 0": {
			Family: unix.AF_INET6, PrefixLen: 64, Index: v0, Flags: unix.IFA_F_NODAD,
			Local: addr("2001:db8::3"), ValidLft: Forever, PreferredLft: 0,
		},
		"ip addr add 2001:db8:1::1 peer 2001:db8:1::2/128 dev v0 nodad": {
			Family: unix.AF_INET6, PrefixLen: 128, Index: v0, Flags: unix.IFA_F_NODAD,
			Local: addr("2001:db8:1::1"), Peer: addr("2001:db8:1::2"), ValidLft: Forever, PreferredLft: Forever,
		},
	})
}

func TestAddrReported(t *testing.T) {
	got := map[string]*Addr{}
	for _, x := range readFixtures(t, "addr") {
		for _, m := range x.received {
			var d Addr
			if err := d.Decode(m.Data); err != nil {
				t.Fatal(err)
			}
			got[d.Prefix().String()] = d.Clone()
		}
	}
	want := map[string]*Addr{
		"192.0.2.2/24": {
			Family: unix.AF_INET, PrefixLen: 24, Flags: unix.IFA_F_PERMANENT, Index: v0, Local: addr("192.0.2.2"),
			Broadcast: addr("192.0.2.255"), Label: "v0:a", Metric: 50, ValidLft: Forever, PreferredLft: Forever,
		},
		"192.0.2.3/24": {
			Family: unix.AF_INET, PrefixLen: 24, Flags: unix.IFA_F_SECONDARY, Index: v0, Local: addr("192.0.2.3"),
			Label: "v0", ValidLft: 3600, PreferredLft: 1800,
		},
		"10.0.0.1/32": {
			Family: unix.AF_INET, PrefixLen: 32, Scope: unix.RT_SCOPE_LINK, Flags: unix.IFA_F_PERMANENT, Index: v0,
			Local: addr("10.0.0.1"), Peer: addr("10.0.0.2"), Label: "v0", ValidLft: Forever, PreferredLft: Forever,
		},
		"2001:db8::2/64": {
			Family: unix.AF_INET6, PrefixLen: 64, Index: v0, Local: addr("2001:db8::2"),
			Flags:    unix.IFA_F_PERMANENT | unix.IFA_F_NODAD | unix.IFA_F_NOPREFIXROUTE,
			ValidLft: Forever, PreferredLft: Forever,
		},
		"2001:db8:1::1/128": {
			Family: unix.AF_INET6, PrefixLen: 128, Flags: unix.IFA_F_PERMANENT | unix.IFA_F_NODAD, Index: v0,
			Local: addr("2001:db8:1::1"), Peer: addr("2001:db8:1::2"), ValidLft: Forever, PreferredLft: Forever,
		},
		"::1/128": {
			Family: unix.AF_INET6, PrefixLen: 128, Scope: unix.RT_SCOPE_HOST, Flags: unix.IFA_F_PERMANENT, Index: 1,
			Proto: IFAPROT_KERNEL_LO, Local: addr("::1"), ValidLft: Forever, PreferredLft: Forever,
		},
	}
	for name, w := range want {
		g, ok := got[name]
		if !ok {
			t.Errorf("%s is not reported", name)
			continue
		}
		if g.ValidLft != Forever { // it counts down
			g.ValidLft, g.PreferredLft = (g.ValidLft+59)/60*60, (g.PreferredLft+59)/60*60
		}
		if diff := cmp.Diff(w, g, same); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

func TestAddrLifetimes(t *testing.T) {
	for name, tt := range map[string]struct {
		valid, preferred         uint32
		wantValid, wantPreferred uint32
	}{
		"zero address": {0, 0, Forever, Forever},
		"forever":      {Forever, Forever, Forever, Forever},
		"deprecated":   {Forever, 0, Forever, 0},
		"finite":       {100, 50, 100, 50},
	} {
		t.Run(name, func(t *testing.T) {
			var d Addr
			if err := d.Decode(encode(t, &Addr{ValidLft: tt.valid, PreferredLft: tt.preferred})); err != nil {
				t.Fatal(err)
			}
			if d.ValidLft != tt.wantValid || d.PreferredLft != tt.wantPreferred {
				t.Errorf("valid %d preferred %d", d.ValidLft, d.PreferredLft)
			}
		})
	}
}
