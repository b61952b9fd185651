package route

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// A Conn reads the objects of one network namespace. It is a netlink.Client for
// rtnetlink: changes go through Do and Execute with the objects as payload.
//
// An iterator that a dump returns yields an error at most once, at its end. What
// it yielded before is true also when the error is netlink.ErrDumpInterrupted,
// but there may be gaps. Absent objects are no error of a dump.
type Conn struct {
	*netlink.Client
}

// Dial opens a Conn. cfg.Protocol must be zero, which is NETLINK_ROUTE.
func Dial(cfg netlink.Config) (*Conn, error) {
	if cfg.Protocol != unix.NETLINK_ROUTE {
		return nil, fmt.Errorf("protocol %d is not NETLINK_ROUTE: %w", cfg.Protocol, unix.EPROTONOSUPPORT)
	}
	c, err := netlink.Dial(cfg)
	if err != nil {
		return nil, err
	}
	return &Conn{c}, nil
}

// object is a pointer to T that can be decoded.
type object[T any] interface {
	*T
	Decode([]byte) error
}

// dump sends req as a dump request of type get and yields the replies of type
// want that match, all in one object.
func dump[T any, P object[T]](
	ctx context.Context, c *Conn, get, want uint16, req netlink.Payload, match func(P) bool,
) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		p := P(new(T))
		for m, err := range c.Dump(ctx, get, req) {
			if err != nil {
				yield(nil, err)
				return
			}
			if m.Type != want {
				continue
			}
			if err := p.Decode(m.Data); err != nil {
				yield(nil, fmt.Errorf("%s: %w", MessageName(want), err))
				return
			}
			if match(p) && !yield(p, nil) {
				return
			}
		}
	}
}

// isIP tells whether an object of family is wanted when want is: 0 wants IPv4
// and IPv6, but none of the other families that a dump of all has (multicast
// routing, MPLS, MCTP).
func isIP(family, want uint8) bool {
	return family == want || want == unix.AF_UNSPEC && (family == unix.AF_INET || family == unix.AF_INET6)
}

// withoutENOENT ends a dump quietly when the kernel says that there is no such
// table.
func withoutENOENT[P any](seq iter.Seq2[P, error]) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		for p, err := range seq {
			if errors.Is(err, unix.ENOENT) || !yield(p, err) {
				return
			}
		}
	}
}
