package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	nl "github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
)

// deleteLinks deletes n VXLANs that are up and have an address (target 4).
func deleteLinks(n int) Workload {
	d := linkBed("vxlan", n)
	work := func(name string) func(*Stage) (Sample, error) {
		return func(s *Stage) (Sample, error) { return s.worker(name, strconv.Itoa(n), "vxlan") }
	}
	return Workload{
		Name: fmt.Sprintf("delete %d links", n), Rounds: 3, Stage: fresh,
		// nlapply makes them, so that they are its own to delete.
		Setup: func(s *Stage) error {
			_, err := applyJSON(d)(s)
			return err
		},
		Check: func(s *Stage) error { return s.expect(0, 0) },
		Variants: []Variant{
			{Name: "floor, one by one", Run: func(s *Stage) (Sample, error) { return s.deleteFloor(1, false) }},
			{Name: "floor, by group", Run: func(s *Stage) (Sample, error) { return s.deleteFloor(1000, true) }},
			{Name: "nlapply netlink.Batch, by group", Run: work("delete-links-nlapply"), Targets: []Target{faster(20, "")}},
			{Name: "nlapply delete, whole process", Targets: []Target{faster(20, "")}, Run: func(s *Stage) (Sample, error) {
				file, err := s.json(d)
				if err != nil {
					return Sample{}, err
				}
				return s.process(s.nlapply(), "delete", "-q", "-f", file)
			}},
			{Name: "nlapply -f without them, whole process", Targets: []Target{faster(20, "")}, Run: func(s *Stage) (Sample, error) {
				file, err := s.nothing()
				if err != nil {
					return Sample{}, err
				}
				return s.process(s.nlapply(), "-q", "-f", file)
			}},
			{Name: "ip -batch", Run: func(s *Stage) (Sample, error) {
				file, err := s.file(d.name+".delete", func(w *bufio.Writer) {
					for i := range d.links {
						fmt.Fprintf(w, "link del %s\n", d.links[i].name)
					}
				})
				if err != nil {
					return Sample{}, err
				}
				return s.process("ip", "-batch", file)
			}},
			{Name: "vishvananda LinkDel", Run: work("delete-links-vishvananda")},
		},
	}
}

// A deletion is one link or, with a group, many.
func deletions(ctx context.Context, c *route.Conn, byGroup bool) (all []order, err error) {
	group := rand.Uint32() | 1 // a group that no link has, 0 being the default
	for l, err := range c.Links(ctx) {
		if err != nil {
			return nil, err
		}
		switch {
		case l.Kind == "": // lo
		case byGroup:
			all = append(all, order{unix.RTM_SETLINK, 0, &route.LinkChange{Index: l.Index, Group: &group}})
		default:
			all = append(all, order{unix.RTM_DELLINK, 0, &route.LinkChange{Index: l.Index}})
		}
	}
	if byGroup {
		all = append(all, order{unix.RTM_DELLINK, 0, &route.LinkChange{Group: &group}})
	}
	return all, nil
}

// deleteFloor deletes all links, per messages a datagram.
func (s *Stage) deleteFloor(per int, byGroup bool) (Sample, error) {
	var all []order
	err := s.with(func(ctx context.Context, c *route.Conn) (err error) {
		all, err = deletions(ctx, c, byGroup)
		return err
	})
	if err != nil {
		return Sample{}, err
	}
	const name = "deletions" // the indexes are others each time
	file, err := s.file(name, func(w *bufio.Writer) {
		m := &messageWriter{Writer: w}
		for _, r := range all {
			m.add(r.typ, r.flags, r.payload)
		}
	})
	if err != nil {
		return Sample{}, err
	}
	sample, err := s.floor("send", file, per)
	return sample, errors.Join(err, os.Remove(file))
}

func nlapplyDeleteLinks(args []string) (Sample, error) {
	c, err := route.Dial(nl.Config{})
	if err != nil {
		return Sample{}, err
	}
	defer c.Close()
	return once(func() error {
		all, err := deletions(context.Background(), c, true)
		if err != nil {
			return err
		}
		var b nl.Batch
		for _, r := range all {
			b.Add(r.typ, r.flags, r.payload)
		}
		return execute(c, &b)
	})
}

func vishvanandaDeleteLinks(args []string) (Sample, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return Sample{}, err
	}
	return once(func() error {
		links, err := h.LinkList()
		if err != nil {
			return err
		}
		for _, l := range links {
			if l.Attrs().Name == "lo" {
				continue
			}
			if err := h.LinkDel(l); err != nil {
				return err
			}
		}
		return nil
	})
}
