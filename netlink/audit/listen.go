package audit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/internal/thread"
)

// A Listener receives the records of the kernel beside auditd, which it does not
// disturb: it is a member of the multicast group AUDIT_NLGRP_READLOG. Nothing waits
// for it; what it does not read in time is lost, and reported. One goroutine at a
// time may iterate over it.
type Listener struct{ sub *netlink.Subscription }

// Listen begins to listen. From when it returns no record is missed unreported.
// The protocol of cfg is set here. Its ReadBuffer should be some MiB: a record counts
// 2 KiB at least (AUDIT_BUFSIZ in kernel/audit.c, and what belongs to a buffer), so
// that the kernel's default holds less than a hundred.
//
// It needs CAP_AUDIT_READ in the initial user namespace: without it, the error
// matches unix.EPERM and tells which of the two is missing (kernel/audit.c,
// audit_multicast_bind). The kernel sends records only in the initial network
// namespace (kernel/audit.c, kauditd_send_multicast_skb); elsewhere a listener
// would hear nothing for ever, so that is an error, where it can be found out. A
// kernel without audit, or with audit=0 on its command line, is an error that
// matches unix.EPROTONOSUPPORT.
//
// While audit is disabled there are no records but AUDIT_USER_AVC (kernel/audit.c,
// audit_log_common_recv_msg). A rule of the list exclude hides the types it names.
func Listen(cfg netlink.Config) (*Listener, error) {
	cfg.Protocol = unix.NETLINK_AUDIT
	if cfg.Transport == nil && isElsewhere(cfg.NetNS) {
		return nil, errors.New("listen to audit: the kernel sends records only in the initial network namespace")
	}
	c, err := netlink.Dial(cfg)
	if err != nil {
		return nil, fmt.Errorf("listen to audit: %w", err)
	}
	defer c.Close() // the subscription outlives it
	sub, err := c.Subscribe(unix.AUDIT_NLGRP_READLOG)
	switch {
	case errors.Is(err, unix.EPERM) && hasAuditRead():
		return nil, fmt.Errorf("listen to audit: CAP_AUDIT_READ is needed in the initial user namespace, this is another: %w", err)
	case errors.Is(err, unix.EPERM):
		return nil, fmt.Errorf("listen to audit: CAP_AUDIT_READ is needed: %w", err)
	case err != nil:
		return nil, fmt.Errorf("listen to audit: %w", err)
	}
	return &Listener{sub}, nil
}

// KeepQueued makes the iterations yield what was queued before records were lost,
// and then the error: for those who show or store records. Otherwise it is dropped,
// for those who look at the rules again after an error, as that is then newer than
// all records before it (netlink.Subscription.KeepQueued).
func (l *Listener) KeepQueued() { l.sub.KeepQueued() }

// Close ends the listener and the iteration over it.
func (l *Listener) Close() error { return l.sub.Close() }

// Records iterates over the records as they come. An iteration that is left can be
// taken up again.
//
// When records were lost, an error that matches netlink.ErrOverrun is yielded; a
// record without a time stamp is yielded with one that matches unix.EBADMSG: the
// iteration goes on. Any other error is the last thing that is yielded: that of the
// context, or one that matches os.ErrClosed after Close.
func (l *Listener) Records(ctx context.Context) iter.Seq2[Record, error] {
	return parse(l.sub.Messages(ctx))
}

// parse reads the records that are in messages.
func parse(messages iter.Seq2[netlink.Message, error]) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for m, err := range messages {
			var r Record
			switch {
			case err == nil && m.Type < unix.NLMSG_MIN_TYPE:
				continue // NLMSG_NOOP and the like
			case err == nil:
				r, err = ParseRecord(MessageType(m.Type), m.Data)
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// Events is Assemble for the records of a listener, and does not wait for further
// records to yield an event that nothing ends: two seconds after its first record
// it is yielded.
func (l *Listener) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		a := newAssembler(yield)
		for l.takeQueued(ctx, a) && l.takeNext(ctx, a) {
			continue
		}
	}
}

