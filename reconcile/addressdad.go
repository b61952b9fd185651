package reconcile

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/route"
)

// dadTime is longer than the kernel looks for a duplicate with the default
// settings: a random delay below a second, and a second for the probe
// (net/ipv6/addrconf.c, addrconf_dad_kick).
const dadTime = 3 * time.Second

// Await implements awaiter: an address that was somebody else's, too, is so
// most likely still, which the kernel finds out only after it accepted it.
func (addressResource) Await(ctx context.Context, s *Scope, have []address, ops []op[address]) error {
	doubtful := map[addressKey]bool{}
	for _, p := range ops {
		if p.have >= 0 && p.action == Replace && have[p.have].Flags&unix.IFA_F_DADFAILED != 0 {
			doubtful[addressResource{}.Key(&have[p.have])] = true
		}
	}
	for end := time.Now().Add(dadTime); len(doubtful) > 0 && time.Now().Before(end); {
		open, err := s.tentative(ctx, doubtful)
		if err != nil || !open {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

// tentative tells whether the kernel still checks one of some addresses.
func (s *Scope) tentative(ctx context.Context, keys map[addressKey]bool) (open bool, err error) {
	c, err := s.Conn()
	if err != nil {
		return false, err
	}
	err = untilUndisturbed(ctx, func() error {
		open = false
		for d, err := range c.Addrs(ctx, route.AddrFilter{}) {
			if err != nil {
				return err
			}
			checked := d.Flags&unix.IFA_F_TENTATIVE != 0 && d.Flags&unix.IFA_F_DADFAILED == 0
			open = open || checked && keys[addressResource{}.Key(&address{Addr: *d})]
		}
		return nil
	})
	return open, err
}
