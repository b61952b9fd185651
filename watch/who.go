package watch

import (
	"fmt"
	"strings"

	"github.com/nlapply/nlapply/internal/portowner"
	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/netlink/route"
)

// A culprit is what is known of who changed an object.
type culprit struct {
	protocol uint8  // that the object came with, 0 for none
	port     uint32 // of the socket that asked for it, 0 for the kernel's own doing
	process  string // "" when it is not known
}

// String says who it was, as far as is known.
func (c culprit) String() string {
	var words []string
	if c.process != "" {
		words = append(words, c.process)
	}
	if c.protocol != 0 {
		words = append(words, "protocol "+route.ProtocolName(c.protocol))
	}
	if len(words) == 0 && c.port != 0 {
		words = append(words, fmt.Sprintf("netlink port %d", c.port))
	}
	if len(words) == 0 {
		return "someone"
	}
	return strings.Join(words, ", ")
}

// processOf names the process that has a netlink socket of this port in a
// namespace.
func processOf(namespace string, port uint32) string {
	open := netns.Current
	if namespace != "" {
		open = func() (*netns.NS, error) { return netns.Open(namespace) }
	}
	ns, err := open()
	if err != nil {
		return ""
	}
	defer ns.Close()
	if pid, name := portowner.Find(ns, port, true); name != "" {
		return fmt.Sprintf("%s (pid %d)", name, pid)
	}
	return ""
}
