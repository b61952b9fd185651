package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// Errors that say why the kernel does not answer. They are found with errors.Is.
var (
	// ErrUserNamespace: the audit system belongs to the initial user namespace.
	ErrUserNamespace = errors.New("the audit system cannot be reached from a user namespace")
	// ErrPIDNamespace: the audit system is only controlled from the initial PID namespace,
	// whatever the capabilities (kernel/audit.c, audit_netlink_ok).
	ErrPIDNamespace = errors.New("the audit system cannot be controlled from a PID namespace")
	// ErrCapability: there is no CAP_AUDIT_CONTROL.
	ErrCapability = errors.New("no CAP_AUDIT_CONTROL")
	// ErrLocked: enabled is 2, so that nothing can be changed until the next boot.
	ErrLocked = errors.New("the audit system is locked (enabled is 2) until the next boot")
)

// A Conn reads and changes the audit system, of which a machine has one: network
// namespaces have none of their own. It never becomes the audit daemon.
type Conn struct {
	*netlink.Client
}

// Dial opens a Conn. It needs no privilege; requests need CAP_AUDIT_CONTROL.
// cfg.Protocol is not used.
func Dial(cfg netlink.Config) (*Conn, error) {
	cfg.Protocol = unix.NETLINK_AUDIT
	cfg.Lax = true // strict checking is of rtnetlink
	c, err := netlink.Dial(cfg)
	if err != nil {
		return nil, err
	}
	return &Conn{c}, nil
}

// empty is a request without a payload.
type empty struct{}

func (empty) AppendTo(*netlink.Encoder) {}

// Status asks for the state of the audit system.
func (c *Conn) Status(ctx context.Context) (s Status, err error) {
	err = c.get(ctx, unix.AUDIT_GET, &s)
	return s, err
}

// Features asks for the switches of the audit system.
func (c *Conn) Features(ctx context.Context) (f Features, err error) {
	err = c.get(ctx, unix.AUDIT_GET_FEATURE, &f)
	return f, err
}

func (c *Conn) get(ctx context.Context, typ uint16, into interface{ Decode([]byte) error }) error {
	m, err := c.Get(ctx, typ, 0, empty{})
	if err != nil {
		return explained(err)
	}
	return into.Decode(m.Data)
}

// Rules yields the rules in the kernel's order: by list, and within a list in the order
// in which they are tried. The rule is valid until the next step. An error is the last
// thing that is yielded.
func (c *Conn) Rules(ctx context.Context) iter.Seq2[*Rule, error] {
	return func(yield func(*Rule, error) bool) {
		var r Rule
		for m, err := range c.Dump(ctx, unix.AUDIT_LIST_RULES, empty{}) {
			if err == nil && m.Type != unix.AUDIT_LIST_RULES {
				continue
			}
			if err == nil {
				err = r.Decode(m.Data)
			} else {
				err = explained(err)
			}
			if !yield(&r, err) || err != nil {
				return
			}
		}
	}
}

// Add adds a rule: behind those of its list, or, with Prepend, before them. A rule that
// is there already is an error that matches os.ErrExist, but not with Prepend: the
// kernel then adds it once more (kernel/auditfilter.c, audit_add_rule). A directory or a
// file of which the directory is not there matches os.ErrNotExist.
func (c *Conn) Add(ctx context.Context, r *Rule) error { return c.change(ctx, unix.AUDIT_ADD_RULE, r) }

// Delete deletes the first rule that is the same, for which the kernel waits until no
// processor looks at it: about 12 ms. That there is none is an error that matches
// os.ErrNotExist.
func (c *Conn) Delete(ctx context.Context, r *Rule) error {
	d := *r
	d.Prepend = false // with it the kernel finds none
	return c.change(ctx, unix.AUDIT_DEL_RULE, &d)
}

// Trim has the kernel drop the rules of directories that are not at their path any more
// (AUDIT_TRIM), which it does some time after it has answered.
func (c *Conn) Trim(ctx context.Context) error { return c.change(ctx, unix.AUDIT_TRIM, empty{}) }

// Set changes settings.
func (c *Conn) Set(ctx context.Context, s *Settings) error {
	status := *s
	status.LoginUIDImmutable = nil
	if s.LoginUIDImmutable != nil {
		if !*s.LoginUIDImmutable {
			return fmt.Errorf("login uids cannot be made mutable again: %w", unix.EPERM)
		}
		if err := c.change(ctx, unix.AUDIT_SET_FEATURE, lockLoginUID{}); err != nil {
			return err
		}
	}
	if status.IsEmpty() {
		return nil
	}
	return c.change(ctx, unix.AUDIT_SET, &status)
}

// change makes a request that changes something. A refusal for want of permission is
// told from a lock.
func (c *Conn) change(ctx context.Context, typ uint16, p netlink.Payload) error {
	err := c.Do(ctx, typ, 0, p)
	if errors.Is(err, unix.EPERM) {
		if s, statusErr := c.Status(ctx); statusErr == nil && s.Enabled == EnabledLocked {
			return fmt.Errorf("%w: %w", ErrLocked, err)
		}
	}
	return explained(err)
}

// explained says what the kernel means.
func explained(err error) error {
	switch {
	case errors.Is(err, unix.ECONNREFUSED):
		return fmt.Errorf("%w: %w", ErrUserNamespace, err)
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w: %w", missing(), err)
	}
	return err
}
