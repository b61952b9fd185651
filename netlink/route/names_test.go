package route

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func TestNames(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{RouteTypeName(unix.RTN_BLACKHOLE), "blackhole"},
		{RouteTypeName(99), "99"},
		{ScopeName(unix.RT_SCOPE_LINK), "link"},
		{ProtocolName(unix.RTPROT_BIRD), "bird"},
		{ProtocolName(110), "110"},
		{TableName(unix.RT_TABLE_MAIN), "main"},
		{TableName(1 << 31), "2147483648"},
		{RuleActionName(unix.FR_ACT_GOTO), "goto"},
		{PrefName(ICMPV6_ROUTER_PREF_LOW), "low"},
		{OperStateName(IF_OPER_LOWERLAYERDOWN), "LOWERLAYERDOWN"},
		{AddrGenModeName(IN6_ADDR_GEN_MODE_STABLE_PRIVACY), "stable_secret"},
		{EncapTypeName(unix.LWTUNNEL_ENCAP_SEG6_LOCAL), "seg6local"},
		{GroupName(unix.RTNLGRP_IPV4_RULE), "ipv4-rule"},
		{MessageName(unix.RTM_NEWROUTE), "newroute"},
		{IPProtoName(unix.IPPROTO_ICMPV6), "ipv6-icmp"},
		{IPProtoName(200), "200"},
		{MetricName(unix.RTAX_RTO_MIN), "rto_min"},
		{strings.Join(LinkFlagNames(unix.IFF_UP|unix.IFF_BROADCAST|unix.IFF_MULTICAST), ","), "NO-CARRIER,BROADCAST,MULTICAST,UP"},
		{strings.Join(LinkFlagNames(unix.IFF_UP|unix.IFF_RUNNING|unix.IFF_LOWER_UP|1<<30), ","), "UP,LOWER_UP,40000000"},
		{strings.Join(AddrFlagNames(unix.IFA_F_NODAD|unix.IFA_F_NOPREFIXROUTE), " "), "nodad noprefixroute"},
		{strings.Join(NeighborStateNames(unix.NUD_NOARP|unix.NUD_PERMANENT), " "), "NOARP PERMANENT"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

// Every word leads back to its number.
func TestNamesBothWays(t *testing.T) {
	for _, v := range []vocabulary{routeTypes, scopes, protocols, tables, ruleActions, prefs, addrGenModes, encapTypes, operStates, groups, messages, ipProtos, metrics} {
		for _, e := range v {
			if n, ok := v.number(v.word(e.n)); !ok || n != e.n {
				t.Errorf("%q is %d, want %d", e.word, n, e.n)
			}
		}
		if _, ok := v.number("nonsense"); ok {
			t.Error("nonsense is a word")
		}
	}
	for _, tt := range []struct {
		lookup func(string) (uint8, bool)
		word   string
		want   uint8
	}{
		{RouteTypeByName, "throw", unix.RTN_THROW}, {ScopeByName, "host", unix.RT_SCOPE_HOST},
		{ProtocolByName, "static", unix.RTPROT_STATIC}, {RuleActionByName, "nop", unix.FR_ACT_NOP},
		{PrefByName, "high", ICMPV6_ROUTER_PREF_HIGH}, {AddrGenModeByName, "none", IN6_ADDR_GEN_MODE_NONE},
	} {
		if got, ok := tt.lookup(tt.word); !ok || got != tt.want {
			t.Errorf("%q is %d", tt.word, got)
		}
	}
	if n, ok := TableByName("local"); !ok || n != unix.RT_TABLE_LOCAL {
		t.Errorf("table local is %d", n)
	}
	if n, ok := EncapTypeByName("mpls"); !ok || n != unix.LWTUNNEL_ENCAP_MPLS {
		t.Errorf("encap mpls is %d", n)
	}
}

func TestHardwareAddr(t *testing.T) {
	for _, s := range []string{"02:00:5e:10:00:01", "00", "00:00:00:00:00:00:00:00:fe:80:00:00:00:00:00:00:02:00:5e:10"} {
		a, err := ParseHardwareAddr(s)
		if err != nil || a.String() != s {
			t.Errorf("%q is read as %v, %v", s, a, err)
		}
	}
	for _, s := range []string{"", "0", "02:", "02:0", "02.00", "02:00-5e:10:00:01", "zz:00", ":02:00", strings.Repeat("00:", 32) + "00"} {
		if a, err := ParseHardwareAddr(s); err == nil {
			t.Errorf("%q is read as %v", s, a)
		}
	}
}

// Many goroutines intern at once; the table stays bounded.
func TestWords(t *testing.T) {
	var w words
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 2 * maxWords {
				s := fmt.Sprint("kind", i)
				if got := w.get([]byte(s)); got != s {
					t.Errorf("%q is %q", s, got)
				}
			}
		})
	}
	all.Wait()
	if n := len(*w.m.Load()); n > maxWords {
		t.Errorf("%d words", n)
	}
	w = words{}
	w.get([]byte("veth"))
	b := []byte("veth")
	if n := testing.AllocsPerRun(100, func() { w.get(b) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
