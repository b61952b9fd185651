package monitor

import (
	"encoding/json"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/nltest"
	"github.com/nlapply/nlapply/netlink/route"
	"github.com/nlapply/nlapply/spec"
)

// aView is a view of a namespace with two links and iproute2's built-in names.
func aView() *view {
	return &view{
		names: spec.ReadNames(fstest.MapFS{}),
		links: map[int32]*seenLink{2: {name: "eth0"}, 3: {name: "br0"}},
	}
}

// message encodes an object as the kernel does.
func message(typ uint16, write func(e *netlink.Encoder)) netlink.Message {
	var e netlink.Encoder
	write(&e)
	return netlink.Message{Type: typ, Data: e.Bytes()}
}

func of(typ uint16, p netlink.Payload) netlink.Message { return message(typ, p.AppendTo) }

// events are messages that no `ip` of today's kernels makes easily, with the line
// and the fields that they are.
var events = []struct {
	name string
	m    netlink.Message
	text string
	json string
}{
	{
		"a link that moved away",
		of(unix.RTM_DELLINK, &route.Link{
			Index: 2, Name: "eth0", Type: unix.ARPHRD_ETHER, Address: route.HardwareAddr{2, 0, 0, 0, 0, 1},
			PermAddress: route.HardwareAddr{2, 0, 0, 0, 0, 9}, NewNetNSID: 7, HasNewNetNSID: true, NewIndex: 5,
		}),
		"Deleted 2: eth0: <> mtu 0 state UNKNOWN group default link/ether 02:00:00:00:00:01 permaddr 02:00:00:00:00:09 " +
			"new-netnsid 7 new-ifindex 5",
		`"event":"del","class":"link","ifindex":2,"ifname":"eth0","flags":[],"mtu":0,"operstate":"UNKNOWN","group":"default",` +
			`"txqlen":0,"link_type":"ether","address":"02:00:00:00:00:01","permaddr":"02:00:00:00:00:09","new_netnsid":7,` +
			`"new_ifindex":5,"promiscuity":0,"allmulti":0,"min_mtu":0,"max_mtu":0,"num_tx_queues":0,"num_rx_queues":0,` +
			`"gso_max_size":0,"gso_max_segs":0,"gro_max_size":0`,
	},
	{
		"attributes that are not known",
		message(unix.RTM_NEWADDR, func(e *netlink.Encoder) {
			e.Fixed([]byte{unix.AF_INET, 24, 0, 0, 2, 0, 0, 0})
			e.Attr(unix.IFA_LOCAL, []byte{10, 0, 0, 1})
			e.Attr(77, []byte{1, 2})
			e.Attr(78, nil)
		}),
		"2: eth0 inet 10.0.0.1/24 scope global dynamic valid_lft forever preferred_lft forever unknown attributes 77,78",
		`"event":"new","class":"address","index":2,"dev":"eth0","family":"inet","local":"10.0.0.1","prefixlen":24,` +
			`"scope":"global","dynamic":true,"valid_life_time":4294967295,"preferred_life_time":4294967295,` +
			`"unknown_attributes":[{"type":77,"data":"0102"},{"type":78,"data":""}]`,
	},
	{
		"a type that is not known",
		message(245, func(e *netlink.Encoder) { e.Fixed([]byte{unix.AF_INET, 1, 2, 3}) }),
		"Deleted message 245 inet 02010203",
		`"event":"del","class":"unknown","message":"245","family":"inet","data":"02010203"`,
	},
	{
		"a family that is not known",
		message(unix.RTM_NEWROUTE, func(e *netlink.Encoder) { e.Fixed([]byte{unix.AF_MPLS, 20, 0, 0}) }),
		"message newroute mpls 1c140000",
		`"event":"new","class":"unknown","message":"newroute","family":"mpls","data":"1c140000"`,
	},
	{
		"a message that breaks off",
		message(unix.RTM_NEWNEXTHOP, func(e *netlink.Encoder) { e.Fixed([]byte{2, 0, 0, 0}) }),
		"message newnexthop inet (4 bytes: bad message) 02000000",
		`"event":"new","class":"unknown","message":"newnexthop","family":"inet","reason":"4 bytes: bad message","data":"02000000"`,
	},
	{
		"no payload",
		netlink.Message{Type: unix.RTM_DELNSID},
		"Deleted nsid -1",
		`"event":"del","class":"nsid","nsid":-1`,
	},
	{
		"a rule with everything",
		of(unix.RTM_NEWRULE, &route.Rule{
			Family: unix.AF_INET, Action: unix.FR_ACT_TO_TBL, Protocol: unix.RTPROT_STATIC, Priority: 9, Table: 255, TunID: 5,
			IPProto: unix.IPPROTO_TCP, DPort: route.PortRange{Start: 80, End: 80}, DPortMask: 0xff, FwMark: 1, FwMask: 1<<32 - 1,
			HasSuppressIfGroup: true, IIF: "x", Flags: unix.FIB_RULE_IIF_DETACHED, Realms: 3<<16 | 4,
		}),
		"9: from all fwmark 0x1 iif x [detached] ipproto tcp dport 80/0xff tun_id 5 lookup local " +
			"suppress_ifgroup default realms 3/4 proto static",
		`"event":"new","class":"rule","priority":9,"family":"inet","src":"all","fwmark":"0x1","fwmask":"0xffffffff","iif":"x",` +
			`"iif_detached":true,"ipproto":"tcp","dport":80,"dport_mask":255,"tun_id":5,"table":"local",` +
			`"suppress_ifgroup":"default","realm_from":"3","realm_to":"4","protocol":"static"`,
	},
	{
		"an IPv6 route that expires, with a tunnel",
		of(unix.RTM_NEWROUTE, &route.Route{
			Family: unix.AF_INET6, Type: unix.RTN_UNICAST, Table: 1000, Protocol: unix.RTPROT_RA, Expires: 30, OIF: 9,
			Encap: route.Encap{Type: unix.LWTUNNEL_ENCAP_MPLS, Data: []byte{8, 0, 1, 0, 0, 1, 0x61, 0}},
		}),
		"default encap mpls 0800010000016100 dev if9 table 1000 proto ra metric 0 expires 30sec pref medium",
		`"event":"new","class":"route","type":"unicast","dst":"default","encap":"mpls","encap_data":"0800010000016100","dev":"if9",` +
			`"table":"1000","protocol":"ra","metric":0,"expires":30,"pref":"medium"`,
	},
	{
		"a forwarding entry with everything",
		of(unix.RTM_NEWNEIGH, &route.Neighbor{
			Family: unix.AF_BRIDGE, Index: 2, LLAddr: route.HardwareAddr{2, 0, 0, 0, 0, 1}, VLAN: 5, NHID: 6, SrcVNI: 7, Master: 3,
			HasNetNS: true, NetNSID: 1, ExtFlags: route.NTF_EXT_LOCKED, Flags: unix.NTF_EXT_LEARNED, State: unix.NUD_STALE,
		}),
		"02:00:00:00:00:01 dev eth0 vlan 5 src_vni 7 nhid 6 link-netnsid 1 extern_learn locked master br0 stale",
		`"event":"new","class":"fdb","mac":"02:00:00:00:00:01","ifname":"eth0","vlan":5,"src_vni":7,"nhid":6,"linkNetNsId":1,` +
			`"flags":["extern_learn","locked"],"master":"br0","state":["stale"]`,
	},
	{
		"MPLS sysctls",
		message(unix.RTM_NEWNETCONF, func(e *netlink.Encoder) {
			e.Fixed([]byte{unix.AF_MPLS, 0, 0, 0})
			e.Uint32(netconfaIfindex, 2)
			e.Uint32(netconfaInput, 1)
			e.Uint32(99, 1)
		}),
		"mpls eth0 input on unknown attributes 99",
		`"event":"new","class":"netconf","family":"mpls","interface":"eth0","input":true,` +
			`"unknown_attributes":[{"type":99,"data":"01000000"}]`,
	},
	{
		"two VLANs with a tunnel, in one message",
		message(unix.RTM_NEWVLAN, func(e *netlink.Encoder) {
			e.Fixed([]byte{unix.AF_BRIDGE, 0, 0, 0, 2, 0, 0, 0})
			for vid := range uint8(2) {
				entry := e.Begin(vlandbEntry)
				e.Attr(vlandbEntryInfo, []byte{route.BRIDGE_VLAN_INFO_PVID, 0, vid + 1, 0})
				tunnel := e.Begin(vlandbEntryTunnelInfo)
				e.Uint32(vlandbTinfoId, 99)
				e.End(tunnel)
				e.End(entry)
			}
		}),
		"eth0 1 PVID tunnel_id 99, 2 PVID tunnel_id 99",
		`"event":"new","class":"vlan","ifname":"eth0","vlans":[{"vlan":1,"flags":["PVID"],"tunid":99},` +
			`{"vlan":2,"flags":["PVID"],"tunid":99}]`,
	},
	{
		"a name that would forge a line",
		of(unix.RTM_DELLINK, &route.Link{Family: unix.AF_BRIDGE, Index: 2, Name: "a\x1b\n<b>", Master: 3}),
		"Deleted 2: a??<b>: <> mtu 0 master br0",
		`"event":"del","class":"port","ifindex":2,"ifname":"a\u001b\n<b>","flags":[],"mtu":0,"master":"br0"`,
	},
}

