package route

import (
	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// Metrics are what a route tells TCP and IP about its path. Only those count
// whose bit, 1<<unix.RTAX_MTU and so on, is in Set. Values are in the kernel's
// units: RTT in 1/8 ms, RTTVar in 1/4 ms, RTOMin in ms.
type Metrics struct {
	Set  uint32
	Lock uint32 // the metrics that the kernel must not change: 1<<unix.RTAX_MTU …

	MTU, AdvMSS, Window uint32
	Cwnd                uint32
	InitCwnd, InitRwnd  uint32
	HopLimit            uint32
	QuickAck            uint32
	RTT, RTTVar         uint32
	SSThresh            uint32
	Reordering          uint32
	Features            uint32 // RTAX_FEATURE_*
	RTOMin              uint32
	FastOpenNoCookie    uint32
	Congestion          string // congestion control: "bbr"
}

// field returns the field of a metric that is a number.
func (m *Metrics) field(typ uint16) *uint32 {
	switch typ {
	case unix.RTAX_LOCK:
		return &m.Lock
	case unix.RTAX_MTU:
		return &m.MTU
	case unix.RTAX_WINDOW:
		return &m.Window
	case unix.RTAX_RTT:
		return &m.RTT
	case unix.RTAX_RTTVAR:
		return &m.RTTVar
	case unix.RTAX_SSTHRESH:
		return &m.SSThresh
	case unix.RTAX_CWND:
		return &m.Cwnd
	case unix.RTAX_ADVMSS:
		return &m.AdvMSS
	case unix.RTAX_REORDERING:
		return &m.Reordering
	case unix.RTAX_HOPLIMIT:
		return &m.HopLimit
	case unix.RTAX_INITCWND:
		return &m.InitCwnd
	case unix.RTAX_FEATURES:
		return &m.Features
	case unix.RTAX_RTO_MIN:
		return &m.RTOMin
	case unix.RTAX_INITRWND:
		return &m.InitRwnd
	case unix.RTAX_QUICKACK:
		return &m.QuickAck
	case unix.RTAX_FASTOPEN_NO_COOKIE:
		return &m.FastOpenNoCookie
	}
	return nil
}

// Put sets the number of a metric, RTAX_MTU and so on, and its bit in Set.
// Metrics that are no number or not known are left alone.
func (m *Metrics) Put(typ uint16, v uint32) {
	if p := m.field(typ); p != nil {
		*p = v
		m.Set |= 1 << typ
	}
}

// Get returns the number of a metric and whether it is set.
func (m *Metrics) Get(typ uint16) (v uint32, ok bool) {
	p := m.field(typ)
	if p == nil || m.Set&(1<<typ) == 0 {
		return 0, false
	}
	return *p, true
}

// PutCongestion sets the congestion control algorithm; "" unsets it.
func (m *Metrics) PutCongestion(name string) {
	m.Congestion = name
	m.Set |= 1 << unix.RTAX_CC_ALGO
	if name == "" {
		m.Set &^= 1 << unix.RTAX_CC_ALGO
	}
}

func (m *Metrics) appendTo(e *netlink.Encoder) {
	nest := e.Begin(unix.RTA_METRICS)
	for typ := uint16(1); typ <= unix.RTAX_MAX; typ++ {
		if m.Set&(1<<typ) == 0 {
			continue
		}
		if typ == unix.RTAX_CC_ALGO {
			e.String(typ, m.Congestion)
		} else if p := m.field(typ); p != nil {
			e.Uint32(typ, *p)
		}
	}
	e.End(nest)
}

// decode tells whether it knew all metrics. congestion is the last route's.
func (m *Metrics) decode(a netlink.Attrs, congestion string) (known bool) {
	known = true
	for a.Next() {
		switch typ := a.Type(); {
		case typ == unix.RTAX_CC_ALGO:
			m.PutCongestion(again(congestion, a.CString()))
		case m.field(typ) != nil:
			m.Put(typ, a.Uint32())
		default:
			known = false
		}
	}
	return known
}
