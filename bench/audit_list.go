package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	nl "github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/audit"
)

// auditBed is the audit system of this machine, with rules that match nothing.
type auditBed struct {
	conn  *audit.Conn
	rules []audit.Rule
}

// layAudit adds n rules to the audit system, which must have none.
func layAudit(n int) (*auditBed, error) {
	c, err := audit.Dial(nl.Config{})
	if err != nil {
		return nil, err
	}
	b := &auditBed{conn: c}
	for _, err := range c.Rules(context.Background()) {
		if err == nil {
			err = errors.New("the audit system of this machine has rules: they would be in the way")
		}
		c.Close()
		return nil, err
	}
	for i := range n {
		rules, err := audit.ParseRule(fmt.Sprintf("-a never,exit -F arch=b64 -S mount,umount2 -F auid=%d -F exit=-EACCES -k bench", 4_000_000_000+i), nil)
		if err == nil {
			err = c.Add(context.Background(), &rules[0])
		}
		if err != nil {
			return nil, errors.Join(err, b.clear())
		}
		b.rules = append(b.rules, rules[0])
	}
	return b, nil
}

// clear deletes the rules again, which takes 12 ms each.
func (b *auditBed) clear() (err error) {
	for i := range b.rules {
		err = errors.Join(err, b.conn.Delete(context.Background(), &b.rules[i]))
	}
	return errors.Join(err, b.conn.Close())
}

// audit runs what is about the audit system, which a machine has one of.
func (b *Bench) audit(n, rounds int) (err error) {
	bed, err := layAudit(n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bed.clear()) }()
	r, err := b.run(listAudit(n), rounds)
	if err == nil {
		printHead(os.Stdout)
		r.print(os.Stdout)
	}
	return err
}

// listAudit lists the rules of the machine.
func listAudit(n int) Workload {
	const times = 100
	list := func(f func() (int, error)) func(*Stage) (Sample, error) {
		return func(*Stage) (Sample, error) {
			s, err := measure(times, f)
			if err == nil && s.Objects != n {
				err = fmt.Errorf("%d rules, want %d", s.Objects, n)
			}
			return s, err
		}
	}
	return Workload{
		Name: fmt.Sprintf("list %d audit rules", n), Rounds: 7,
		Variants: []Variant{
			{Name: "floor: raw Go, not decoded", Run: list(rawAuditRules)},
			{Name: "nlapply audit.Conn.Rules", Run: list(nlapplyAuditRules), Targets: []Target{atMost(1.5)}},
			{Name: "auditctl -l", Run: func(s *Stage) (Sample, error) { return s.process("auditctl", "-l") }},
		},
	}
}

func nlapplyAuditRules() (n int, err error) {
	c, err := audit.Dial(nl.Config{})
	if err != nil {
		return 0, err
	}
	defer c.Close()
	for r, err := range c.Rules(context.Background()) {
		if err != nil {
			return n, err
		}
		if len(r.Fields) > 0 {
			n++
		}
	}
	return n, nil
}

// rawAuditRules counts the rules in what the kernel sends.
func rawAuditRules() (n int, err error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_AUDIT)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	request := make([]byte, unix.NLMSG_HDRLEN)
	binary.NativeEndian.PutUint32(request[0:], unix.NLMSG_HDRLEN)
	binary.NativeEndian.PutUint16(request[4:], unix.AUDIT_LIST_RULES)
	binary.NativeEndian.PutUint16(request[6:], unix.NLM_F_REQUEST)
	if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, err
	}
	buf := make([]byte, 1<<16)
	for {
		size, _, err := unix.Recvfrom(fd, buf, 0)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return n, err
		case size < unix.NLMSG_HDRLEN:
			return n, unix.EBADMSG
		}
		switch binary.NativeEndian.Uint16(buf[4:]) {
		case unix.NLMSG_DONE:
			return n, nil
		case unix.NLMSG_ERROR:
			return n, unix.EPROTO
		}
		n++
	}
}
