package route

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/google/go-cmp/cmp"
)

func TestAddrs(t *testing.T) {
	l := newLab(t)
	v := l.up("v0", "v1")
	for name, d := range map[string]Addr{
		"plain":       {Family: unix.AF_INET, PrefixLen: 24, Local: addr("192.0.2.2")},
		"all of IPv4": {Family: unix.AF_INET, PrefixLen: 25, Local: addr("10.1.0.1"), Broadcast: addr("10.1.0.127"), Label: "v0:x", Metric: 70, Scope: unix.RT_SCOPE_LINK},
		"peer":        {Family: unix.AF_INET, PrefixLen: 32, Local: addr("10.2.0.1"), Peer: addr("10.2.0.2")},
		"finite":      {Family: unix.AF_INET, PrefixLen: 24, Local: addr("10.3.0.1"), ValidLft: 1000, PreferredLft: 500},
		"IPv6":        {Family: unix.AF_INET6, PrefixLen: 64, Local: addr("2001:db8::1"), Flags: unix.IFA_F_NODAD},
		"deprecated":  {Family: unix.AF_INET6, PrefixLen: 64, Local: addr("2001:db8:1::1"), Flags: unix.IFA_F_NODAD | unix.IFA_F_NOPREFIXROUTE, ValidLft: Forever},
		"IPv6 peer":   {Family: unix.AF_INET6, PrefixLen: 128, Local: addr("2001:db8:2::1"), Peer: addr("2001:db8:2::2"), Metric: 99},
	} {
		t.Run(name, func(t *testing.T) {
			d.Index, d.Proto = v.Index, 110
			l.must(unix.RTM_NEWADDR, create, &d)
			got := l.addr(&d)
			if got == nil {
				t.Fatal("not in the dump")
			}
			l.compareAddr(&d, got)
			l.must(unix.RTM_DELADDR, 0, got)
			if l.addr(&d) != nil {
				t.Error("still there after deletion")
			}
		})
	}
}

// addr returns the address from a dump.
func (l *lab) addr(d *Addr) *Addr {
	l.Helper()
	for _, got := range collect(l, l.Addrs(l.ctx, AddrFilter{Family: d.Family, Index: d.Index})) {
		if got.Local == d.Local {
			return got
		}
	}
	return nil
}

// compareAddr compares what was sent with what is reported by the kernel and by
// ip, apart from what the kernel fills in.
func (l *lab) compareAddr(sent, got *Addr) {
	l.Helper()
	want, have := *sent, *got
	if want.ValidLft == 0 {
		want.ValidLft, want.PreferredLft = Forever, Forever
	}
	if want.Label == "" && want.Family == unix.AF_INET {
		want.Label = "v0"
	}
	if have.Proto == 0 {
		want.Proto = 0 // before 5.18
	}
	const managed = unix.IFA_F_NODAD | unix.IFA_F_NOPREFIXROUTE
	have.Flags &= managed
	if diff := cmp.Diff(want, have, same); diff != "" {
		l.Errorf("(-want +got)\n%s", diff)
	}
	for _, info := range l.json("ip", "addr", "show", "dev", "v0")[0]["addr_info"].([]any) {
		shown := info.(map[string]any)
		if shown["local"] != sent.Local.String() {
			continue
		}
		l.want(shown, "scope", ScopeName(sent.Scope))
		if sent.Peer.IsValid() {
			l.want(shown, "address", sent.Peer)
		}
		if sent.Broadcast.IsValid() {
			l.want(shown, "broadcast", sent.Broadcast)
		}
		if sent.Metric != 0 {
			l.want(shown, "metric", sent.Metric)
		}
		return
	}
	l.Errorf("ip does not show %s", sent.Local)
}

// The first address that has what the message names is deleted: all must be
// named to hit the right one.
func TestAddrDeletionHitsTheRightOne(t *testing.T) {
	l := newLab(t)
	v := l.up("v0", "v1")
	l.ip("addr", "add", "10.0.0.1/24", "dev", "v0")
	l.ip("addr", "add", "10.0.0.1/25", "dev", "v0", "label", "v0:b")
	d := Addr{Family: unix.AF_INET, PrefixLen: 25, Local: addr("10.0.0.1"), Label: "v0:b", Index: v.Index}
	l.must(unix.RTM_DELADDR, 0, &d)
	if left := collect(t, l.Addrs(l.ctx, AddrFilter{Family: unix.AF_INET})); len(left) != 1 || left[0].PrefixLen != 24 {
		t.Errorf("left: %v", left)
	}
}

func TestAddrFilter(t *testing.T) {
	l := newLab(t)
	v := l.up("v0", "v1")
	l.ip("addr", "add", "10.0.0.1/24", "dev", "v0")
	l.ip("addr", "add", "10.0.0.2/24", "dev", "v1")
	l.ip("addr", "add", "2001:db8::1/64", "dev", "v0", "nodad")
	for _, d := range collect(t, l.Addrs(l.ctx, AddrFilter{Index: v.Index})) {
		if d.Index != v.Index {
			t.Errorf("%s is of another link", d.Local)
		}
	}
	if n := len(collect(t, l.Addrs(l.ctx, AddrFilter{Family: unix.AF_INET}))); n != 2 {
		t.Errorf("%d IPv4 addresses", n)
	}
	for _, err := range l.Addrs(l.ctx, AddrFilter{Index: 999}) {
		if !errors.Is(err, unix.ENODEV) {
			t.Errorf("missing link: %v", err)
		}
	}
}
