package netlink

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Config says how a client opens its sockets. The zero value is rtnetlink in the
// namespace of the calling thread.
type Config struct {
	// Protocol is unix.NETLINK_*. NETLINK_ROUTE is 0.
	Protocol int
	// NetNS is the descriptor of a network namespace to open the sockets in. It
	// must stay open as long as the client, which opens sockets for dumps and
	// subscriptions when they are needed. 0 means the namespace of the thread that
	// calls Dial, also for those sockets; to open them from a thread that is
	// elsewhere takes CAP_NET_ADMIN and CAP_SYS_ADMIN.
	NetNS int
	// ReadBuffer is the size to ask for as receive buffer of every socket, in
	// bytes; 0 keeps the kernel's default. Without CAP_NET_ADMIN the kernel gives
	// no more than net.core.rmem_max.
	ReadBuffer int
	// Lax leaves NETLINK_GET_STRICT_CHK off: the kernel then ignores most filters
	// of dump requests, and most of what it does not know.
	Lax bool
	// Transport opens sockets instead of Open. Only tests set it.
	Transport func(Config) (Socket, error)

	first *socket // that of the client's requests, to open others beside it
}

func (cfg Config) open() (Socket, error) {
	if cfg.Transport != nil {
		return cfg.Transport(cfg)
	}
	return Open(cfg)
}

// A Client makes requests. It serves many goroutines at once.
//
// Requests share one socket and are told apart by sequence number. Every dump
// has a socket of its own for as long as it runs, because the kernel runs one
// dump per socket (net/netlink/af_netlink.c, __netlink_dump_start, EBUSY). A
// client has no goroutines: whoever waits for an answer reads for all.
type Client struct {
	cfg   Config
	sock  Socket
	port  uint32
	slots int // answers that the receive buffer is sure to hold

	// turn is held to send on sock, lead to receive from it.
	turn, lead chan struct{}
	// freed wakes the holder of turn when answers have made room.
	freed chan struct{}
	// buf and overrun belong to the holder of lead. overrun is set from ENOBUFS
	// until the socket is empty.
	buf     []byte
	overrun bool

	// mu guards all following fields and the results of pending exchanges.
	mu         sync.Mutex
	closed     bool
	seq        uint32
	used       int // slots of pending
	pending    []*exchange
	dumps      map[*dumper]struct{} // open ones
	idle       []*dumper            // those on which no dump runs
	dumpBuffer int                  // size of the receive buffer of a dump
	stats      Stats
}

// readBufferSize is what is offered to every receive. The kernel makes the
// datagrams of a dump as large as the largest buffer that was offered before,
// up to 32 KiB (net/netlink/af_netlink.c, netlink_recvmsg, max_recvmsg_len);
// single messages can be larger, such as a link with many virtual functions.
const readBufferSize = 64 << 10

// bytesPerAnswer is what one acknowledgement counts against the receive buffer:
// 832 bytes of truesize measured on v6.18, plus room for longer texts. The
// default buffer of 212992 bytes is good for 200.
const bytesPerAnswer = 1064

// Dial opens a client. It needs no privilege, except to enter cfg.NetNS.
func Dial(cfg Config) (*Client, error) {
	cfg.first = nil
	sock, err := cfg.open()
	if err != nil {
		return nil, err
	}
	cfg.first, _ = sock.(*socket)
	size, err := sock.SetReadBuffer(0)
	if err != nil {
		sock.Close()
		return nil, err
	}
	return &Client{
		cfg:        cfg,
		sock:       sock,
		port:       sock.Port(),
		slots:      max(size/bytesPerAnswer, 1),
		turn:       make(chan struct{}, 1),
		lead:       make(chan struct{}, 1),
		freed:      make(chan struct{}, 1),
		buf:        make([]byte, readBufferSize),
		dumps:      make(map[*dumper]struct{}),
		dumpBuffer: readBufferSize,
		stats:      Stats{Sent: make(map[uint16]uint64)},
	}, nil
}

// Close closes the client's sockets. Requests that wait end with an error that
// matches os.ErrClosed, and so do later ones and running dumps. Subscriptions
// are closed by themselves.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return os.ErrClosed
	}
	c.closed = true
	for d := range c.dumps {
		d.sock.Close()
	}
	clear(c.dumps)
	c.idle = nil
	return c.sock.Close()
}

// another opens a further socket, unless the client is closed: its NetNS may be
// the number of another file then. The caller holds mu, which is released
// meanwhile.
func (c *Client) another() (Socket, error) {
	if c.closed {
		return nil, os.ErrClosed
	}
	c.mu.Unlock()
	sock, err := c.cfg.open()
	c.mu.Lock()
	if err == nil && c.closed {
		sock.Close()
		return nil, os.ErrClosed
	}
	return sock, err
}

// Port returns the address of the socket that requests are made from. Events
// about the client's own changes carry it.
func (c *Client) Port() uint32 { return c.port }

// answersLate tells whether an acknowledgement can come before the answer. Audit
// sends the answer from a thread of its own (kernel/audit.c,
// audit_send_reply_thread), with port 0 instead of the requester's.
func (c *Client) answersLate() bool { return c.cfg.Protocol == unix.NETLINK_AUDIT }

// own tells whether m answers a request from the given port, not counting its
// sequence number. Events about others' changes carry the others' port.
func (c *Client) own(m Message, port uint32) bool {
	return m.Port == port || m.Port == 0 && c.answersLate()
}
