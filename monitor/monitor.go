package monitor

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/spec"
)

// defaultReadBuffer holds some ten thousand events, if the kernel grants it.
const defaultReadBuffer = 8 << 20

// Config says what to tell.
type Config struct {
	// Classes are those whose events are told; nil is all of them.
	Classes []Class
	// Namespaces are the names of namespaces to follow beside the one that Open is
	// called in. They need not exist yet.
	Namespaces []string
	// AllNamespaces follows all that have a name.
	AllNamespaces bool
	// ReadBuffer is the size to ask for as receive buffer in each namespace, in
	// bytes; 0 is eight MiB. Without CAP_NET_ADMIN on the machine the kernel gives no
	// more than net.core.rmem_max.
	ReadBuffer int
}

// A Monitor listens in network namespaces.
type Monitor struct {
	cfg   Config
	names *spec.Names
	home  *follower
	named *namedSpaces // nil: names are not looked at
	out   chan *Event
}

// Open begins to listen: all that happens after it returns is told by Events. It
// needs no right for the namespace that it is called in; the error for others
// names CAP_SYS_ADMIN when it is missing.
func Open(cfg Config) (m *Monitor, err error) {
	if cfg.Classes == nil {
		cfg.Classes = Classes()
	}
	if cfg.ReadBuffer == 0 {
		cfg.ReadBuffer = defaultReadBuffer
	}
	for _, c := range cfg.Classes {
		if !slices.Contains(Classes(), c) {
			return nil, fmt.Errorf("unknown class %q", c)
		}
	}
	for _, name := range cfg.Namespaces {
		if err := checkName(name); err != nil {
			return nil, err
		}
	}
	m = &Monitor{cfg: cfg, names: spec.SystemNames(), out: make(chan *Event)}
	follows := cfg.AllNamespaces || len(cfg.Namespaces) > 0
	if follows && !netns.CanEnter() {
		return nil, errNoEntry
	}
	ns, err := netns.Current()
	if err != nil {
		return nil, err
	}
	if follows || slices.Contains(cfg.Classes, Namespace) {
		if m.named, err = openNamed(m, ns); err != nil {
			ns.Close()
			return nil, err
		}
	}
	if m.home, err = m.follow("", ns); err == nil && m.named != nil {
		err = m.named.look(context.Background())
	}
	if err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// checkName refuses what can never be the name of a namespace.
func checkName(name string) error {
	ns, err := netns.Open(name)
	if err == nil {
		return ns.Close()
	}
	if errors.Is(err, unix.EINVAL) {
		return err
	}
	return nil
}

// errNoEntry is returned where a namespace cannot be entered.
var errNoEntry = errors.New("missing capability: CAP_SYS_ADMIN is needed to enter a namespace")

// Close ends listening. It must not be called while Events is iterated over.
func (m *Monitor) Close() {
	if m.home != nil {
		m.home.close()
	}
	if m.named != nil {
		m.named.close()
	}
}

// tells tells whether events of a class are wanted.
func (m *Monitor) tells(c Class) bool { return c == Unknown || slices.Contains(m.cfg.Classes, c) }

// Events iterates over the events as they come, until the context ends. Those of
// one namespace come in their order. It may be called once.
func (m *Monitor) Events(ctx context.Context) iter.Seq[*Event] {
	return func(yield func(*Event) bool) {
		var wg sync.WaitGroup
		defer wg.Wait()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		m.home.start(ctx)
		if m.named != nil {
			wg.Go(func() { m.named.run(ctx) })
		}
		for {
			select {
			case e := <-m.out:
				if !yield(e) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

// send hands an event to Events, unless the context ends before.
func (m *Monitor) send(ctx context.Context, e *Event) {
	select {
	case m.out <- e:
	case <-ctx.Done():
	}
}