func TestEvents(t *testing.T) {
	for _, tt := range events {
		t.Run(tt.name, func(t *testing.T) {
			e := aView().event(tt.m)
			if diff := cmp.Diff(tt.text, e.String()); diff != "" {
				t.Errorf("text (-want +got)\n%s", diff)
			}
			e.Time = time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
			e.Namespace = "red"
			b, err := e.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			want := `{"time":"2026-01-02T03:04:05.000006Z","namespace":"red",` + tt.json + "}"
			if diff := cmp.Diff(want, string(b)); diff != "" {
				t.Errorf("JSON (-want +got)\n%s", diff)
			}
			if got := e.String(); got != "red: "+tt.text {
				t.Errorf("with a namespace: %s", got)
			}
		})
	}
}

func TestEventsWithoutObject(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	for _, tt := range []struct {
		e          Event
		text, json string
	}{
		{Event{Time: at, Kind: Overrun}, "overrun: events were lost", `{"time":"2026-01-02T03:04:05.000000+01:00","namespace":"","event":"overrun"}`},
		{
			Event{Time: at, Kind: Failure, Namespace: "red", Error: "no"}, "red: error: no",
			`{"time":"2026-01-02T03:04:05.000000+01:00","namespace":"red","event":"error","error":"no"}`,
		},
	} {
		if got := tt.e.String(); got != tt.text {
			t.Errorf("%q, want %q", got, tt.text)
		}
		if b, err := json.Marshal(&tt.e); err != nil || string(b) != tt.json {
			t.Errorf("%s, %v, want %s", b, err, tt.json)
		}
	}
}

