// Package wire dials the connections of a run. It is the one place where tests
// come between the command and the kernel; the product never sets Transport.
package wire

import (
	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/audit"
	"github.com/nlapply/nlapply/netlink/route"
)

// Transport opens the sockets of all connections that are dialled from now on;
// nil is netlink.Open. Only tests set it, before anything is dialled.
var Transport func(netlink.Config) (netlink.Socket, error)

// Dial is route.Dial.
func Dial(cfg netlink.Config) (*route.Conn, error) {
	cfg.Transport = Transport
	return route.Dial(cfg)
}

// DialAudit is audit.Dial.
func DialAudit(cfg netlink.Config) (*audit.Conn, error) {
	cfg.Transport = Transport
	return audit.Dial(cfg)
}
