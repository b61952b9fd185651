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

// dumpLinks reads n links, the ends of veth pairs (target 5).
func dumpLinks(n int) Workload {
	d := linkBed("veth", n/2)
	times := max(1, 40_000/n)
	work := func(name string) func(*Stage) (Sample, error) {
		return func(s *Stage) (Sample, error) {
			sample, err := s.worker(name, strconv.Itoa(times))
			if err == nil && sample.Objects < n {
				err = fmt.Errorf("%d links, want %d", sample.Objects, n)
			}
			return sample, err
		}
	}
	return Workload{
		Name: fmt.Sprintf("dump %d links", n), Rounds: 5,
		Setup: func(s *Stage) error { return s.lay(d) },
		Variants: []Variant{
			{Name: "floor, without statistics", Run: func(s *Stage) (Sample, error) {
				file, err := s.dumpMessages("links")
				if err != nil {
					return Sample{}, err
				}
				return s.floor("dump", file, times)
			}},
			{Name: "nlapply route.Conn.Links", Run: work("dump-links-nlapply"), Targets: []Target{atMost(1.5), allocations(2)}},
			{Name: "vishvananda LinkList", Run: work("dump-links-vishvananda")},
			{Name: "jsimonetti Link.List", Run: work("dump-links-jsimonetti")},
			{Name: "ip link show", Run: func(s *Stage) (Sample, error) { return s.process("ip", "link", "show") }},
		},
	}
}

func nlapplyDumpLinks(args []string) (Sample, error) {
	c, err := route.Dial(nl.Config{})
	if err != nil {
		return Sample{}, err
	}
	defer c.Close()
	return repeat(args, func() (n int, err error) {
		for l, err := range c.Links(context.Background()) {
			if err != nil {
				return n, err
			}
			if l.Name != "" {
				n++
			}
		}
		return n, nil
	})
}

func vishvanandaDumpLinks(args []string) (Sample, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return Sample{}, err
	}
	return repeat(args, func() (int, error) {
		links, err := h.LinkList()
		return len(links), err
	})
}

func jsimonettiDumpLinks(args []string) (Sample, error) {
	c, err := rtnetlink.Dial(nil)
	if err != nil {
		return Sample{}, err
	}
	defer c.Close()
	return repeat(args, func() (int, error) {
		links, err := c.Link.List()
		return len(links), err
	})
}
