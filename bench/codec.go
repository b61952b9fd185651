package main

import (
	"encoding/binary"
	"errors"
	"net"
	"testing"

	"github.com/jsimonetti/rtnetlink/v2"
	"golang.org/x/sys/unix"

	nl "github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
)

// encodeRoute writes one route message (target 10).
func encodeRoute() Workload {
	return codec("encode one route", "encode", 20)
}

// decodeRoute reads one route message (target 10).
func decodeRoute() Workload {
	return codec("decode one route", "decode", 30)
}

func codec(name, what string, ns float64) Workload {
	work := func(peer string) func(*Stage) (Sample, error) {
		return func(s *Stage) (Sample, error) { return s.worker(what + "-" + peer) }
	}
	return Workload{
		Name: name, Rounds: 5,
		Variants: []Variant{
			{Name: "floor, raw Go", Run: work("raw")},
			{Name: "nlapply route.Route", Run: work("nlapply"), Targets: []Target{within(ns), allocations(0)}},
			{Name: "jsimonetti RouteMessage", Run: work("jsimonetti")},
		},
	}
}

// bench measures one operation, in CPU time, because the clock would count what
// else the machine does meanwhile. f has the loop: a call by pointer would take a
// tenth of what is measured.
func bench(f func(b *testing.B)) (Sample, error) {
	began := cpuTime()
	r := testing.Benchmark(f)
	if r.N == 0 {
		return Sample{}, errors.New("benchmark failed")
	}
	return Sample{NS: float64(cpuTime()-began) / float64(r.N), Objects: 1, Mallocs: new(float64(r.MemAllocs) / float64(r.N))}, nil
}

func nlapplyEncode([]string) (Sample, error) {
	r := routeBed(1).route(0)
	var e nl.Encoder
	return bench(func(b *testing.B) {
		for b.Loop() {
			e.Reset()
			r.AppendTo(&e)
		}
	})
}

func nlapplyDecode([]string) (Sample, error) {
	payload := routePayload()
	var r route.Route
	return bench(func(b *testing.B) {
		for b.Loop() {
			if err := r.Decode(payload); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// routePayload is the payload of a route message, as the kernel writes it in a dump.
func routePayload() []byte {
	var e nl.Encoder
	routeBed(1).route(0).AppendTo(&e)
	return e.Bytes()
}

func jsimonettiEncode([]string) (Sample, error) {
	l := veth(0, 1)
	m := &rtnetlink.RouteMessage{
		Family: unix.AF_INET, DstLength: 32, Table: unix.RT_TABLE_MAIN, Protocol: protocol, Type: unix.RTN_UNICAST,
		Attributes: rtnetlink.RouteAttributes{
			Dst: destination(0).AsSlice(), Gateway: net.IP(l.gateway.AsSlice()), OutIface: uint32(l.index), Table: unix.RT_TABLE_MAIN,
		},
	}
	return bench(func(b *testing.B) {
		for b.Loop() {
			if _, err := m.MarshalBinary(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func jsimonettiDecode([]string) (Sample, error) {
	payload := routePayload()
	return bench(func(b *testing.B) {
		for b.Loop() {
			var m rtnetlink.RouteMessage
			if err := m.UnmarshalBinary(payload); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// rawRoute is as much of a route as the floor encodes and decodes.
type rawRoute struct{ dst, table, oif, gateway uint32 }

func (r *rawRoute) appendTo(b []byte) []byte {
	b = append(b, unix.AF_INET, 32, 0, 0, unix.RT_TABLE_MAIN, protocol, 0, unix.RTN_UNICAST, 0, 0, 0, 0)
	b = appendAttr(b, unix.RTA_DST, r.dst)
	b = appendAttr(b, unix.RTA_TABLE, r.table)
	b = appendAttr(b, unix.RTA_OIF, r.oif)
	return appendAttr(b, unix.RTA_GATEWAY, r.gateway)
}

func appendAttr(b []byte, typ uint16, v uint32) []byte {
	b = append(b, 8, 0, byte(typ), 0)
	return binary.NativeEndian.AppendUint32(b, v)
}

func (r *rawRoute) decode(b []byte) {
	for b = b[unix.SizeofRtMsg:]; len(b) >= 8; {
		v := binary.NativeEndian.Uint32(b[4:])
		switch binary.NativeEndian.Uint16(b[2:]) {
		case unix.RTA_DST:
			r.dst = v
		case unix.RTA_TABLE:
			r.table = v
		case unix.RTA_OIF:
			r.oif = v
		case unix.RTA_GATEWAY:
			r.gateway = v
		}
		b = b[(binary.NativeEndian.Uint16(b)+3)&^3:]
	}
}

func rawEncode([]string) (Sample, error) {
	r := rawRoute{1, unix.RT_TABLE_MAIN, firstIndex, 2}
	var buf []byte
	return bench(func(b *testing.B) {
		for b.Loop() {
			buf = r.appendTo(buf[:0])
		}
	})
}

func rawDecode([]string) (Sample, error) {
	payload := routePayload()
	var r rawRoute
	return bench(func(b *testing.B) {
		for b.Loop() {
			r.decode(payload)
		}
	})
}
