package monitor

import (
	"time"

	"github.com/nlapply/nlapply/internal/portowner"
)

// believed is how long an answer of portOwner holds. A process cannot end and
// another one get its number so soon.
const believed = time.Second

// A portOwner finds out who has a netlink socket. It remembers the last answer:
// events come in bursts.
type portOwner struct {
	port  uint32
	name  string
	until time.Time
}

// process returns the name of the process whose number is the port and that has
// the socket of that port in the namespace of f, "" if there is none or /proc
// does not tell.
func (p *portOwner) process(f *follower, port uint32) string {
	if now := time.Now(); p.port != port || now.After(p.until) {
		*p = portOwner{port: port, until: now.Add(believed)}
		_, p.name = portowner.Find(f.ns, port, false)
	}
	return p.name
}
