package main

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
)

const (
	create = netlink.Create | netlink.Excl
	// protocol marks routes, so that all variants make the same ones.
	protocol = 110
)

// A messageWriter writes ready-made messages for the floor.
type messageWriter struct {
	*bufio.Writer
	e   netlink.Encoder
	buf []byte
}

func (w *messageWriter) add(typ uint16, flags netlink.Flags, p netlink.Payload) {
	w.e.Reset()
	p.AppendTo(&w.e)
	m := netlink.Message{Type: typ, Flags: flags | netlink.Request, Data: w.e.Bytes()}
	w.buf = m.AppendTo(w.buf[:0])
	w.Write(w.buf)
}

// linkMessages is a file with messages that make the links.
func (b *Bench) linkMessages(d *bed) (string, error) {
	return b.file(d.name+".links", func(w *bufio.Writer) {
		m := &messageWriter{Writer: w}
		for i := range d.links {
			for _, r := range d.links[i].requests() {
				m.add(r.typ, r.flags, r.payload)
			}
		}
	})
}

// routeMessages is a file with messages that make the routes.
func (b *Bench) routeMessages(d *bed) (string, error) {
	return b.file(d.name+".routes", func(w *bufio.Writer) {
		m := &messageWriter{Writer: w}
		for i := range d.routes {
			m.add(unix.RTM_NEWROUTE, create, d.route(i))
		}
	})
}

// allMessages is a file with both.
func (b *Bench) allMessages(d *bed) (string, error) {
	return b.file(d.name+".all", func(w *bufio.Writer) {
		m := &messageWriter{Writer: w}
		for i := range d.links {
			for _, r := range d.links[i].requests() {
				m.add(r.typ, r.flags, r.payload)
			}
		}
		for i := range d.routes {
			m.add(unix.RTM_NEWROUTE, create, d.route(i))
		}
	})
}

// dumpMessages is a file with requests to dump: "links", "addresses", "routes".
func (b *Bench) dumpMessages(what ...string) (string, error) {
	return b.file(fmt.Sprint("dump", what), func(w *bufio.Writer) {
		m := &messageWriter{Writer: w}
		for _, object := range what {
			switch object {
			case "links":
				m.add(unix.RTM_GETLINK, netlink.Dump, request{make([]byte, unix.SizeofIfInfomsg), unix.IFLA_EXT_MASK, route.RTEXT_FILTER_SKIP_STATS})
			case "addresses":
				m.add(unix.RTM_GETADDR, netlink.Dump, request{header: make([]byte, unix.SizeofIfAddrmsg)})
			case "routes":
				// Routes of the main table, as every variant asks for them.
				h := make([]byte, unix.SizeofRtMsg)
				h[0] = unix.AF_INET
				m.add(unix.RTM_GETROUTE, netlink.Dump, request{h, unix.RTA_TABLE, unix.RT_TABLE_MAIN})
			}
		}
	})
}

// A request is a fixed part and at most one attribute.
type request struct {
	header []byte
	typ    uint16
	value  uint32
}

func (r request) AppendTo(e *netlink.Encoder) {
	e.Fixed(r.header)
	if r.typ != 0 {
		e.Uint32(r.typ, r.value)
	}
}

// An order is a message to be sent.
type order struct {
	typ     uint16
	flags   netlink.Flags
	payload netlink.Payload
}

// requests returns the messages that make the link, give it its addresses and
// bring it up.
func (l *link) requests() []order {
	made := &route.LinkChange{Index: l.index, Name: &l.name, Kind: l.kind}
	up := []int32{l.index}
	if l.kind == "veth" {
		made.Data = vethPeer(route.LinkChange{Index: l.peerIndex, Name: &l.peer})
		up = append(up, l.peerIndex)
	} else {
		made.Data = vxlanData(l.id)
	}
	all := []order{{unix.RTM_NEWLINK, create, made}}
	for _, a := range l.addrs {
		all = append(all, order{unix.RTM_NEWADDR, create, &route.Addr{
			Family: unix.AF_INET, PrefixLen: uint8(a.Bits()), Index: l.index, Local: a.Addr(), Proto: protocol,
		}})
	}
	for _, index := range up {
		all = append(all, order{unix.RTM_NEWLINK, 0, &route.LinkChange{Index: index, Flags: unix.IFF_UP, Change: unix.IFF_UP}})
	}
	return all
}

// route returns the i-th route.
func (d *bed) route(i int) *route.Route {
	l := d.hop(i)
	return &route.Route{
		Family: unix.AF_INET, Table: unix.RT_TABLE_MAIN, Type: unix.RTN_UNICAST, Protocol: protocol,
		Dst: netip.PrefixFrom(destination(i), 32), Gateway: l.gateway, OIF: l.index,
	}
}

// vethPeer returns the data of a veth with this peer.
func vethPeer(peer route.LinkChange) []byte {
	const vethInfoPeer = 1 // VETH_INFO_PEER
	var e netlink.Encoder
	n := e.BeginPlain(vethInfoPeer)
	peer.AppendTo(&e)
	e.End(n)
	return e.Bytes()
}

// vxlanData returns the data of a VXLAN.
func vxlanData(id uint32) []byte {
	const vxlanPort = 4789
	var e netlink.Encoder
	e.Uint32(unix.IFLA_VXLAN_ID, id)
	e.Addr(unix.IFLA_VXLAN_LOCAL, tunnelEnd)
	e.BE16(unix.IFLA_VXLAN_PORT, vxlanPort)
	return e.Bytes()
}

// lay makes the links of a bed, and its routes, with the floor.
func (s *Stage) lay(d *bed) error {
	file, err := s.allMessages(d)
	if err == nil {
		_, err = s.floor("send", file, 200)
	}
	return err
}

// expect counts the links and the routes that the stage has, lo apart.
func (s *Stage) expect(links, routes int) error {
	return s.with(func(ctx context.Context, c *route.Conn) error {
		haveLinks, haveRoutes := -1, 0
		for l, err := range c.Links(ctx) {
			if err != nil {
				return err
			}
			if l.Flags&unix.IFF_UP != 0 {
				haveLinks++
			}
		}
		for r, err := range c.Routes(ctx, route.RouteFilter{Family: unix.AF_INET, Table: unix.RT_TABLE_MAIN}) {
			if err != nil {
				return err
			}
			if r.Protocol == protocol {
				haveRoutes++
			}
		}
		if haveLinks != links || haveRoutes != routes {
			return fmt.Errorf("left %d links that are up and %d routes, want %d and %d", haveLinks, haveRoutes, links, routes)
		}
		return nil
	})
}

// count returns the number of devices of a bed.
func (d *bed) count() (n int) {
	for i := range d.links {
		n++
		if d.links[i].kind == "veth" {
			n++
		}
	}
	return n
}
