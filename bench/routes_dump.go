package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	nl "github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
)

// dumpRoutes reads n routes (target 1).
func dumpRoutes(n int) Workload {
	d := routeBed(n)
	times := max(1, 500_000/n)
	work := func(name string) func(*Stage) (Sample, error) {
		return func(s *Stage) (Sample, error) {
			sample, err := s.worker(name, strconv.Itoa(times))
			if err == nil && sample.Objects < n {
				err = fmt.Errorf("%d routes, want %d", sample.Objects, n)
			}
			return sample, err
		}
	}
	const iter, list = "vishvananda RouteListFilteredIter", "vishvananda RouteList"
	return Workload{
		Name: fmt.Sprintf("dump %d routes", n), Rounds: 5,
		Setup: func(s *Stage) error { return s.lay(d) },
		Variants: []Variant{
			{Name: "floor", Run: func(s *Stage) (Sample, error) {
				file, err := s.dumpMessages("routes")
				if err != nil {
					return Sample{}, err
				}
				return s.floor("dump", file, times)
			}},
			{Name: "nlapply route.Conn.Routes", Run: work("dump-routes-nlapply"),
				Targets: []Target{atMost(1.3), allocations(0), faster(2, iter), faster(10, list)}},
			{Name: iter, Run: work("dump-routes-iter")},
			{Name: list, Run: work("dump-routes-vishvananda")},
			{Name: "jsimonetti Route.List", Run: work("dump-routes-jsimonetti")},
			{Name: "ip route show", Run: func(s *Stage) (Sample, error) { return s.process("ip", "route", "show") }},
		},
	}
}

func nlapplyDumpRoutes(args []string) (Sample, error) {
	c, err := route.Dial(nl.Config{})
	if err != nil {
		return Sample{}, err
	}
	defer c.Close()
	return repeat(args, func() (n int, err error) {
		for r, err := range c.Routes(context.Background(), route.RouteFilter{Family: unix.AF_INET, Table: unix.RT_TABLE_MAIN}) {
			if err != nil {
				return n, err
			}
			if r.Dst.IsValid() {
				n++
			}
		}
		return n, nil
	})
}

// mainTable is the filter with which vishvananda's library asks for the main table.
var mainTable = &netlink.Route{Table: unix.RT_TABLE_MAIN}

func vishvanandaIterRoutes(args []string) (Sample, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return Sample{}, err
	}
	return repeat(args, func() (n int, err error) {
		err = h.RouteListFilteredIter(netlink.FAMILY_V4, mainTable, netlink.RT_FILTER_TABLE, func(r netlink.Route) bool {
			if r.Dst != nil {
				n++
			}
			return true
		})
		return n, err
	})
}

func vishvanandaDumpRoutes(args []string) (Sample, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return Sample{}, err
	}
	return repeat(args, func() (int, error) {
		routes, err := h.RouteList(nil, netlink.FAMILY_V4)
		return len(routes), err
	})
}

func jsimonettiDumpRoutes(args []string) (Sample, error) {
	c, err := rtnetlink.Dial(nil)
	if err != nil {
		return Sample{}, err
	}
	defer c.Close()
	return repeat(args, func() (int, error) {
		routes, err := c.Route.List()
		return len(routes), err
	})
}

// repeat measures f as often as the worker's first argument says.
func repeat(args []string, f func() (int, error)) (Sample, error) {
	if len(args) == 0 {
		return Sample{}, fmt.Errorf("how often?")
	}
	times, err := strconv.Atoi(args[0])
	if err != nil {
		return Sample{}, err
	}
	return measure(times, f)
}
