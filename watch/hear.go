package watch

import (
	"errors"
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/netns"
	"github.com/nlapply/nlapply/reconcile"
)

// hearOf reads what one ear has collected against what was found last.
func (w *watcher) hearOf(e *ear) (reason bool) {
	messages, lost := e.take(w.spare)
	w.spare = messages
	if lost {
		w.overruns++
		if w.lost.note(e.namespace) {
			w.log.Warn("events were lost, so all that they may have been about is looked at", "in", e.namespace)
		}
	}
	for m, err := range netlink.ReadMessages(messages) {
		if err == nil && w.heed(e.namespace, m) {
			reason = true
		}
	}
	return reason
}

// heed reads one event.
func (w *watcher) heed(namespace string, m netlink.Message) (reason bool) {
	if m.Type == unix.RTM_NEWADDR && !w.run.Owns(m.Port) {
		w.holds.hastenNetworks(namespace)
	}
	h := w.run.Hear(namespace, m.Type, m.Data)
	w.disturbed = w.disturbed || w.turnsBack(h)
	if !h.Rouses && !(h.Right && w.drift != "") { // else what was reported may be over
		w.pending.Add(h.Look)
		return false
	}
	w.want(Drift, h.Look)
	w.disturbed = w.disturbed || w.disturbs(namespace, h, m.Port)
	if h.Object.Class == "link" && h.Deleted {
		w.holds.hasten(h.Object)
	}
	if h.Object.Name != "" && !w.run.Owns(m.Port) {
		w.blame(h, m.Port)
	}
	return true
}

// disturbs tells whether an event is another program's doing. The kernel does not
// say so when a link goes down.
func (w *watcher) disturbs(namespace string, h reconcile.Heard, port uint32) bool {
	part := h.Look.At(namespace)
	return port != 0 && !w.run.Owns(port) || port == 0 && h.Object.Class == "link" && (part.Tables || part.Fallen)
}

// turnsBack tells whether a link is again as it was when the plan was made, after it was
// another way: what the plan did to it was undone.
func (w *watcher) turnsBack(h reconcile.Heard) bool {
	if h.Object.Class != "link" {
		return false
	}
	id := h.Object.ID()
	if h.Rouses {
		w.turned[id] = true
	}
	return h.Look.Empty() && w.turned[id]
}

// blame notes who changed an object. Whose process it was is asked only when it
// happens again and again: it takes a look at all processes.
func (w *watcher) blame(h reconcile.Heard, port uint32) {
	id := h.Object.ID()
	c := culprit{port: port}
	if !h.Deleted {
		c.protocol = h.Protocol
	}
	if f := w.holds.fights[id]; f != nil && f.count > 2 && port != 0 {
		c.process = processOf(h.Object.Namespace, port)
	}
	if before, known := w.culprits[id]; known && c.process == "" {
		c.process = before.process
	}
	w.culprits[id] = c
}

// meanwhile drains the ears, so that the look that verifies covers what was
// announced before it, the watcher's own writes first of all.
func (w *watcher) meanwhile() reconcile.Look {
	if err := w.listen(); err != nil {
		w.complain("cannot listen", err)
	}
	w.drainAll()
	before := w.roused
	w.hear()
	look := w.pending
	w.lost.widen(&look)
	w.pending, w.roused = reconcile.Look{}, before
	if !before {
		w.cause = ""
	}
	return look
}

// drainAll has all that was announced so far ready to be heard.
func (w *watcher) drainAll() {
	for _, e := range w.ears {
		e.drain()
	}
}

// drain reads all that was announced in the namespaces of a look so far; in all of
// them when it is about links, because pairs reach from one into another.
func (w *watcher) drain(look reconcile.Look) {
	all := look.All || look.Links()
	for name, e := range w.ears {
		if all || look.In[name] != nil {
			e.drain()
			w.hearOf(e)
		}
	}
	w.roused, w.cause = false, ""
}

// dropStale closes the ears of namespaces that are gone, or are others by now.
// Until then their sockets keep them alive, and the far ends of their pairs.
func (w *watcher) dropStale() {
	for name, e := range w.ears {
		if name == "" {
			continue
		}
		ns, err := netns.Open(name)
		if err == nil {
			id, idErr := ns.ID()
			ns.Close()
			if idErr == nil && id == e.id {
				continue
			}
		} else if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.EINVAL) {
			continue
		}
		e.close()
		delete(w.ears, name)
	}
}

// newSpaces looks at the named namespaces, and tells whether one has changed that
// matters: a declared one, one that the run looked at, or any if all are pruned.
func (w *watcher) newSpaces() (matters bool) {
	now := namedSpaces()
	for _, spaces := range []map[string]netns.ID{now, w.spaces} {
		for name := range spaces {
			matters = matters || now[name] != w.spaces[name] && w.run.Concerns(name)
		}
	}
	w.spaces = now
	return matters
}

// listen opens ears in the namespaces of the run that have none, and closes
// those of others.
func (w *watcher) listen() error {
	places, err := w.run.Places()
	known := err == nil
	seen := map[string]bool{}
	for _, p := range places {
		seen[p.Name] = true
		err = errors.Join(err, w.listenAt(p))
		p.Handle.Close()
	}
	for name, e := range w.ears {
		if !seen[name] && known { // else it may be one that only could not be opened now
			e.close()
			delete(w.ears, name)
		}
	}
	return err
}

func (w *watcher) listenAt(p reconcile.Place) error {
	id, err := p.Handle.ID()
	if err != nil {
		return err
	}
	if e := w.ears[p.Name]; e != nil {
		if e.id == id && slices.Equal(e.groups, p.Groups) {
			return nil
		}
		e.close()
		delete(w.ears, p.Name)
	}
	e, err := listen(p, id, w.rouse)
	if err != nil {
		return err
	}
	w.ears[p.Name] = e
	return nil
}

// rouse wakes the watcher's goroutine.
func (w *watcher) rouse() {
	select {
	case w.heard <- struct{}{}:
	default:
	}
}
