package main

import (
	"fmt"
	"net/netip"
)

// A bed is what a workload makes or reads: links with addresses, and routes
// through them. It is written as messages, as a document and as a batch for ip.
type bed struct {
	name   string // of files made from it
	links  []link
	routes int // spread over the veth links
}

// A link is up and has addresses. Indexes are those that the floor asks for.
type link struct {
	kind        string // veth or vxlan
	name, peer  string
	index       int32
	peerIndex   int32
	id          uint32
	addrs       []netip.Prefix
	gateway     netip.Addr // of routes through it
	hasNoRoutes bool
}

// firstIndex is the index of the first link of a bed.
const firstIndex = 1000

// tunnelEnd is the local address of VXLANs.
var tunnelEnd = ipv4(192, 0, 2, 1)

func ipv4(a, b, c, d int) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(a), byte(b), byte(c), byte(d)})
}

// destination returns where the i-th route goes, in address order.
func destination(i int) netip.Addr { return ipv4(16, i>>16, i>>8, i) }

// hop returns the link that the i-th route goes through.
func (b *bed) hop(i int) *link {
	veths := len(b.links)
	for veths > 0 && b.links[veths-1].hasNoRoutes {
		veths--
	}
	return &b.links[i*veths/b.routes]
}

// routeBed is n routes through one link.
func routeBed(n int) *bed {
	return &bed{fmt.Sprintf("routes-%d", n), []link{veth(0, 1)}, n}
}

// linkBed is n links, with one address each.
func linkBed(kind string, n int) *bed {
	b := &bed{name: fmt.Sprintf("%s-%d", kind, n)}
	for i := range n {
		l := veth(i, n)
		if kind == "vxlan" {
			l = vxlan(i, i)
		}
		b.links = append(b.links, l)
	}
	return b
}

// systemBed is n veth pairs and n VXLANs with two addresses each, and 20 routes
// for every pair.
func systemBed(n int) *bed {
	b := &bed{name: fmt.Sprintf("system-%d", n), routes: 20 * n}
	for i := range n {
		b.links = append(b.links, veth(i, n))
	}
	for i := range n {
		b.links = append(b.links, vxlan(i, 3*n+i))
	}
	for i := range b.links {
		l := &b.links[i]
		l.addrs = append(l.addrs, netip.PrefixFrom(ipv4(11, i>>8, i, 1), 24))
	}
	return b
}

func veth(i, n int) link {
	net := addresses(i)
	return link{kind: "veth", name: fmt.Sprint("va", i), peer: fmt.Sprint("vb", i), index: int32(firstIndex + i),
		peerIndex: int32(firstIndex + n + i), addrs: net, gateway: net[0].Addr().Next()}
}

func vxlan(i, at int) link {
	return link{kind: "vxlan", name: fmt.Sprint("vx", i), index: int32(firstIndex + at), id: uint32(i + 1),
		addrs: addresses(at), hasNoRoutes: true}
}

func addresses(i int) []netip.Prefix {
	return []netip.Prefix{netip.PrefixFrom(ipv4(10, i>>8, i, 1), 24)}
}