// takeQueued takes the records that are there.
func (l *Listener) takeQueued(ctx context.Context, a *assembler) bool {
	for r, err := range parse(l.sub.Queued(ctx)) {
		if !a.take(r, err, time.Now()) {
			return false
		}
	}
	return true
}

// takeNext waits for a record, or until an open event is to be ended.
func (l *Listener) takeNext(ctx context.Context, a *assembler) bool {
	wait := ctx
	if at, ok := a.deadline(); ok {
		var cancel context.CancelFunc
		wait, cancel = context.WithDeadline(ctx, at)
		defer cancel()
	}
	for r, err := range parse(l.sub.Messages(wait)) {
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			break
		}
		if !a.take(r, err, time.Now()) {
			return false
		}
		break
	}
	a.expire(time.Now())
	return a.deliver()
}

// DecodeUnicast takes the message out of a datagram that the kernel sent to the
// audit daemon, or in answer to a request. This package never makes itself the
// daemon (AUDIT_STATUS_PID); the function is for programs that are it.
//
// The kernel sends the daemon one record in a datagram, whose nlmsg_len lacks the
// 16 bytes of the header (kernel/audit.c, audit_log_end and the comment in
// kauditd_send_multicast_skb; so still in v6.18), so that netlink.ReadMessages would
// cut off the end of its text. Copies for the multicast group, AUDIT_REPLACE and
// answers are right, apart from up to three bytes of padding. Both are read here, as
// the length of the datagram tells which it is. Any other length is an error that
// matches unix.EBADMSG.
//
// The text is a view of the datagram; ParseRecord reads it, if it is a record.
func DecodeUnicast(datagram []byte) (typ MessageType, text []byte, err error) {
	size := uint64(len(datagram))
	if size < unix.NLMSG_HDRLEN {
		return 0, nil, fmt.Errorf("audit message header in %d bytes: %w", size, unix.EBADMSG)
	}
	typ = MessageType(binary.NativeEndian.Uint16(datagram[4:]))
	n := uint64(binary.NativeEndian.Uint32(datagram))
	if n+unix.NLMSG_HDRLEN == size {
		n = size
	}
	if n < unix.NLMSG_HDRLEN || n > size || size-n >= unix.NLMSG_ALIGNTO {
		return typ, nil, fmt.Errorf("audit message of %d bytes in a datagram of %d: %w", n, size, unix.EBADMSG)
	}
	return typ, datagram[unix.NLMSG_HDRLEN:n:n], nil
}

// hasAuditRead tells whether the process has CAP_AUDIT_READ in its user namespace.
func hasAuditRead() bool {
	h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var d [2]unix.CapUserData
	return unix.Capget(&h, &d[0]) == nil && d[unix.CAP_AUDIT_READ/32].Effective&(1<<(unix.CAP_AUDIT_READ%32)) != 0
}

// isElsewhere tells whether a network namespace, 0 for that of the thread, is
// certainly not the initial one.
func isElsewhere(ns int) bool {
	elsewhere := isThreadElsewhere()
	if ns == 0 {
		return elsewhere
	}
	var here, there unix.Stat_t
	if unix.Stat(thread.NetNS, &here) != nil || unix.Fstat(ns, &there) != nil {
		return false
	}
	if here.Dev == there.Dev && here.Ino == there.Ino {
		return elsewhere
	}
	return !elsewhere && exists(initialOnly) // then the thread's is the initial one
}

// isThreadElsewhere looks for a sysctl that only the initial network namespace has
// (net/core/sysctl_net_core.c, net_core_table), beside one that all have.
func isThreadElsewhere() bool { return exists("/proc/sys/net/core/somaxconn") && !exists(initialOnly) }

const initialOnly = "/proc/sys/net/core/dev_weight"

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