// TestChanged sends the states of one link one after the other.
func TestChanged(t *testing.T) {
	v := aView()
	l := route.Link{Index: 9, Name: "vx0", MTU: 1500, Flags: unix.IFF_BROADCAST, Kind: "vxlan", Data: vxlanData(7)}
	up := l
	up.Flags |= unix.IFF_UP | unix.IFF_RUNNING
	up.AltNames = []string{"other"}
	port := up
	port.Master, port.SlaveKind, port.SlaveData = 3, "bridge", []byte{5, 0, unix.IFLA_BRPORT_LEARNING, 0, 1, 0, 0, 0}
	quiet := port
	quiet.SlaveData = []byte{5, 0, unix.IFLA_BRPORT_LEARNING, 0, 0, 0, 0, 0}
	moved := l
	moved.Data, moved.Name, moved.MTU = vxlanData(8), "vx1", 1400
	strange := moved
	strange.Kind, strange.Data = "strange", []byte{1, 2}
	stranger := strange
	stranger.Data = []byte{1, 3}
	for _, step := range []struct {
		m    netlink.Message
		want []Change
	}{
		{of(unix.RTM_NEWLINK, &l), nil}, // not seen before
		{of(unix.RTM_NEWLINK, &l), nil},
		{of(unix.RTM_NEWLINK, &up), []Change{{"flags", "", "UP"}, {"altnames", "", "other"}}},
		{of(unix.RTM_NEWLINK, &port), []Change{{"master", "", "br0"}, {"kind_slave", "", "bridge"}}},
		{of(unix.RTM_NEWLINK, &quiet), []Change{{"bridge_slave.learning", "on", "off"}}},
		// What a bridge says of its port is no change of the link, and its end not the link's.
		{of(unix.RTM_NEWLINK, &route.Link{Family: unix.AF_BRIDGE, Index: 9, Name: "vx0", MTU: 9, Master: 3}), nil},
		{of(unix.RTM_DELLINK, &route.Link{Family: unix.AF_BRIDGE, Index: 9, Name: "vx0", Master: 3}), nil},
		{of(unix.RTM_NEWLINK, &moved), []Change{
			{"ifname", "vx0", "vx1"}, {"flags", "UP", ""}, {"mtu", "1500", "1400"}, {"vxlan.id", "7", "8"}, {"master", "br0", ""},
			{"kind_slave", "bridge", ""}, {"altnames", "other", ""},
		}},
		{of(unix.RTM_NEWLINK, &strange), []Change{{"kind", "vxlan", "strange"}, {"strange", "", "0102"}, {"vxlan.id", "8", ""}}},
		{of(unix.RTM_NEWLINK, &stranger), []Change{{"strange", "0102", "0103"}}},
		{of(unix.RTM_DELLINK, &stranger), nil},
		{of(unix.RTM_NEWLINK, &l), nil}, // another link with its index
	} {
		e := v.event(step.m)
		if diff := cmp.Diff(step.want, e.Changed); diff != "" {
			t.Errorf("%v (-want +got)\n%s", e, diff)
		}
	}
	e := Event{Kind: New, Changed: []Change{{"mtu", "1500", "1400"}, {"master", "", "br0"}, {"ifalias", "x", ""}}}
	if want := " (mtu 1500 → 1400, master none → br0, ifalias x → none)"; e.String() != want {
		t.Errorf("%q, want %q", e.String(), want)
	}
}

func vxlanData(id uint32) []byte {
	var e netlink.Encoder
	e.Uint32(unix.IFLA_VXLAN_ID, id)
	return e.Bytes()
}

// TestLearnAmongChanges lets links change during every dump: what was seen is
// known nevertheless.
func TestLearnAmongChanges(t *testing.T) {
	dumps := 0
	k := &nltest.Kernel{Answer: func(s *nltest.Socket, requests []netlink.Message) {
		dumps++
		m := nltest.Part(requests[0], unix.RTM_NEWLINK, of(0, &route.Link{Index: 9, Name: "eth9"}).Data)
		m.Flags |= netlink.DumpInterrupted
		s.Push(m, nltest.Done(requests[0], 0, nil))
	}}
	conn, err := route.Dial(netlink.Config{Transport: k.Transport})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	v := aView()
	v.conn = conn
	if err := v.learn(t.Context()); err != nil || dumps < 2 || v.link(9) != "eth9" {
		t.Errorf("%v after %d dumps; link 9 is %s", err, dumps, v.link(9))
	}
}
