package main

import (
	"fmt"
	"net"
	"strconv"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	nl "github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
)

// createLinks makes n links of a kind, gives them an address and brings them up
// (target 4).
func createLinks(kind string, n int) Workload {
	d := linkBed(kind, n)
	work := func(name string) func(*Stage) (Sample, error) {
		return func(s *Stage) (Sample, error) { return s.worker(name, strconv.Itoa(n), kind) }
	}
	return Workload{
		Name: fmt.Sprintf("create %d %s links with address, up", n, kind), Rounds: 5, Stage: fresh,
		Check: func(s *Stage) error { return s.expect(d.count(), 0) },
		Variants: []Variant{
			{Name: "floor, 200 a datagram", Run: func(s *Stage) (Sample, error) {
				file, err := s.linkMessages(d)
				if err != nil {
					return Sample{}, err
				}
				return s.floor("send", file, 200)
			}},
			{Name: "nlapply netlink.Batch", Run: work("create-links-nlapply"), Targets: []Target{atMost(1.1)}},
			{Name: "nlapply -f, whole process", Run: applyJSON(d), Targets: []Target{atMost(1.1)}},
			{Name: "ip -batch", Run: runBatch(d)},
			{Name: "vishvananda LinkAdd, AddrAdd, LinkSetUp", Run: work("create-links-vishvananda")},
		},
	}
}

// applyJSON makes a bed from its document, as a process.
func applyJSON(d *bed) func(*Stage) (Sample, error) {
	return func(s *Stage) (Sample, error) {
		file, err := s.json(d)
		if err != nil {
			return Sample{}, err
		}
		return s.process(s.nlapply(), "-q", "-f", file)
	}
}

// applyYAML is applyJSON with YAML.
func applyYAML(d *bed) func(*Stage) (Sample, error) {
	return func(s *Stage) (Sample, error) {
		file, err := s.yaml(d)
		if err != nil {
			return Sample{}, err
		}
		return s.process(s.nlapply(), "-q", "-f", file)
	}
}

// runBatch makes a bed with `ip -batch`.
func runBatch(d *bed) func(*Stage) (Sample, error) {
	return func(s *Stage) (Sample, error) {
		file, err := s.batch(d)
		if err != nil {
			return Sample{}, err
		}
		return s.process("ip", "-batch", file)
	}
}

// bedOf is the bed that a worker's arguments, a number and a kind, ask for.
func bedOf(args []string) (*bed, error) {
	if len(args) != 2 {
		return nil, fmt.Errorf("want a number and a kind")
	}
	n, err := strconv.Atoi(args[0])
	return linkBed(args[1], n), err
}

func nlapplyCreateLinks(args []string) (Sample, error) {
	d, err := bedOf(args)
	if err != nil {
		return Sample{}, err
	}
	c, err := route.Dial(nl.Config{})
	if err != nil {
		return Sample{}, err
	}
	defer c.Close()
	return once(func() error {
		var b nl.Batch
		for i := range d.links {
			for _, r := range d.links[i].requests() {
				b.Add(r.typ, r.flags, r.payload)
			}
		}
		return execute(c, &b)
	})
}

func vishvanandaCreateLinks(args []string) (Sample, error) {
	d, err := bedOf(args)
	if err != nil {
		return Sample{}, err
	}
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return Sample{}, err
	}
	return once(func() error {
		for i := range d.links {
			if err := vishvanandaCreate(h, &d.links[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func vishvanandaCreate(h *netlink.Handle, l *link) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = l.name
	var made netlink.Link = &netlink.Veth{LinkAttrs: attrs, PeerName: l.peer}
	if l.kind == "vxlan" {
		made = &netlink.Vxlan{LinkAttrs: attrs, VxlanId: int(l.id), SrcAddr: tunnelEnd.AsSlice(), Port: 4789, Learning: true}
	}
	if err := h.LinkAdd(made); err != nil {
		return err
	}
	for _, a := range l.addrs {
		addr := &netlink.Addr{IPNet: &net.IPNet{IP: a.Addr().AsSlice(), Mask: net.CIDRMask(a.Bits(), 32)}}
		if err := h.AddrAdd(made, addr); err != nil {
			return err
		}
	}
	if l.peer != "" {
		peer, err := h.LinkByName(l.peer)
		if err != nil {
			return err
		}
		if err := h.LinkSetUp(peer); err != nil {
			return err
		}
	}
	return h.LinkSetUp(made)
}
