package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	nl "github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
)

// addRoutes adds n routes, in address order (target 2).
func addRoutes(n int) Workload {
	d := routeBed(n)
	work := func(name string) func(*Stage) (Sample, error) {
		return func(s *Stage) (Sample, error) { return s.worker(name, strconv.Itoa(n)) }
	}
	const batch, loop = "ip -batch", "vishvananda RouteAdd"
	rounds := 5
	if n > 500_000 {
		rounds = 3
	}
	return Workload{
		Name: fmt.Sprintf("add %d routes", n), Rounds: rounds, Stage: fresh,
		Setup: func(s *Stage) error { return s.lay(&bed{name: "hop", links: d.links}) },
		Check: func(s *Stage) error { return s.expect(d.count(), n) },
		Variants: []Variant{
			{Name: "floor, 1000 a datagram", Run: func(s *Stage) (Sample, error) {
				file, err := s.routeMessages(d)
				if err != nil {
					return Sample{}, err
				}
				return s.floor("send", file, 1000)
			}},
			{Name: "nlapply netlink.Batch", Run: work("add-routes-nlapply"),
				Targets: []Target{atMost(1.15), faster(3, batch), faster(3, loop)}},
			{Name: batch, Run: func(s *Stage) (Sample, error) {
				file, err := s.batchOfRoutes(d, "add")
				if err != nil {
					return Sample{}, err
				}
				return s.process("ip", "-batch", file)
			}},
			{Name: loop, Run: work("add-routes-vishvananda")},
			{Name: "jsimonetti Route.Add", Run: work("add-routes-jsimonetti")},
		},
	}
}

// loop measures f for 0 to n-1, n being the worker's argument.
func loop(args []string, f func(i, n int) error) (Sample, error) {
	if len(args) == 0 {
		return Sample{}, errors.New("how many?")
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return Sample{}, err
	}
	s, err := once(func() error {
		for i := range n {
			if err := f(i, n); err != nil {
				return fmt.Errorf("%d: %w", i, err)
			}
		}
		return nil
	})
	s.Objects = n
	return s, err
}

func nlapplyAddRoutes(args []string) (Sample, error) {
	c, err := route.Dial(nl.Config{})
	if err != nil {
		return Sample{}, err
	}
	defer c.Close()
	const fill = 10_000
	r := *routeBed(1).route(0)
	var b nl.Batch
	flush := func() error {
		defer b.Reset()
		return execute(c, &b)
	}
	return loop(args, func(i, n int) error {
		r.Dst = netip.PrefixFrom(destination(i), 32)
		b.Add(unix.RTM_NEWROUTE, create, &r)
		if b.Len() == fill || i == n-1 {
			return flush()
		}
		return nil
	})
}

// execute sends a batch of which nothing may be refused.
func execute(c *route.Conn, b *nl.Batch) error {
	res, err := c.Execute(context.Background(), b)
	for i, e := range res.Errors() {
		return fmt.Errorf("message %d: %w", i, e)
	}
	return err
}

func vishvanandaAddRoutes(args []string) (Sample, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return Sample{}, err
	}
	l := veth(0, 1)
	via := net.IP(l.gateway.AsSlice())
	return loop(args, func(i, _ int) error {
		return h.RouteAdd(&netlink.Route{
			LinkIndex: int(l.index), Protocol: protocol, Gw: via,
			Dst: &net.IPNet{IP: destination(i).AsSlice(), Mask: net.CIDRMask(32, 32)},
		})
	})
}

func jsimonettiAddRoutes(args []string) (Sample, error) {
	c, err := rtnetlink.Dial(nil)
	if err != nil {
		return Sample{}, err
	}
	defer c.Close()
	l := veth(0, 1)
	via := net.IP(l.gateway.AsSlice())
	return loop(args, func(i, _ int) error {
		return c.Route.Add(&rtnetlink.RouteMessage{
			Family: unix.AF_INET, DstLength: 32, Table: unix.RT_TABLE_MAIN, Protocol: protocol, Type: unix.RTN_UNICAST,
			Attributes: rtnetlink.RouteAttributes{Dst: destination(i).AsSlice(), Gateway: via, OutIface: uint32(l.index)},
		})
	})
}
