package fault

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/nltest"
	"github.com/nlapply/nlapply/netlink/route"
)

// tape counts and logs the messages of all sockets of the process.
type tape struct {
	fault Fault

	mu    sync.Mutex // guards all following fields
	log   *os.File
	seen  map[uint16]int // messages by type
	sends int
}

func (t *tape) open(cfg netlink.Config) (netlink.Socket, error) {
	s, err := netlink.Open(cfg)
	if err != nil {
		return nil, err
	}
	return &socket{Socket: s, tape: t, audit: cfg.Protocol == unix.NETLINK_AUDIT}, nil
}

// note counts and logs the messages of a datagram, and returns the one that the
// fault strikes, -1 for none.
func (t *tape) note(s *socket, messages []netlink.Message) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sends++
	struck := -1
	for i, m := range messages {
		t.seen[m.Type]++
		name := fmt.Sprintf("%s#%d", s.nameOf(m), t.seen[m.Type])
		fmt.Fprintf(t.log, "%d %s %s\n", t.sends, s.how(m), name)
		if t.fault.Kind != "" && name == t.fault.On {
			fmt.Fprintln(t.log, struckLine)
			struck = i
		}
	}
	return struck
}

const struckLine = "struck"

// Ways of messages.
const (
	Dumps  = "dump"
	Gets   = "get"
	Writes = "write"
)

func (s *socket) how(m netlink.Message) string {
	switch {
	case s.audit && m.Type == unix.AUDIT_LIST_RULES:
		return Dumps
	case s.audit && (m.Type == unix.AUDIT_GET || m.Type == unix.AUDIT_GET_FEATURE):
		return Gets
	case s.audit, m.Type%4 != unix.RTM_GETLINK%4: // net/core/rtnetlink.c, rtnl_msgtype_kind
		return Writes
	case m.Flags&netlink.Dump == netlink.Dump:
		return Dumps
	}
	return Gets
}

// auditNames are the requests of the audit system (include/uapi/linux/audit.h).
var auditNames = map[uint16]string{
	unix.AUDIT_GET: "AUDIT_GET", unix.AUDIT_SET: "AUDIT_SET",
	unix.AUDIT_GET_FEATURE: "AUDIT_GET_FEATURE", unix.AUDIT_SET_FEATURE: "AUDIT_SET_FEATURE",
	unix.AUDIT_ADD_RULE: "AUDIT_ADD_RULE", unix.AUDIT_DEL_RULE: "AUDIT_DEL_RULE",
	unix.AUDIT_LIST_RULES: "AUDIT_LIST_RULES", unix.AUDIT_TRIM: "AUDIT_TRIM",
}

func (s *socket) nameOf(m netlink.Message) string {
	if s.audit {
		return auditNames[m.Type]
	}
	return route.MessageName(m.Type)
}

// socket is a real one, whose answers may be replaced by those in queue.
type socket struct {
	netlink.Socket
	tape  *tape
	audit bool // it is one of the audit system
	queue []received
}

// received is what one receive returns.
type received struct {
	datagram []byte
	err      error
}

// Send implements netlink.Socket.
func (s *socket) Send(b []byte) error {
	var messages []netlink.Message
	for m, err := range netlink.ReadMessages(b) {
		if err != nil {
			return err
		}
		messages = append(messages, m)
	}
	if i := s.tape.note(s, messages); i >= 0 {
		return strikes[s.tape.fault.Kind](s, messages, i)
	}
	return s.Socket.Send(b)
}

// Recv implements netlink.Socket.
func (s *socket) Recv(b []byte, wait bool) (int, error) {
	if len(s.queue) == 0 {
		return s.Socket.Recv(b, wait)
	}
	r := s.queue[0]
	s.queue = s.queue[1:]
	copy(b, r.datagram)
	return len(r.datagram), r.err
}

// strikes are what is done instead of sending messages, by the kind of fault. i is
// the message that the fault is on.
var strikes map[string]func(s *socket, messages []netlink.Message, i int) error

func init() { // it refers to itself
	strikes = map[string]func(s *socket, messages []netlink.Message, i int) error{
		KillBefore: func(*socket, []netlink.Message, int) error { return kill() },
		KillAfter: func(s *socket, messages []netlink.Message, _ int) error {
			s.send(messages)
			return kill()
		},
		Run: func(s *socket, messages []netlink.Message, _ int) error {
			out, err := exec.Command("sh", "-c", os.Getenv(EnvRun)).CombinedOutput()
			fmt.Fprintf(s.tape.log, "run: %v %s\n", err, out)
			return s.send(messages)
		},
		Refuse:    refuse,
		Lose:      lose,
		Interrupt: spoil(interrupt),
		Repeat:    spoil(repeat),
		Truncate:  spoil(truncate),
		Overrun:   spoil(overrun),
		Miss:      spoil(miss),
	}
}

// kill does not return.
func kill() error {
	unix.Kill(unix.Getpid(), unix.SIGKILL)
	select {}
}

func (s *socket) send(messages []netlink.Message) error {
	var b []byte
	for _, m := range messages {
		b = m.AppendTo(b)
	}
	return s.Socket.Send(b)
}

// refuse sends all messages but one, which the kernel takes for a no-op
// (net/netlink/af_netlink.c, netlink_rcv_skb), and puts the refusal where the
// kernel's would be: an answer to the last message is the last one.
func refuse(s *socket, messages []netlink.Message, i int) error {
	struck := messages[i]
	struck.Port = s.Port()
	answer := received{datagram: nltest.Refuse(struck, Errnos[s.tape.fault.Arg], nil).AppendTo(nil)}
	if len(messages) == 1 {
		s.queue = append(s.queue, answer)
		return nil
	}
	messages[i] = netlink.Message{Type: unix.NLMSG_NOOP, Flags: netlink.Request, Seq: struck.Seq}
	if err := s.send(messages); err != nil {
		return err
	}
	if i < len(messages)-1 {
		s.queue = append(s.queue, answer)
		return nil
	}
	s.queue = append(s.drain(), answer)
	return nil
}

// lose sends the messages and loses all answers, as the kernel does when the
// receive buffer is full.
func lose(s *socket, messages []netlink.Message, _ int) error {
	if s.how(messages[0]) == Dumps {
		return spoil(overrun)(s, messages, 0)
	}
	err := s.send(messages)
	if err == nil {
		s.drain()
		s.queue = append(s.queue, received{err: unix.ENOBUFS})
	}
	return err
}

// drain receives what is there.
func (s *socket) drain() (all []received) {
	for {
		b := make([]byte, bufferSize)
		n, err := s.Socket.Recv(b, false)
		if errors.Is(err, unix.EAGAIN) {
			return all
		}
		all = append(all, received{b[:n], err})
		if err != nil {
			return all
		}
	}
}

const bufferSize = 64 << 10
