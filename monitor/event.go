package monitor

import (
	"strings"
	"time"

	"github.com/nlapply/nlapply/netlink"
)

// A Kind is what an event says of its object.
type Kind string

// The kinds of events.
const (
	New     Kind = "new" // it was made or changed
	Del     Kind = "del" // it is gone
	Overrun Kind = "overrun"
	Failure Kind = "error"
)

// An Event is something that happened.
type Event struct {
	Time      time.Time // when the message was read; the kernel does not say when it was sent
	Namespace string    // "" is the one that the monitor was opened in
	// Kind is New or Del. Overrun has no object: the kernel dropped messages of the
	// namespace, because they were not read fast enough. Failure has an Error.
	Kind  Kind
	Class Class // "" for Overrun and Failure

	// Fields is the object, with the keys of `ip -j`.
	Fields Fields
	// Changed says what differs from the state before, of links that were seen
	// before.
	Changed []Change
	// Port is the port of the netlink socket whose request caused the event, 0 for
	// the kernel's own doing or where it does not say.
	Port uint32
	// Process is the name of the process that has this socket, "" if that cannot be
	// found out (it may have ended).
	Process string
	Error   string

	// Message is the message behind the event; its Data is the event's own. The zero
	// Message is behind those that no message told.
	Message netlink.Message
}

// A Change is one property of a link that changed, in iproute2's words. Old or
// New is empty where there was or is nothing.
type Change struct {
	Name string `json:"name"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// String returns "name old → new".
func (c Change) String() string {
	old, neu := c.Old, c.New
	if old == "" {
		old = "none"
	}
	if neu == "" {
		neu = "none"
	}
	return c.Name + " " + old + " → " + neu
}

// String returns the event as one line, as `ip -o monitor` or `bridge monitor`
// print it, with the namespace in front and, behind links, what changed:
//
//	red: 2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400 … (mtu 1500 → 1400)
func (e *Event) String() string {
	var b strings.Builder
	if e.Namespace != "" {
		b.WriteString(e.Namespace + ": ")
	}
	switch e.Kind {
	case Overrun:
		b.WriteString("overrun: events were lost")
	case Failure:
		b.WriteString("error: " + e.Error)
	case Del:
		b.WriteString("Deleted ")
	}
	b.WriteString(e.Fields.String())
	for i, c := range e.Changed {
		b.WriteString([]string{" (", ", "}[min(i, 1)] + c.String())
	}
	if len(e.Changed) > 0 {
		b.WriteByte(')')
	}
	return oneLine(b.String())
}

// oneLine replaces what would end the line or move the cursor: names of links
// may have any bytes but a few.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}

// MarshalJSON writes the event as one object: time (RFC 3339, with microseconds),
// namespace, event (the Kind), class, portid, process, error, then the Fields,
// then changed. What is empty is left out, apart from namespace.
func (e *Event) MarshalJSON() ([]byte, error) {
	head := Fields{
		{Key: "time", Value: e.Time.Format("2006-01-02T15:04:05.000000Z07:00")},
		{Key: "namespace", Value: e.Namespace}, {Key: "event", Value: e.Kind},
	}
	if e.Class != "" {
		head.hidden("class", e.Class)
	}
	if e.Port != 0 {
		head.hidden("portid", e.Port)
	}
	if e.Process != "" {
		head.hidden("process", e.Process)
	}
	if e.Error != "" {
		head.hidden("error", e.Error)
	}
	all := append(head, e.Fields...)
	if len(e.Changed) > 0 {
		all.hidden("changed", e.Changed)
	}
	return all.MarshalJSON()
}
