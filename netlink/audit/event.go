package audit

import (
	linked "container/list"
	"errors"
	"iter"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
)

// An Event is what the kernel tells about one thing that happened: one record, or
// those of a system call together with what was found during it. The zero value is
// an event without records; Assemble yields none such.
type Event struct {
	Time   time.Time // as in Record
	Serial uint64    // as in Record
	Node   string    // as in Record
	// Records are in the order in which they came. AUDIT_EOE, which only ends an
	// event, is not among them.
	Records []Record
	// Incomplete tells that records may be missing: the event was open when some were
	// lost, or began just after that without the system call; or its end did not come
	// in time, although it has a system call.
	Incomplete bool
}

const (
	// endOfEvent is how long an event without an end is waited for, as auditd's
	// programs do (auditd.conf(5), end_of_event_timeout).
	endOfEvent = 2 * time.Second
	// maxOpen bounds the events that are open at a time. Each process may have one;
	// those that never end fill two seconds.
	maxOpen = 4096
)

// Assemble puts records together to events and yields these as they are complete.
// The records of several events may be mixed.
//
// An event is complete with its AUDIT_PROCTITLE or AUDIT_EOE, which the kernel
// writes last when a system call ends (kernel/auditsc.c, audit_log_exit). Programs'
// messages (AUDIT_USER_* and others outside of 1300–2099, except AUDIT_LOGIN) are
// events by themselves. Any other record may be one, when the process has no audit
// context because it was there before audit, or the kernel does it by itself, or be
// the first of several: nothing tells which. So it is yielded when records are two
// seconds newer, when 4096 younger events are open, or when the records end. Who
// cannot wait for others' records to learn of these uses Listener.Events.
//
// Errors of records are yielded as they come. One that matches netlink.ErrOverrun
// or unix.EBADMSG goes between the events; any other is the last thing that is
// yielded, after the events that were open. All events that were open when an
// overrun came are Incomplete.
func Assemble(records iter.Seq2[Record, error]) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		a := newAssembler(yield)
		// The clock is the newest stamp: logs can be read, and what another machine
		// recorded. A system call that took long has an old one when it ends.
		var newest time.Time
		for r, err := range records {
			if r.Time.After(newest) {
				newest = r.Time
			}
			if !a.take(r, err, newest) {
				return
			}
		}
		a.endAll()
		a.deliver()
	}
}

// An eventID is what the records of an event have in common.
type eventID struct {
	node   string
	milli  int64
	serial uint64
}

// An openEvent is one that more records may come for.
type openEvent struct {
	Event
	id      eventID
	since   time.Time // by the clock that take is given
	suspect bool      // its first records may be lost
}

// An assembler has the events that are open.
type assembler struct {
	yield func(Event, error) bool
	done  []Event // that have not been yielded
	byID  map[eventID]*linked.Element
	order *linked.List // of *openEvent, oldest first
	// lost is set from an overrun until endOfEvent after the next record.
	lost      bool
	lostUntil time.Time
}

func newAssembler(yield func(Event, error) bool) *assembler {
	return &assembler{yield: yield, byID: make(map[eventID]*linked.Element), order: linked.New()}
}

// take takes what a source of records yields, and yields what becomes of it. It
// returns false when nothing more is to be yielded.
func (a *assembler) take(r Record, err error, now time.Time) bool {
	switch {
	case err == nil:
		a.add(r, now)
		return a.deliver()
	case errors.Is(err, netlink.ErrOverrun):
		a.overrun()
		return a.deliver() && a.yield(Event{}, err)
	case errors.Is(err, unix.EBADMSG):
		return a.deliver() && a.yield(Event{}, err)
	}
	a.endAll()
	if a.deliver() {
		a.yield(Event{}, err)
	}
	return false
}

// deliver yields the events that are complete.
func (a *assembler) deliver() bool {
	for len(a.done) > 0 {
		e := a.done[0]
		a.done = a.done[1:]
		if !a.yield(e, nil) {
			return false
		}
	}
	a.done = nil
	return true
}

func (a *assembler) add(r Record, now time.Time) {
	a.expire(now)
	if a.lost && a.lostUntil.IsZero() {
		a.lostUntil = now.Add(endOfEvent)
	}
	a.lost = a.lost && !now.After(a.lostUntil)
	id := eventID{r.Node, r.Time.UnixMilli(), r.Serial}
	el := a.byID[id]
	switch {
	case el == nil && r.Type == unix.AUDIT_EOE:
		return // of an event that ended with its PROCTITLE, or that was lost
	case el == nil && isAlone(r.Type):
		a.done = append(a.done, Event{Time: r.Time, Serial: r.Serial, Node: r.Node, Records: []Record{r}})
		return
	case el == nil:
		el = a.begin(r, id, now)
	}
	if r.Type != unix.AUDIT_EOE {
		e := el.Value.(*openEvent)
		e.Records = append(e.Records, r)
	}
	if r.Type == unix.AUDIT_PROCTITLE || r.Type == unix.AUDIT_EOE {
		a.end(el, true)
	}
}

func (a *assembler) begin(r Record, id eventID, now time.Time) *linked.Element {
	if a.order.Len() >= maxOpen {
		a.end(a.order.Front(), false)
	}
	e := &openEvent{id: id, since: now, suspect: a.lost}
	e.Time, e.Serial, e.Node = r.Time, r.Serial, r.Node
	el := a.order.PushBack(e)
	a.byID[id] = el
	return el
}

// isAlone tells whether a record never belongs to a system call. The kernel gives
// the messages of programs a context of their own (kernel/audit.c,
// audit_log_user_recv_msg), and those of auditd are its own.
func isAlone(t MessageType) bool {
	return t < unix.AUDIT_SYSCALL && t != unix.AUDIT_LOGIN || t == unix.AUDIT_KERNEL || t >= unix.AUDIT_FIRST_USER_MSG2
}

// end takes an event out of those that are open; atEnd when its last record has
// come.
func (a *assembler) end(el *linked.Element, atEnd bool) {
	e := a.order.Remove(el).(*openEvent)
	delete(a.byID, e.id)
	// audit_log_exit begins with one of these; only an exclude rule keeps it away.
	hasCall := slices.ContainsFunc(e.Records, func(r Record) bool {
		return r.Type == unix.AUDIT_SYSCALL || r.Type == unix.AUDIT_URINGOP
	})
	e.Incomplete = e.Incomplete || hasCall && !atEnd || !hasCall && atEnd && e.suspect
	a.done = append(a.done, e.Event)
}

// overrun marks what is open.
func (a *assembler) overrun() {
	for el := a.order.Front(); el != nil; el = el.Next() {
		el.Value.(*openEvent).Incomplete = true
	}
	a.lost, a.lostUntil = true, time.Time{}
}

// expire ends the events that were begun too long ago.
func (a *assembler) expire(now time.Time) {
	for {
		at, ok := a.deadline()
		if !ok || now.Before(at) {
			return
		}
		a.end(a.order.Front(), false)
	}
}

// deadline is when the oldest open event is ended.
func (a *assembler) deadline() (at time.Time, ok bool) {
	oldest := a.order.Front()
	if oldest == nil {
		return time.Time{}, false
	}
	return oldest.Value.(*openEvent).since.Add(endOfEvent), true
}

func (a *assembler) endAll() {
	for el := a.order.Front(); el != nil; el = a.order.Front() {
		a.end(el, false)
	}
}
